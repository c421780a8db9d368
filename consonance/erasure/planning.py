"""What a withdrawal would be about: everything it must know of the participants. Nothing is erased."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from consonance.consent.ledger import load_ledger
from consonance.consent.ledger_file import refuse_closed
from consonance.consent.notices import load_notices
from consonance.erasure.fetched_tracks import count_theirs
from consonance.erasure.participant_tables import People, Relation, count_rows, opened_stores
from consonance.erasure.record import ErasureRecord, Release
from consonance.erasure.releases import read_handovers
from consonance.erasure.study_files import find
from consonance.study.codes import checked_code
from consonance.study.desk import DESK
from consonance.study.errors import ConsonanceError
from consonance.study.folder import Study
from consonance.study.schema import lay_out_stores
from consonance.study.tokens import Tokens
from consonance.study.tombstones import LABEL_PREFIX, missing_tombstones, read_tombstones
from consonance.study.vault import open_study
from loaders.donation_tools.files import ids_of

# Everybody the vault has a code of.
CODES = """
    select participant_code from vault.raw.keyring
    union
    select participant_code from vault.raw.participants
    union
    select participant_code from vault.raw.consent_events
    order by all
"""
# User names that nobody else has. Two participants may share one Spotify account.
USERNAMES = """
    select unnest(usernames) as name from vault.raw.members where list_contains($numbers, participant_no)
    except
    select unnest(usernames) from vault.raw.members where not list_contains($numbers, participant_no)
    order by name
"""
# What is also under another code is refused to nobody later: of two codes one may be wrong.
DONATIONS = """
    select sha256 from vault.raw.donations where list_contains($numbers, participant_no)
    except
    select sha256 from vault.raw.donations where not list_contains($numbers, participant_no)
    order by sha256
"""
RELEASES = """
    select distinct releases.release_no, releases.tier, strftime(releases.published_at, '%Y-%m-%dT%H:%M:%S')
    from vault.raw.releases
    inner join vault.raw.release_keyring on release_keyring.release_no = releases.release_no
    where list_contains($numbers, release_keyring.participant_no)
    order by all
"""


class UnknownParticipant(ConsonanceError):
    """The study has nothing of anybody of this code."""


class NothingPending(ConsonanceError):
    """No withdrawal was interrupted, and the vault is no stale backup."""


def plan(study: Study, code: str, requested_at: datetime) -> ErasureRecord:
    """What ``withdraw`` of the participant ``code`` would be about.

    The ledger is loaded first: what ``consents.csv`` says must be in the vault, and must be in order. A line must be
    possible below it: that of the withdrawal.

    Args:
        study: Whose participant.
        code: Their participant code.
        requested_at: When they asked for it, in UTC without an offset.

    Raises:
        BadCode: ``code`` is not a participant code.
        UnknownParticipant: there is nothing of them, or not any more.
        BadTable: ``consents.csv``, ``notices.csv`` or ``recipients.csv`` cannot be used.
        StoreError, VaultKeyError: a store cannot be opened.
    """
    if checked_code(code).startswith(LABEL_PREFIX):
        raise UnknownParticipant(
            "This code is the token of a participant who was erased.", f"The certificate is in {study.withdrawals}."
        )
    read_handovers(study)
    with open_study(study, writes_catalogue=True) as connection:
        lay_out_stores(connection)
        load_ledger(connection, study, load_notices(connection, study))
        refuse_closed(study.consents_path)
        tombstones = read_tombstones(connection)
    planned = draft(study, [code], requested_at)
    if not planned.rows["vault"] and not planned.study_files.are_there:
        moment = tombstones.get(planned.tokens[0])
        raise UnknownParticipant(
            f"The participant was erased on {moment:%Y-%m-%d}."
            if moment
            else "The study has no participant with this code.",
            f"The certificate is in {study.withdrawals}." if moment else "Check the spelling.",
        )
    return planned


def plan_replay(study: Study) -> ErasureRecord:
    """What must be erased again because the vault was restored from a stale backup.

    Raises:
        NothingPending: the vault knows every withdrawal.
        StoreError, VaultKeyError: a store cannot be opened.
    """
    with open_study(study, may_be_stale=True, writes_catalogue=True) as connection:
        lay_out_stores(connection)
        missing = missing_tombstones(connection, study)
        tokens = Tokens.of(connection)
        back = [code for (code,) in connection.execute(CODES).fetchall() if tokens.participant(code) in missing]
    if not missing:
        raise NothingPending(f"{study.vault_path} has every withdrawal already.", "There is nothing to repeat.")
    planned = draft(study, back, None)
    # Who is not in the backup at all needs their tombstone back nonetheless.
    return replace(planned, tokens=(*planned.tokens, *sorted(missing.keys() - set(planned.tokens))))


def draft(study: Study, codes: Sequence[str], requested_at: datetime | None) -> ErasureRecord:
    """What a withdrawal of the participants ``codes`` would be about. Nothing of the study is changed.

    Args:
        study: Whose participants.
        codes: Their participant codes.
        requested_at: When they asked for it, in UTC without an offset; ``None`` for a stale backup.

    Raises:
        StoreError, VaultKeyError: a store cannot be opened.
    """
    with opened_stores(study) as (connection, tables):
        tokens = Tokens.of(connection)
        people = People.of(connection, codes)

        def found(query: str) -> list[tuple[Any, ...]]:
            return connection.execute(query, {"numbers": list(people.participant_no)}).fetchall()

        def of(store: str) -> list[Relation]:
            return [table for table in tables if table.database == store]

        return ErasureRecord(
            people=people,
            tokens=tuple(tokens.participant(code) for code in codes),
            requested_at=requested_at.isoformat(timespec="milliseconds") if requested_at else None,
            begun_at=datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="seconds"),
            usernames=tuple(name for (name,) in found(USERNAMES)),
            donations=tuple(tokens.donation(sha256) for (sha256,) in found(DONATIONS)),
            releases=tuple(Release(*release) for release in found(RELEASES)),
            rows={
                "vault": count_rows(connection, of("vault"), people) | count_theirs(connection, people.participant_no),
                **{store: count_rows(connection, of(store), people) for store in ("warehouse", DESK)},
            },
            study_files=find(study, codes),
            files={},
            tool_ids=tuple(sorted({tool_id for code in codes for tool_id in ids_of(study, code)} - set(codes))),
        )
