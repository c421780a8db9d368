"""Landing the donations of the inbox: persons side by side, each donation in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import datetime
from pathlib import Path

import duckdb
from blake3 import blake3

from consonance.erasure.erased_plays import erase_returned
from consonance.study.files import printable
from consonance.study.folder import Study
from consonance.study.schema import insert_row
from consonance.study.tokens import Tokens
from loaders.archive import Member
from loaders.held import not_read, why_held
from loaders.history import HistoryLander, MemberRefused
from loaders.history_layouts import may_hold_history
from loaders.inbox import Donation
from loaders.load_report import DonationReport, MemberReport, Status
from loaders.refusals import ASK_AGAIN, DonationRefused, MemberBroken

WRONG_PACKAGE = "Ask the participant for the 'Extended streaming history' (or 'Account data') package."


def load_donations(
    connection: duckdb.DuckDBPyConnection,
    study: Study,
    donations: list[Donation],
    held: dict[str, str | None],
    loaded_at: datetime,
    jobs: int,
    on_done: Callable[[Donation, DonationReport], None] = lambda donation, report: None,
) -> list[DonationReport]:
    """Land ``donations``, persons side by side, the donations of one person in turn.

    Args:
        connection: With the vault attached; each worker takes a cursor of it.
        study: For the names in the report.
        donations: As ``find_donations`` gives them.
        held: For each enrolled participant why they are held, or ``None``.
        loaded_at: What the vault notes as the moment of loading, UTC.
        jobs: Persons read at once.
        on_done: Called after each donation, from the thread that read it.

    Returns:
        A report for each donation, in the order of ``donations``.
    """
    by_person: dict[str, list[Donation]] = {}
    for donation in donations:
        by_person.setdefault(donation.participant_code, []).append(donation)
    reports: dict[Donation, DonationReport] = {}

    def load_person(code: str) -> None:
        reason = why_held(code, held)
        with connection.cursor() as cursor:
            loader = _PersonLoader(cursor, study, code, loaded_at) if reason is None else None
            for donation in by_person[code]:
                report = loader.load(donation) if loader else not_read(study, donation, str(reason))
                reports[donation] = report
                on_done(donation, report)

    with ThreadPoolExecutor(max_workers=jobs) as pool:
        # The largest first: else the last one might be the longest, with the other threads idle.
        largest_first = sorted(by_person, key=lambda code: -sum(donation.size for donation in by_person[code]))
        for done in as_completed([pool.submit(load_person, code) for code in largest_first]):
            done.result()
    return [reports[donation] for donation in donations]


class _Salvage(Exception):
    """The member at ``position`` must be split here; the transaction is lost."""

    def __init__(self, position: int) -> None:
        self.position = position


class _PersonLoader:
    """Lands the donations of one person over one cursor, each in one transaction."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, study: Study, code: str, loaded_at: datetime) -> None:
        self._cursor, self._study, self._code, self._loaded_at = cursor, study, code, loaded_at
        self._lander = HistoryLander(cursor)
        self._participant_no = self._value(
            "select participant_no from vault.raw.keyring where participant_code = ?", code
        )

    def load(self, donation: Donation) -> DonationReport:
        file = self._study.within(donation.path)
        try:
            if donation.path.is_symlink():
                raise DonationRefused(
                    "link", f"{printable(donation.path.name)} is a link.", "Put the donation itself into the inbox."
                )
            with donation.opened() as members:
                sha256 = donation.fingerprint(members)
                if (known := self._known_donation(sha256)) is not None:
                    return self._report("already", file, known)
                self._refuse_erased(donation, sha256)
                return self._land(file, sha256, members)
        except (DonationRefused, MemberBroken) as refusal:
            return DonationReport(self._code, file, "refused", refusal.reason, f"{refusal.what} {refusal.remedy}")
        except OSError:
            return DonationReport(
                self._code,
                file,
                "refused",
                "unreadable",
                f"{printable(donation.path.name)} cannot be read. Give yourself the right to read it.",
            )
        except duckdb.Error as error:
            # Its message may quote a row. The other donations are loaded all the same.
            return DonationReport(
                self._code,
                file,
                "refused",
                "database_error",
                f"DuckDB could not load it ({type(error).__name__}). Load it again alone.",
            )
        except MemoryError:
            raise
        except Exception as error:
            # An error that was not foreseen, whose message may quote a row. The other donations are loaded all the same.
            return DonationReport(
                self._code,
                file,
                "refused",
                "unforeseen",
                f"{printable(donation.path.name)} has something in it that this program cannot read ({type(error).__name__}). {ASK_AGAIN}",
            )

    def _land(self, file: str, sha256: str, members: list[Member]) -> DonationReport:
        """Land a donation in one transaction, begun anew for each member that DuckDB refuses."""
        to_salvage: set[int] = set()
        while True:
            self._cursor.begin()
            try:
                donation_id, broken = self._land_members(file, sha256, members, to_salvage)
                self._cursor.commit()
            except BaseException as error:
                self._cursor.rollback()
                if isinstance(error, _Salvage):
                    to_salvage.add(error.position)
                    continue
                raise
            return self._report("loaded", file, donation_id, broken)

    def _land_members(
        self, file: str, sha256: str, members: list[Member], to_salvage: set[int]
    ) -> tuple[int, list[MemberBroken]]:
        donation_id = self._value("select nextval('vault.raw.donation_numbers')")
        ids = {"participant_no": self._participant_no, "donation_id": donation_id}
        landed = dict(
            self._cursor.execute(
                "select content_hash, member_id from vault.raw.members where participant_no = ?",
                [self._participant_no],
            ).fetchall()
        )
        found, unlisted = 0, 0
        broken: list[MemberBroken] = []
        for member in members:
            try:
                content_hash, counted = self._land_member(member, landed, donation_id, member.position in to_salvage)
            except MemberBroken as error:
                broken.append(error)
                insert_row(self._cursor, "broken_members", **ids, name=member.name, reason=error.reason)
                continue
            if content_hash is None:
                unlisted += 1
                continue
            found += 1
            insert_row(
                self._cursor,
                "donation_members",
                **ids,
                member_id=landed[content_hash],
                position=member.position,
                name=member.name,
                is_counted_here=counted,
            )
        if not found:
            raise (
                broken[0]
                if broken
                else DonationRefused(
                    "no_history", "There is no listening history in it: it may be the wrong package.", WRONG_PACKAGE
                )
            )
        erase_returned(self._cursor, [self._participant_no])
        insert_row(
            self._cursor,
            "donations",
            **ids,
            sha256=sha256,
            file=file,
            unlisted_files=unlisted,
            loaded_at=self._loaded_at,
        )
        return donation_id, broken

    def _land_member(
        self, member: Member, landed: dict[str, int], donation_id: int, salvage: bool
    ) -> tuple[str | None, bool]:
        """Land a member unless its bytes were landed before; its hash if it is listening history, and whether it counts here."""
        if not may_hold_history(member.peek()):
            return None, False
        content = member.read()
        content_hash = blake3(content).hexdigest()
        if content_hash in landed:
            return content_hash, False
        member_id = self._value("select nextval('vault.raw.member_numbers')")
        try:
            result = self._lander.land(
                content,
                Path(member.name).name,
                self._participant_no,
                member_id,
                salvage=salvage,
                are_texts=member.are_texts,
            )
        except MemberRefused:
            raise _Salvage(member.position) from None
        if result is None:
            return None, False
        insert_row(
            self._cursor,
            "members",
            member_id=member_id,
            participant_no=self._participant_no,
            content_hash=content_hash,
            kind=result.kind.name,
            rows_in=result.rows_in,
            landed=result.landed,
            rejected=result.rejected,
            usernames=result.usernames,
        )
        ids = {"participant_no": self._participant_no, "donation_id": donation_id}
        for (what, name), occurrences in result.drift.items():
            insert_row(self._cursor, "schema_drift", **ids, what=what, name=name, occurrences=occurrences)
        landed[content_hash] = member_id
        return content_hash, True

    def _known_donation(self, sha256: str) -> int | None:
        row = self._cursor.execute(
            "select donation_id from vault.raw.donations where participant_no = ? and sha256 = ?",
            [self._participant_no, sha256],
        ).fetchone()
        return None if row is None else int(row[0])

    def _refuse_erased(self, donation: Donation, sha256: str) -> None:
        token = Tokens.of(self._cursor).donation(sha256)
        if self._cursor.execute("select 1 from vault.raw.erased_donations where token = ?", [token]).fetchall():
            raise DonationRefused(
                "erased",
                f"{printable(donation.path.name)} was erased: its participant withdrew.",
                "Delete it. A participant who takes part again donates a new export.",
            )

    def _report(
        self, status: Status, file: str, donation_id: int, broken: Sequence[MemberBroken] = ()
    ) -> DonationReport:
        unlisted = self._value("select unlisted_files from vault.raw.donations where donation_id = ?", donation_id)
        members = tuple(
            MemberReport(name, "already", kind, 0, 0, 0, reasons or {}, reason, rows_already=rows_in)
            if status == "already" and reason is None
            else MemberReport(name, member_status, kind, rows_in, landed, rejected, reasons or {}, reason)
            for name, member_status, kind, rows_in, landed, rejected, reasons, reason in self._cursor.execute(
                ACCOUNTED, [donation_id]
            ).fetchall()
        )
        reason = (
            broken[0].reason if broken else ("rows_rejected" if any(member.rejected for member in members) else None)
        )
        if reason and status == "loaded":
            status = "partly"
        advice = " ".join(f"{error.what} {error.remedy}" for error in broken) or None
        return DonationReport(self._code, file, status, reason, advice, members, unlisted)

    def _value(self, statement: str, *parameters: object) -> int:
        return int(self._cursor.execute(statement, list(parameters)).fetchall()[0][0])


ACCOUNTED = """
    with rejects as (
        select member_id, map_from_entries(list((reason, rows) order by reason)) as reasons
        from (select member_id, reason, count(*) as rows from vault.raw.rejected_rows group by member_id, reason)
        group by member_id
    )
    select member, status, kind, rows_in, landed, rejected, case when rejected > 0 then reasons end as reasons, reason
    from vault.raw.load_accounting
    left join rejects using (member_id)
    where donation_id = ?
    order by position nulls last, member
"""
