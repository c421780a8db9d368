"""Creating an empty study folder, with templates that explain themselves."""

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
    """The folder has a study already; nothing in it was changed."""


class CannotLayOut(ConsonanceError):
    """The study could not be created; the folder is as it was."""


SETTINGS = """\
# The settings of the study. You may leave every line as it is.

# Name of the study, for reports and certificates.
title: {title}

# The moment at which consent is judged. Write it with its offset and in quotes, for example
# "2026-03-01T00:00:00+01:00". Empty means: the moment of each 'consonance load'.
as_of: {as_of}

# A load reports if two participants share a listening history, or if one participant has the histories of several
# accounts. Then no release is published until you have withdrawn the wrong code, or have written here that this
# is correct (keep_both): for example two people who use one account, or (with one code) one person with two accounts.
# one_history:
#   - {{codes: ["P007", "P008"], decision: keep_both}}

# The study's own permissions to use values of a source of audio features in a way that the licence does not permit:
# train (to train models) or redistribute (to show them in releases). docs/permissions.md says what the licences permit.
# After the day in expires, a permission does not count any more.
# feature_permissions:
#   - {{source: spotify_archive, scope: train, reference: "agreement of 2026-02-11, section 4", expires: 2027-01-31}}

# What consent receipts say about the study. You may leave out each line.
# controller: University of Somewhere, Department of Music
# contact: the study's address, not a person's
# lawful_basis: consent (GDPR Article 6(1)(a) and 9(2)(a))
# jurisdiction: DE
# retention: until 2036-12-31
# recipients: the research group; named researchers under an agreement
# withdrawal: Write to the study's address and give your participant code. You do not have to give a reason.
"""

CONSENTS = """\
participant_code,event,purposes,form_version,occurred_at,history_from,history_to
# The consent ledger: one line for each decision of a participant. Only add lines. A load refuses this file if a
#   line that was loaded before was changed, removed or moved. To correct a mistake, add a further line at the
#   end, with the same occurred_at.
# event: granted, amended (replaces what was granted before) or withdrawn. Each line states everything that is
#   true from its moment on. The last line by occurred_at counts; of lines with the same moment, the later line.
# purposes, separated by spaces:
{purposes}
# form_version: version of the notice that the participant read; 'consonance consent notice' registers a notice.
# occurred_at: moment of the decision, with its offset.
# history_from, history_to: first and last day of the history that the participant agreed to; empty means no limit.
# Example (without the leading #):
# P001,granted,listening_history demographics emotion_reports,v1,2026-01-15T10:30:00+01:00,2015-01-01,
"""

PARTICIPANTS = """\
participant_code,birth_year,gender,country,timezone,enrolled_at
# One line for each participant. participant_code is also the name of the participant's folder in inbox/.
# country: ISO 3166-1 alpha-2 code. timezone: IANA name, such as Europe/Berlin; empty means the most populous
#   zone of the country.
# Example (without the leading #):
# P001,1990,female,DE,Europe/Berlin,2026-01-15
"""

NOTICES = """\
form_version,language,title,file,sha256
# One line for each notice: the information that participants read before they decide. This command writes the line:
#   consonance consent notice FILE --version v1 --language en
# file: the text of the notice, in this folder. sha256: the SHA-256 of that file.
# After consent was given to a notice, its line stays and its text never changes. Another text, or another
#   language, needs another form_version.
# Example (without the leading #):
# v1,en,Information for participants,notice-v1.pdf,<SHA-256 of the file>
"""

SCALES = """\
instrument,scale,answer_min,answer_max,score_as,max_missing,dimension
# Instruments of your own: one line for each scale. The project's docs/instruments.md lists the instruments that are
#   there already, and explains each column.
# score_as: sum or mean. max_missing: how many items may be missing. dimension: valence, arousal, or empty.
# Example (without the leading #):
# calmness,calm,0,10,mean,0,
"""

ITEMS = """\
instrument,scale,item,is_reversed
# One line for each item of the scales in scales.csv. is_reversed: true if a high answer means a low score.
# Example (without the leading #):
# calmness,calm,relaxed,false
# calmness,calm,hectic,true
"""

RECIPIENTS = """\
release,recipient,handed_over_at
# One line for each release that you hand over to somebody. The certificate of a withdrawal lists whom to inform.
# Example (without the leading #):
# 1,A. Researcher (University of Somewhere),2026-06-01
"""

README = """\
# {title}

This folder is one study. Keep everything in it out of version control.

| what | where |
|---|---|
| settings | study.yml |
| who takes part | participants.csv |
| who consented to what | consents.csv (the ledger), notices.csv, notices/ (their texts) |
| donations | inbox/<participant_code>/<any name>.zip, or an unpacked folder |
| files of donation tools (Port, DDM, OSD2F) | inbox/ itself; donation_ids.csv (tool_id,participant_code) if a tool's ids are not the participant codes. The project's docs/donations.md says how |
| questionnaire files | surveys/: tables with one answer on each line (participant_code,answered_at,instrument,item,answer), or files of m-Path, Qualtrics, REDCap, LimeSurvey, formr and others with a map |
| what their columns are | surveys/maps/: maps (.yml), written by `consonance survey map FILE`; the project's docs/questionnaires.md shows one for each program |
| questionnaires of your own | instruments/: scales.csv and items.csv; the project's docs/instruments.md says how |
| audio features | catalogue/<source_id>/: tables (.csv, .tsv, .txt, .parquet), packed or not; the project's docs/features.md lists the sources |
| consent receipts | receipts/, written by `consonance consent receipt CODE` |
| what participants get back | giveback/, written by `consonance giveback CODE`: each page is for its participant alone |
| who got which release | recipients.csv |
| files of your own | notes/ |
| withdrawals | withdrawals/: certificates. tombstones.csv: who must not come back, as keyed tokens. Keep it together with the vault |
| the vault's key | vault.key. Keep a copy in a safe place, never beside a backup of the vault |
| identified data, encrypted | vault.duckdb. audit.head signs the end of its audit log; keep it together with the vault |
| the warehouse | warehouse.duckdb, rebuilt by `dbt run` |
| the desk: what analysts open | analysis.duckdb, replaced at the end of each complete `dbt run`; `consonance sql` opens it |

    consonance load          # read these files into the vault; safe to repeat
    dbt run                  # rebuild the warehouse
    consonance check         # consent, de-identification, quality

The environment variable CONSONANCE_STUDY names this folder. Without it, the project looks for ./study.
"""


def lay_out_study(root: Path, title: str | None = None, as_of: datetime | None = None) -> Study:
    """Make ``root`` an empty study folder: templates, folders, a new key, empty stores.

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
                f"{root} has a study already ({path.name}).", "Choose an empty folder; nothing was changed."
            )
    there = set(root.iterdir()) if root.is_dir() else None
    try:
        root.mkdir(parents=True, exist_ok=True)
        _fill(study, title or root.resolve().name, as_of)
    except BaseException as error:
        # Nothing is left half done: what was not there before is deleted.
        for path in root.iterdir() if root.is_dir() else ():
            if path not in (there or ()):
                remove_within(root, path)
        if there is None and root.is_dir():
            root.rmdir()
        if isinstance(error, OSError):
            raise CannotLayOut(
                f"No study can be created in {root} ({error.strerror}).",
                "Choose a folder that you may write to, on a disk with free space.",
            ) from error
        raise
    return study


def _fill(study: Study, title: str, as_of: datetime | None) -> None:
    root = study.root
    root.chmod(0o700)  # before there is anything in it
    for folder in (study.inbox, study.surveys, study.catalogue, study.instruments):
        folder.mkdir(exist_ok=True)
    moment = f'"{as_of.isoformat()}"' if as_of else ""
    study.settings_path.write_text(SETTINGS.format(title=_quoted(title), as_of=moment), encoding="utf-8")
    study.consents_path.write_text(CONSENTS.format(purposes=_wrapped(PURPOSES)), encoding="utf-8")
    study.participants_path.write_text(PARTICIPANTS, encoding="utf-8")
    study.notices_path.write_text(NOTICES, encoding="utf-8")
    study.recipients_path.write_text(RECIPIENTS, encoding="utf-8")
    (study.instruments / "scales.csv").write_text(SCALES, encoding="utf-8")
    (study.instruments / "items.csv").write_text(ITEMS, encoding="utf-8")
    if not (root / "README.md").exists():
        (root / "README.md").write_text(README.format(title=title), encoding="utf-8")
    create_key(study)
    with open_study(study, writes_catalogue=True) as connection:
        lay_out_stores(connection)
        anchor(connection, study)
    close_to_others(study)


def _wrapped(words: Iterable[str]) -> str:
    """The words as comment lines of a CSV."""
    return textwrap.fill(" ".join(words), width=100, initial_indent="#   ", subsequent_indent="#   ")


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
