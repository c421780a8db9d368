"""`dbt build --selector marts` and the like: one selector for each layer, and exactly its folder."""

from __future__ import annotations

import json
import os

import yaml
from forks import Forks

from consonance.study.dbt_command import PROJECT

# One parse for all of them.
LIST = """
import json, sys
from dbt.cli.main import dbtRunner
manifest = dbtRunner().invoke(["--quiet", "parse"]).result
options = ["--resource-type", "model", "--output", "path"]
for selector in sys.argv[1:]:
    paths = dbtRunner(manifest=manifest).invoke(["--quiet", "ls", "--selector", selector, *options]).result
    print("selected", json.dumps([selector, paths]))
"""


def test_each_layer_has_a_selector_that_gives_exactly_its_folder(forks: Forks) -> None:
    layers = {path.name for path in (PROJECT / "models").iterdir() if path.is_dir()}
    selectors = yaml.safe_load((PROJECT / "selectors.yml").read_text(encoding="utf-8"))["selectors"]
    assert all(selector["description"] for selector in selectors)
    assert {selector["name"] for selector in selectors} == layers | {"desk"}
    listed = forks.run([LIST, *sorted(layers), "desk"], PROJECT, os.environ)
    selected = dict(
        json.loads(line.removeprefix("selected "))
        for line in listed.stdout.splitlines()
        if line.startswith("selected ")
    )
    wanted = {
        layer: sorted(path.relative_to(PROJECT).as_posix() for path in (PROJECT / "models" / layer).rglob("*.sql"))
        for layer in layers
    }
    wanted["desk"] = sorted(wanted["marts"] + wanted["audit"])
    assert {name: sorted(paths) for name, paths in selected.items()} == wanted, listed.stderr
