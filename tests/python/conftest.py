"""Studies for the tests: small ones laid out by hand, and one synthetic study run through the whole line."""

from __future__ import annotations

import hashlib
import inspect
import io
import json
import os
import random
import re
import shutil
import subprocess
import zipfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest
from forks import DBT, Forks

from consonance.study import dbt_command, keyring, tokens, vault
from consonance.study.dbt_command import PROJECT, run_dbt
from consonance.study.folder import Study
from consonance.study.layout import lay_out_study
from consonance.study.vault import attach_study, attach_warehouse, session_settings
from consonance.synthetic.study import make_study
from loaders.load import load_study
from loaders.load_report import LoadReport

# Workers side by side must not write to one folder of dbt's.
if worker := os.environ.get("PYTEST_XDIST_WORKER"):
    os.environ["DBT_TARGET_PATH"] = str(PROJECT / "target" / worker)
    os.environ["DBT_LOG_PATH"] = str(PROJECT / "logs" / worker)

# An erasure clears dbt's artifacts, which other tests may still read: it gets folders of its own.
ERASURES = {
    name: f"{os.environ.get(name, default)}/erasures"
    for name, default in {"DBT_TARGET_PATH": "target", "DBT_LOG_PATH": "logs"}.items()
}

# At every connection DuckDB hashes the 21 MB of the extension that encrypts, to verify who signed it. In this process it
# need not; in those that the tests start, as a user does, it does.
vault.session_settings = lambda: session_settings() | {"allow_unsigned_extensions": True}


class SeededSecrets(random.Random):
    """Stands in these processes for the module ``secrets`` where the secrets of participants are drawn."""

    randbelow = random.Random.randrange

    def token_hex(self, size: int) -> str:
        return self.randbytes(size).hex()


# What is drawn for a test or a fixture depends on its name alone: a pseudonym, a shift or a key that fails it fails it always.
# Workers add a group to the name: without them (-n 0) other secrets are drawn.
SECRETS = SeededSecrets()
for module in (keyring, tokens):
    vars(module)["secrets"] = SECRETS

AS_OF = datetime(2026, 3, 1, tzinfo=UTC)
EVERYTHING = "listening_history podcasts_audiobooks private_sessions demographics emotion_reports"


def copy_project(place: Path) -> None:
    """Copy the project to ``place``, without what was made from it, and without the studies beside it."""
    made = shutil.ignore_patterns(".git", ".venv*", "target", "logs", "*.egg-info", ".*cache*")

    def left_out(folder: str, names: list[str]) -> set[str]:
        studies = {name for name in names if name.startswith("study")} if Path(folder) == PROJECT else set()
        return studies | made(folder, names)

    shutil.copytree(PROJECT, place, ignore=left_out)


def play(ts: str = "2023-05-01T10:00:00Z", ms_played: Any = 60_000, **fields: Any) -> dict[str, Any]:
    """A row of an extended history of 2021 to 2024 (21 keys), with ``fields`` put over it."""
    row: dict[str, Any] = {
        "ts": ts,
        "username": "some-listener",
        "platform": "android",
        "ms_played": ms_played,
        "conn_country": "DE",
        "ip_addr_decrypted": "198.51.100.7",
        "user_agent_decrypted": "unknown",
        "master_metadata_track_name": "A Track",
        "master_metadata_album_artist_name": "An Artist",
        "master_metadata_album_album_name": "An Album",
        "spotify_track_uri": "spotify:track:0000000000000000000001",
        "episode_name": None,
        "episode_show_name": None,
        "spotify_episode_uri": None,
        "reason_start": "trackdone",
        "reason_end": "trackdone",
        "shuffle": False,
        "skipped": None,
        "offline": False,
        "offline_timestamp": 0,
        "incognito_mode": False,
    }
    return row | fields


def account_play(
    end_time: str = "2023-05-01 10:00", ms_played: Any = 60_000, title: str = "A Track", creator: str = "An Artist"
) -> dict[str, Any]:
    """A row of an account history."""
    return {"endTime": end_time, "artistName": creator, "trackName": title, "msPlayed": ms_played}


def as_zip(path: Path, members: dict[str, Any]) -> Path:
    """A zip of ``members``: name to bytes, text, or anything that becomes JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, as_bytes(content))
    return path


def zipped(*members: tuple[str | zipfile.ZipInfo, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as packed:
        for name, content in members:
            packed.writestr(name, content)
    return buffer.getvalue()


def as_bytes(content: Any) -> bytes:
    if isinstance(content, bytes):
        return content
    return (content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)).encode()


@dataclass
class SmallStudy:
    """A study folder that a test fills in line by line."""

    study: Study

    @property
    def root(self) -> Path:
        return self.study.root

    def enrol(
        self,
        code: str,
        birth_year: int | str = 1990,
        gender: str = "female",
        country: str = "DE",
        timezone: str = "Europe/Berlin",
    ) -> None:
        _append(self.study.participants_path, f"{code},{birth_year},{gender},{country},{timezone},2025-01-01")

    def register(self, version: str = "v1", text: str = "What the study is about.\n") -> None:
        """Put a notice beside the tables and register it."""
        file = self.root / f"notice-{version}.txt"
        file.write_text(text, encoding="utf-8")
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        _append(self.study.notices_path, f"{version},en,Information for participants,{file.name},{digest}")

    def consent(
        self,
        code: str,
        purposes: str = EVERYTHING,
        event: str = "granted",
        at: str = "2025-01-01T10:00:00+00:00",
        history: tuple[str, str] = ("", ""),
        version: str = "v1",
    ) -> None:
        _append(self.study.consents_path, f"{code},{event},{purposes},{version},{at},{history[0]},{history[1]}")

    def admit(self, code: str, **consent: Any) -> None:
        self.enrol(code)
        self.consent(code, **consent)

    def donate(
        self,
        code: str,
        rows: Any,
        name: str = "export.zip",
        member: str = "Spotify Extended Streaming History/Audio.json",
    ) -> Path:
        return as_zip(self.study.inbox / code / name, {member: rows})

    def load(self) -> LoadReport:
        return load_study(self.study)

    def dbt(self, *arguments: str) -> str:
        # Of a run no test reads the manifest, which takes a fifth of the time; the other processor has another test.
        quicker = ["--no-write-json", "--threads", "1"] if arguments[0] == "run" else []
        return run_dbt(self.study, *arguments, *quicker)

    @contextmanager
    def opened(self, warehouse: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
        """Vault and catalogue, and the warehouse if wanted, for reading."""
        with duckdb.connect(config=vault.session_settings()) as connection:
            attach_study(connection, self.study, read_only=True)
            if warehouse:
                attach_warehouse(connection, self.study)
            yield connection

    def vault(self, statement: str) -> list[tuple[Any, ...]]:
        with self.opened() as connection:
            return connection.execute(statement).fetchall()

    def values(self, features: str) -> list[tuple[Any, ...]]:
        """(Spotify id, value of each of ``features``) of every track of the catalogue that has a Spotify id."""
        columns = ", ".join(f"max(value) filter (where feature = '{name.strip()}')" for name in features.split(","))
        return self.vault(
            f"""
            select spotify_id, {columns}
            from catalogue.music.source_tracks
            left join catalogue.music.source_values using (source_id, track_no)
            where spotify_id is not null
            group by all
            order by 1
            """
        )

    def warehouse(self, statement: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.study.warehouse_path), read_only=True) as connection:
            return connection.execute(statement).fetchall()


# Files that take longest, longest first: none of them is to begin when the other worker is about to end.
LONGEST = (
    "test_withdrawal", "test_no_study_harmed", "test_release", "test_warehouse", "test_risk", "test_cli", "test_amendment",
    "test_non_interference",
    "test_recount", "test_wall", "test_rules", "test_style", "test_key", "test_purposes",
)  # fmt: skip


# Files whose tests let dbt build a warehouse, or check a thousand cases: 'make check' leaves them out. So it does the
# tests that start the program, and those that load a study. A test that lets dbt run all the same fails there.
SLOW = {
    "test_amendment", "test_archive", "test_consent_oracle", "test_dump_loading", "test_dump_sources", "test_dumps",
    "test_emotion_prompts", "test_feature_sources", "test_fetching", "test_findings", "test_desk", "test_doctor", "test_faults", "test_fetched_tracks",
    "test_history_doubts", "test_identity", "test_k_anonymity", "test_key", "test_layers", "test_library",
    "test_migrations", "test_no_study_harmed", "test_non_interference", "test_odd_studies", "test_paths",
    "test_permissions", "test_purposes", "test_readme", "test_recount", "test_release", "test_report", "test_risk", "test_row_order", "test_rules", "test_spark", "test_wall",
    "test_warehouse", "test_windows", "test_withdrawal",
}  # fmt: skip
# Cases of a test that show what another case of it shows, elsewhere: each begins a name in brackets.
THOROUGH_CASES = {
    "test_killed_at_a_step_and_started_again_it_finishes": (
        "recording what is to be erased", "deleting rows", "unpublishing releases", "clearing the study files",
        "building the warehouse again", "writing the certificate",
    ),
    "test_somebody_alone_can_go": ("P1", "library"),
    "test_each_command_says_what_it_found_or_what_is_missing": (
        "no plays", "no reports", "reports alone-site", "reports alone-check", "reports alone-controlled",
        "nobody-check", "alike-controlled", "one-controlled", "alike-check", "nobody-attack",
    ),
    "test_the_data_package_is_valid_and_true": ("public",),
    "test_a_killed_publish_leaves_the_old_or_the_new_release_and_nothing_else": (
        "building the warehouse", "running the check", "writing the files", "after note",
    ),
    "test_what_the_desk_cannot_make_is_refused": ("a file outside", "a seed", "a model left of the marts"),
    "test_an_amendment_takes_along_what_only_their_plays_showed": ("a narrower window", "no listening history"),
    "test_a_vault_of_version_0_1_goes_on": ("relations not noted",),
    "test_a_faulty_release_is_refused_by_the_rules_it_breaks": ("A release keeps the ids of plays",),
}  # fmt: skip
# What 'make check' asks for.
QUICK = "not slow and not thorough"
STARTS_THE_PROGRAM = re.compile(r"\b(?:consonance|dbt)\(")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Quick tests are told from the others by file: what a slow file imports takes longer than many a quick test."""
    return True if config.getoption("markexpr") == QUICK and collection_path.stem in SLOW else None


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of one file share fixtures and stay on one worker; planted faults come last and go to whichever is free."""

    def place(item: pytest.Item) -> int:
        name = item.path.stem
        return len(LONGEST) + (name == "test_faults") if name not in LONGEST else LONGEST.index(name)

    items.sort(key=place)
    for item in items:
        if (
            item.path.stem in SLOW
            or {"small", "demo", "demo_copy", "demo_output"} & set(getattr(item, "fixturenames", ()))
            or (isinstance(item, pytest.Function) and STARTS_THE_PROGRAM.search(inspect.getsource(item.function)))
        ):
            item.add_marker(pytest.mark.slow)
        cases = THOROUGH_CASES.get(getattr(item, "originalname", ""), ())
        if item.name.partition("[")[2].startswith(cases):
            item.add_marker(pytest.mark.thorough)
        if item.path.stem == "test_faults":
            item.add_marker(pytest.mark.faults)
        else:
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


def lay_out_small(root: Path, title: str | None = None) -> SmallStudy:
    """A study without participants as of ``AS_OF``, with the notice ``v1`` registered."""
    made = SmallStudy(lay_out_study(root, title, AS_OF))
    made.register()
    return made


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[Any]) -> Generator[None, Any, Any]:
    """A fixture of several tests draws the same secrets, whichever test needs it first, and disturbs none of them."""
    if fixturedef.scope == "function":
        return (yield)
    state = SECRETS.getstate()
    SECRETS.seed(f"{fixturedef.baseid}::{fixturedef.argname}")
    try:
        return (yield)
    finally:
        SECRETS.setstate(state)


@pytest.fixture(autouse=True)
def _secrets_of_the_test(request: pytest.FixtureRequest) -> None:
    SECRETS.seed(request.node.nodeid)


@pytest.fixture(scope="session")
def laid_out(tmp_path_factory: pytest.TempPathFactory) -> SmallStudy:
    """What ``small`` is a copy of: laying out its stores takes half as long as loading them."""
    return lay_out_small(tmp_path_factory.mktemp("laid-out") / "study")


def _append(path: Path, line: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(line + "\n")


@pytest.fixture(scope="session")
def forks() -> Iterator[Forks]:
    made = Forks()
    yield made
    made.close()


@pytest.fixture(scope="session", autouse=True)
def _dbt_is_there_at_once(forks: Forks, request: pytest.FixtureRequest) -> Iterator[None]:
    """The processes of dbt that this one calls are forks; what the command line calls starts as it always does."""
    is_quick = request.config.getoption("markexpr") == QUICK

    def fork(command: list[Any], *, cwd: Path, env: dict[str, str], **_: Any) -> subprocess.CompletedProcess[str]:
        assert not is_quick, "This test lets dbt run: give it the mark 'slow'."
        return forks.run([DBT, *map(str, command[1:])], cwd, env)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dbt_command, "subprocess", SimpleNamespace(run=fork, DEVNULL=subprocess.DEVNULL))
        yield


@pytest.fixture(autouse=True)
def _no_study_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads a study or a key of the machine it runs on."""
    monkeypatch.delenv("CONSONANCE_STUDY", raising=False)
    monkeypatch.delenv("CONSONANCE_VAULT_KEY", raising=False)


@pytest.fixture(scope="module")
def artifacts_apart() -> Iterator[None]:
    """For tests that erase: dbt's artifacts and logs go to folders that no other test reads."""
    with pytest.MonkeyPatch.context() as patch:
        for name, folder in ERASURES.items():
            patch.setenv(name, folder)
        yield


@pytest.fixture
def small(laid_out: SmallStudy, tmp_path: Path) -> SmallStudy:
    """A study without participants; the notice ``v1`` is registered."""
    shutil.copytree(laid_out.root, tmp_path / "study")
    return SmallStudy(Study.find(tmp_path / "study"))


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> SmallStudy:
    """A synthetic study of 40 people, loaded and built. Not to be written to. One of the workers runs dbt's unit tests on it.

    The data tests of dbt are run by the demo, in test_cli.
    """
    root = tmp_path_factory.mktemp("demo") / "study"
    make_study(root, seed=7, people=40, plays=60_000)
    made = SmallStudy(Study.find(root))
    made.load()
    made.dbt("run")
    if _is_first(tmp_path_factory):
        made.dbt("test", "--select", "test_type:unit")
    return made


def _is_first(tmp_path_factory: pytest.TempPathFactory) -> bool:
    """Whether this worker is the first that asks."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return True
    try:
        (tmp_path_factory.getbasetemp().parent / "demo-is-tested").mkdir()
    except FileExistsError:
        return False
    return True


@pytest.fixture
def demo_copy(demo: SmallStudy, tmp_path: Path) -> SmallStudy:
    """A copy of the synthetic study, to be spoiled."""
    shutil.copytree(demo.root, tmp_path / "study")
    os.chmod(tmp_path / "study" / "vault.key", 0o600)  # noqa: PTH101
    return SmallStudy(Study.find(tmp_path / "study"))
