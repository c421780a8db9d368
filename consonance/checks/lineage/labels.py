"""What flows into the columns of every model, from the labels of ``staging`` to the marts.

A label is a column of ``staging`` with its class. It is carried through every model, and cleared by a
declassifier.
"""

from __future__ import annotations

from consonance.checks.lineage.flow import NOTHING, PRIVACY_CLASSES, Flow
from consonance.checks.lineage.layers import VAULT
from consonance.checks.lineage.permissions import kind_of
from consonance.checks.lineage.project import Model, Project
from consonance.checks.lineage.reading import Reading, Relation
from consonance.checks.lineage.report import Findings
from consonance.checks.lineage.reviews import REVIEWED, Reviews
from consonance.checks.lineage.statement import read_statement

LABELS_FILE = "models/staging/_staging__models.yml"


class Labels:
    """The columns of every model of a project; what cannot be followed, and what leaks, is a finding.

    Attributes:
        readings: What each model's SQL says, by the name of the model.
    """

    def __init__(self, project: Project, findings: Findings, reviews: Reviews) -> None:
        self.project = project
        self._memories = reviews.memories
        self.readings: dict[str, Reading] = {}
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
        for problem in reading.problems:
            self._findings.of_model("unresolved", model, problem.line, problem.what, problem.remedy)
        if model.layer == "staging":
            columns = self._staged(model, reading)
        else:
            columns = {
                name: self._released(model, name, flow).named(f"{model.name}.{name}")
                for name, flow in reading.columns.items()
            }
        relation = Relation.of(columns, is_whole=not reading.problems)
        self._known[model.relation] = relation
        return relation

    def _read(self, model: Model) -> Reading:
        """Read the SQL of ``model``: one that reads what it was before, again and again until no new origin comes in.

        Its first run found an empty table, and every later one what this SQL had made: other rows it does not keep.
        """
        if model.name not in self._memories:
            return read_statement(model.sql, self._relation, declassifiers=self._declassifiers)
        nothing = Relation.of(dict.fromkeys(model.privacy, NOTHING))
        self._before[model.name] = nothing
        while True:
            reading = read_statement(model.sql, self._relation, declassifiers=self._declassifiers)
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
                    column: Flow.of_column(f"{table}.{column}", "open", kind_of(database, table, column))
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
            kinds = {origin.kind for origin in reading.columns[name].origins}
            columns[name] = Flow.of_column(
                f"{model.name}.{name}", privacy if privacy in PRIVACY_CLASSES else "direct", max(kinds, default="")
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
        reported = {
            origin._replace(declassifiers=("nothing",)) if origin.is_bare else origin: way
            for origin, way in flow.origins.items()
        }
        return Flow(reported, flow.copy_of)


def check_raw_columns(project: Project, readings: dict[str, Reading], findings: Findings) -> None:
    """Staging columns of the same raw column must agree: a label cannot be lost by a second name."""
    alone: dict[str, dict[str, str]] = {}
    staged = [
        (model, name, sorted(origin.column for origin in flow.origins))
        for model in project.models.values()
        if model.layer == "staging"
        for name, flow in readings[model.name].columns.items()
    ]
    for model, name, sources in staged:
        if len(sources) == 1:
            alone.setdefault(sources[0], {})[f"{model.name}.{name}"] = model.privacy.get(name) or ""
    for model, name, sources in staged:
        privacy = model.privacy.get(name)
        for source in sources:
            for other, its_class in alone.get(source, {}).items():
                if _rank(its_class) > _rank(privacy):
                    findings.of_model(
                        "staging",
                        model,
                        0,
                        f"{model.name}.{name} is {privacy}, and {other}, of the same {source}, is {its_class}.",
                        f"Give it the class {its_class} in {LABELS_FILE}.",
                    )


def _rank(privacy: str | None) -> int:
    return PRIVACY_CLASSES.index(privacy) if privacy in PRIVACY_CLASSES else 0
