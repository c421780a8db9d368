"""``consonance completion``: commands, options and sources that a shell completes. It never offers a participant's code."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem, get_completion_class

from consonance.study.feature_sources import known_sources

VARIABLE = "_CONSONANCE_COMPLETE"


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script that makes SHELL complete commands, options and sources.

    Codes of participants are never offered: a terminal is seen by others.

    \b
    Examples:
      consonance completion bash >> ~/.bashrc
      consonance completion zsh >> ~/.zshrc
      consonance completion fish > ~/.config/fish/completions/consonance.fish
    """
    shells = get_completion_class(shell)
    assert shells is not None  # click knows the three
    click.echo(shells(context.find_root().command, {}, "consonance", VARIABLE).source())


def sources_then_files(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """What to offer after 'consonance catalog add': a feature source first, then files."""
    if context.params.get("words"):
        return [CompletionItem(incomplete, type="file")]
    return [CompletionItem(source) for source in known_sources() if source.startswith(incomplete)]
