"""A dry load on a terminal: what a load would do, file by file, and what the rows look like that it would reject."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from consonance.cli.load_report import print_load
from loaders.dry_load import DryLoad
from loaders.load_report import MemberReport


def print_dry_load(dry: DryLoad, out: Console) -> None:
    """Print the report of the load, each file with its kind of rows, and an example for each reason."""
    out.print("[bold]Nothing was landed.[/] This is what 'consonance load' would do now.")
    for donation in dry.report.donations:
        for member in donation.members:
            if member.status != "already":
                out.print(f"{escape(donation.file)}: {_said(member)}", soft_wrap=True)
        for one in dry.examples:
            if (one.participant_code, one.file) == (donation.participant_code, donation.file):
                fields = ", ".join(f'"{key}": {shape}' for key, shape in one.fields.items()) or "no listed keys"
                out.print(
                    f"  {one.reason}, such as row {one.row:,} of {escape(one.member)}: {escape(fields)}", soft_wrap=True
                )
    print_load(dry.report, out)


def _said(member: MemberReport) -> str:
    reasons = ", ".join(f"{reason} {count:,}" for reason, count in (member.reasons or {}).items())
    if member.status == "broken":
        return f"{escape(member.member)}: cannot be read ({member.reason})"
    if member.status == "repeated":
        return f"{escape(member.member)}: the same rows are elsewhere too"
    return f"{escape(member.member)}: {member.rows_in:,} rows of {member.kind} history, {member.landed:,} to land" + (
        f", {member.rejected:,} to reject ({reasons})" if member.rejected else ""
    )
