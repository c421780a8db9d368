"""What flows into the columns of every model, from the labels of ``staging`` to the marts.

A label is a column of ``staging`` with its class. It is carried through every model, and cleared by a
declassifier.
"""

from __future__ import annotations

from collections.abc import Iterable

from consonance.checks.lineage.flow import NOTHING, PRIVACY_CLASSES, Choice, Flow, most_identifying
from consonance.checks.lineage.layers import RAW, VAULT
from consonance.checks.lineage.permissions import declared_column, kinds_of
from consonance.checks.lineage.project import Model, Project
from consonance.checks.lineage.reading import Reading, Relation
from consonance.checks.lineage.report import Findings
from consonance.checks.lineage.reviews import CONDITION, REVIEWED, Reviews
from consonance.checks.lineage.statement import read_statement
from consonance.study.schema import tables

LABELS_FILE = "models/staging/_staging__models.yml"
STORES = "consonance/study/stores.yml"


class Labels:
    """The columns of every model of a project; what cannot be followed, and what leaks, is a finding.

    Attributes:
        readings: What each model's SQL says, by the name of the model.
        choices: What chooses a value right of the wall, or which rows there are, by column, use and model; each with
            the first that it chooses.
        chosen_values: The columns right of the wall, arguments of functions (``function(argument)``) and conditions
            (``the 'where' of model``) whose values they choose, as far as no function has accepted that; each with the model
            that has it.
    """

    def __init__(self, project: Project, findings: Findings, reviews: Reviews) -> None:
        self.project = project
        self._memories = reviews.memories
        self.readings: dict[str, Reading] = {}
        self.choices: dict[tuple[str, str, str], tuple[Choice, str]] = {}
        self.chosen_values: dict[tuple[str, str, str], dict[str, str]] = {}
        self._findings = findings
        self._by_relation = {model.relation: model for model in project.models.values()}
        self._declassifiers = {function.relation for function in project.functions.values()}
        self._known: dict[str, Relation] = {}
        self._in_progress: list[str] = []
        # What is known so far of a model that reads what it was before.
        self._before: dict[str, Relation] = {}

    def columns_of(self, model: Model) -> Relation:
        """What flows into the columns of ``model``; its SQL, and that of the models it reads, is read once."""
        if model.relation in self._known:
            return self._known[model.relation]
        if model.name in self._before:
            return self._before[model.name]
        if model.name in self._in_progress:
            self._findings.of_model(
                "unresolved", model, 1, f"{model.name} reads itself.", "A model reads models before it."
            )
            return Relation((), is_whole=False)
        self._in_progress.append(model.name)
        reading = self._read(model)
        self._in_progress.pop()
        self.readings[model.name] = reading
        for choices, kind in reading.by_values:
            self.note_values(choices, f"{CONDITION} '{kind}' of {model.name}", model)
        for problem in reading.problems:
            self._findings.of_model("unresolved", model, problem.line, problem.what, problem.remedy)
        if model.layer == "staging":
            columns = self._staged(model, reading)
        else:
            columns = {
                name: self._released(model, name, flow).named(f"{model.name}.{name}")
                for name, flow in reading.columns.items()
            }
        choices = reading.influence.choices
        if model.relation.split(".")[0] != VAULT:
            self.arrive(choices, f"which rows {model.name} has")
            choices = frozenset()
        relation = Relation.of(columns, not reading.problems, Flow(choices=choices))
        self._known[model.relation] = relation
        return relation

    def _read(self, model: Model) -> Reading:
        """Read the SQL of ``model``: one that reads what it was before, again and again until no new origin comes in.

        Its first run found an empty table, and every later one what this SQL had made: other rows it does not keep.
        """
        if model.name not in self._memories:
            return self._read_once(model)
        nothing = Relation.of(dict.fromkeys(model.privacy, NOTHING))
        self._before[model.name] = nothing
        while True:
            reading = self._read_once(model)
            known = self._before[model.name].named()
            found = {name: Flow(reading.columns.get(name, NOTHING).origins) for name in model.privacy}
            if {name: set(flow.origins) for name, flow in found.items()} == {
                name: set(flow.origins) for name, flow in known.items()
            }:
                break
            self._before[model.name] = Relation.of(found)
        del self._before[model.name]
        if not any(name == model.relation for name, _ in reading.reads):
            what = f"{model.name} does not read itself any more."
            self._findings.of_file("review", model.name, REVIEWED.name, what, "Remove it from the memories.")
        return reading

    def _read_once(self, model: Model) -> Reading:
        return read_statement(model.sql, self._relation, self._declassifiers, model=model.name)

    def has_column(self, column: str) -> bool:
        """Whether ``model.column`` is a column of a model."""
        name, _, last = column.partition(".")
        model = self.project.models.get(name)
        return model is not None and last in self.columns_of(model).named()

    def _relation(self, name: str) -> Relation | None:
        if model := self._by_relation.get(name):
            return self.columns_of(model)
        if name in self.project.tables:
            database, table = name.split(".", 1)
            return Relation.of(
                {
                    column: Flow.of_column(f"{table}.{column}", "open", kinds_of(database, table, column))
                    for column in self.project.tables[name]
                }
            )
        return None

    def _staged(self, model: Model, reading: Reading) -> dict[str, Flow]:
        """A staging model's columns as the YAML labels them: here the labels begin."""
        for use in reading.uses:
            if use.flow.origins:
                what = f"{model.name} does more than rename: {use.kind}."
                self._findings.of_model("staging", model, use.line, what, "Do it in models/intermediate.")
        columns = {}
        for name in reading.columns:
            privacy = model.privacy.get(name)
            if name not in model.privacy:
                what, remedy = f"{model.name}.{name} is not declared.", "Declare it with its class"
            elif privacy not in PRIVACY_CLASSES:
                what, remedy = f"{model.name}.{name} has no class.", "Add meta: {privacy: direct, quasi or open}"
            else:
                what = remedy = ""
            if what:
                self._findings.of_model("staging", model, 0, what, f"{remedy} in {LABELS_FILE}.")
            kinds = {kind for origin in reading.columns[name].origins for kind in origin.kinds}
            columns[name] = Flow.of_column(
                f"{model.name}.{name}", privacy if privacy in PRIVACY_CLASSES else "direct", kinds
            )
        if not reading.problems:
            for name in model.privacy.keys() - reading.columns.keys():
                what = f"{model.name}.{name} is declared, but there is no such column."
                self._findings.of_model("staging", model, 0, what, f"Remove it from {LABELS_FILE}.")
        return columns

    def _released(self, model: Model, name: str, flow: Flow) -> Flow:
        """Report what arrives right of the wall without a declassifier; each once, where it first arrives."""
        if model.relation.split(".")[0] == VAULT:
            return flow
        for privacy in ("direct", "quasi"):
            if bare := flow.bare(privacy):
                shortest = min((flow.origins[origin] for origin in bare), key=lambda way: (len(way), way))
                way = " > ".join((*shortest, f"{model.name}.{name}"))
                columns = ", ".join(dict.fromkeys(origin.column for origin in bare))
                self._findings.of_model(
                    "leak",
                    model,
                    1,
                    f"{model.name}.{name} contains {columns} ({privacy}) without a declassifier: {way}.",
                    f"Pass it through a function of functions/ that accepts {privacy}, or leave it out.",
                )
        if not flow.bare():
            self.arrive(flow.choices, f"{model.name}.{name}")
            self.note_values(flow.choices, f"{model.name}.{name}", model)
        reported = {
            origin._replace(declassifiers=("nothing",)) if origin.is_bare else origin: way
            for origin, way in flow.origins.items()
        }
        return Flow(reported, flow.copy_of)

    def arrive(self, choices: Iterable[Choice], what: str) -> None:
        """Note that ``choices`` choose ``what``, and that no function has accepted them."""
        for choice in choices:
            known, first = self.choices.get(choice.key, (choice, what))
            self.choices[choice.key] = known.joined(choice), first

    def note_values(self, choices: Iterable[Choice], value: str, model: Model) -> None:
        """Note that ``choices`` choose what stands in ``value``, and not only which rows there are."""
        for choice in choices:
            self.chosen_values.setdefault(choice.key, {}).setdefault(value, model.name)


def check_classes(project: Project, readings: dict[str, Reading], findings: Findings) -> None:
    """Check that no column of staging is less identifying than the columns of the stores that it is made of, which are
    declared.
    """
    for model in project.models.values():
        if model.layer != "staging":
            continue
        for relation, line in readings[model.name].reads:
            if relation.startswith(f"{VAULT}.raw.") and relation.removeprefix(f"{VAULT}.raw.") not in tables():
                findings.of_model(
                    "staging",
                    model,
                    line,
                    f"{model.name} reads {relation}, which is declared with no classes and no purpose.",
                    f"Read a table of {STORES}.",
                )
        for name, flow in readings[model.name].columns.items():
            privacy = model.privacy.get(name)
            for origin in flow.origins:
                table, _, column = origin.column.rpartition(".")
                declared = declared_column(VAULT, table, column) if table.startswith(f"{RAW}.") else None
                if declared and privacy in PRIVACY_CLASSES and most_identifying([privacy, declared.privacy]) != privacy:
                    findings.of_model(
                        "staging",
                        model,
                        0,
                        f"{model.name}.{name} is {privacy}, and {origin.column}, which it is made of, is {declared.privacy}.",
                        f"Give it the class {declared.privacy} in {LABELS_FILE}; {STORES} has the classes of the stores.",
                    )
