"""The policy of the wall: what may read what, what may flow where, and what a person must have reviewed.

Labels (column of ``staging``, class) are carried through every model, from ``staging`` to the marts. A
label is cleared by passing a declassifier of ``functions/`` as an argument, at the wall and nowhere
else. What cannot be followed is a finding, like a leak.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import yaml
from jinja2 import TemplateSyntaxError

from consonance.checks.lineage.columns import Problem, Reading, Relation, read_statement, relations_of
from consonance.checks.lineage.flow import PRIVACY_CLASSES, Flow, Origin
from consonance.checks.lineage.project import Function, Model, Project, jinja_names
from consonance.consent.state import PURPOSES
from consonance.study.dbt_command import PROJECT, run_dbt, target_folder
from consonance.study.errors import ConsonanceError
from consonance.study.folder import Study

REVIEWED = Path(__file__).with_name("reviewed.yml")
VAULT, WAREHOUSE = "vault", "warehouse"
WALL = "anonymized"
RIGHT = frozenset({WALL, "sessionized", "features", "marts", "audit"})
SEEDS, MUSIC, RAW = "reference", "music", "raw"
SOURCES = {"vault.raw": RAW, "catalogue.music": MUSIC}


@dataclass(frozen=True)
class Layer:
    """Where the models of a folder lie, and which layers they may read."""

    database: str
    reads: frozenset[str]


LAYERS = {
    "staging": Layer(VAULT, frozenset({RAW})),
    "intermediate": Layer(VAULT, frozenset({"staging", "intermediate", SEEDS})),
    WALL: Layer(WAREHOUSE, frozenset({"staging", "intermediate", WALL, SEEDS})),
    **{name: Layer(WAREHOUSE, RIGHT | {SEEDS, MUSIC}) for name in RIGHT - {WALL}},
    "analysis": Layer(WAREHOUSE, frozenset({"marts", "audit", SEEDS})),
}
MATERIALIZED = {VAULT: frozenset({"view", "table"}), WAREHOUSE: frozenset({"table"})}
# What Jinja may use, beside macros that use nothing else: nothing that runs SQL, or differs between
# compiling and running.
JINJA = frozenset({"ref", "source", "function", "var", "config", "return", "adapter.dispatch"})
GENERIC_TEST = "_dbt_generic_test_kwargs"


class BadReview(ConsonanceError):
    """``reviewed.yml`` cannot be used."""


@dataclass(frozen=True)
class Finding:
    """Something that breaks the wall, or that cannot be followed.

    Attributes:
        kind: unresolved, leak, declassifier, layer, staging, implicit, review or project.
        where: The model, function, analysis or macro.
        file, compiled, line: The source, the compiled SQL and the line in that; 0 where none is meant.
    """

    kind: str
    where: str
    file: str
    compiled: str
    line: int
    what: str
    remedy: str

    @property
    def place(self) -> str:
        return f"{self.file} ({self.compiled}, line {self.line})" if self.line else self.file


@dataclass(frozen=True)
class LineageRow:
    """A column right of the wall.

    Attributes:
        relation: ``schema.name`` as analysts see it.
        ways: Each origin with the columns it went through, the last of them this one.
    """

    relation: str
    column: str
    ways: tuple[tuple[Origin, tuple[str, ...]], ...]

    @property
    def sources(self) -> list[str]:
        return [origin.column for origin, _ in self.ways]

    @property
    def classes(self) -> list[str]:
        """The classes of the sources, the most telling first."""
        return sorted({origin.privacy for origin, _ in self.ways}, key=PRIVACY_CLASSES.index, reverse=True)

    def of_class(self, privacy: str) -> list[str]:
        """The sources of a class, the nearest first."""
        ways = sorted((len(way), way, origin.column) for origin, way in self.ways if origin.privacy == privacy)
        return list(dict.fromkeys(column for _, _, column in ways))

    @property
    def declassifiers(self) -> list[str]:
        return sorted({name for origin, _ in self.ways for name in origin.declassifiers})

    @property
    def path(self) -> tuple[str, ...]:
        """The way of its most telling source."""
        if not self.ways:
            return ()
        return min(self.ways, key=lambda way: (-PRIVACY_CLASSES.index(way[0].privacy), len(way[1]), way[1]))[1]

    def as_json(self) -> dict[str, Any]:
        return {
            "relation": self.relation,
            "column": self.column,
            "sources": [
                {
                    "column": origin.column,
                    "class": origin.privacy,
                    "declassifiers": list(origin.declassifiers),
                    "path": list(way),
                }
                for origin, way in sorted(self.ways, key=lambda each: (len(each[1]), each[1], each[0].column))
            ],
            "classes": self.classes,
            "declassifiers": self.declassifiers,
            "path": list(self.path),
        }


@dataclass(frozen=True)
class ImplicitUse:
    """A model's use of a direct column in a condition, a grouping or an order, and why it may."""

    column: str
    use: str
    model: str
    line: int
    reason: str | None


@dataclass(frozen=True)
class Reviews:
    """What a person has looked at and allowed.

    Attributes:
        uses: (column, use, model) to the reason.
        macros: Macro to (digest, reason): SQL that the checker does not read.
    """

    uses: Mapping[tuple[str, str, str], str]
    macros: Mapping[str, tuple[str, str]]

    @classmethod
    def read(cls, path: Path = REVIEWED) -> Reviews:
        """The reviews in a YAML file.

        Raises:
            BadReview: an entry lacks a part, or says a thing twice.
        """
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        uses: dict[tuple[str, str, str], str] = {}
        try:
            for entry in content["uses"]:
                reason = " ".join(entry["reason"].split())
                for column, (model, kinds) in product(entry["columns"], entry["models"].items()):
                    for kind in kinds:
                        if (column, kind, model) in uses or not reason:
                            raise BadReview(
                                f"{path.name} reviews {column} / {kind} / {model} twice, or without a reason.",
                                "Say it once, and why.",
                            )
                        uses[column, kind, model] = reason
            macros = {
                entry["macro"]: (str(entry["digest"]), " ".join(entry["reason"].split())) for entry in content["macros"]
            }
        except (KeyError, TypeError, AttributeError):
            raise BadReview(
                f"An entry of {path.name} lacks a part.",
                "A use has columns, reason and models; a macro has macro, digest and reason.",
            ) from None
        return cls(uses, macros)


@dataclass
class LineageReport:
    """How the check turned out.

    Attributes:
        rows: Every column right of the wall with where it comes from.
        uses: The implicit uses of direct columns.
        findings: What breaks the wall, or cannot be followed; none if it holds.
    """

    rows: list[LineageRow] = field(default_factory=list)
    uses: list[ImplicitUse] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return not self.findings

    @property
    def unresolved(self) -> int:
        return sum(finding.kind == "unresolved" for finding in self.findings)

    @property
    def summary(self) -> str:
        """One sentence."""
        counts = f"{len(self.rows)} released columns, {len(self.uses)} reviewed uses, {self.unresolved} unresolved"
        if self.passed:
            return f"{counts}; no way around functions/."
        return f"{len(self.findings)} findings in {counts.replace('reviewed uses', 'implicit uses')}."

    def details(self) -> dict[str, Any]:
        """The report as JSON."""
        return {
            "unresolved": self.unresolved,
            "columns": [row.as_json() for row in self.rows],
            "uses": [vars(use) for use in self.uses],
            "findings": [{**vars(finding), "place": finding.place} for finding in self.findings],
        }


def check_lineage(study: Study, workspace: Path | None = None) -> LineageReport:
    """Compile the project for ``study`` and check what it would do.

    Args:
        study: dbt compiles against its stores.
        workspace: Where dbt's artifacts go; the project's folder if not given.

    Raises:
        DbtFailed: the project does not compile.
        BadReview: the list of reviewed uses cannot be read.
    """
    run_dbt(study, "compile", workspace=workspace)
    return check_project(Project.read(PROJECT, target_folder(workspace)), Reviews.read())


def check_project(project: Project, reviews: Reviews) -> LineageReport:
    """Check a project as it was compiled. It reads no data, and no file beside the project's."""
    return _Checker(project, reviews).check()


class _Checker:
    def __init__(self, project: Project, reviews: Reviews) -> None:
        self.project = project
        self.reviews = reviews
        self.report = LineageReport()
        self.by_relation = {model.relation: model for model in project.models.values()}
        self.functions = {function.relation: function for function in project.functions.values()}
        self.known: dict[str, Relation] = {}
        self.readings: dict[str, Reading] = {}
        self.in_progress: list[str] = []
        self.trusted: set[str] = set()

    def check(self) -> LineageReport:
        self._check_project()
        for function in self.project.functions.values():
            self._check_function(function)
        for model in sorted(self.project.models.values(), key=lambda model: model.name):
            self._columns_of(model)
        self._check_raw_columns()
        self._check_analyses_and_tests()
        self._check_uses()
        for model in sorted(self.by_relation.values(), key=_shown_name):
            if model.relation.split(".")[0] != VAULT:
                for name, flow in self.known[model.relation].named().items():
                    ways = tuple(sorted(flow.origins.items()))
                    self.report.rows.append(LineageRow(_shown_name(model), name, ways))
        self.report.findings = sorted(dict.fromkeys(self.report.findings), key=lambda found: (found.file, found.line))
        return self.report

    # Models

    def _columns_of(self, model: Model) -> Relation:
        """What flows into a model's columns; read once, and every reading judged."""
        if model.relation in self.known:
            return self.known[model.relation]
        if model.name in self.in_progress:
            self._finding("unresolved", model, 1, f"{model.name} reads itself.", "A model reads models before it.")
            return Relation((), is_whole=False)
        self.in_progress.append(model.name)
        self._check_settings(model)
        reading = read_statement(
            model.sql, lambda name: self._relation(name, model), declassifiers=self.functions.keys()
        )
        self.in_progress.pop()
        self.readings[model.name] = reading
        for problem in reading.problems:
            self._finding("unresolved", model, problem.line, problem.what, problem.remedy)
        self._check_reads(model, reading.reads)
        if model.layer == WALL:
            for line in reading.stars:
                self._finding("unresolved", model, line, "At the wall a * is not read.", "Name every column.")
        self._check_calls(model, reading)
        if model.layer == "staging":
            columns = self._staged(model, reading)
        else:
            columns = {
                name: self._released(model, name, flow).named(f"{model.name}.{name}")
                for name, flow in reading.columns.items()
            }
        if model.layer in RIGHT:
            self._check_purposes(model, "participant_id" in columns, [name for name, _ in reading.reads])
        relation = Relation.of(columns, is_whole=not reading.problems)
        self.known[model.relation] = relation
        return relation

    def _relation(self, name: str, reader: Model) -> Relation | None:
        if model := self.by_relation.get(name):
            return self._columns_of(model)
        if name in self.project.tables:
            return Relation.of(
                {
                    column: Flow.of_column(f"{name.split('.', 1)[1]}.{column}", "open")
                    for column in self.project.tables[name]
                }
            )
        return None

    def _staged(self, model: Model, reading: Reading) -> dict[str, Flow]:
        """A staging model's columns as the YAML labels them: here the labels begin."""
        for use in reading.uses:
            if use.flow.origins:
                self._finding(
                    "staging",
                    model,
                    use.line,
                    f"{model.name} does more than rename: {use.kind}.",
                    "Do it in intermediate.",
                )
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
                self._finding("staging", model, 0, what, f"{remedy} in models/staging/_staging__models.yml.")
            columns[name] = Flow.of_column(f"{model.name}.{name}", privacy if privacy in PRIVACY_CLASSES else "direct")
        if not reading.problems:
            for name in model.privacy.keys() - reading.columns.keys():
                self._finding(
                    "staging",
                    model,
                    0,
                    f"{model.name}.{name} is declared and not there.",
                    "Remove it from models/staging/_staging__models.yml.",
                )
        return columns

    def _released(self, model: Model, name: str, flow: Flow) -> Flow:
        """Report what arrives bare right of the wall; each once, where it first arrives."""
        if model.relation.split(".")[0] == VAULT:
            return flow
        for privacy in ("direct", "quasi"):
            bare = flow.bare(privacy)
            if not bare:
                continue
            way = " > ".join(
                (
                    *min((flow.origins[origin] for origin in bare), key=lambda way: (len(way), way)),
                    f"{model.name}.{name}",
                )
            )
            columns = ", ".join(dict.fromkeys(origin.column for origin in bare))
            self._finding(
                "leak",
                model,
                1,
                f"{model.name}.{name} holds {columns} ({privacy}) without a declassifier: {way}.",
                f"Pass it through a function of functions/ that accepts {privacy}, or leave it out.",
            )
        return Flow(
            {
                Origin(origin.column, origin.privacy, ("nothing",)) if origin.is_bare else origin: way
                for origin, way in flow.origins.items()
            },
            flow.copy_of,
        )

    def _check_settings(self, model: Model) -> None:
        layer = LAYERS.get(model.layer)
        database, schema, _ = model.relation.split(".")
        if layer is None or (database, schema) != (layer.database, model.layer):
            self._finding(
                "layer",
                model,
                0,
                f"{model.name} lies in {database}.{schema}, its file in the folder {model.layer}.",
                f"Folders are {', '.join(sorted(LAYERS.keys() - {'analysis'}))}; each is a schema of its own database.",
            )
        if model.language != "sql":
            self._finding("unresolved", model, 0, f"{model.name} is written in {model.language}.", "Write it in SQL.")
        if model.materialized not in MATERIALIZED.get(database, ()):
            self._finding(
                "project",
                model,
                0,
                f"{model.name} is materialized as {model.materialized}.",
                "Right of the wall only tables are read; in the vault also views.",
            )
        if model.extras:
            self._finding(
                "project",
                model,
                0,
                f"{model.name} has {', '.join(model.extras)}, which runs SQL of its own.",
                "Leave it out: all a model does is its select.",
            )
        self._check_jinja(model)

    def _check_jinja(self, model: Model, allowed: frozenset[str] = JINJA) -> None:
        try:
            strange = jinja_names(model.source) - allowed - (self.project.macros.keys() - self.trusted)
        except TemplateSyntaxError:
            strange = frozenset({"something unreadable"})
        if strange:
            self._finding(
                "unresolved",
                model,
                0,
                f"{model.name} uses {', '.join(sorted(strange))} in its Jinja.",
                "It may compile to one thing and run another: use ref, source, function, var and the project's macros.",
            )

    def _check_purposes(self, model: Model, has_persons: bool, reads: Iterable[str]) -> None:
        """A model right of the wall says which purposes its rows need, or why they need none.

        What each row of a model needs that it reads, it names too, for all of its own rows or for some.
        """
        said = model.meta.get("purposes")
        said = said if isinstance(said, Mapping) else {}
        if not said and not (model.meta.get("no_persons") and not has_persons):
            self._finding(
                "project",
                model,
                0,
                f"{model.name} does not say which purposes it serves.",
                "Add meta: {purposes: {…}}"
                + (", or meta: {no_persons: …} and why." if not has_persons else ": it has a participant_id."),
            )
            return
        if strange := [name for purpose in said for name in str(purpose).split(" or ") if name not in PURPOSES]:
            self._finding(
                "project",
                model,
                0,
                f"{model.name} serves {', '.join(strange)}, which nobody can grant.",
                f"Purposes are {', '.join(PURPOSES)}.",
            )
        if said and True not in said.values():
            self._finding(
                "project",
                model,
                0,
                f"{model.name} names no purpose that all of its rows need.",
                "Give one purpose the condition true.",
            )
        if not has_persons:
            return
        for name in reads:
            needs = self.by_relation[name].meta.get("purposes") if name in self.by_relation else None
            for purpose, condition in needs.items() if isinstance(needs, Mapping) else ():
                if condition is True and purpose not in said:
                    self._finding(
                        "project",
                        model,
                        0,
                        f"{model.name} reads {name}, whose rows need {purpose}, and does not name that purpose.",
                        "Name it in its purposes, with the rows that need it.",
                    )

    def _check_reads(self, model: Model, reads: Iterable[tuple[str, int]]) -> None:
        allowed = LAYERS[model.layer].reads if model.layer in LAYERS else frozenset()
        for name, line in reads:
            layer = self._layer_of(name)
            if layer is not None and layer not in allowed:
                self._finding(
                    "layer",
                    model,
                    line,
                    f"{model.name} ({model.layer}) reads {name}.",
                    f"Models of {model.layer} read {', '.join(sorted(allowed)) or 'nothing'}.",
                )

    def _layer_of(self, name: str) -> str | None:
        """The layer of a relation; ``None`` if there is no such relation."""
        if model := self.by_relation.get(name):
            return model.layer
        if name in self.project.seeds:
            return SEEDS
        return SOURCES.get(name.rpartition(".")[0], "elsewhere") if name in self.project.tables else None

    # Declassifiers

    def _check_calls(self, model: Model, reading: Reading) -> None:
        for call in reading.calls:
            function = self.functions[call.function]
            if model.layer != WALL:
                self._finding(
                    "declassifier",
                    model,
                    call.line,
                    f"{model.name} calls {function.name}().",
                    f"What declassifies is called in models/{WALL} and nowhere else.",
                )
            if len(call.arguments) != len(function.arguments):
                self._finding(
                    "declassifier",
                    model,
                    call.line,
                    f"{function.name}() takes {len(function.arguments)} arguments, here {len(call.arguments)}.",
                    "Give it what functions/_functions.yml lists.",
                )
            for argument, flow in zip(function.arguments, call.arguments, strict=False):
                wanted = function.only.get(argument)
                if wanted and wanted not in flow.copy_of:
                    self._finding(
                        "declassifier",
                        model,
                        call.line,
                        f"The argument {argument} of {function.name}() is not {wanted}.",
                        f"Its guarantee holds for {wanted} only: pass that column unchanged.",
                    )
                if not wanted:
                    for origin in flow.bare():
                        if origin.privacy not in function.accepts:
                            self._finding(
                                "declassifier",
                                model,
                                call.line,
                                f"{function.name}() does not accept {origin.privacy}, and gets {origin.column} as {argument}.",
                                f"Pass {origin.column} through a function that accepts {origin.privacy}, or leave it out.",
                            )

    def _check_function(self, function: Function) -> None:
        def finding(what: str, remedy: str, line: int = 0, kind: str = "declassifier") -> None:
            self.report.findings.append(
                Finding(kind, function.name, function.file, function.compiled, line, what, remedy)
            )

        strange = [name for name in function.accepts if name not in PRIVACY_CLASSES[1:]]
        if not function.accepts or strange:
            finding(
                f"{function.name}() does not say what it accepts.", "Add meta accepts: [direct, quasi], or one of them."
            )
        for part in ("guarantees", "attack"):
            if len(str(function.meta.get(part) or "").split()) < 2:
                finding(f"{function.name}() lacks meta {part}.", f"Say it in functions/_functions.yml: {part}.")
        for argument, column in function.only.items():
            if argument not in function.arguments or not self._is_column(column):
                finding(
                    f"{function.name}() wants {argument} to be {column}: one of them is not there.", "Mend meta only."
                )
        if function.kind != "sql scalar":
            finding(
                f"{function.name}() is a {function.kind} function.", "Write a scalar function in SQL.", 0, "unresolved"
            )
        if function.source != function.sql:
            finding(
                f"{function.name}() is written with Jinja.", "Write plain SQL: it is created from the file as it is."
            )
        reading = read_statement(f"select\n{function.sql}\nas value", lambda _: None, arguments=function.arguments)
        problems = list(reading.problems)
        if reading.reads or reading.uses or len(reading.columns) != 1:
            problems.append(Problem(1, f"{function.name}() is more than one expression.", "Use its arguments alone."))
        for problem in problems:
            finding(problem.what, problem.remedy, max(problem.line - 1, 1), "unresolved")

    def _is_column(self, column: str) -> bool:
        name, _, last = column.partition(".")
        model = self.project.models.get(name)
        return model is not None and last in self._columns_of(model).named()

    # What is not a model

    def _check_project(self) -> None:
        for what, file in self.project.oddities:
            self._note("project", what, file, f"{what} is of a kind that the wall does not know.", "Leave it out.")
        trusted = self.trusted
        for hook in self.project.hooks:
            name = hook.strip().removeprefix("{{").removesuffix("}}").strip().removesuffix("()")
            if name in self.project.macros:
                trusted.add(name)
            else:
                self._note(
                    "project",
                    "hooks",
                    "dbt_project.yml",
                    f"A hook runs SQL of its own: {hook.strip()}.",
                    "Call a reviewed macro.",
                )
        for macro in self.project.macros.values():
            if macro.overrides or macro.names - JINJA - self.project.macros.keys():
                trusted.add(macro.name)
        reachable = list(trusted)
        while reachable:
            for name in self.project.macros[reachable.pop()].names & self.project.macros.keys() - trusted:
                trusted.add(name)
                reachable.append(name)
        for name in sorted(trusted):
            macro = self.project.macros[name]
            digest, _ = self.reviews.macros.get(name, ("", ""))
            if digest != macro.digest:
                self._note(
                    "review",
                    name,
                    macro.file,
                    f"The macro {name} runs SQL that cannot be followed and {'has changed since its' if digest else 'has no'} review.",
                    f"Read it; if nothing crosses the wall in it, write digest {macro.digest} and why into {REVIEWED.name}.",
                )
        for name in sorted(self.reviews.macros.keys() - trusted):
            self._note("review", name, REVIEWED.name, f"The macro {name} needs no review.", "Remove the entry.")

    def _check_raw_columns(self) -> None:
        """Staging columns of the same raw column must agree: a label cannot be lost by a second name."""
        alone: dict[str, dict[str, str]] = {}
        staged = [
            (model, name, sorted(origin.column for origin in flow.origins))
            for model in self.project.models.values()
            if model.layer == "staging"
            for name, flow in self.readings[model.name].columns.items()
        ]
        for model, name, sources in staged:
            if len(sources) == 1:
                alone.setdefault(sources[0], {})[f"{model.name}.{name}"] = model.privacy.get(name) or ""
        for model, name, sources in staged:
            privacy = model.privacy.get(name)
            for source in sources:
                for other, its_class in alone.get(source, {}).items():
                    if _rank(its_class) > _rank(privacy):
                        self._finding(
                            "staging",
                            model,
                            0,
                            f"{model.name}.{name} is {privacy}, and {other}, of the same {source}, is {its_class}.",
                            f"Give it the class {its_class} in models/staging/_staging__models.yml.",
                        )

    def _check_analyses_and_tests(self) -> None:
        for analysis in self.project.analyses.values():
            reads, problems = relations_of(analysis.sql)
            for problem in problems:
                self._finding("unresolved", analysis, problem.line, problem.what, problem.remedy)
            self._check_reads(analysis, reads)
            for name, line in reads:
                if self._layer_of(name) is None:
                    self._finding(
                        "unresolved", analysis, line, f"{analysis.name} reads {name}, which nobody knows.", "Use ref()."
                    )
            self._check_jinja(analysis)
        for test in self.project.tests.values():
            if test.extras:
                self._finding(
                    "project",
                    test,
                    0,
                    f"The test {test.name} keeps rows ({', '.join(test.extras)}).",
                    "Keep counts only.",
                )
            _, problems = relations_of(test.sql)
            for problem in problems:
                self._finding("unresolved", test, problem.line, problem.what, problem.remedy)
            if GENERIC_TEST not in test.source:
                self._check_jinja(test)

    def _check_uses(self) -> None:
        seen: set[tuple[str, str, str]] = set()
        for model in sorted(self.project.models.values(), key=lambda model: (model.layer, model.name)):
            for use in self.readings[model.name].uses:
                for origin in use.flow.bare("direct"):
                    key = (origin.column, use.kind, model.name)
                    if key in seen:
                        continue
                    seen.add(key)
                    reason = self.reviews.uses.get(key)
                    self.report.uses.append(ImplicitUse(origin.column, use.kind, model.name, use.line, reason))
                    if reason is None:
                        self._finding(
                            "implicit",
                            model,
                            use.line,
                            f"{model.name} uses {origin.column} (direct) in a '{use.kind}' that nobody has reviewed.",
                            f"Do without it, or add {origin.column} / {use.kind} / {model.name} and the reason to {REVIEWED.name}.",
                        )
        for column, kind, name in sorted(self.reviews.uses.keys() - seen):
            self._note(
                "review",
                name,
                REVIEWED.name,
                f"{name} uses {column} in no '{kind}' any more.",
                f"Remove {column} / {kind} / {name}: a review of nothing would cover the next thing.",
            )

    def _finding(self, kind: str, model: Model, line: int, what: str, remedy: str) -> None:
        self.report.findings.append(Finding(kind, model.name, model.file, model.compiled, line, what, remedy))

    def _note(self, kind: str, where: str, file: str, what: str, remedy: str) -> None:
        self.report.findings.append(Finding(kind, where, file, file, 0, what, remedy))


def _rank(privacy: str | None) -> int:
    return PRIVACY_CLASSES.index(privacy) if privacy in PRIVACY_CLASSES else 0


def _shown_name(model: Model) -> str:
    return model.relation.split(".", 1)[1]
