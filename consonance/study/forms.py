"""The forms of the files that stay when a participant has gone: what may stand in them, and nothing else.

Their vault does not know the participant's names any more, so no search finds a name there. Each file is checked when it
is written, where that is not done by what writes it, and by the leak scan. A form is a function that reads the text of a file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, ValidationInfo

TOKEN, HASH = re.compile(r"[0-9a-f]{32}"), re.compile(r"[0-9a-f]{64}")


class BadForm(ValueError):
    """A file has something in it that is not of its form. The text names the part, never what stands there."""


def _without_names(text: str, info: ValidationInfo) -> str:
    names: re.Pattern[str] | None = (info.context or {}).get("names")
    if names and names.search(text):
        raise ValueError("names a participant")
    return text


Token = Annotated[str, Field(pattern=f"^{TOKEN.pattern}$")]
Hash = Annotated[str, Field(pattern=f"^{HASH.pattern}$")]
Moment = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?Z$")]
Count = Annotated[int, Field(ge=0)]
# What the program or the operator calls something: a file, a step. When it is written, it is compared with the names.
Words = Annotated[str, AfterValidator(_without_names)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Rows(_Part):
    store: Literal["vault", "warehouse", "desk"]
    table: Annotated[str, Field(pattern=r"^[a-z_]+\.[a-z0-9_]+$")]
    before: Count
    after: Count


class _StudyFiles(_Part):
    donation_files: Count
    donation_bytes: Count
    receipts: Count
    lines: dict[Words, Count]


class _State(_Part):
    bytes: Count
    sha256: Hash


class _File(_Part):
    file: Words
    before: _State | None
    after: _State | None


class _Search(_Part):
    passed: bool
    texts: Count
    moments: Count
    days: Count
    ids: Count
    tables: Count
    columns: Count
    rows: Count
    hits: dict[Annotated[str, Field(pattern=r"^[a-z0-9_]+(\.[a-z0-9_]+){3}$")], Count]


class _Handover(_Part):
    release: Count
    recipient: str
    handed_over_at: str


class _Release(_Part):
    number: Count
    tier: Literal["controlled", "public"]
    published_at: Annotated[str, Field(pattern=r"^[-0-9:.T +Z]+$")] | None
    recipients: list[_Handover]


class _Current(_Part):
    number: Count | None
    why: Words


class _Entry(_Part):
    entry: Count
    hash: Hash


class CertificateOfErasure(_Part):
    """What the certificate of an erasure says. ``names`` in the context of the validation: a pattern that finds the names
    of the participant, which no text may have."""

    schema_: Annotated[Literal["consonance certificate of erasure 2"], Field(alias="schema")]
    study: str
    participants: list[Token]
    is_replay: bool
    requested_at: Moment | None
    begun_at: Moment
    deleted_at: Moment
    ended_at: Moment
    method: str
    remains: str
    rows: list[_Rows]
    study_files: _StudyFiles
    ledger_lines_renamed: Count
    texts_of_others_replaced: Count
    files: list[_File]
    search: _Search
    unpublished_releases: list[_Release]
    current_release: _Current
    left_to_the_operator: list[Words]
    audit_log: _Entry
    software: dict[Annotated[str, Field(pattern=r"^[a-z-]+$")], Annotated[str, Field(pattern=r"^[0-9A-Za-z.+]+$")]]


class _Anchor(_Part):
    entries: Count
    head: Hash
    signature: Hash


class _NotedCheck(_Part):
    at: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\dZ$")]
    check: Literal[
        "rules", "wall", "non-interference", "leaks",
        "rules of the study", "attacks", "rules of the release", "files agree", "no key links", "contents",
    ]  # fmt: skip
    passed: bool
    built: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\dZ$")] | None = None
    rules: dict[Annotated[str, Field(pattern=r"^[A-Z]\d+_[a-z_]+$")], bool] = {}
    release: Annotated[int, Field(ge=1)] | None = None
    tier: Literal["controlled", "public"] | None = None


def refuse_other_certificate(content: Mapping[str, Any], names: re.Pattern[str] | None) -> None:
    """Check a certificate before it is written.

    Raises:
        BadForm: it has a part that is not of its form, or a text that one of ``names`` is in.
    """
    _validated(CertificateOfErasure.model_validate, dict(content), names)


def _certificate(text: str) -> None:
    if '"consonance certificate of erasure 1"' not in text[:100]:  # of version 0.1, which had another form
        _validated(CertificateOfErasure.model_validate_json, text)


def _anchor(text: str) -> None:
    _validated(_Anchor.model_validate_json, text)


def _check_history(text: str) -> None:
    for line in text.splitlines():
        _validated(_NotedCheck.model_validate_json, line)


def _validated(validate: Callable[..., object], content: object, names: re.Pattern[str] | None = None) -> None:
    try:
        validate(content, context={"names": names})
    except ValidationError as error:
        # The message of pydantic quotes what stands there.
        parts = {_named(fault["loc"]) for fault in error.errors(include_input=False, include_context=False)}
        raise BadForm(f"see {', '.join(sorted(parts))}") from None


def _named(place: tuple[int | str, ...]) -> str:
    """Where a fault is, by the names of the form's own fields: a key that is not of the form may be a name itself."""
    known = {field.alias or name for model in MODELS for name, field in model.model_fields.items()}
    return ".".join(part if part in known else "…" for part in place if isinstance(part, str)) or "the file"


MODELS = (
    CertificateOfErasure, _Rows, _StudyFiles, _State, _File, _Search, _Handover, _Release, _Current, _Entry, _Anchor, _NotedCheck,
)  # fmt: skip
FORMS: Mapping[str, Callable[[str], None]] = {
    "certificate of erasure": _certificate,
    "anchor": _anchor,
    "check history": _check_history,
}
