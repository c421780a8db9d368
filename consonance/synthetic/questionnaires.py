"""What synthetic people report of their mood: prompts of m-Path, weekly forms of Qualtrics, each with its map."""

from __future__ import annotations

import csv
from pathlib import Path

import duckdb

from consonance.study.folder import Study
from consonance.synthetic import planted
from consonance.synthetic.statements import run

# In which the survey program shows its moments.
ZONE = "Europe/Berlin"

MOOD_MAP = """\
# The prompts, as m-Path exports them. Its moments are on the clock of the participant's telephone.
files: mood.csv
format: m-path
participant: alias
moments:
  prompted: timeStampSent
  opened: timeStampStart
  answered: timeStampStop
  written_as: unix_seconds
  clock: {column: timeZoneOffset}
items:
  feeling_valence_sliderNegPos: vas.valence
  feeling_arousal_sliderNegPos: vas.arousal
"""

WEEKLY_MAP = """\
# The weekly PANAS, as Qualtrics exports it. Its moments are in the time zone of the survey.
files: weekly.csv
format: qualtrics
participant: ExternalReference
moments:
  opened: StartDate
  answered: EndDate
  clock: {zone}
finished: {{column: Finished, is: [1]}}
items:
{items}"""


def report(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the prompts, moods and answers of the people, as tables.

    Args:
        connection: With what they listened to.
    """
    run(
        connection,
        "reports.sql",
        valence_within=planted.VALENCE_WITHIN,
        valence_between=planted.VALENCE_BETWEEN,
        arousal_by_hour=planted.AROUSAL_BY_HOUR,
        peak_hour=planted.PEAK_HOUR,
        person_spread=planted.PERSON_SPREAD,
        day_spread=planted.DAY_SPREAD,
        moment_spread=planted.MOMENT_SPREAD,
        answered_at_all=planted.ANSWERED,
        answered_by_valence=planted.ANSWERED_BY_VALENCE,
        prompts_after_listening=planted.PROMPTS_AFTER_LISTENING,
        other_prompts=planted.OTHER_PROMPTS,
        weeks=planted.WEEKS,
    )


def write_questionnaires(connection: duckdb.DuckDBPyConnection, study: Study, network: str) -> int:
    """Write the questionnaire files and their maps into ``surveys/``.

    Args:
        connection: After ``report``.
        study: The study.
        network: The beginning of the addresses that the survey program notes.

    Returns:
        How many reports they hold.
    """
    run(connection, "questionnaires.sql", network=network, zone=ZONE)
    mood = study.surveys / "mood.csv"
    connection.execute(f"copy (from mpath) to '{mood}' (header, delimiter ';')")
    # As m-Path does: with a byte order mark.
    mood.write_bytes(b"\xef\xbb\xbf" + mood.read_bytes())
    lines = [cells for (cells,) in connection.execute("select cells from qualtrics order by line").fetchall()]
    with (study.surveys / "weekly.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(lines)
    questions = connection.execute("select number, item from panas_questions order by number").fetchall()
    items = "".join(f"  Q1_{number}: panas.{item}\n" for number, item in questions)
    _write(study.surveys / "maps" / "mood.yml", MOOD_MAP)
    _write(study.surveys / "maps" / "weekly.yml", WEEKLY_MAP.format(zone=ZONE, items=items))
    ((answered, weekly),) = connection.execute(
        "select (select count(*) from moods where status = 'answered'), (select count(*) from weekly_forms)"
    ).fetchall()
    return int(answered + weekly)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
