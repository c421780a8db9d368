"""What the operator set in ``study.yml``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, StrictStr

from consonance.study.codes import is_code
from consonance.study.errors import ConsonanceError
from consonance.study.folder import Study
from consonance.study.yaml_files import Rule, Text, YamlFile, read_yaml

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


def _list(value: Any) -> Any:
    return [] if value is None else value


class Settings(YamlFile):
    """What ``study.yml`` says.

    Attributes:
        title: The study's name, for reports.
        as_of: The moment, in UTC, at which consent is judged; ``None`` means the moment of each
            ``consonance load``.
        one_history: What was decided about histories of which it is doubtful whose they are.
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
            BadSettings: the file is no YAML mapping, holds an unknown setting, ``as_of`` is no
                date-time with an offset, or ``one_history`` is no list of decisions.
        """
        read = read_yaml(study.settings_path, cls, BadSettings, REMEDY)
        return read if read.title else read.model_copy(update={"title": study.root.name})
