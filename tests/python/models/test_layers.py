"""Each layer of models has a selector (`dbt build --selector marts`) and a page in dbt's docs."""

from __future__ import annotations

import json
import os
import re
from typing import Any

import pytest
import yaml
from forks import Forks

from consonance.study.dbt_command import PROJECT

LAYERS = sorted(path.name for path in (PROJECT / "models").iterdir() if path.is_dir())
# One parse for all of them.
READ = """
import json, sys
from dbt.cli.main import dbtRunner
manifest = dbtRunner().invoke(["--quiet", "parse"]).result
options = ["--resource-type", "model", "--output", "path"]
selected = {
    name: dbtRunner(manifest=manifest).invoke(["--quiet", "ls", "--selector", name, *options]).result
    for name in sys.argv[1:]
}
pages = {block.name: block.block_contents for block in manifest.docs.values() if block.package_name == "consonance"}
nodes = [*manifest.nodes, *(source.source_name for source in manifest.sources.values())]
print("read", json.dumps({"selected": selected, "pages": pages, "nodes": nodes}))
"""


@pytest.fixture(scope="module")
def project(forks: Forks) -> dict[str, Any]:
    """What dbt makes of the project: the models of each selector, the blocks of its docs, the names of its nodes."""
    done = forks.run([READ, *LAYERS, "desk"], PROJECT, os.environ)
    found = re.search(r"^read (.*)$", done.stdout, re.MULTILINE)
    assert found, done.stdout + done.stderr
    return dict(json.loads(found[1]))


def test_the_selector_of_a_layer_gives_exactly_its_folder(project: dict[str, Any]) -> None:
    selectors = yaml.safe_load((PROJECT / "selectors.yml").read_text(encoding="utf-8"))["selectors"]
    assert all(selector["description"] for selector in selectors)
    assert sorted(selector["name"] for selector in selectors) == sorted([*LAYERS, "desk"])
    wanted = {
        layer: sorted(path.relative_to(PROJECT).as_posix() for path in (PROJECT / "models" / layer).rglob("*.sql"))
        for layer in LAYERS
    }
    wanted["desk"] = sorted(wanted["marts"] + wanted["audit"])
    assert {name: sorted(paths) for name, paths in project["selected"].items()} == wanted


def test_the_docs_begin_with_a_page_of_ours_and_lead_to_one_for_each_layer(project: dict[str, Any]) -> None:
    pages = project["pages"]
    assert sorted(name for name in pages if name.startswith("__")) == sorted(
        f"__{name}__" for name in ("overview", *LAYERS)
    )
    links = {name: re.findall(r"\(#!/(\w+)/([\w.]+)\)", page) for name, page in pages.items()}
    assert {f"__{name}__" for kind, name in links["__overview__"] if kind == "overview"} == {
        f"__{name}__" for name in LAYERS
    }
    for name, found in links.items():
        for kind, target in found:
            assert f"__{target}__" in pages if kind == "overview" else target in project["nodes"], (name, target)
