"""SQL that runs beside the selects of the models: hooks, macros, settings, data tests, Jinja.

The check does not follow it. Nothing of the kind may be there, but macros that a person has reviewed.
"""

from __future__ import annotations

import re

from jinja2 import TemplateSyntaxError

from consonance.checks.lineage.jinja import jinja_names
from consonance.checks.lineage.layers import LAYERS, MATERIALIZED
from consonance.checks.lineage.project import DataTest, Model, Project
from consonance.checks.lineage.report import Findings
from consonance.checks.lineage.reviews import REVIEWED, Reviews
from consonance.checks.lineage.statement import relations_of
from consonance.checks.lineage.variables import problems_of

# What Jinja may use, beside macros that use nothing else: nothing that runs SQL, or differs between
# compiling and running.
JINJA = frozenset(
    {
        "ref",
        "source",
        "function",
        "var",
        "config",
        "return",
        "adapter.dispatch",
        "namespace",
        "range",
        "this",
        "local_md5",
    }
)
# What dbt writes itself into the source of a generic test.
GENERIC_TEST = "_dbt_generic_test_kwargs"
QUERY_OF_ITS_OWN = "Write the test as a query of its own in tests/sql."
# dbt's own tests of a column. Their SQL is known; there are hundreds, and to compile them takes longer than all the rest.
TESTS_OF_DBT = ("accepted_values", "not_null", "relationships", "unique")
# What such a test may be called with: names, numbers and words, and relations by ref() and source().
PLAIN = re.compile(r"(?!.*--)[\w. -]*|(?:\{\{ get_where_subquery\()?(?:ref|source)\('\w+'(?:, ?'\w+')?\)(?:\) \}\})?")


def check_project(project: Project, reviews: Reviews, findings: Findings) -> set[str]:
    """Check hooks, macros and nodes of kinds that the project does not use.

    Returns:
        The macros that need a review: they run SQL of their own. Models may not call them.
    """
    for what, file in project.oddities:
        findings.of_file(
            "project", what, file, f"{what} is of a kind that the wall check does not know.", "Leave it out."
        )
    reviewed = _called_by_hooks(project, findings)
    for macro in project.macros.values():
        if macro.overrides or macro.names - JINJA - project.macros.keys():
            reviewed.add(macro.name)
    reachable = list(reviewed)
    while reachable:
        for name in project.macros[reachable.pop()].names & project.macros.keys() - reviewed:
            reviewed.add(name)
            reachable.append(name)
    _compare_digests(project, reviews, reviewed, findings)
    for macro in project.macros.values():
        if macro.name not in reviewed:
            for what, remedy in problems_of(macro.source, project.variables):
                findings.of_file("unresolved", macro.name, macro.file, f"The macro {macro.name} {what}", remedy)
    return reviewed


def _called_by_hooks(project: Project, findings: Findings) -> set[str]:
    called = set()
    for hook in project.hooks:
        name = hook.strip().removeprefix("{{").removesuffix("}}").strip().removesuffix("()")
        if name in project.macros:
            called.add(name)
        else:
            what = f"A hook runs SQL of its own: {hook.strip()}."
            findings.of_file("project", "hooks", "dbt_project.yml", what, "Call a reviewed macro.")
    return called


def _compare_digests(project: Project, reviews: Reviews, reviewed: set[str], findings: Findings) -> None:
    for name in sorted(reviewed):
        macro = project.macros[name]
        digest, _ = reviews.macros.get(name, ("", ""))
        if digest != macro.digest:
            state = "has changed since its" if digest else "has no"
            findings.of_file(
                "review",
                name,
                macro.file,
                f"The macro {name} runs SQL that cannot be followed and {state} review.",
                f"Read it; if nothing crosses the wall in it, write digest {macro.digest} and why into {REVIEWED.name}.",
            )
    for name in sorted(reviews.macros.keys() - reviewed):
        findings.of_file(
            "review", name, REVIEWED.name, f"The macro {name} needs no review any more.", "Remove the entry."
        )


def check_settings(model: Model, findings: Findings) -> None:
    """Check where a model is built, and as what, and that nothing runs beside its select."""
    layer = LAYERS.get(model.layer)
    database, schema, _ = model.relation.split(".")
    if layer is None or (database, schema) != (layer.database, model.layer):
        findings.of_model(
            "layer",
            model,
            0,
            f"{model.name} is built in {database}.{schema}, but its file is in the folder {model.layer}.",
            f"Folders are {', '.join(sorted(LAYERS.keys() - {'analysis'}))}; each is a schema of its own database.",
        )
    if model.language != "sql":
        findings.of_model("unresolved", model, 0, f"{model.name} is written in {model.language}.", "Write it in SQL.")
    if model.materialized not in MATERIALIZED.get(database, ()):
        findings.of_model(
            "project",
            model,
            0,
            f"{model.name} is materialized as {model.materialized}.",
            "Right of the wall only tables are read; in the vault also views.",
        )
    if model.extras:
        findings.of_model(
            "project",
            model,
            0,
            f"{model.name} has {', '.join(model.extras)}, which runs SQL of its own.",
            "Remove it: a model is its select and nothing else.",
        )


def check_jinja(model: Model, allowed_macros: frozenset[str], variables: frozenset[str], findings: Findings) -> None:
    """Check that the Jinja of a model, an analysis or a test gives the same SQL whenever it is compiled."""
    try:
        strange = jinja_names(model.source) - JINJA - allowed_macros
        for what, remedy in problems_of(model.source, variables):
            findings.of_model("unresolved", model, 0, f"{model.name} {what}", remedy)
    except TemplateSyntaxError:
        strange = frozenset({"something unreadable"})
    if strange:
        findings.of_model(
            "unresolved",
            model,
            0,
            f"{model.name} uses {', '.join(sorted(strange))} in its Jinja.",
            "It may compile to one SQL and run another: use only ref, source, function, var and the project's macros.",
        )


def check_data_test(test: DataTest, allowed_macros: frozenset[str], project: Project, findings: Findings) -> None:
    """Check that a data test keeps no rows, and that its SQL can be read."""
    if test.extras:
        what = f"The test {test.name} keeps rows ({', '.join(test.extras)})."
        findings.of_model("project", test, 0, what, "Let it count only: remove store_failures.")
    if test.settings:
        what = f"The test {test.name} has SQL in its settings ({', '.join(test.settings)})."
        findings.of_model("unresolved", test, 0, what, QUERY_OF_ITS_OWN)
    if test.generic in TESTS_OF_DBT:
        for name, value in test.arguments.items():
            if not all(PLAIN.fullmatch(str(one)) for one in (value if isinstance(value, list) else [value])):
                what = f"The argument {name} of the test {test.name} is more than a name, a number or a word."
                findings.of_model("unresolved", test, 0, what, QUERY_OF_ITS_OWN)
        return
    for problem in relations_of(test.sql)[1]:
        findings.of_model("unresolved", test, problem.line, problem.what, problem.remedy)
    if GENERIC_TEST not in test.source:
        check_jinja(test, allowed_macros, project.variables, findings)
