"""``consonance export openesm``: reports and their codebook in the shape of the openESM database.

Sources, read on 2026-11-26 as copies of the public pages: the guidelines for datasets
(https://openesmdata.org/docs/contributing: a TSV with ``id``, ``day``, ``beep``, names in snake case, ``NA`` where a
value is missing) and the JSON schema of the metadata (github.com/openesm-project/openesm-cleaning,
``data/schema/metadata_schema.json``, "reflects current usage as of 2026-02"). The guidelines speak of four required
columns and name three; ``counter`` is the fourth in the published data sets as we know them. The number of a data set is
given by openESM: 0000 stands for it.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from consonance.consent.state import LEDGER_STATE
from consonance.export.consent import note, refuse_outdated, refuse_without_consent
from consonance.export.folder import CannotExport, new_folder, reading, write_json
from consonance.export.openesm_check import refuse_what_tells_too_much
from consonance.export.training import Export
from consonance.study.files import sha256_of
from consonance.study.folder import Study
from consonance.study.literals import literal
from consonance.study.vault import open_study

BEEPS = Path(__file__).with_name("openesm_beeps.sql").read_text(encoding="utf-8")
ITEMS = Path(__file__).with_name("openesm_items.sql").read_text(encoding="utf-8")
PURPOSES = ("emotion_reports", "sharing_controlled")
DATASET = "0000"
COUNTERS = {
    "id": ("categorical", "Participant"),
    "day": ("numeric", "Day, from 1 on the day of the participant's first beep"),
    "beep": (
        "numeric",
        "Number of the beep on this day, from 1. Prompts without an answer are beeps, where the study knows them",
    ),
    "counter": ("numeric", "Number of the beep of the participant, from 1"),
    "hour": ("numeric", "Hour of the day, 0 to 23, in the participant's local time"),
}
COMMENTS = (
    "Numeric answers alone, no free text. Dates are not given. Participants consented to the sharing of pseudonymous rows "
    "with named researchers."
)
AUTHOR = re.compile(r"[a-z][a-z0-9-]{0,40}")


def export_openesm(study: Study, folder: Path, author: str) -> Export:
    """Write reports and codebook of those who grant ``PURPOSES`` into the new folder ``folder``.

    Args:
        study: Loaded and built.
        folder: It must not exist yet.
        author: Last name of the first author, for the names of the files.

    Raises:
        CannotExport: there is nothing to export, it may not be exported, or not written to ``folder``.
        StoreError, VaultKeyError: a store cannot be opened.
    """
    name = author.lower()
    if not AUTHOR.fullmatch(name):
        raise CannotExport(
            f"{author!r} cannot be in the name of a file of openESM.", "Write it in letters from a to z."
        )
    if not study.warehouse_path.exists():
        raise CannotExport(f"{study.root} has no warehouse yet.", "Run 'dbt run' first.")
    with new_folder(folder, study) as draft:
        with open_study(study, read_only=True, warehouse=True) as connection:
            refuse_outdated(connection)
            persons = _shuffled(_persons(connection))
            refuse_without_consent(connection, persons, PURPOSES)
            ((year,),) = connection.execute("select year(as_of) from vault.raw.study").fetchall()
        data = draft / f"{DATASET}_{name}_ts.tsv"
        with reading(study.warehouse_path, draft) as connection:
            beeps = _write_beeps(connection, data, persons)
            metadata = _metadata(connection, author, year, len(persons))
        write_json(draft / f"{DATASET}_{name}_metadata.json", metadata)
        refuse_what_tells_too_much(draft, data, metadata, persons)
        with open_study(study) as connection:
            facts = {"what": "openesm", "release": None, "rows": beeps, "persons": len(persons)}
            entry = note(connection, study, {**facts, "sha256": sha256_of(data)})
    return Export(folder, beeps, len(persons), entry)


def _persons(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The pseudonyms of those who have answers and grant every purpose."""
    found = connection.execute(
        f"""
        select ledger_state.pseudonym
        from ({LEDGER_STATE}) as ledger_state
        where
            list_has_all(ledger_state.purposes, $purposes)
            and ledger_state.pseudonym in (select participant_id from warehouse.anonymized.anon_emotion_answers)
        """,
        {"purposes": list(PURPOSES)},
    ).fetchall()
    if not found:
        raise CannotExport(
            f"Nothing was exported: nobody with emotion reports grants {' and '.join(PURPOSES)}.",
            "Ask participants for the purpose, then 'consonance load' and 'dbt run'.",
        )
    return [pseudonym for (pseudonym,) in found]


def _shuffled(persons: Sequence[str]) -> list[str]:
    """The persons in a random order, which gives them their numbers; it is kept nowhere."""
    order = list(persons)
    secrets.SystemRandom().shuffle(order)
    return order


def _write_beeps(connection: duckdb.DuckDBPyConnection, path: Path, persons: Sequence[str]) -> int:
    """Write one row for each beep, ``NA`` where an item was not answered, and keep the answers as ``temp.answers``.

    The number of a participant is the place in ``persons``.
    """
    connection.execute(f"create temp table answers as {BEEPS}", {"persons": list(persons)})
    columns = connection.execute(
        "select distinct column_name from temp.answers where column_name is not null order by 1"
    ).fetchall()
    names = ", ".join(f"'{name}'" for (name,) in columns)
    ((beeps,),) = connection.execute(
        f"""
        copy (
            from (
                pivot (select id, day, beep, counter, hour, column_name, answer from temp.answers)
                on column_name in ({names}) using max(answer)
            )
            order by id, counter
        ) to {literal(path)} (format csv, header, delimiter '\t', nullstr 'NA')
        """
    ).fetchall()
    return int(beeps)


def _metadata(connection: duckdb.DuckDBPyConnection, author: str, year: int, persons: int) -> dict[str, Any]:
    ((days, most, longest, unanswered),) = connection.execute(
        "select max(day), max(beep), max(counter), count(*) filter (where answer is null) from temp.answers"
    ).fetchall()
    return {
        "first_author": author,
        "dataset_id": DATASET,
        "year": year,
        "reference_a": None,
        "paper_doi": None,
        "n_participants": persons,
        "n_time_points": longest,
        "n_days": str(days),
        "n_beeps_per_day": str(most),
        "passive_data_available": "no",
        "cross_sectional_available": "no",
        "topics": "mood, music",
        "implicit_missingness": "no" if unanswered else "yes",
        "raw_time_stamp": "no",
        "sampling_scheme": None,
        "participants": None,
        "additional_comments": COMMENTS,
        "features": [*_of_counters(), *_of_items(connection)],
    }


def _of_counters() -> list[dict[str, str]]:
    return [_feature(name, kind, words) for name, (kind, words) in COUNTERS.items()]


def _of_items(connection: duckdb.DuckDBPyConnection) -> list[dict[str, str]]:
    """What the instruments say of each item: scale, range, and the text where it may be printed."""
    features = []
    for column, item, scales, least, most, name, citation, text in connection.execute(ITEMS).fetchall():
        if scales is None:
            features.append(_feature(column, "numeric", f"{item}, of an instrument that the study did not define"))
        else:
            words, source = f"{name}: {item}, of {scales}", citation or name
            features.append(_feature(column, "rating_scale", words, text or "", source, f"{least:g}-{most:g}"))
    return features


def _feature(
    name: str, kind: str, description: str, details: str = "", source: str = "", categories: str = ""
) -> dict[str, str]:
    return {
        "name": name,
        "description": description,
        "variable_type": kind,
        "answer_categories": categories,
        "details": details,
        "labels": "",
        "transformation": "",
        "source": source,
        "assessment_type": "ESM",
        "construct": "",
        "comments": "",
    }
