# Each target makes .venv if it is missing. Needs Python 3.11 or later.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test faults lint bench lock clean

demo: .venv ## the whole line on a synthetic study
	$(BIN)/consonance demo

test: .venv lint ## everything that CI runs
	$(BIN)/pytest

faults: .venv ## only the planted faults: which there are, and that each is caught
	$(BIN)/pytest -v -m faults

lint: .venv
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv ## against bare DuckDB and pandas, on 3 million plays
	$(BIN)/python benchmarks/bench.py

.venv: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --requirement requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch .venv

lock: ## pin what pyproject.toml asks for, from scratch
	$(PYTHON) -m venv --clear .venv-lock
	.venv-lock/bin/pip install --quiet --disable-pip-version-check '.[dev]'
	.venv-lock/bin/pip freeze --exclude consonance > requirements.lock
	rm -r .venv-lock build

clean:
	rm -rf .venv target logs study-demo
