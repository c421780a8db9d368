"""Whose a listening history is: what makes doubtful that each code is one person, and what the operator decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import duckdb

from consonance.study.settings import HistoryDecision

REMEDY = (
    "If it is wrong, withdraw the wrong code ('consonance withdraw'): all that it has is erased. Before that, move donations"
    " that are in the wrong folder to their owner's, and load: until the code is withdrawn they are with both. If it is right,"
    " write so into study.yml, under one_history ('consonance init' shows how), and load again. Until then nothing is"
    " published."
)


@dataclass(frozen=True)
class HistoryDoubt:
    """Two participants who share a history, or one with the histories of several accounts.

    Attributes:
        codes: The participants' codes: two or one.
        same_files: How many files both have, byte for byte.
        same_plays: How many plays both have.
        plays: How many the smaller history has.
        accounts: How many user names both have; of one participant, how many there are.
        is_decided: Whether ``study.yml`` says that it is right.
    """

    codes: tuple[str, ...]
    same_files: int
    same_plays: int
    plays: int
    accounts: int
    is_decided: bool

    @property
    def what(self) -> str:
        """The doubt in words, for the operator: it names participant codes."""
        if len(self.codes) == 1:
            return f"{self.codes[0]} has histories of {self.accounts} Spotify accounts: the rows name so many users."
        reasons = []
        if self.same_files:
            reasons.append("the same file" if self.same_files == 1 else f"{self.same_files:,} files are the same")
        if self.same_plays:
            reasons.append(f"{self.same_plays:,} of {self.plays:,} plays are the same")
        if self.accounts:
            reasons.append("the same user name")
        return f"{' and '.join(self.codes)} share a listening history: {', '.join(reasons)}."

    def as_json(self) -> dict[str, Any]:
        return {
            "codes": list(self.codes),
            "same_files": self.same_files,
            "same_plays": self.same_plays,
            "plays": self.plays,
            "accounts": self.accounts,
            "is_decided": self.is_decided,
        }


def history_doubts(connection: duckdb.DuckDBPyConnection) -> list[HistoryDoubt]:
    """Every doubt about the histories in the vault, decided or not, in order of code."""
    rows = connection.execute(
        """
        select participant_code, other_code, same_files, same_plays, coalesce(plays, 0), accounts, is_decided
        from vault.raw.history_doubts
        order by participant_code, other_code nulls first
        """
    ).fetchall()
    return [HistoryDoubt(tuple(code for code in (one, other) if code), *numbers) for one, other, *numbers in rows]


def note_decisions(connection: duckdb.DuckDBPyConnection, decisions: tuple[HistoryDecision, ...]) -> None:
    """Note in the vault what ``study.yml`` says, of participants who are there."""
    connection.begin()
    connection.execute("delete from vault.raw.history_decisions")
    for number, decision in enumerate(decisions, start=1):
        connection.execute(
            """
            insert into vault.raw.history_decisions by name
            select $number as decision_no, participant_code, $is_alone as is_alone, $decision as decision
            from vault.raw.keyring where list_contains($codes, participant_code)
            """,
            {
                "number": number,
                "codes": list(decision.codes),
                "is_alone": len(decision.codes) == 1,
                "decision": decision.decision,
            },
        )
    connection.commit()
