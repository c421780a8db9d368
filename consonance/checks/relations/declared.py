"""The declared relations: what is changed in the vault, and may change nothing right of the wall."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from consonance.consent.rules import with_rules

MOVED = Path(__file__).with_name("moved.sql")


@dataclass(frozen=True)
class Relation:
    """One change of the vault that must change nothing right of the wall.

    Attributes:
        name: As results and certificates print it; its SQL is in the file of this name.
        what: What is changed, in a sentence; everything right of the wall must stay identical.
        finding: What is wrong with a column that changes all the same: "depends on …".
        beside: Tables that count donated rows, as they must: each with the reason why it is not compared. Only
            ``held_back`` has any.
        elapsed: Columns that must differ, each with the reason: ``schema.table.column``. Only ``clocks`` has any.
        moves: Its SQL makes the table ``moved``, by which moments of plays, answers and prompts are moved (``moved.sql``).
    """

    name: str
    what: str
    finding: str
    beside: dict[str, str] = field(default_factory=dict)
    elapsed: dict[str, str] = field(default_factory=dict)
    moves: bool = False

    @property
    def sql(self) -> Path:
        return Path(__file__).with_name(f"{self.name}.sql")

    def apply(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Change the attached vault ``vault``, in which ``identities`` is applied already."""
        for path in (self.sql, MOVED) if self.moves else (self.sql,):
            connection.execute(with_rules(path.read_text(encoding="utf-8")))


IDENTITIES = Relation(
    "identities",
    "Everyone has another code, user name, device, upload and other secrets; codes are in the reverse order.",
    "depends on who people are",
)
ZONES = Relation(
    "zones",
    "Every time zone is another one with the same offsets.",
    "depends on more of the time zone than its offsets",
)
# Applied to the whole study, which dbt builds again.
ON_STUDY = (IDENTITIES, ZONES)
# They combine: all are applied to one sample, after IDENTITIES, in this order.
ON_SAMPLE = (
    Relation(
        "held_back",
        "People who hold back one purpose, who withdrew, or whose consent is later than as_of have donated and answered more, of all that they do not let pass.",
        "depends on data that their people do not let pass",
        beside={
            "anonymized.anon_row_accounting": "counts donated rows that do not pass",
            "audit.row_accounting": "counts donated rows that do not pass",
            "audit.consent_coverage": "counts the rows of every table, these two among them",
        },
    ),
    Relation(
        "moments",
        "All moments of a person (plays, reports, prompts, consents, the consented window) are earlier by a number of weeks of their own.",
        "depends on true dates",
        moves=True,
    ),
    Relation(
        "offsets",
        "Everyone lives in a zone with another offset, and did everything at the same local time.",
        "depends on UTC, or on how far a zone is ahead of it",
        moves=True,
    ),
    Relation(
        "birth_years",
        "Every birth year is another one of the same age band.",
        "depends on more of the birth year than its age band",
    ),
    ZONES,
    Relation(
        "demographics",
        "Who does not consent to demographics has another birth year, gender and country, and their plays another country.",
        "depends on demographics of people who do not consent to them",
    ),
    Relation(
        "formats",
        "Every play is written as an export of another time writes it: its flag for skips, and the unit of its stamp.",
        "depends on how exports were written at a time",
    ),
    Relation(
        "orders",
        "Enrolment, the lines of the ledger, of questionnaires and of files, and the order of loading are the other way round.",
        "depends on an order of codes, enrolment, lines, files or loading",
    ),
)
# It moves the moments that others of ON_SAMPLE move, and is applied alone.
CLOCKS = Relation(
    "clocks",
    "Everyone lives where clocks have changed once, in the middle of what they reported, and did everything at the same local time.",
    "shows when clocks were changed",
    elapsed={
        "anonymized.anon_plays.started_at_local": "the clock of each play, where the marts have that of its session",
        "anonymized.anon_plays.started_elapsed_ms": "the elapsed clock, which no mart has",
        "anonymized.anon_plays.ended_elapsed_ms": "the elapsed clock, which no mart has",
        "anonymized.anon_emotion_answers.answered_elapsed_ms": "the elapsed clock, which no mart has",
        "anonymized.anon_emotion_prompts.prompted_elapsed_ms": "the elapsed clock, which no mart has",
        "anonymized.anon_emotion_prompts.answered_elapsed_ms": "the elapsed clock, which no mart has",
        "sessionized.ses_plays.ms_since_previous": "the pause before a session, which no mart has",
    },
    moves=True,
)
# What shows only where all of ON_SAMPLE are applied at once.
TOGETHER = Relation(
    "together",
    "All changes of the sample are made at once.",
    "depends on several changes together that must not matter",
)
SECRETS = Relation(
    "secrets",
    "The study is laid out and loaded twice: no secret, pseudonym or key of a record is shared or computable, and shifts are even.",
    "is shared by two layouts of the study, or computable",
)
RELATIONS = (IDENTITIES, *ON_SAMPLE, CLOCKS, TOGETHER, SECRETS)


def left_out(relations: Iterable[Relation]) -> frozenset[str]:
    """The tables, and columns as ``schema.table.column``, that are not compared where ``relations`` are applied."""
    return frozenset(place for relation in relations for place in (*relation.beside, *relation.elapsed))
