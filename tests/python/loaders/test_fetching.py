"""The fetch asks what is missing, and nothing else, whatever the service does, and whenever it is killed."""

from __future__ import annotations

import json
import logging
import os
import pty
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from email.utils import formatdate
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest
from commands import CONSONANCE
from conftest import SmallStudy, lay_out_small, play
from reccobeats_server import FAULTS, TOO_LONG, Service, serving
from urllib3.util import Retry

from consonance.cli.main import main
from consonance.study.audit_log import anchor, read_entries, record
from consonance.study.audit_verification import verify
from consonance.study.doctor import examine
from consonance.study.folder import Study
from consonance.study.last_run import project_digest
from consonance.study.schema import OlderStores
from consonance.study.vault import open_catalogue, open_study
from loaders import reccobeats
from loaders.fetching import BadDecoys, Fetch, Fetched, OutdatedWarehouse, plan_fetch, run_fetch
from loaders.reccobeats import BATCH, BadAddress, NotAnswered, ReccoBeats, Refused, Track, service_url

QUICK = Retry(total=8, status_forcelist=(408, 429, *range(500, 600)), backoff_factor=0.01)
# A machine that is busy may take its time; a test that waits for the end of this time does so once.
TIMEOUT = (5.0, TOO_LONG - 0.5)


def track(number: int, letter: str = "T") -> str:
    return f"{letter}{number:021d}"


@pytest.fixture
def service() -> Iterator[Service]:
    with serving(Service()) as made:
        yield made


@pytest.fixture
def client(service: Service) -> ReccoBeats:
    return ReccoBeats(service.url, patience=QUICK, timeout=TIMEOUT)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that the client would have waited."""
    waited: list[float] = []
    monkeypatch.setattr(reccobeats, "time", SimpleNamespace(sleep=waited.append))
    return waited


# The client


def test_what_the_service_says_is_read(service: Service, client: ReccoBeats) -> None:
    service.know(track(1), "DE1012345678", 180_000, energy=0.5, loudness=-7, tempo=120.5, key=11, mode=0, valence=None)
    service.know(
        track(2), "usum7-21 04140", -1, energy=1.5, tempo=0, key=-1, mode=True, valence="0.5", liveness=float("nan")
    )
    service.know(track(3), "us-um7-2104140", True)
    service.known[track(4)] = ({"href": "https://open.spotify.com/track/x"}, {"href": None})
    service.known[track(5)] = tuple({"href": f"https://open.spotify.com/track/{track(9)}"} for _ in range(2))  # type: ignore[assignment]
    assert client.tracks([track(number) for number in range(1, 8)]) == {
        track(1): Track(
            "DE1012345678",
            180_000,
            {"energy": 0.5, "loudness": -7.0, "tempo": 120.5, "musical_key": 11.0, "mode": 0.0},
        ),
        track(2): Track(),
        track(3): Track("USUM72104140"),
    }


def test_nothing_but_ids_is_sent(
    service: Service, client: ReccoBeats, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login jane password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    for _ in range(2):  # the service sets cookies
        client.tracks([track(1), track(2)])
    assert {path for path, _ in service.queries} == {"/v1/audio-features", "/v1/track"}
    assert all(query == {"ids": [f"{track(1)},{track(2)}"]} for _, query in service.queries)
    for headers in service.headers:
        assert set(headers) == {"Host", "User-Agent", "Accept-Encoding", "Accept", "Connection"}
        assert headers["User-Agent"].startswith("python-requests/")


@pytest.mark.parametrize("fault", FAULTS)
def test_a_request_that_failed_is_repeated(
    service: Service, client: ReccoBeats, waits: list[float], fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    service.know(track(1), energy=0.5)
    service.faults = [fault] if fault == "late" else [fault, "", fault, fault]
    with caplog.at_level(logging.DEBUG):
        assert client.tracks([track(1)]) == {track(1): Track(values={"energy": 0.5})}
    assert service.answered == {path: Counter([track(1)]) for path in service.answered}
    assert waits == ([0] if fault == "late" else [1.0] * 3 if "Retry-After" in fault else [0, 0, 0.02])


@pytest.mark.parametrize(
    ("said", "waited"), [("7", 7.0), (formatdate(4e9, usegmt=True), None), ("soon", 0.0), ("0", 0.0)]
)
def test_retry_after_is_obeyed(
    service: Service, client: ReccoBeats, waits: list[float], said: str, waited: float | None
) -> None:
    service.retry_after, service.faults = said, ["429 Retry-After"]
    if waited is None:
        with pytest.raises(NotAnswered, match=r"asks to wait \d+ minutes"):
            client.tracks([track(1)])
        assert waits == []
    else:
        client.tracks([track(1)])
        assert waits == [waited]


def test_the_wait_grows_and_ends(service: Service, waits: list[float]) -> None:
    told: list[tuple[float, str]] = []
    client = ReccoBeats(service.url, timeout=TIMEOUT, waits=lambda *wait: told.append(wait))
    service.faults = ["500"] * 20
    with pytest.raises(NotAnswered, match=r"did not answer 9 times, the last time with: status 500\.") as stopped:
        client.tracks([track(1)])
    assert len(waits) == 8 and waits == sorted(waits) and waits[-1] <= 120
    assert [seconds for seconds, _ in told] == waits
    assert track(1) not in str(stopped.value)


def test_a_service_that_is_not_there_is_told_without_the_ids(waits: list[float]) -> None:
    client = ReccoBeats("http://127.0.0.1:9", patience=QUICK, timeout=TIMEOUT)
    with pytest.raises(NotAnswered, match="with: no connection") as stopped:
        client.tracks([track(1)])
    assert track(1) not in str(stopped.value) and stopped.value.__suppress_context__


@pytest.mark.parametrize("fault", ["400", "403", "404", "redirect"])
def test_what_will_not_change_is_not_repeated(service: Service, client: ReccoBeats, fault: str) -> None:
    service.faults = [fault]
    with pytest.raises(Refused, match="refused the request"):
        client.tracks([track(1)])
    assert len(service.queries) == 1


@pytest.mark.parametrize(
    ("url", "is_asked"),
    [
        ("http://127.0.0.1:1", True), ("http://localhost", True), ("http://[::1]:1", True), ("https://example.org", True),
        ("http://example.org", False), ("http://127.0.0.1.example.org", False), ("ftp://127.0.0.1", False), ("x", False),
    ],
)  # fmt: skip
def test_without_encryption_only_this_machine_is_asked(
    monkeypatch: pytest.MonkeyPatch, url: str, is_asked: bool
) -> None:
    monkeypatch.setenv("CONSONANCE_RECCOBEATS_URL", url)
    if is_asked:
        assert service_url() == url
    else:
        with pytest.raises(BadAddress, match="CONSONANCE_RECCOBEATS_URL"):
            service_url()
    monkeypatch.delenv("CONSONANCE_RECCOBEATS_URL")
    assert service_url() == "https://api.reccobeats.com"


# What is asked


def make_built(root: Path, tracks: int) -> SmallStudy:
    """A study whose plays were judged and whose warehouse is there, as far as a fetch looks at it; dbt is not run."""
    study = lay_out_small(root)
    study.admit("P1", purposes="listening_history")
    study.donate("P1", [play(spotify_track_uri=f"spotify:track:{track(0)}")])
    study.load()
    with duckdb.connect(str(study.study.warehouse_path)) as warehouse:
        warehouse.execute(
            """
            create schema anonymized; create schema features;
            create table anonymized.anon_tracks (track_id bigint, spotify_uri varchar);
            create table features.feat_track_features (track_id bigint, feature_source varchar);
            """
        )
    with open_study(study.study) as connection:
        connection.execute(
            """
            create schema vault.intermediate;
            create table vault.intermediate.int_play_fates (
                participant_no integer, fate varchar, content_type varchar, content_uri varchar, is_private_session boolean
            );
            """
        )
        ((number,),) = connection.execute("select participant_no from vault.raw.keyring").fetchall()
        connection.execute(
            """
            insert into vault.intermediate.int_play_fates
            select $number, 'kept', 'track', format('spotify:track:T{:021d}', i), null
            from range($tracks) as numbers (i), range(3)
            """,
            {"number": number, "tracks": tracks},
        )
    note_run(study)
    return study


def note_run(study: SmallStudy) -> None:
    """Note that dbt has built the warehouse from what the vault has now."""
    with open_study(study.study) as connection:
        connection.execute("delete from vault.raw.last_run")
        connection.execute(
            "insert into vault.raw.last_run select true, max(entry_no), $digest from vault.raw.audit_log",
            {"digest": project_digest()},
        )


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> SmallStudy:
    """A study with 100 tracks. Not to be written to."""
    return make_built(tmp_path_factory.mktemp("built") / "study", 100)


@pytest.fixture
def built(kept: SmallStudy, tmp_path: Path) -> SmallStudy:
    """A copy of it."""
    shutil.copytree(kept.root, tmp_path / "study")
    return SmallStudy(Study.find(tmp_path / "study"))


def plan(study: SmallStudy, decoys: int | Path = 0) -> Fetch:
    with open_study(study.study, warehouse=True) as connection:
        return plan_fetch(connection, decoys)


def fetched(study: SmallStudy, client: ReccoBeats, decoys: int | Path = 0) -> Fetched:
    with open_study(study.study, warehouse=True) as connection:
        return run_fetch(connection, study.study, plan_fetch(connection, decoys), client)


def test_what_was_heard_in_private_sessions_alone_is_not_asked_about(built: SmallStudy) -> None:
    private, both = (f"T{number:021d}" for number in (0, 1))
    with open_study(built.study) as connection:
        connection.execute(
            """
            update vault.intermediate.int_play_fates set is_private_session = true
            where list_contains($uris, content_uri)
            """,
            {"uris": [f"spotify:track:{private}", f"spotify:track:{both}"]},
        )
        connection.execute(
            """
            insert into vault.intermediate.int_play_fates
            select participant_no, 'kept', 'track', content_uri, false
            from vault.intermediate.int_play_fates
            where content_uri = $uri
            """,
            {"uri": f"spotify:track:{both}"},
        )
    asked = plan(built).tracks
    assert private not in asked and both in asked and len(asked) == 99


def add_to_catalogue(study: SmallStudy, *spotify_ids: str) -> None:
    with open_catalogue(study.study) as connection:
        for number, spotify_id in enumerate(spotify_ids):
            connection.execute(
                "insert into catalogue.music.source_tracks (source_id, track_no, spotify_id) values ('x', ?, ?)",
                [number, spotify_id],
            )
            connection.execute("insert into catalogue.music.source_values values ('x', ?, 'energy', 0.5)", [number])


def test_only_what_is_missing_is_asked_about(built: SmallStudy) -> None:
    assert plan(built).tracks == {track(number) for number in range(100)}
    others = [
        ("duplicate", "track", f"spotify:track:{track(901)}", None),
        ("outside_consent_window", "track", f"spotify:track:{track(902)}", None),
        ("kept", "track", f"spotify:track:{track(903)}", True),
        ("kept", "episode", f"spotify:episode:{track(904)}", None),
        ("kept", "track", "spotify:local:me:at+home:song:60", None),
        ("kept", "track", None, None),
        ("kept", "track", f"spotify:track:{track(905)}", True),
        ("kept", "track", f"spotify:track:{track(905)}", False),
    ]
    with open_study(built.study) as connection:
        connection.executemany("insert into vault.intermediate.int_play_fates values (1, ?, ?, ?, ?)", others)
        connection.execute(
            "insert into vault.raw.fetched_tracks values ('reccobeats', $known, now(), null, null, true), ('reccobeats', $unknown, now(), null, null, false)",
            {"known": track(1), "unknown": track(2)},
        )
        # What somebody saved and never played is not asked about: they agreed to that for what they heard.
        connection.execute(
            "insert into vault.raw.library_items values (1, 'saved', $uri)", {"uri": f"spotify:track:{track(906)}"}
        )
    add_to_catalogue(built, track(3), track(903))
    with duckdb.connect(str(built.study.warehouse_path)) as warehouse:
        for number in (4, 5):
            warehouse.execute(
                "insert into anonymized.anon_tracks values (?, ?)", [number, f"spotify:track:{track(number)}"]
            )
        # Of track 5 a length is known, and no feature.
        warehouse.execute("insert into features.feat_track_features values (4, 'muse'), (5, null)")
    assert plan(built).tracks == {track(number) for number in (0, *range(5, 100), 905)}


def test_batches_are_full_and_in_random_order(built: SmallStudy, service: Service, client: ReccoBeats) -> None:
    orders = [plan(built).order for _ in range(2)]
    assert orders[0] != orders[1] and sorted(orders[0]) == sorted(orders[1]) != list(orders[0])
    assert fetched(built, client) == Fetched(tracks=100)
    asked = [query["ids"][0].split(",") for _, query in service.queries]
    assert [len(ids) for ids in asked] == [40, 40, 40, 40, 20, 20]
    assert asked[0::2] == asked[1::2] and len({one for ids in asked for one in ids}) == 100


def test_what_was_answered_is_in_the_vault_and_only_there(
    built: SmallStudy, service: Service, client: ReccoBeats
) -> None:
    for number in range(60):
        service.know(track(number), f"DE10123{number:05d}", 100_000 + number, energy=number / 100, tempo=100 + number)
    assert fetched(built, client) == Fetched(tracks=100, known=60, values=120)
    assert built.vault(
        "select spotify_id, isrc, length_ms, is_known, source_id from vault.raw.fetched_tracks order by spotify_id"
    ) == [
        (track(number), f"DE10123{number:05d}", 100_000 + number, True, "reccobeats")
        if number < 60
        else (track(number), None, None, False, "reccobeats")
        for number in range(100)
    ]
    assert sorted(built.vault("select spotify_id, feature, value from vault.raw.fetched_values")) == [
        one
        for number in range(60)
        for one in ((track(number), "energy", number / 100), (track(number), "tempo", 100.0 + number))
    ]
    for table in ("source_tracks", "source_values"):
        assert built.vault(f"select count(*) from catalogue.music.{table}") == [(0,)]
    assert built.vault("select * from vault.raw.tracks_to_fetch") == []
    with open_study(built.study, read_only=True) as connection:
        started, ended = read_entries(connection)[-2:]
        assert verify(connection, built.study).passed
    assert (started.kind, json.loads(started.facts)) == (
        "fetch_started", {"source": "reccobeats", "tracks": 100, "decoys": 0, "requests": 6},
    )  # fmt: skip
    assert (ended.kind, json.loads(ended.facts)) == (
        "fetch_ended", {"source": "reccobeats", "tracks": 100, "known": 60, "values": 120, "decoys": 0, "left": 0},
    )  # fmt: skip
    # Nobody is asked again, about the unknown ones neither.
    assert not plan(built).tracks


def test_decoys_are_mixed_in_and_thrown_away(
    built: SmallStudy, service: Service, client: ReccoBeats, tmp_path: Path
) -> None:
    add_to_catalogue(built, *(track(number, "D") for number in range(50)), track(0), "no id")
    for number in range(50):
        service.know(track(number, "D"), energy=0.1)
    with pytest.raises(BadDecoys, match="has 50 tracks"):
        plan(built, 51)
    file = tmp_path / "decoys.txt"
    file.write_text("spotify_id\n")
    with pytest.raises(BadDecoys, match="no id of a track"):
        plan(built, file)
    with pytest.raises(BadDecoys, match=r"nowhere\.txt cannot be read"):
        plan(built, tmp_path / "nowhere.txt")
    file.write_text(
        f"{track(1, 'E')}\nspotify:track:{track(2, 'E')},x\nhttps://open.spotify.com/track/{track(3, 'E')}?si=1\n{track(0)}\n"
    )
    assert plan(built, file).decoys == {track(number, "E") for number in (1, 2, 3)}
    planned = plan(built, 30)
    # Track 0 is in the catalogue, with a value.
    assert len(planned.decoys) == 30 and planned.decoys < {track(number, "D") for number in range(50)}
    assert len(planned.tracks) == 99 and planned.requests == 8
    assert 0 < sum(one in planned.decoys for one in planned.order[:BATCH]) < BATCH
    assert fetched(built, client, 30) == Fetched(tracks=99, decoys=30)
    assert built.vault(
        "select count(*), count(*) filter (where spotify_id like 'T%') from vault.raw.fetched_tracks"
    ) == [(99, 99)]
    assert built.vault("select count(*) from vault.raw.fetched_values") == [(0,)]
    assert {len(ids["ids"][0].split(",")) for _, ids in service.queries} == {40, 9}


def test_a_fetch_that_stopped_goes_on_with_the_same_batches(
    built: SmallStudy, service: Service, client: ReccoBeats
) -> None:
    add_to_catalogue(built, *(track(number, "D") for number in range(50)))
    service.faults = ["", "", "404"]
    with pytest.raises(Refused):
        fetched(built, client, 20)
    assert built.vault("select count(*) from vault.raw.tracks_to_fetch") == [(80,)]
    assert any("fetch" in finding.what for finding in examine(built.study).findings)
    refused = service.queries[-1]
    left = plan(built)
    assert left.is_resumed and len(left.order) == 80 and left.decoys
    ended = fetched(built, client)
    assert service.queries[3] == refused
    assert ended.left == 0 and built.vault("select count(*) from vault.raw.fetched_tracks") == [(100,)]
    assert all(set(asked.values()) == {1} for asked in service.answered.values())
    assert not any("fetch" in finding.what for finding in examine(built.study).findings)
    with open_study(built.study, read_only=True) as connection:
        kinds = [entry.kind for entry in read_entries(connection)]
    assert kinds[-4:] == ["fetch_started", "fetch_ended"] * 2


class Interrupted(dict[str, Track]):
    """Answers; somebody presses Ctrl-C while they are landed."""

    def __contains__(self, _: object) -> bool:
        raise KeyboardInterrupt


@pytest.mark.parametrize("place", ["while it waits", "while it lands"])
def test_a_fetch_that_is_stopped_by_hand_leaves_whole_batches(
    built: SmallStudy, client: ReccoBeats, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    ask, asked = client.tracks, iter(range(9))

    def tracks(spotify_ids: Collection[str]) -> dict[str, Track]:
        if next(asked) < 2:
            return ask(spotify_ids)
        if place == "while it waits":
            raise KeyboardInterrupt
        return Interrupted()

    monkeypatch.setattr(client, "tracks", tracks)
    with open_study(built.study, warehouse=True) as connection:
        planned = plan_fetch(connection)
        with pytest.raises(KeyboardInterrupt):
            run_fetch(connection, built.study, planned, client)
    assert built.vault("select count(*) from vault.raw.fetched_tracks") == [(80,)]
    assert built.vault("select count(*) from vault.raw.tracks_to_fetch") == [(20,)]
    with open_study(built.study, read_only=True) as connection:
        assert verify(connection, built.study).passed
        last = read_entries(connection)[-1]
    assert (last.kind, json.loads(last.facts)["left"]) == ("fetch_ended", 20)
    assert plan(built).order == planned.order[80:]


def test_what_was_left_is_planned_anew_if_other_tracks_are_missing_or_decoys_are_wanted(
    built: SmallStudy, service: Service, client: ReccoBeats
) -> None:
    add_to_catalogue(built, *(track(number, "D") for number in range(50)))
    service.faults = ["404"]
    with pytest.raises(Refused):
        fetched(built, client)
    assert plan(built).is_resumed
    assert not plan(built, 10).is_resumed and len(plan(built, 10).decoys) == 10
    with open_study(built.study) as connection:
        connection.execute("delete from vault.intermediate.int_play_fates where content_uri like '%7'")
    again = plan(built)
    assert not again.is_resumed and len(again.order) == 90
    fetched(built, client)
    assert built.vault("select count(*) from vault.raw.fetched_tracks where spotify_id like '%7'") == [(0,)]


def test_a_warehouse_that_is_not_up_to_date_is_refused(built: SmallStudy, client: ReccoBeats) -> None:
    fetched(built, client)
    plan(built)  # a fetch changes no play
    with open_study(built.study) as connection:
        record(connection, built.study, "load_finished", {})
        anchor(connection, built.study)
    with pytest.raises(OutdatedWarehouse, match=r"changed after the warehouse was built.*Run 'dbt run' first"):
        plan(built)
    with open_study(built.study) as connection:
        connection.execute("drop table vault.raw.tracks_to_fetch")
    with pytest.raises(OlderStores, match="consonance load"):
        plan(built)


# Whenever it is killed

CLIENT = """
import sys, time
from pathlib import Path
from types import SimpleNamespace
from urllib3.util import Retry
from consonance.study.folder import Study
from consonance.study.vault import open_catalogue, open_study
from loaders import fetching, reccobeats
reccobeats.time = SimpleNamespace(sleep=lambda seconds: time.sleep(seconds / 100))
service = reccobeats.ReccoBeats(sys.argv[2], timeout=(5.0, float(sys.argv[3])))
with open_study(Study.find(sys.argv[1]), warehouse=True) as connection:
    print("ready", flush=True)
    sys.stdin.readline()
    fetching.run_fetch(connection, Study.find(sys.argv[1]), fetching.plan_fetch(connection, int(sys.argv[4])), service)
"""


@pytest.mark.slow
def test_every_track_is_asked_about_though_three_in_ten_requests_fail_and_the_client_is_killed_twice(
    tmp_path: Path,
) -> None:
    study = make_built(tmp_path / "study", 1000)
    add_to_catalogue(study, *(track(number, "D") for number in range(300)))
    service = Service(fault_rate=0.3, kill_after=[13, 34])
    for number in range(900):
        service.know(track(number), f"DE10123{number:05d}", 100_000 + number, energy=number / 1000)
    for number in range(300):
        service.know(track(number, "D"), energy=0.1)
    statuses = []
    with serving(service):
        for _ in range(3):
            with subprocess.Popen(
                [sys.executable, "-c", CLIENT, study.root, service.url, str(TIMEOUT[1]), "200"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            ) as process:
                assert process.stdin and process.stdout and process.stdout.readline() == "ready\n"
                service.client = process.pid
                process.stdin.write("go\n")
                process.stdin.close()
            statuses.append(process.returncode)
    assert statuses == [-9, -9, 0]
    assert sum(count for fault, count in service.failed.items() if fault) > 10 and len(service.failed) > 6
    for asked in service.answered.values():
        assert {track(number) for number in range(1000)} < asked.keys()
        # The answer that it was killed with is the only one that is lost.
        assert max(asked.values()) <= 2 and sum(asked.values()) <= 1200 + 2 * BATCH
        assert sum(one.startswith("D") for one in asked) == 200
    assert study.vault(
        "select spotify_id, isrc, length_ms, is_known from vault.raw.fetched_tracks order by spotify_id"
    ) == [
        (track(number), f"DE10123{number:05d}", 100_000 + number, True)
        if number < 900
        else (track(number), None, None, False)
        for number in range(1000)
    ]
    assert study.vault("select spotify_id, feature, value from vault.raw.fetched_values order by spotify_id") == [
        (track(number), "energy", number / 1000) for number in range(900)
    ]
    assert study.vault("select * from vault.raw.tracks_to_fetch") == []
    with open_study(study.study, read_only=True) as connection:
        assert verify(connection, study.study).passed
        assert [entry.kind for entry in read_entries(connection)][-4:] == [*["fetch_started"] * 3, "fetch_ended"]


# The command


Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(
    built: SmallStudy, service: Service, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Call]:
    """``consonance catalog fetch`` with some arguments, without a terminal: exit status, output, messages."""
    monkeypatch.setenv("CONSONANCE_RECCOBEATS_URL", service.url)

    def run(*arguments: str | Path, source: str = "reccobeats") -> tuple[int, str, str]:
        words = ["catalog", "fetch", source, "--study", built.root, *arguments]
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words])
        said = capsys.readouterr()
        return int(str(ended.value.code)), said.out, " ".join(said.err.split())

    umask = os.umask(0)
    yield run
    os.umask(umask)


def test_the_command_says_what_is_sent_and_sends_nothing_without_a_yes(
    built: SmallStudy, service: Service, call: Call
) -> None:
    add_to_catalogue(built, *(track(number, "D") for number in range(50)))
    before = built.vault("select count(*) from vault.raw.audit_log")
    status, output, messages = call("--decoys", "20")
    assert (status, output) == (2, "")
    for words in (
        service.url.removeprefix("http://"),
        "ids of 120 tracks, in random order, in 6 requests of at most 40 ids",
        "20 decoys",
        "its operator can conclude",
        "Nothing was sent.",
        "--yes",
    ):
        assert words.casefold() in messages.casefold(), words
    assert not service.queries and built.vault("select count(*) from vault.raw.audit_log") == before
    assert built.vault("select * from vault.raw.tracks_to_fetch") == []


def test_the_command_with_a_yes(service: Service, call: Call) -> None:
    service.know(track(1), energy=0.5)
    status, output, messages = call("--yes")
    assert status == 0 and "There are no decoys among them" in messages
    assert "Asked about 100 tracks: 1 are known, with 1 values; 99 are unknown" in output and "dbt run" in output
    status, output, messages = call("--yes", "--json")
    assert (status, messages) == (0, "")
    assert json.loads(output) == {
        "source": "reccobeats", "tracks": 0, "known": 0, "values": 0, "decoys": 0, "left": 0,
    }  # fmt: skip
    assert "No track is missing" in call()[1]
    assert len(service.queries) == 6


def test_what_cannot_be_done_is_explained(built: SmallStudy, service: Service, call: Call, tmp_path: Path) -> None:
    def refusal(*arguments: str | Path, status: int = 1, **more: str) -> str:
        ended, output, messages = call(*arguments, **more)
        assert (ended, output) == (status, "")
        return messages

    assert "Ask for so many decoys at most" in refusal("--yes", "--decoys", "5")
    assert "nowhere.txt cannot be read" in refusal("--yes", "--decoys", tmp_path / "nowhere.txt")
    service.faults = ["403"]
    assert "refused the request (status 403)" in refusal("--yes")
    built.study.warehouse_path.unlink()
    assert "no warehouse yet. Run 'dbt run' first." in refusal("--yes")
    assert "reccobeats" in refusal(source="elsewhere", status=2)


@pytest.mark.slow
def test_on_a_terminal_it_asks(built: SmallStudy, service: Service) -> None:
    ours, theirs = pty.openpty()
    try:
        for answer, status in (("", 1), ("y", 0)):
            os.write(ours, f"{answer}\n".encode())
            done = subprocess.run(
                [CONSONANCE, "catalog", "fetch", "reccobeats", "--study", built.root],
                stdin=theirs,
                capture_output=True,
                text=True,
                env=os.environ | {"CONSONANCE_RECCOBEATS_URL": service.url},
                check=False,
            )
            assert done.returncode == status, done.stderr
            assert "Send this? [y/N]" in done.stderr
            assert bool(service.queries) == (status == 0)
    finally:
        os.close(ours)
        os.close(theirs)
