"""What files are, apart from the names in them: on the list of study files, in their form, and closed to others."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import duckdb

from consonance.checks.leaks.leak import Leak
from consonance.checks.leaks.places import Found, written_by
from consonance.study.folder import Study
from consonance.study.forms import FORMS, BadForm
from consonance.study.study_files import DECLARED, places

# Written here once more: who changes consonance/study/modes.py does not change what is looked for.
OTHERS = stat.S_IRWXG | stat.S_IRWXO
# The folder whose files may be called after nobody, and those whose files are called after participants.
NAMELESS = "withdrawals"
FOR_PARTICIPANTS = ("receipts", "giveback")
CODES_OF_THE_STUDY = """
    select participant_code from vault.raw.participants
    union
    select participant_code from vault.raw.keyring
    union
    select participant_code from vault.raw.consent_events
"""


def unlisted(files: Sequence[Found], called: Callable[[str], str]) -> Iterator[Leak]:
    """The files that nobody has said what they are; one finding for a folder that has nothing else.

    Args:
        files: Of the study folder.
        called: Gives a path without names of participants.
    """
    tops = {found.within.split("/")[0] for found in files if found.is_listed}
    seen = set()
    for found in files:
        if found.is_listed:
            continue
        top = found.within.split("/")[0]
        place = found.within if top in tops or top == found.within else f"{top}/"
        if top == NAMELESS:
            place = f"{top}/…{found.path.suffix}"
        if place not in seen:
            seen.add(place)
            beside = [place.written_by for place in places() if place.files.startswith(f"{top}/")]
            writers = ", ".join(
                dict.fromkeys([*written_by(found.path.name), *(one for ones in beside for one in ones)])
            )
            yield Leak(
                called(place),
                "is on no list of study files: nobody has said what it is",
                f"{f'Look at {writers}' if writers else 'Find out who wrote it'}. Delete it, or "
                "move it into notes/ if it is yours. What the program writes belongs on the list in "
                f"consonance/study/{DECLARED.name}, which says what may stand in it.",
            )


def left_behind(connection: duckdb.DuckDBPyConnection, files: Sequence[Found]) -> Iterator[Leak]:
    """What a withdrawal has to remove, and is still there: pages for people whom the vault does not know, and releases that
    were unpublished.

    Args:
        connection: With the vault attached.
        files: Of the study folder.
    """
    codes = {code for (code,) in connection.execute(CODES_OF_THE_STUDY).fetchall()}
    unpublished = {
        str(number) for (number,) in connection.execute("select release_no from vault.raw.unpublished").fetchall()
    }
    seen = set()
    for found in files:
        folder, *below = found.within.split("/")
        if folder in FOR_PARTICIPANTS and found.path.stem not in codes:
            yield Leak(
                f"{folder}/…{found.path.suffix}",
                "is called after nobody of the study: it may name who withdrew",
                "Delete it. A withdrawal does that in consonance/erasure/study_files.py.",
            )
        if folder == "published" and below[0] in unpublished and below[0] not in seen:
            seen.add(below[0])
            yield Leak(
                f"{folder}/{below[0]}",
                "was unpublished because somebody in it withdrew, and is still there",
                "Delete it. A withdrawal does that in consonance/erasure/releases.py.",
            )


def out_of_form(found: Found) -> Iterator[Leak]:
    """What is in a file that stays after a withdrawal, and is not of its form."""
    if found.place.form is None:
        return
    try:
        FORMS[found.place.form](found.path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        yield Leak(found.within, "is no text", _of_form(found))
    except BadForm as error:
        yield Leak(found.within, f"is not of its form: {error}", _of_form(found))


def _of_form(found: Found) -> str:
    return (
        f"Look at {', '.join(found.place.written_by)}, which writes it, and at consonance/study/forms.py: "
        "it may hold what is listed there, and nothing that names a participant."
    )


def open_to_others(study: Study, found: Found) -> Iterator[Leak]:
    """An output in the study that other users may read. What the operator puts there, the next load closes."""
    if (
        not found.place.is_input
        and study.root in found.path.parents
        and study.published not in found.path.parents
        and stat.S_IMODE(found.path.stat().st_mode) & OTHERS
    ):
        yield Leak(
            found.within,
            "can be read by other users",
            "Run 'consonance load': it removes these rights. Find out which command wrote it with them.",
        )


def open_folders(study: Study, folders: Sequence[Path]) -> Iterator[Leak]:
    """The study folder, and the ``folders`` of dbt, if others may enter them: what is in them is open then, or may be."""
    for folder in (study.root, *folders):
        if folder.is_dir() and stat.S_IMODE(folder.stat().st_mode) & OTHERS:
            yield Leak(
                str(folder),
                "can be entered by others",
                f"Run 'chmod 700 {folder}'. 'dbt run' closes its own folders: consonance/study/dbt_plugin.py.",
            )
