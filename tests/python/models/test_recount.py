"""The warehouse against an independent recount of the same donations."""

from __future__ import annotations

import csv
import json
import random
from collections import Counter
from datetime import date
from itertools import product
from pathlib import Path
from typing import Any

from conftest import EVERYTHING, SmallStudy, account_play, as_zip, play
from oracle import Listener, Recount, recount
from report_oracle import recount_reports

COUNTRY_ZONE = {"DE": "Europe/Berlin", "JP": "Asia/Tokyo"}


def assert_agrees(study: SmallStudy, recounts: dict[str, Recount]) -> None:
    """Every count of every person is what the recount says."""
    with study.opened(warehouse=True) as connection:

        def counts(statement: str) -> dict[str, dict[Any, int]]:
            found: dict[str, dict[Any, int]] = {}
            for code, what, number in connection.execute(statement).fetchall():
                found.setdefault(code, {})[what] = number
            return found

        keyring = "inner join vault.raw.keyring on keyring.pseudonym = participant_id"
        fates = counts(
            f"select participant_code, (history_source, fate), sum(rows)::bigint from warehouse.audit.row_accounting {keyring} group by all"
        )
        plays = f"from warehouse.marts.plays {keyring} group by all"
        qualities = counts(f"select participant_code, start_quality, count(*) {plays}")
        contents = counts(f"select participant_code, content_type, count(*) {plays}")
        skips = counts(f"select participant_code, is_skip, count(*) {plays}")
        sessions = dict(
            connection.execute(
                f"select participant_code, count(*) from warehouse.marts.sessions {keyring} group by all"
            ).fetchall()
        )
    for code, recounted in recounts.items():
        assert fates.get(code, {}) == dict(recounted.fates()), code
        assert qualities.get(code, {}) == dict(recounted.qualities()), code
        assert contents.get(code, {}) == dict(recounted.contents()), code
        assert skips.get(code, {}) == dict(recounted.skips()), code
        assert sessions.get(code, 0) == recounted.sessions(), code


def test_the_synthetic_study_agrees_person_by_person(demo: SmallStudy) -> None:
    with demo.study.consents_path.open(encoding="utf-8") as file:
        events = [row for row in csv.reader(file) if len(row) == 7 and not row[0].startswith("#")][1:]
    with demo.study.participants_path.open(encoding="utf-8") as file:
        zones = {row[0]: (row[3], row[4]) for row in csv.reader(file) if len(row) == 6 and not row[0].startswith("#")}
    recounts = {}
    broken = {"D011", "D012", "D015", "D016", "D021"}
    for code, event, purposes, _, _, first, last in events:
        if event == "withdrawn":
            recounts.pop(code, None)
        elif code in zones and code not in broken:
            zone = zones[code][1] or {"BR": "America/Sao_Paulo", "GB": "Europe/London"}[zones[code][0]]
            listener = Listener(zone, frozenset(purposes.split()), _day(first), _day(last))
            place = demo.study.inbox / code
            loose = any(path.suffix == ".json" for path in place.iterdir())
            recounts[code] = recount([place] if loose else sorted(place.iterdir()), listener)
    assert len(recounts) >= 30
    assert sum(len(recounted.rows) for recounted in recounts.values()) > 40_000
    assert_agrees(demo, recounts)
    assert_windows_agree(demo, recounts)


def assert_windows_agree(study: SmallStudy, recounts: dict[str, Recount]) -> None:
    """The windows of every report hold what the recount says."""
    with study.opened(warehouse=True) as connection:
        keyring = "inner join vault.raw.keyring on keyring.pseudonym = participant_id"
        windows = connection.execute(
            f"select participant_code, emotion_window, plays, ms_played, sessions from warehouse.marts.emotion_windows {keyring} where emotion_window <> 'day_before'"
        ).fetchall()
        reports = connection.execute(
            f"select participant_code, instrument, epoch_ms(answered_at) from (select distinct participant_code, instrument, answered_at from vault.raw.survey_answers) inner join (select distinct participant_code from warehouse.marts.emotion_reports {keyring}) using (participant_code)"
        ).fetchall()
    found = Counter(row for row in windows if row[0] in recounts)
    expected: Counter[tuple[Any, ...]] = Counter()
    for code, _, report in reports:
        if code in recounts:
            expected.update((code, name, *counts) for name, counts in recounts[code].windows(report).items())
    assert found.total() > 5_000
    assert found == expected


def test_the_reports_of_the_synthetic_study_agree_person_by_person(demo: SmallStudy) -> None:
    with demo.opened(warehouse=True) as connection:
        reporting = connection.execute(
            "select participant_code from vault.intermediate.int_listeners where grants_emotion_reports"
        ).fetchall()
        found = connection.execute(
            """
            select participant_code, instrument, scale, score_status, count(*), coalesce(sum(score), 0)
            from warehouse.marts.emotion_scores
            inner join vault.raw.keyring on keyring.pseudonym = participant_id
            group by all
            """
        ).fetchall()
        prompts = connection.execute(
            """
            select participant_code, status, count(*)
            from warehouse.marts.emotion_prompts
            inner join vault.raw.keyring on keyring.pseudonym = participant_id
            group by all
            """
        ).fetchall()
    expected = {code: reports for code, reports in recount_reports(demo.study.surveys).items() if (code,) in reporting}
    assert len(expected) > 30
    assert {(code, status, number) for code, status, number in prompts} == {
        (code, status, number) for code, reports in expected.items() for status, number in reports.prompts.items()
    }
    assert len(found) == sum(len(reports.scores) for reports in expected.values())
    for code, instrument, scale, status, number, total in found:
        counted, summed = expected[code].scores[instrument, scale, status]
        assert (number, round(total, 6)) == (counted, round(float(summed), 6)), (code, instrument, scale)


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _random_export(draw: random.Random) -> list[dict[str, Any]]:
    """A few rows that collide in every way that identity knows."""
    rows: list[dict[str, Any]] = []
    for _ in range(draw.randrange(1, 25)):
        minute, second = draw.randrange(3), draw.choice([0, 0, 30, 59])
        row = play(
            f"2023-05-01T{draw.choice([0, 10, 23]):02d}:{minute:02d}:{second:02d}Z",
            draw.choice([0, 1000, 1000, 31_000]),
            spotify_track_uri=draw.choice(
                [None, None, "spotify:track:0000000000000000000001", "spotify:track:0000000000000000000002", ""]
            ),
            master_metadata_track_name=draw.choice([None, "T", "T", "t", "", "T|C"]),
            master_metadata_album_artist_name=draw.choice([None, "C", "C", "C|C"]),
            reason_end=draw.choice(["trackdone", "fwdbtn", "logout", "unexpected-exit", "", None, "unknown"]),
            offline=draw.choice([True, False, None]),
            offline_timestamp=draw.choice([0, 1, None, 1682934900, 1682934900123, 1682900000, 1672934900]),
            incognito_mode=draw.choice([False, False, True, None, "yes"]),
        )
        if draw.random() < 0.15:
            row |= {
                "master_metadata_track_name": None,
                "spotify_track_uri": None,
                "episode_name": "E",
                "episode_show_name": "S",
            }
        for key in draw.sample(["username", "ip_addr_decrypted", "platform", "shuffle", "skipped"], draw.randrange(3)):
            del row[key]
        rows.append(row)
        if draw.random() < 0.25:
            rows.append(dict(row))
    return rows


def _random_account(draw: random.Random, told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    rows = []
    for row in draw.sample(told, len(told) // 2):
        if draw.random() < 0.8:
            rows.append(
                account_play(
                    row["ts"][:16].replace("T", " "),
                    row["ms_played"],
                    row["master_metadata_track_name"] or "Unknown Track",
                    "C",
                )
            )
    rows += [account_play("2023-05-01 10:01", 1000, draw.choice(["T", "X"]), "C") for _ in range(draw.randrange(4))]
    return rows


def test_random_people_agree(small: SmallStudy) -> None:
    """80 people with crowded, contradicting, overlapping donations."""
    recounts: dict[str, Recount] = {}
    people: dict[str, tuple[list[Path], Listener]] = {}
    for seed, number in product((1, 2), range(40)):
        draw = random.Random(f"{seed}/{number}")
        code = f"P{seed}{number:03d}"
        country = draw.choice(["DE", "JP"])
        purposes = frozenset(
            draw.choice([EVERYTHING, EVERYTHING, "listening_history", "listening_history podcasts_audiobooks"]).split()
        )
        first, last = draw.choice([("", ""), ("2023-05-01", ""), ("", "2023-05-01"), ("2023-05-02", "2023-05-02")])
        small.enrol(code, country=country, timezone=draw.choice(["", COUNTRY_ZONE[country]]))
        small.consent(code, " ".join(sorted(purposes)), history=(first, last))
        told = _random_export(draw)
        packages: list[list[dict[str, Any]]] = [told]
        if draw.random() < 0.6:
            packages.append(draw.sample(told, draw.randrange(1, len(told) + 1)) + _random_export(draw))
        if draw.random() < 0.6:
            packages.append(_random_account(draw, told) or [account_play()])
            if draw.random() < 0.5:
                packages.append(packages[-1] + _random_account(draw, told))
        paths = [
            as_zip(small.study.inbox / code / f"{place}.zip", {"MyData/a.json": rows})
            for place, rows in enumerate(packages)
        ]
        if draw.random() < 0.3:
            # The same members once more: unpacked, and together in one zip.
            folder = small.study.inbox / code / "unpacked"
            folder.mkdir()
            (folder / "a.json").write_text(json.dumps(packages[0], ensure_ascii=False))
            paths += [
                folder,
                as_zip(
                    small.study.inbox / code / "all.zip",
                    {f"MyData/{place}.json": rows for place, rows in enumerate(packages)},
                ),
            ]
        people[code] = (paths, Listener(COUNTRY_ZONE[country], purposes, _day(first), _day(last)))
    small.load()
    small.dbt("run")
    for code, (paths, listener) in people.items():
        recounts[code] = recount(paths, listener)
    assert_agrees(small, recounts)
