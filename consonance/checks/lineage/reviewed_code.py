"""Python that draws what must be random, or closes connections: no data shows how it was done, so a person reads the code."""

from __future__ import annotations

import ast
from functools import cache

from consonance.checks.lineage.report import Findings
from consonance.checks.lineage.reviews import REVIEWED, Reviews, digest_of
from consonance.study.dbt_command import PROJECT


def check_code(reviews: Reviews, findings: Findings) -> None:
    """Compare each function of ``reviews.code`` with its digest."""
    for name, (expected, reason) in reviews.code.items():
        module, _, function = name.partition(":")
        file = f"{module.replace('.', '/')}.py"
        text = _text_of((PROJECT / file).read_text(encoding="utf-8"), function) if (PROJECT / file).is_file() else ""
        digest = digest_of(text)
        if not text:
            findings.of_file("review", name, file, f"There is no {name}, which is reviewed.", "Name where it is now.")
        elif digest != expected:
            findings.of_file(
                "review",
                name,
                file,
                f"{name} has changed since its review. It was right because: {reason}",
                f"Read it; if that is still true, and what is drawn is drawn from the randomness of the system and computed from nothing "
                f"that somebody may know, write digest {digest} into {REVIEWED.name}.",
            )


@cache
def _text_of(text: str, function: str) -> str:
    """The text of a function or class, or of the whole module if ``function`` is empty; nothing if it is not there.

    Comments are in it: a parsed tree is printed differently by each version of Python.
    """
    if function:
        found = [node for node in ast.parse(text).body if getattr(node, "name", None) == function]
        text = (ast.get_source_segment(text, found[0]) or "") if found else ""
    return "\n".join(line.rstrip() for line in text.splitlines())
