"""Participant codes: one grammar. A code is checked wherever it enters, before it becomes part of a path."""

from __future__ import annotations

import re

from consonance.study.errors import ConsonanceError

CODE = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]|\.(?=[A-Za-z0-9_-])){0,63}")
# For messages that say what is wrong with a line, and never repeat it.
NO_CODE = "has no participant_code of letters, digits, '_', '-' and inner '.', 64 at most"


class BadCode(ConsonanceError):
    """A text is not a participant code."""


def is_code(text: str) -> bool:
    """Whether ``text`` is a participant code: ASCII letters, digits, ``_``, ``-`` and single inner ``.``, 64 at most.

    It begins with a letter, a digit or ``_``, so that no command takes it for an option.
    """
    return CODE.fullmatch(text) is not None


def checked_code(text: str) -> str:
    """``text``, if it is a participant code.

    Raises:
        BadCode: it is not. The message does not repeat it.
    """
    if not is_code(text):
        raise BadCode(
            "This is not a participant code.",
            "A code has letters (A to Z), digits, '_', '-' and inner '.', 64 at most, as in participants.csv.",
        )
    return text
