"""``consonance withdraw``: a participant leaves the study, and everything of theirs is erased."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click
from rich.markup import escape

from consonance.cli.terminal import json_option, out, screen, study_option
from consonance.erasure.planning import plan, plan_replay
from consonance.erasure.record import ErasureRecord, pending
from consonance.erasure.withdrawal import Withdrawal
from consonance.erasure.withdrawal import withdraw as erase
from consonance.study.folder import Study


@click.command()
@click.argument("code", required=False)
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@click.option(
    "--requested-at",
    type=click.DateTime(["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M%z"]),
    default=None,
    help="When the participant asked for it, with offset (2026-03-01T10:00+01:00). Default: now.",
)
@click.option(
    "--rebuild/--unpublish",
    default=True,
    help="If the participant is in the current controlled release: publish it again without them (default), or only unpublish it.",
)
@click.option("--take-down", "old_unpublish", is_flag=True, hidden=True, help="The former name of --unpublish.")
@click.option(
    "--replay", is_flag=True, help="Repeat the withdrawals that are missing in a restored backup of the vault."
)
@study_option
@json_option
def withdraw(
    code: str | None,
    yes: bool,
    requested_at: datetime | None,
    rebuild: bool,
    old_unpublish: bool,
    replay: bool,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Erase the participant CODE from the study, and write a certificate.

    Rows, keys, answers, donations in the inbox and releases with this participant are deleted. This cannot be
    undone. The lines of the consent ledger stay, under a token. If the command was interrupted, run it again;
    without CODE it only finishes the interrupted withdrawal.

    \b
    Examples:
      consonance withdraw P001
      consonance withdraw P001 --requested-at 2026-03-01T10:00+01:00
      consonance withdraw --replay         after a backup was restored
    """
    study = Study.find(folder)
    interrupted = pending(study)
    planned = None
    if interrupted:
        screen.print("A withdrawal was interrupted. It is finished first.")
        if code and code not in interrupted.people.participant_code:
            screen.print("Run this command again after that.")
    elif replay:
        planned = plan_replay(study)
    elif code:
        planned = plan(study, code, (requested_at or datetime.now(UTC)).astimezone(UTC).replace(tzinfo=None))
    if planned:
        _print_plan(planned)
        if not yes:
            click.confirm("Erase this? It cannot be undone.", abort=True, err=True)
    with screen.status("Withdrawing …") as status:
        withdrawal = erase(
            study,
            planned,
            rebuild=rebuild and not old_unpublish,
            progress=lambda what: status.update(f"Withdrawing: {what} …"),
        )
    if as_json:
        click.echo(withdrawal.certificate.read_text(encoding="utf-8"))
    else:
        _print_withdrawal(withdrawal)


def _print_plan(planned: ErasureRecord) -> None:
    rows = {store: sum(tables.values()) for store, tables in planned.rows.items()}
    files = planned.study_files
    screen.print(
        f"{', '.join(planned.people.participant_code) or 'No participant in the vault'}: {rows['vault']:,} rows in the vault, "
        f"{rows['warehouse']:,} in the warehouse, {files.donation_files} donated files, "
        f"{sum(files.lines.values())} lines in the study's tables."
    )
    if planned.releases:
        numbers = ", ".join(f"{release.number} ({release.tier})" for release in planned.releases)
        screen.print(f"These releases have data of the participant and will be unpublished: {numbers}.")


def _print_withdrawal(withdrawal: Withdrawal) -> None:
    scan, releases = withdrawal.scan, withdrawal.releases
    out.print(
        f"[green]Erased.[/] Nothing of the participant was found in {scan.columns:,} columns of {scan.tables:,} tables ({scan.rows:,} rows)."
    )
    if releases.numbers:
        out.print(
            f"Unpublished: {', '.join(map(str, releases.numbers))}. Current release: {releases.current or 'none'}. {releases.why}"
        )
    out.print(
        f"The certificate is at {escape(str(withdrawal.page))}, and as JSON at {escape(str(withdrawal.certificate))}.",
        soft_wrap=True,
    )
    out.print("The docs site was deleted too; 'consonance site' builds it again.")
    for line in withdrawal.to_do:
        out.print(f"[yellow]To do:[/] {escape(line)}", soft_wrap=True)
    out.print("[yellow]To do:[/] delete backups and copies of the study folder that are older than today.")
