"""Loading in shares: ``consonance load --shard`` and ``--merge``."""

from __future__ import annotations

import sys
from typing import Any, NoReturn

import click
from rich.markup import escape

from consonance.cli.load_report import ProgressBar, print_load
from consonance.cli.terminal import out, print_json, screen
from consonance.study.folder import Study
from loaders.shard_load import load_shard
from loaders.shard_merge import merge_shards
from loaders.shards import BadShare, Share


class ShareOfLoad(click.ParamType):  # type: ignore[type-arg]
    """Such as ``3/16``."""

    name = "K/N"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Share:
        try:
            return value if isinstance(value, Share) else Share.parse(str(value))
        except BadShare as error:
            self.fail(error.remedy, param, ctx)


share_option = click.option(
    "--shard",
    "share",
    type=ShareOfLoad(),
    default=None,
    help="Load the share K of N of the participants, such as 3/16, into a vault of its own.",
)


def load_one_shard(study: Study, share: Share, as_json: bool) -> NoReturn:
    """Load ``share``, report it, and exit as a load does."""
    with ProgressBar(screen) as progress:
        report = load_shard(study, share, progress)
    if as_json:
        print_json(report.as_json() | {"shard": str(share)})
    else:
        print_load(report, out)
        out.print(
            f"The shard {share} is in {escape(study.within(share.path(study)))}. When all {share.of} are there: "
            "'consonance load --merge'.",
            soft_wrap=True,
        )
    sys.exit(report.exit_status)


def merge_all(study: Study, as_json: bool) -> dict[str, Any]:
    """Merge the shards, and report it unless ``as_json``; what the JSON of the load says of it."""
    with screen.status("Merging shards …"):
        merged = merge_shards(study)
    if not as_json:
        out.print(f"{merged.shards:,} shards merged: {merged.donations:,} donations with {merged.plays:,} plays.")
    return {"merged": merged.as_json()}
