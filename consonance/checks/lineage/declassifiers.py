"""The declassifiers of ``functions/``: that each says what it guarantees, and where it may be called."""

from __future__ import annotations

from collections.abc import Iterable

from consonance.checks.lineage.flow import PRIVACY_CLASSES, Flow
from consonance.checks.lineage.labels import Labels
from consonance.checks.lineage.layers import WALL
from consonance.checks.lineage.project import Function, Model
from consonance.checks.lineage.reading import Call, Problem
from consonance.checks.lineage.report import Finding, Findings
from consonance.checks.lineage.statement import read_statement


def check_function(function: Function, labels: Labels, findings: Findings) -> None:
    """Check what a declassifier declares, and that it is one expression of its arguments."""

    def finding(what: str, remedy: str, line: int = 0, kind: str = "declassifier") -> None:
        findings.add(Finding(kind, function.name, function.file, function.compiled, line, what, remedy))

    name = f"{function.name}()"
    if not function.accepts or any(privacy not in PRIVACY_CLASSES[1:] for privacy in function.accepts):
        finding(
            f"{name} does not declare which classes it accepts.", "Add meta accepts: [direct, quasi], or one of them."
        )
    for part in ("guarantees", "attack"):
        if len(str(function.meta.get(part) or "").split()) < 2:
            finding(f"{name} lacks meta {part}.", f"Say it in functions/_functions.yml: {part}.")
    for argument, column in function.only.items():
        if argument not in function.arguments or not labels.has_column(column):
            finding(
                f"{name} requires {argument} to be {column}: one of them does not exist.",
                "Correct the entry 'only' in its meta.",
            )
    if function.kind != "sql scalar":
        finding(f"{name} is a {function.kind} function.", "Write a scalar function in SQL.", 0, "unresolved")
    if function.source != function.sql:
        finding(f"{name} is written with Jinja.", "Write plain SQL: it is created from the file as it is.")
    for problem in _problems_of(function):
        finding(problem.what, problem.remedy, max(problem.line - 1, 1), "unresolved")


def _problems_of(function: Function) -> list[Problem]:
    reading = read_statement(f"select\n{function.sql}\nas value", lambda _: None, arguments=function.arguments)
    problems = list(reading.problems)
    if reading.reads or reading.uses or len(reading.columns) != 1:
        problems.append(
            Problem(
                1,
                f"{function.name}() is more than one expression.",
                "Write one expression that uses only its arguments.",
            )
        )
    return problems


def check_calls(model: Model, calls: Iterable[Call], functions: dict[str, Function], findings: Findings) -> None:
    """Check every call of a declassifier in a model: at the wall alone, with what it accepts."""
    for call in calls:
        function = functions[call.function]
        if model.layer != WALL:
            findings.of_model(
                "declassifier",
                model,
                call.line,
                f"{model.name} calls {function.name}().",
                f"Functions that declassify are called in models/{WALL} only.",
            )
        if len(call.arguments) != len(function.arguments):
            findings.of_model(
                "declassifier",
                model,
                call.line,
                f"{function.name}() takes {len(function.arguments)} arguments, and gets {len(call.arguments)} here.",
                "Give it what functions/_functions.yml lists.",
            )
        for argument, flow in zip(function.arguments, call.arguments, strict=False):
            _check_argument(model, call.line, function, argument, flow, findings)


def _check_argument(model: Model, line: int, function: Function, argument: str, flow: Flow, findings: Findings) -> None:
    if wanted := function.only.get(argument):
        if wanted not in flow.copy_of:
            findings.of_model(
                "declassifier",
                model,
                line,
                f"The argument {argument} of {function.name}() is not {wanted}.",
                f"Its guarantee is valid for {wanted} only: pass that column unchanged.",
            )
        return
    for origin in flow.bare():
        if origin.privacy not in function.accepts:
            findings.of_model(
                "declassifier",
                model,
                line,
                f"{function.name}() does not accept {origin.privacy}, and gets {origin.column} as {argument}.",
                f"Pass {origin.column} through a function that accepts {origin.privacy}, or leave it out.",
            )
