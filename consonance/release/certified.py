"""What the texts of a release may say: every key of the certificate and of the data package, with its kind.

A certificate of the public tier counts nobody but those who are in the release: whoever could subtract another number
from the cells would find small groups. So a key that is not here is refused, as a column is that is on no list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from consonance.release.contents import IF_MEASURED, controlled_tables
from consonance.release.parameters import small_group
from consonance.release.proofs import what_checks_prove

COUNTED = re.compile(r"(?<![\w.,])(?<!up to )(?<!more than )(\d[\d,]*) (?:persons?|people|participants?)\b")
NAME = re.compile(r"[a-z_]{1,40}")
# Why a value is not what the list says, in words of this program: pydantic's own quote the value.
NOT_LISTED = "extra_forbidden"


def _no_small_group(value: Any, info: ValidationInfo) -> Any:
    """A number of persons, or a text with such numbers, of the public tier: none is of 1 to so many as a small group has."""
    counts = COUNTED.findall(value) if isinstance(value, str) else [str(value)]
    if (info.context or {})["tier"] == "public" and any(0 < int(n.replace(",", "")) <= small_group() for n in counts):
        raise ValueError("counts a small group")
    return value


def _of_controlled_tier(value: Any, info: ValidationInfo) -> Any:
    """What a controlled release says alone: it counts persons who are not in the release, or rows of persons."""
    if (info.context or {})["tier"] == "public" and value is not None:
        raise ValueError("is not for the public tier: it counts persons otherwise than the cells do")
    return value


OfControlledTier = AfterValidator(_of_controlled_tier)
Persons = Annotated[int, Field(ge=0), AfterValidator(_no_small_group)]
Sentence = Annotated[str, AfterValidator(_no_small_group)]
Moment = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\dZ?)$")]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Number = int | float


class Said(BaseModel):
    """A part of a text: nothing is in it but its fields, of exactly these types."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Consent(Said):
    """Who is in the release; of a controlled one also who is not."""

    purpose: Literal["sharing_controlled", "sharing_public"]
    persons: Persons
    left_out: Annotated[dict[str, int] | None, OfControlledTier]
    purposes_of_those_in: Annotated[dict[str, int] | None, OfControlledTier]


class Demographics(Said):
    """How coarse demographics are (``consonance.release.generalisation``)."""

    age: str
    country: str
    gender: str
    persons: int
    withheld: int
    cells: int
    k: int
    l: int | None  # noqa: E741 - the field's term
    cells_below_l: int
    persons_below_l: int
    loss: Number


class RuleOfCheck(Said):
    """A rule that passed: it has found nothing, so it says nothing of what it found."""

    rule: str
    suite: str
    what: str
    passed: Literal[True]
    violations: Literal[0]
    findings: Annotated[list[str], Field(max_length=0)]
    why: None
    remedy: None


class RelationOfCheck(Said):
    """A relation of the non-interference test."""

    name: str
    what: str
    passed: Literal[True]


class Threshold(Said):
    """A threshold of the attacks, and whether it is met."""

    name: str
    tier: str
    attack: str
    measure: str
    since: str
    reason: str
    at_least: Number | None
    at_most: Number | None
    worst: Number | None
    passed: bool


class Check(Said):
    """A check that passed."""

    name: str
    passed: Literal[True]
    summary: Sentence
    proves: str | None
    does_not_prove: str | None
    rules: list[RuleOfCheck] = []
    relations: list[RelationOfCheck] = []
    columns: dict[str, list[str]] = {}
    parameters: dict[str, str | Number | list[Number] | None] = {}
    thresholds: list[Threshold] = []

    @model_validator(mode="after")
    def _as_in_the_docs(self) -> Check:
        proof = what_checks_prove().get(self.name)
        if (self.proves, self.does_not_prove) != ((proof.proves, proof.does_not_prove) if proof else (None, None)):
            raise ValueError("proves something else than docs/privacy.md says")
        return self


class Table(Said):
    """A table of the release."""

    schema_: Annotated[Literal["marts", "audit", "reference"], Field(alias="schema")]
    name: str
    rows: int


class FeatureSource(Said):
    """What the values of a source may be used for."""

    source_id: str
    licence: str | None
    may_train_models: bool
    training_permitted_by: str | None
    training_reference: str | None
    training_expires_on: str | None
    may_redistribute: bool
    redistribution_permitted_by: str | None
    redistribution_reference: str | None
    redistribution_expires_on: str | None


class Permission(Said):
    """A permission of the study that has expired."""

    source: str
    scope: str
    reference: str
    expires: str | None
    is_expired: bool


class File(Said):
    """A file of the release."""

    bytes: int
    sha256: Sha256


class Certificate(Said):
    """``certificate.json``."""

    release: int
    tier: Literal["controlled", "public"]
    study: str
    as_of: Moment
    created: Moment
    consent: Consent
    statements: list[Sentence]
    demographics: Annotated[Demographics | None, OfControlledTier]
    checks: list[Check]
    risk: Annotated[list[dict[str, str | Number | None]] | None, OfControlledTier]
    tables: list[Table]
    features_passed_on: list[str]
    feature_sources: list[FeatureSource]
    expired_permissions: list[Permission]
    parameters: dict[str, Number | list[str] | list[Number]]
    software: dict[str, Annotated[str, Field(pattern=r"^\d[\w.+-]*$")]]
    files: dict[str, File]

    @field_validator("risk")
    @classmethod
    def _figures(cls, risk: list[dict[str, Any]] | None) -> list[dict[str, Any]] | None:
        if any(row.keys() != controlled_tables()[IF_MEASURED].keys() for row in risk or ()):
            raise ValueError(f"has other figures than {IF_MEASURED}")
        return risk


class FieldOfTable(Said):
    """A column of a file."""

    name: str
    type: str
    description: str


class Schema(Said):
    """The columns of a file."""

    fields: list[FieldOfTable]


class Resource(Said):
    """A file of the data package."""

    name: str
    path: str
    description: str
    format: Literal["parquet"]
    mediatype: str
    bytes: int
    hash: Annotated[str, Field(pattern="^sha256:[0-9a-f]{64}$")]
    schema_: Annotated[Schema, Field(alias="schema")]


class DataPackage(Said):
    """``datapackage.json``."""

    profile: Literal["data-package"]
    name: str
    title: str
    description: str
    version: str
    created: Moment
    resources: list[Resource]


def not_certified(kind: type[Said], content: Mapping[str, Any], tier: str) -> Iterator[str]:
    """What is in ``content`` and should not be, or is missing: where, and why, never the value.

    Args:
        kind: ``Certificate`` or ``DataPackage``.
        content: As JSON has it.
        tier: Of the release.
    """
    try:
        kind.model_validate(content, context={"tier": tier})
    except ValidationError as error:
        for found in error.errors(include_url=False, include_input=False, include_context=False):
            parts = [str(part) for part in found["loc"] if not isinstance(part, int)]
            place = ".".join(part if NAME.fullmatch(part) else "…" for part in parts)
            why = {
                NOT_LISTED: "is not on the list of what it may say",
                "missing": "is missing",
                "value_error": found["msg"].removeprefix("Value error, "),
            }.get(found["type"], "is of another kind than the list says")
            yield f"{place} {why}" if place else why
