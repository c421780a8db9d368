"""Plays that were erased because a purpose was taken back, and must not return in a row that does not name the purpose.

Account rows do not say whether a play was private, and old ones hold episodes as tracks; some donation tools leave out
``incognito_mode``. As long as the vault has the play of the extended history, it takes the place of such a row. Of an
erased one the vault keeps a hash of minute and length, keyed with a secret of the participant's: by it the row is
known, and erased too.
"""

from __future__ import annotations

import duckdb

from consonance.consent.state import LEDGER_STATE


def _play_hash(secret: str, minute: str, ms_played: str) -> str:
    """SQL for what is kept of an erased play. It begins with a word, as no hash of ``functions/`` does."""
    return f"sha256('erased|' || {secret} || '|' || {minute} || '|' || {ms_played})"


NOTE = f"""
    insert into vault.raw.erased_plays by name
    with needed as (
        select participant_no, minute, ms_played, 'private_sessions' as purpose
        from uncovered_plays
        where history_source = 'extended' and is_private_session
        union
        select participant_no, minute, ms_played, 'podcasts_audiobooks' as purpose
        from uncovered_plays
        where history_source = 'extended' and content_type in ('episode', 'audiobook')
    )
    select participant_no, purpose, {_play_hash("play_secret", "minute", "ms_played")} as play_hash
    from needed
    inner join vault.raw.keyring using (participant_no)
"""
RETURNED = f"""
    create or replace temp table returned_plays as
    with ungranted as (
        select erased_plays.participant_no, erased_plays.purpose, erased_plays.play_hash
        from vault.raw.erased_plays
        inner join ({LEDGER_STATE}) as states on erased_plays.participant_no = states.participant_no
        where list_contains($numbers, erased_plays.participant_no)
            and not list_contains(states.purposes, erased_plays.purpose)
    ),

    silent as (
        select participant_no, member_id, row_no, 'account' as history_source, epoch_ms(end_time) as ended_ms, ms_played
        from vault.raw.account_plays
        union all
        select participant_no, member_id, row_no, 'extended' as history_source, epoch_ms(ts) as ended_ms, ms_played
        from vault.raw.extended_plays
        where incognito_mode is null
    ),

    hashed as (
        select silent.*, {_play_hash("play_secret", "(ended_ms // 60000)", "ms_played")} as play_hash
        from silent
        inner join vault.raw.keyring using (participant_no)
        where list_contains($numbers, silent.participant_no)
    )

    select distinct hashed.participant_no, hashed.member_id, hashed.row_no, hashed.history_source
    from hashed
    inner join ungranted
        on hashed.participant_no = ungranted.participant_no
        and hashed.play_hash = ungranted.play_hash
        and (hashed.history_source = 'account' or ungranted.purpose = 'private_sessions')
"""


def note_erased(connection: duckdb.DuckDBPyConnection) -> None:
    """Keep of each play of ``uncovered_plays`` by what it is known if it returns."""
    connection.execute(NOTE)


def erase_returned(connection: duckdb.DuckDBPyConnection, numbers: list[int] | None = None) -> dict[int, int]:
    """Erase the rows by which an erased play would return. Done twice, the second time changes nothing.

    Args:
        connection: With the vault attached for writing, in a transaction.
        numbers: The participants; everybody if it is not given.

    Returns:
        How many rows were erased, by participant number.
    """
    concerned = [
        number
        for (number,) in connection.execute("select distinct participant_no from vault.raw.erased_plays").fetchall()
        if numbers is None or number in numbers
    ]
    if not concerned:
        return {}
    connection.execute(RETURNED, {"numbers": concerned})
    return erase_plays(connection, "returned_plays")


def erase_plays(connection: duckdb.DuckDBPyConnection, plays: str) -> dict[int, int]:
    """Delete the landed plays that the table ``plays`` lists, and count them as erased; their number by participant."""
    for source in ("extended", "account"):
        connection.execute(
            f"""
            delete from vault.raw.{source}_plays as landed
            using {plays} as plays
            where plays.history_source = $source
                and landed.participant_no = plays.participant_no
                and landed.member_id = plays.member_id
                and landed.row_no = plays.row_no
            """,
            {"source": source},
        )
    connection.execute(
        f"""
        insert into vault.raw.erased_rows
        select participant_no, member_id, history_source, count(*) from {plays} group by all
        """
    )
    return dict(connection.execute(f"select participant_no, count(*) from {plays} group by participant_no").fetchall())
