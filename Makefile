# Each target makes .venv if it is missing. Needs Python 3.11 or later.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test test-thorough check test-changed faults spark lint bench lock clean

demo: .venv ## the whole line on a synthetic study
	$(BIN)/consonance demo

test: .venv lint ## everything that CI runs
	$(BIN)/pytest

test-thorough: .venv lint ## the same, and the tests that repeat one on more cases: over half an hour
	$(BIN)/pytest -m ""

check: .venv lint ## format, lint, types, and the tests that load no study
	$(BIN)/pytest -m "not slow and not thorough"

# A folder of code has its tests in tests/python, under the same name. SQL is tested in models, pages and the demo in cli.
CHANGED = (git diff --name-only main; git ls-files --others --exclude-standard)
ROOMS = $(CHANGED) | sed -nE 's,^consonance/(site|synthetic)/.*,cli,p; s,^tests/faults/.*,checks,p; s,^(models|macros|functions|seeds|analyses|tests/sql)/.*,models,p; s,^(consonance|tests/python)/([a-z]+)/.*,\2,p; s,^loaders/.*,loaders,p' | sort -u
test-changed: .venv ## the tests of the folders that differ from main
	@rooms="$$(for room in $$($(ROOMS)); do ls -d tests/python/$$room; done 2>/dev/null)"; \
	if [ -n "$$rooms" ]; then $(BIN)/pytest $$rooms; else echo "No folder with tests differs from main."; fi

faults: .venv ## only the planted faults: which there are, and that each is caught
	$(BIN)/pytest -v -m faults

spark: .venv-spark ## a small study on DuckDB and on Spark, compared value by value; needs Java 17
	.venv-spark/bin/pytest -n 0 -v -rs -m spark tests/python/spark

.venv-spark: requirements-spark.lock requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv-spark
	.venv-spark/bin/pip install --quiet --disable-pip-version-check --requirement requirements-spark.lock
	.venv-spark/bin/pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch .venv-spark

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
	.venv-lock/bin/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	.venv-lock/bin/pip freeze --exclude consonance > requirements.lock
	rm -r .venv-lock

clean:
	rm -rf .venv .venv-spark target logs study-demo
