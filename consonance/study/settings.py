"""What the operator set in ``study.yml``."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, StrictStr

from consonance.study.codes import is_code
from consonance.study.errors import ConsonanceError
from consonance.study.feature_sources import known_sources
from consonance.study.folder import Study
from consonance.study.yaml_files import Rule, Text, YamlFile, read_yaml

# The longest reference that functions/permission_reference.sql passes.
REFERENCE_LENGTH = 200
REMEDY = "Compare it with the study.yml that 'consonance init' writes into an empty folder."


class BadSettings(ConsonanceError):
    """``study.yml`` cannot be used."""


def _moment(value: object) -> object:
    """What pydantic takes for a moment is more than ISO 8601: numbers, for one."""
    if value is None or value == "":
        return None
    return value if isinstance(value, datetime) else datetime.fromisoformat(str(value))


def _in_utc(moment: datetime | None) -> datetime | None:
    try:
        return moment and moment.astimezone(UTC)
    except OverflowError:
        raise ValueError from None


def _code(text: str) -> str:
    if not is_code(text):
        raise ValueError
    return text


def _codes(codes: tuple[str, ...]) -> tuple[str, ...]:
    if not codes:
        raise ValueError
    return tuple(dict.fromkeys(codes))


class HistoryDecision(YamlFile):
    """What the operator decided about participants who share a history, or about one with several Spotify accounts.

    Attributes:
        codes: The participants' codes; one for somebody with several accounts.
        decision: ``keep_both``: all of it is right as it is.
    """

    # YAML reads a bare 007 as the number 7: a code must be a text.
    codes: Annotated[tuple[Annotated[StrictStr, AfterValidator(_code)], ...], AfterValidator(_codes)]
    decision: Literal["keep_both"]


def _source(source: str) -> str:
    if source not in known_sources():
        raise ValueError
    return source


def _reference(text: str) -> str:
    if not text.strip() or not text.isprintable() or len(text) > REFERENCE_LENGTH:
        raise ValueError
    return text.strip()


def _day(value: object) -> object:
    """What pydantic takes for a day is more than ISO 8601: numbers, and moments."""
    if value is None or value == "" or type(value) is date:
        return value or None
    return date.fromisoformat(str(value))


class FeaturePermission(YamlFile):
    """A permission of the study's own to use the values of a source of features.

    Attributes:
        source: A source of ``seeds/feature_sources.csv``.
        scope: ``train``: to train models; ``redistribute``: to show values in releases.
        reference: Where the permission is written, such as an agreement with its date.
        expires: The last day on which it counts; ``None`` if it has no end.
    """

    source: Annotated[
        StrictStr,
        AfterValidator(_source),
        Rule("is no known source", lambda: f"Write one of {', '.join(known_sources())}."),
    ]
    scope: Annotated[
        Literal["train", "redistribute"],
        Rule("is neither train nor redistribute", "Write one entry for each of the two that is permitted."),
    ]
    reference: Annotated[
        Text,
        AfterValidator(_reference),
        Rule(
            "is no text on one line",
            f"Write where the permission is written, in {REFERENCE_LENGTH} characters at most:"
            ' reference: "agreement with the rights holder, 2026-02-11".',
        ),
    ]
    expires: Annotated[
        date | None,
        BeforeValidator(_day),
        Rule("is not a date", "Write its last day like 2027-01-31, or leave it out if the permission has no end."),
    ] = None


def _list(value: Any) -> Any:
    return [] if value is None else value


class Settings(YamlFile):
    """What ``study.yml`` says.

    Attributes:
        title: The study's name, for reports.
        as_of: The moment, in UTC, at which consent is judged; ``None`` means the moment of each
            ``consonance load``.
        one_history: What was decided about histories of which it is doubtful whose they are.
        feature_permissions: The study's own permissions to use values of features.
        controller, contact, lawful_basis, jurisdiction, retention, recipients, withdrawal: What receipts say of the
            study (fields of ISO/IEC TS 27560); empty if it is not set.
    """

    title: Text = ""
    as_of: Annotated[
        AwareDatetime | None,
        BeforeValidator(_moment),
        AfterValidator(_in_utc),
        Rule(
            "is not a date-time with an offset",
            "Write it like '2026-03-01T00:00:00+01:00' in quotes, or leave it empty.",
        ),
    ] = None
    one_history: Annotated[
        tuple[HistoryDecision, ...],
        BeforeValidator(_list),
        Rule(
            "is not a list of decisions about participant codes",
            'Write each like \'- {codes: ["P007", "P008"], decision: keep_both}\', with every code in quotes.',
        ),
    ] = ()
    feature_permissions: Annotated[
        tuple[FeaturePermission, ...],
        BeforeValidator(_list),
        Rule(
            "is not a list of permissions with source, scope, reference and, if they end, expires",
            "Write each like '- {source: deezer_mood, scope: train, reference: \"letter of 2026-02-11\", expires: 2027-01-31}'.",
        ),
    ] = ()
    controller: Text = ""
    contact: Text = ""
    lawful_basis: Text = ""
    jurisdiction: Text = ""
    retention: Text = ""
    recipients: Text = ""
    withdrawal: Text = ""

    @classmethod
    def read(cls, study: Study) -> Settings:
        """Read and check ``study.yml``.

        Raises:
            BadSettings: the file is no YAML mapping, holds an unknown setting, ``as_of`` is no date-time with an
                offset, ``one_history`` is no list of decisions, or ``feature_permissions`` is no list of permissions.
        """
        read = read_yaml(study.settings_path, cls, BadSettings, REMEDY)
        return read if read.title else read.model_copy(update={"title": study.root.name})
