"""The declassifiers of ``functions/``: that each says what it guarantees, and where it may be called."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from consonance.checks.lineage.closed_results import closed_result
from consonance.checks.lineage.flow import Flow
from consonance.checks.lineage.labels import Labels
from consonance.checks.lineage.layers import WALL
from consonance.checks.lineage.project import Function, Model, Project
from consonance.checks.lineage.reading import Call, Problem
from consonance.checks.lineage.report import Finding, Findings
from consonance.checks.lineage.reviews import REVIEWED, Reviews
from consonance.checks.lineage.statement import read_statement
from consonance.study.declared_tables import KINDS


def check_function(function: Function, labels: Labels, findings: Findings) -> None:
    """Check what a declassifier declares, and that it is one expression of its arguments."""

    def finding(what: str, remedy: str, line: int = 0, kind: str = "declassifier") -> None:
        findings.add(Finding(kind, function.name, function.file, function.compiled, line, what, remedy))

    name = f"{function.name}()"
    kinds = {kind for accepted in function.accepts.values() for kind in accepted}
    if not function.accepts or not kinds <= KINDS.keys() or not function.accepts.keys() <= set(function.arguments):
        finding(
            f"{name} does not declare which kinds of columns its arguments may be made of.",
            f"Add meta accepts: {{argument: [kinds]}}; the kinds are {', '.join(KINDS)}.",
        )
    for part in ("guarantees", "attack"):
        if len(str(function.meta.get(part) or "").split()) < 2:
            finding(f"{name} lacks meta {part}.", f"Say it in functions/_functions.yml: {part}.")
    for argument, columns in function.only.items():
        for column in columns:
            if argument not in function.arguments or not labels.has_column(column):
                finding(
                    f"{name} requires {argument} to be {column}: one of them does not exist.",
                    "Correct the entry 'only' in its meta.",
                )
    if function.kind != "sql scalar":
        finding(f"{name} is a {function.kind} function.", "Write a scalar function in SQL.", 0, "unresolved")
    if function.source != function.sql:
        finding(f"{name} is written with Jinja.", "Write plain SQL: it is created from the file as it is.")
    _check_result(function, finding)
    for problem in _problems_of(function):
        finding(problem.what, problem.remedy, max(problem.line - 1, 1), "unresolved")


def check_digests(project: Project, reviews: Reviews, findings: Findings) -> None:
    """Check that each function is as it was when a person read it: its body, and what it accepts."""
    for name, function in sorted(project.functions.items()):
        digest = reviews.functions.get(name)
        if digest != function.digest:
            state = "has changed since its" if digest else "has no"
            findings.of_file(
                "review",
                name,
                function.file,
                f"The function {name}() {state} review: its body, or what it accepts.",
                f"Read it and its entry in functions/_functions.yml; if what it guarantees is true, write {name}: "
                f"{function.digest} into {REVIEWED.name}.",
            )
    for name in sorted(reviews.functions.keys() - project.functions.keys()):
        findings.of_file("review", name, REVIEWED.name, f"There is no function {name}().", "Remove the entry.")


def _check_result(function: Function, finding: Callable[[str, str], None]) -> None:
    """Check that a function declares the values that it can give, if these are a closed list."""
    possible, declared = closed_result(function.sql), function.values
    if possible is None and declared is not None:
        finding(
            f"{function.name}() can give other values than those that it declares.",
            "Let each branch of its 'case' give a literal, or a column that the same 'when' compares with a list by 'in'.",
        )
    elif possible is not None and possible != declared:
        finding(
            f"{function.name}() gives {', '.join(sorted(map(str, possible)))}, and declares other values.",
            "Write these into meta values of functions/_functions.yml, and test them.",
        )


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


def check_calls(
    model: Model, calls: Iterable[Call], functions: dict[str, Function], labels: Labels, findings: Findings
) -> None:
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
            accepted = set(function.accepts.get(argument, ()))
            refused = [choice for choice in flow.choices if not accepted.issuperset(choice.kinds)]
            labels.arrive(refused, f"what {function.name}() gets as {argument} in {model.name}")
            if argument not in function.only:
                labels.note_values(refused, f"{function.name}({argument})", model)


def _check_argument(model: Model, line: int, function: Function, argument: str, flow: Flow, findings: Findings) -> None:
    wanted = function.only.get(argument)
    if wanted and not flow.copy_of.intersection(wanted):
        findings.of_model(
            "declassifier",
            model,
            line,
            f"The argument {argument} of {function.name}() is not {' or '.join(wanted)}.",
            "Its guarantee is valid for that only: pass the column unchanged.",
        )
    accepted = function.accepts.get(argument, ())
    for origin in flow.bare():
        strange = [kind for kind in origin.kinds if kind not in accepted]
        if strange or not origin.kinds:
            kinds = " and ".join(strange) or "a column without a kind"
            findings.of_model(
                "declassifier",
                model,
                line,
                f"{function.name}() does not accept {kinds} ({origin.privacy}) as {argument}, and gets {origin.column}.",
                f"Pass {origin.column} through a function that accepts it, or leave it out.",
            )
    kinds_here = {kind for origin in flow.origins for kind in origin.kinds}
    for kind in function.needs.get(argument, ()):
        if kind not in kinds_here:
            findings.of_model(
                "declassifier",
                model,
                line,
                f"The argument {argument} of {function.name}() is not made of the {kind} of the participant.",
                f"Its guarantee needs that: make {argument} of a column of the kind {kind}.",
            )
