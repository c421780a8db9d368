"""YAML files that the operator writes: pydantic checks them, and a fault is one sentence with file, field and remedy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, TypeVar, get_args

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from consonance.study.errors import ConsonanceError


class YamlFile(BaseModel):
    """What such a file, or a part of it, says. Keys that no field has are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


@dataclass(frozen=True)
class Rule:
    """Goes with the type of a field: what a wrong value is not, as the end of a sentence, and how to write it right."""

    problem: str
    remedy: str | Callable[[], str]


def _as_text(value: object) -> object:
    """YAML reads a bare 2036 as a number, and a bare 2036-12-31 as a date."""
    if value is None:
        return ""
    return str(value) if isinstance(value, int | float | date) else value


# A text, as it was written or nearly so; empty if the field is.
Text = Annotated[str, BeforeValidator(_as_text), Rule("is not a text", "Write it on one line, in quotes.")]
Model = TypeVar("Model", bound=YamlFile)


def read_yaml(path: Path, model: type[Model], error: type[ConsonanceError], remedy: str) -> Model:
    """Read the file ``path`` and check it.

    Args:
        path: A YAML file in UTF-8 that maps fields to values.
        model: The fields there are.
        error: What to raise.
        remedy: What to do about a file that is no such mapping, or lacks a field.

    Raises:
        error: there is no such file, or it is no YAML mapping, or a field is unknown, missing or wrong. The message
            repeats no value.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        raise error(f"{path} cannot be read as YAML.", remedy) from None
    if not isinstance(content, dict | None):
        raise error(f"{path} has no settings.", remedy)
    try:
        return model.model_validate({str(name): value for name, value in (content or {}).items()})
    except ValidationError as invalid:
        raise _explained(path, model, invalid, error, remedy) from None


def _explained(
    path: Path, model: type[YamlFile], invalid: ValidationError, error: type[ConsonanceError], remedy: str
) -> ConsonanceError:
    faults = invalid.errors(include_url=False, include_context=False, include_input=False)
    known = model.model_fields
    if unknown := [str(fault["loc"][0]) for fault in faults if fault["loc"][0] not in known]:
        return error(f"{path} has unknown settings: {', '.join(unknown)}.", f"Known are {', '.join(known)}.")
    field, *inside = faults[0]["loc"]
    if faults[0]["type"] == "missing" and not inside:
        return error(f"{path} lacks the setting {field}.", remedy)
    name, rule = _rule_of(model, str(field), inside)
    part = f" (entry {inside[0] + 1})" if inside and isinstance(inside[0], int) else ""
    what = field if name == field else f"{name} of {field}"
    remedy = rule.remedy if isinstance(rule.remedy, str) else rule.remedy()
    return error(f"{what}{part} in {path} {rule.problem}.", remedy)


def _rule_of(model: type[YamlFile], field: str, inside: Sequence[int | str]) -> tuple[str, Rule]:
    """The rule that a wrong value breaks, and the field that has it: one within ``field`` or an entry of it, or ``field``."""
    annotation = model.model_fields[field].annotation
    entries = [entry for entry in (annotation, *get_args(annotation)) if isinstance(entry, type)]
    names = [name for name in inside if isinstance(name, str)]
    found = [
        (name, rule)
        for owner, name in ((model, field), *((entry, name) for entry in entries for name in names))
        if issubclass(owner, YamlFile) and name in owner.model_fields
        for rule in owner.model_fields[name].metadata
        if isinstance(rule, Rule)
    ]
    return found[-1]
