"""An empty study folder, with templates that explain themselves."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from consonance.consent.state import PURPOSES
from consonance.study.audit_log import anchor
from consonance.study.errors import ConsonanceError
from consonance.study.files import remove_within
from consonance.study.folder import Study, refuse_unusable
from consonance.study.key import create_key
from consonance.study.modes import close_to_others
from consonance.study.schema import lay_out_stores
from consonance.study.vault import open_study


class StudyExists(ConsonanceError):
    """There is a study already; nothing of it is touched."""


class CannotLayOut(ConsonanceError):
    """The folder cannot be written to; it is as it was."""


SETTINGS = """\
# The study's settings. Every line may stay as it is.

# The study's name, for reports and certificates.
title: {title}

# Consent is judged as of this moment, written with its offset and in quotes, for instance
# "2026-03-01T00:00:00+01:00". Empty means: the moment of each 'consonance load'.
as_of: {as_of}

# A load tells if two participants share a listening history, or if one has the histories of several accounts.
# Then nothing is published until the wrong code was withdrawn, or it is said here that all is right: keep_both,
# for instance of two people with one account, or (with one code) of somebody with two accounts.
# one_history:
#   - {{codes: ["P007", "P008"], decision: keep_both}}

# What 'consonance consent receipt' tells participants of the study; each line may be left out.
# controller: University of Somewhere, Department of Music
# contact: the study's address, not a person's
# lawful_basis: consent (GDPR Article 6(1)(a) and 9(2)(a))
# jurisdiction: DE
# retention: until 2036-12-31
# recipients: the research group; named researchers under an agreement
# withdrawal: Write to the study's address and name your code. You need give no reason.
"""

CONSENTS = """\
participant_code,event,purposes,form_version,occurred_at,history_from,history_to
# The consent ledger: one line for each thing a participant decided. It only grows: a load refuses it
#   if a line that was loaded before was changed, removed or moved. Put a mistake right by a further
#   line at the end, with the same occurred_at.
# event: granted, amended (replaces what was granted before) or withdrawn. Each line says all that
#   holds from its moment on; the last by occurred_at counts, in whatever order lines are entered.
# purposes, separated by spaces:
{purposes}
# form_version: of the notice they read; 'consonance consent notice' registers it. occurred_at: with offset.
# history_from, history_to: first and last consented day of their history; empty means no bound.
# Example (without the leading #):
# P001,granted,listening_history demographics emotion_reports,v1,2026-01-15T10:30:00+01:00,2015-01-01,
"""

PARTICIPANTS = """\
participant_code,birth_year,gender,country,timezone,enrolled_at
# One line for each participant. participant_code is also the name of their folder in inbox/.
# country: ISO 3166-1 alpha-2. timezone: IANA name, such as Europe/Berlin; empty means the most
#   populous zone of the country.
# P001,1990,female,DE,Europe/Berlin,2026-01-15
"""

NOTICES = """\
form_version,language,title,file,sha256
# One line for each version of the information that participants read before they decided, written by
#   consonance consent notice FILE --version v1 --language en
# file: its text, in this folder. sha256: of that file.
# Once consent was given to a notice, its line stays and its text never changes; another text, another
#   language too, is another form_version.
# v1,en,Information for participants,notice-v1.pdf,<SHA-256 of the file>
"""

RECIPIENTS = """\
release,recipient,handed_over_at
# Who was given which release, one line each: the certificate of a withdrawal lists who must be told.
# 1,A. Researcher (University of Somewhere),2026-06-01
"""

README = """\
# {title}

This folder is one study. Nothing in it belongs in version control.

| what | where |
|---|---|
| settings | study.yml |
| who takes part | participants.csv |
| who consented to what | consents.csv (the ledger), notices.csv, notices/ (their texts) |
| donated zips | inbox/<participant_code>/<any name>.zip, or an unpacked folder |
| questionnaires | surveys/: tables (.csv, .tsv, .txt), one answer a line: participant_code,answered_at,instrument,item,answer |
| audio features | catalogue/<source_id>/: tables (.csv, .tsv, .txt) with Spotify ids; sources are listed in the project's seeds/feature_sources.csv |
| consent receipts | receipts/, written by `consonance consent receipt CODE` |
| who was given which release | recipients.csv |
| withdrawals | withdrawals/: certificates. tombstones.csv: who must not come back, by keyed tokens; it belongs to the vault |
| the vault's key | vault.key. Keep a copy in a safe place, never beside a backup of the vault |
| identified data, encrypted | vault.duckdb; audit.head signs the end of its audit log and belongs to it |
| the warehouse | warehouse.duckdb, rebuilt by `dbt run` |

    consonance load          # land what lies here; safe to repeat
    dbt run                  # rebuild the warehouse
    consonance check         # consent, de-identification, quality

Name this folder in CONSONANCE_STUDY, or call it ./study beside the project.
"""


def lay_out_study(root: Path, title: str | None = None, as_of: datetime | None = None) -> Study:
    """Make ``root`` an empty study: templates, folders, a new key, empty stores.

    Raises:
        StudyExists: a file of a study is there already.
        CannotLayOut: the folder cannot be written to.
        UnusableFolder: DuckDB can keep no files in a folder of that name.
    """
    refuse_unusable(root)
    study = Study(root)
    tables = (study.consents_path, study.participants_path, study.notices_path)
    for path in (study.settings_path, study.key_path, study.vault_path, *tables):
        if path.exists():
            raise StudyExists(
                f"{root} holds a study already ({path.name}).", "Choose an empty folder; nothing was touched."
            )
    there = set(root.iterdir()) if root.is_dir() else None
    try:
        root.mkdir(parents=True, exist_ok=True)
        _fill(study, title or root.resolve().name, as_of)
    except BaseException as error:
        # Nothing is left half laid out: what was not there before goes.
        for path in root.iterdir() if root.is_dir() else ():
            if path not in (there or ()):
                remove_within(root, path)
        if there is None and root.is_dir():
            root.rmdir()
        if isinstance(error, OSError):
            raise CannotLayOut(
                f"No study can be laid out in {root} ({error.strerror}).",
                "Name a folder on a disk with room, that you may write to.",
            ) from error
        raise
    return study


def _fill(study: Study, title: str, as_of: datetime | None) -> None:
    root = study.root
    root.chmod(0o700)  # before anything lies in it
    for folder in (study.inbox, study.surveys, study.catalogue):
        folder.mkdir(exist_ok=True)
    moment = f'"{as_of.isoformat()}"' if as_of else ""
    study.settings_path.write_text(SETTINGS.format(title=_quoted(title), as_of=moment), encoding="utf-8")
    study.consents_path.write_text(CONSENTS.format(purposes=_wrapped(PURPOSES)), encoding="utf-8")
    study.participants_path.write_text(PARTICIPANTS, encoding="utf-8")
    study.notices_path.write_text(NOTICES, encoding="utf-8")
    study.recipients_path.write_text(RECIPIENTS, encoding="utf-8")
    if not (root / "README.md").exists():
        (root / "README.md").write_text(README.format(title=title), encoding="utf-8")
    create_key(study)
    with open_study(study) as connection:
        lay_out_stores(connection)
        anchor(connection, study)
    close_to_others(study)


def _wrapped(words: Iterable[str]) -> str:
    """The words as comment lines of a CSV."""
    return textwrap.fill(" ".join(words), width=100, initial_indent="#   ", subsequent_indent="#   ")


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
