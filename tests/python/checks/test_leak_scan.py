"""Files beside the stores: a name, a secret or a dangerous setting is found there, and never quoted."""

from __future__ import annotations

import base64
import bz2
import gzip
import hashlib
import io
import json
import lzma
import pickle
import sqlite3
import subprocess
import tarfile
import textwrap
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import msgpack
import pytest
import yaml
from backports import zstd
from click.testing import CliRunner
from conftest import SmallStudy, play

from consonance.checks.leak_scan import LeakScanReport, scan_for_leaks
from consonance.checks.leaks.contents import Unsearchable, pieces
from consonance.checks.leaks.places import files_of_project, files_of_study
from consonance.checks.leaks.sought import (
    CODE,
    EXAMPLES,
    LIKE_CODES,
    NO_CODES,
    Sought,
    is_distinctive,
    words_of_the_project,
)
from consonance.checks.leaks.stores import of_desk
from consonance.checks.leaks.tokens import NUMBERED, Finder
from consonance.cli.commands import cli
from consonance.study import desk, keyring
from consonance.study.dbt_command import PROJECT
from consonance.study.key import read_key
from consonance.study.vault import open_study
from consonance.study.work_folders import PAIRED_REBUILD, work_folder

# ---- whole tokens ----


def found(text: str, *names: str, shift: int = 12) -> set[str]:
    """Which of ``names`` are found in ``text``."""
    sought = []
    for person, name in enumerate(names, start=1):
        says = is_distinctive(name, words_of_the_project())
        word = max((part for part in name.replace("-", " ").split() if part.isascii()), key=len, default="")
        sought.append(Sought(name, frozenset({CODE}), says, word, person, frozenset({shift})))
    return {hit.sought.text for hit in Finder(sought).find(text)}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("p017", "donor P017 has 3 files"),
        ("p017", "receipt_P017.json"),
        ("p017", "/study/inbox/P017/export.zip"),
        ("p017", r'{"sql": "select 1\nP017"}'),
        ("p017", r'{"html": "\u003cP017\u003e"}'),
        ("p017", "\x1b[32mP017\x1b[0m"),
        ("p017", "file%2FP017"),
        ("zoë", "inserted “Zoë” twice"),
        ("маша", "user маша."),
        ("anna-k", "anna-k,3"),
        ("1112345678", "user 1112345678"),
        ("48213", '{"48213": {"status": "loaded"}}'),
        ("48213", "reading inbox/48213/my_data.zip"),
        # What says nothing by itself, where something says what it is.
        ("7", '{"participant_code": 7}'),
        ("7", "participant: 7, 3 files"),
        ("7", "held participant 7"),
        ("7", '{"participants": {"7": {"status": "held"}}}'),
        ("7", '{"participants": ["7", "8"]}'),
        ("7", "inbox/7"),
        ("7", "participant_code,rows\n7,12\n8,13\n"),
        ("7", "participant  status  files\n7            loaded      1\n"),
        ("a", "user_name = 'a'"),
        ("music", "usernames: [music]"),
        ("track", '{"username": "track"}'),
    ],
)
def test_a_name_is_found_as_a_whole_token(name: str, text: str) -> None:
    assert found(text, name) == {name}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("p017", "P0170, XP017 and p017x"),
        ("d024", "invocation 1b2c3d4e-d024-4f00-8a00-0123456789ab"),
        ("m12", '<svg><path d="M12,4L3,4"/></svg>'),
        ("1", "2023-1-1 1.0.1, 1 file"),
        ("7", '{"participants": 7, "rows": [7, 7], "answer": "7"}'),
        ("7", "7 participants, 7 rows"),
        ("21", "participants: 21"),
        ("a", "a participant, 'a' row"),
        ("d6", "the rule D6_nobody_is_one_of_few, and D6"),
        ("a1", "consonance/checks/rules/admission/A1_rows_are_accounted_for.sql"),
        ("a10", "the rule A10_words_are_on_their_list"),
        ("music", "the music of a participant"),
        ("de", "country: DE"),
        ("48213", "48213 rows, 0.48213"),
        ("48", '"participant_no": 48'),
    ],
)
def test_a_word_or_a_number_of_other_things_is_no_name(name: str, text: str) -> None:
    assert found(text, name) == set()


def test_no_name_of_the_project_is_a_code_that_nobody_listed() -> None:
    """What unit tests call participants is in EXAMPLES: a study whose participants are called so has no leak."""
    for path in (PROJECT / "models").rglob("*unit_tests.yml"):
        for test in yaml.safe_load(path.read_text(encoding="utf-8")).get("unit_tests", ()):
            for rows in [*(given.get("rows", ()) for given in test["given"]), test["expect"].get("rows", ())]:
                for row in rows if isinstance(rows, list) else ():
                    names = [row.get("participant_code"), *(row.get("usernames") or ())]
                    called = {str(name).lower() for name in names if name is not None}
                    assert {name for name in called if not name.startswith("erased-")} <= EXAMPLES, (path, test["name"])
    for path in (PROJECT / "consonance" / "checks" / "rules").rglob("*.sql"):
        assert set(NUMBERED.findall(path.read_text(encoding="utf-8").lower())) <= EXAMPLES, path


def test_what_looks_like_a_code_in_the_texts_of_the_project_is_listed() -> None:
    """no_codes.txt has what is nobody; whoever writes a code into the docs or the code has to list it, or does not."""
    texts = [
        found.path.read_text(encoding="utf-8", errors="replace").lower()
        for found in files_of_project()
        if found.examples >= NO_CODES and found.path.name != "no_codes.txt"
    ]
    strange = {name for text in texts for name in LIKE_CODES.findall(text) if len(name) > 2} - NO_CODES
    assert not strange, "Name nobody; what is no code belongs into consonance/checks/leaks/no_codes.txt."


def test_every_text_of_the_project_is_searched() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("This is no checkout of git.")
    searched = {found.within for found in files_of_project()}
    assert not [file for file in listed.stdout.splitlines() if file not in searched and (PROJECT / file).is_file()]


def test_shifts_beside_names_are_found_and_other_numbers_are_not() -> None:
    finder = Finder(
        [Sought(f"p0{n}", frozenset({CODE}), True, f"p0{n}", n, frozenset({n * 17})) for n in range(10, 14)]
    )
    keys = "code,shift_weeks\n" + "".join(f"P0{n},{n * 17}\n" for n in range(10, 14))
    assert finder.shifts_beside(keys)
    assert finder.shifts_beside('{"P010": {"shift": 170}}')
    nights = "code,shift\n" + "".join(f"P0{n},{n % 3}\n" for n in range(10, 14))
    assert not finder.shifts_beside(nights)
    assert not finder.shifts_beside(keys.replace("shift_weeks", "rows"))


# ---- files by content ----

ROW = {"file": "x.zip", "who": "P017", "rows": 3}


def _packed_in(pack: Callable[[Path, bytes], object]) -> Callable[[Path], object]:
    return lambda path: pack(path, json.dumps(ROW).encode())


def _zip(path: Path, content: bytes) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/b.bin", gzip.compress(content))


def _tar(path: Path, content: bytes) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        member = tarfile.TarInfo("b.json")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    path.write_bytes(zstd.compress(packed.getvalue()))


def _sql(path: Path, statement: str) -> None:
    with duckdb.connect() as connection:
        connection.execute(statement.format(path=path))


def _sqlite(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.executescript("create table t (who); insert into t values ('P017');")


FILES: dict[str, Callable[[Path], object]] = {
    "text": _packed_in(lambda path, content: path.write_bytes(content)),
    "UTF-16": _packed_in(lambda path, content: path.write_bytes(content.decode().encode("utf-16"))),
    "gzip": _packed_in(lambda path, content: path.write_bytes(gzip.compress(content))),
    "gzip twice": _packed_in(lambda path, content: path.write_bytes(gzip.compress(gzip.compress(content)))),
    "bzip2": _packed_in(lambda path, content: path.write_bytes(bz2.compress(content))),
    "xz": _packed_in(lambda path, content: path.write_bytes(lzma.compress(content))),
    "zstd": _packed_in(lambda path, content: path.write_bytes(zstd.compress(content))),
    "gzip in zip": _packed_in(_zip),
    "tar in zstd": _packed_in(_tar),
    "pickle": lambda path: path.write_bytes(pickle.dumps(ROW, protocol=2)),
    "msgpack": lambda path: path.write_bytes(msgpack.packb(ROW | {"long": "x" * 56 + " P017", "next": 80})),
    "Parquet": lambda path: _sql(path, "copy (select 1 as rows, 'P017' as who) to '{path}' (format parquet)"),
    "DuckDB": lambda path: _sql(path, "attach '{path}' as made; create table made.t as select 'P017' as who"),
    "SQLite": _sqlite,
    "a comment in DuckDB": lambda path: _sql(
        path, "attach '{path}' as made; create table made.t (i integer); comment on table made.t is 'of P017'"
    ),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_file_is_searched_whatever_it_is_packed_in(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x.dat"
    FILES[kind](path)
    assert any(found(piece.text, "p017") for piece in pieces(path))


@pytest.mark.parametrize(
    "content",
    [b"7z\xbc\xaf\x27\x1c0000", gzip.compress(b"x" * 1000)[:-20], b"PK\x03\x04broken"],
    ids=["7z", "a gzip that was cut off", "a broken zip"],
)
def test_what_cannot_be_searched_is_an_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.dat"
    path.write_bytes(content)
    with pytest.raises(Unsearchable):
        list(pieces(path))


def test_a_long_text_is_searched_in_pieces_and_no_name_is_cut_in_two(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consonance.checks.leaks.contents.PIECE", 3001)
    path = tmp_path / "x.csv"
    for before in (2997, 2998, 2999, 3000, 3001):
        path.write_text("head\n" + "." * (before - 5) + " P017 " + "." * 5000, encoding="utf-8")
        assert any(found(piece.text, "p017") for piece in pieces(path)), before


# ---- studies ----


@pytest.fixture
def loaded(small: SmallStudy) -> SmallStudy:
    small.admit("person-one")
    small.donate("person-one", [play()])
    small.load()
    return small


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for folder in ("target", "logs"):
        (tmp_path / "project" / folder).mkdir(mode=0o700, parents=True)
    _manifest(lambda manifest: None)(None, tmp_path / "project")  # type: ignore[arg-type]
    return tmp_path / "project"


def _log(text: str) -> Callable[[SmallStudy, Path], None]:
    def write(_: SmallStudy, project: Path) -> None:
        (project / "logs" / "dbt.log.3").write_text(f"10:00:00 {text}\n", encoding="utf-8")

    return write


def _manifest(change: Callable[[dict[str, dict[str, object]]], object]) -> Callable[[SmallStudy, Path], None]:
    def write(_: SmallStudy, project: Path) -> None:
        manifest: dict[str, dict[str, object]] = {"metadata": {"send_anonymous_usage_stats": False}, "nodes": {}}
        change(manifest)
        (project / "target" / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")

    return write


def _of_the_keyring(column: str) -> Callable[[SmallStudy], Any]:
    return lambda study: study.vault(f"select {column} from vault.raw.keyring")[0][0]


def _in_study(name: str, text: str | Callable[[SmallStudy], Any], mode: int = 0o600) -> Callable[..., None]:
    def write(study: SmallStudy, _: Path) -> None:
        path = study.root / name
        path.parent.mkdir(exist_ok=True)
        content = text if isinstance(text, str) else str(text(study))
        path.write_text(path.read_text(encoding="utf-8") + content if path.exists() else content, encoding="utf-8")
        path.chmod(mode)

    return write


def _secret(study: SmallStudy, project: Path) -> None:
    (project / "target" / "run.sql").write_text(f"select '{_of_the_keyring('play_secret')(study)}'", encoding="utf-8")


def _key(study: SmallStudy, project: Path) -> None:
    (project / "target" / "manifest.json").write_text(
        json.dumps({"metadata": {"send_anonymous_usage_stats": False, "env": read_key(study.study)}, "nodes": {}}),
        encoding="utf-8",
    )


def _in_stores(statement: str) -> Callable[[SmallStudy, Path], None]:
    def write(study: SmallStudy, _: Path) -> None:
        with open_study(study.study, writes_catalogue=True) as connection:
            connection.execute(statement)

    return write


FAULTS: dict[str, tuple[Callable[[SmallStudy, Path], object], str, str]] = {
    "a user name in a log": (_log("inserted Some-Listener"), "contains a user name", "dbt.log.3:1"),
    "an e-mail address in a log": (_log("donor jane.doe@mail.example"), "contains an e-mail address", "dbt.log.3:1"),
    "an IP address in a log": (_log("from 198.51.100.7"), "contains an IP address", "dbt.log.3"),
    "a digest in a log": (_log(hashlib.sha256(b"person-one").hexdigest()), "contains a digest", "dbt.log.3"),
    "Base64 in a log": (_log(base64.b64encode(b"person-one").decode()), "contains a digest or an encoding", "dbt.log.3"),
    "a secret in compiled SQL": (_secret, "contains a secret of the vault", "run.sql:1"),
    "the key in the manifest": (_key, "contains the vault's key", "manifest.json"),
    "a participant code on the site": (_in_study("site/index.html", "<td>PERSON-ONE</td>"), "contains a participant code", "site/index.html:1"),
    "a report of a load": (_in_study("last-load.json", '{"participants": {"person-one": {}}}'), "contains a participant code", "last-load.json:1"),
    "a file called after a participant": (_in_study("site/person-one.svg", "<svg/>"), "has a participant code in its path", "site/….svg"),
    "a pseudonym beside codes": (_in_study("participants.csv", _of_the_keyring("'# ' || pseudonym")), "contains a pseudonym", "participants.csv"),
    "a shift beside codes": (
        _in_study("receipts/person-one.json", _of_the_keyring("'{\"code\": \"person-one\", \"shift\": ' || shift_weeks || '}'")),
        "contains the shifts",
        "receipts/….json",
    ),
    "a code in the audit log": (
        _in_stores("update vault.raw.audit_log set facts = '{\"file\":\"person-one\"}' where entry_no = 1"),
        "contains a participant code",
        "vault.raw.audit_log (entry_no 1)",
    ),
    "a code in the catalogue's reports": (
        _in_stores("insert into catalogue.music.archive_files by name select 'x' as source_id, 'f' as file, '' as read_from, '{\"advice\":[\"ask person-one\"]}' as report"),
        "contains a participant code",
        "catalogue.music.archive_files",
    ),
    "an e-mail address in an unknown file": (_in_study("rejects.jsonl", '{"who": "jane.doe@mail.example"}'), "contains an e-mail", "rejects.jsonl:1"),
    "an archive that cannot be opened": (_in_study("backup.rar", "Rar!"), "cannot be searched", "backup.rar"),
    "an output that others may read": (_in_study("site/index.html", "<p>", 0o644), "can be read by other users", "site/index.html"),
    "a path on the site": (_in_study("site/index.html", "made from /home/ann/study"), "has an absolute path in it", "site/index.html:1"),
    "the study's path in a report": (_in_study("site/report.html", lambda study: f"<p>({study.root}/x)"), "has an absolute path", "site/report.html"),
    "the project's path in dbt's page": (_in_study("site/lineage.html", f"<p>\n{{'root_path': '{PROJECT}'}}"), "has an absolute path", "site/lineage.html:2"),
    "a true moment on the site": (_in_study("site/index.html", "consents: 2025-01-13 09:41"), "may be a true one", "site/index.html:1"),
    "a true day in a report": (_in_study("site/report-of-release-3.html", "<td>13 January 2025</td>"), "may be a true one", "report-of-release-3.html:1"),
    "a file that nobody knows": (_in_study("last-load.txt", "[[312, 2020-01-01]]"), "is on no list of study files", "last-load.txt"),
    "a folder that nobody knows": (_in_study("backup/a.txt", "nothing"), "is on no list of study files", "backup/"),
    "a file called as a report is, with more": (_in_study("site/who.html", "<p>"), "is on no list of study files", "site/"),
    "a certificate called after a participant": (
        _in_study("withdrawals/2026-11-26T155951-D013.json", "{}"),
        "is on no list of study files",
        "withdrawals/….json",
    ),
    "a receipt of who withdrew": (_in_study("receipts/who-is-gone.html", "<p>"), "is called after nobody of the study", "receipts/….html"),
    "a release that was unpublished": (
        lambda study, _: (
            _in_stores("insert into vault.raw.unpublished values (3, '2026-01-01')")(study, _),
            (study.study.published / "3").mkdir(parents=True),
            (study.study.published / "3" / "codebook.csv").write_text("table,column\n", encoding="utf-8"),
        ),
        "was unpublished because somebody in it withdrew",
        "published/3",
    ),
    "a certificate with more than its form": (
        _in_study("withdrawals/2026-11-26T155951-0123456789ab.json", '{"searched_for": ["who-is-gone"]}'),
        "is not of its form",
        "withdrawals/2026-11-26T155951-0123456789ab.json",
    ),
    "a signature with more": (_in_study("audit.head", '{"of": "who-is-gone"}'), "is not of its form", "audit.head"),
    "the key in groups": (
        _in_study("README.md", lambda study: " ".join(textwrap.wrap(read_key(study.study), 4))),
        "contains the vault's key, in groups",
        "README.md",
    ),
    "a half of the key": (_in_study("notes/x.txt", lambda study: read_key(study.study)[:32]), "contains the vault's key", "notes/x.txt"),
    "the bytes of the key": (
        _in_study("notes/x.txt", lambda study: base64.b64encode(bytes.fromhex(read_key(study.study))).decode()),
        "contains the vault's key",
        "notes/x.txt",
    ),
    "telemetry": (_manifest(lambda manifest: manifest["metadata"].update(send_anonymous_usage_stats=True)), "telemetry", "manifest.json"),
    "failing rows kept": (
        _manifest(lambda manifest: manifest["nodes"].update(t={"resource_type": "test", "name": "t", "config": {"store_failures": True}})),
        "keeps the rows",
        "manifest.json",
    ),
    "a folder others may enter": (lambda study, _: study.root.chmod(0o755), "can be entered", ""),
}  # fmt: skip


def test_a_clean_study_passes_and_the_sentence_says_what_was_searched(loaded: SmallStudy, project: Path) -> None:
    report = scan_for_leaks(loaded.study, project)
    assert report.passed, report.leaks
    assert f"{report.files:,} files" in report.summary and report.files > 100
    assert report.known["what participants handed over"] == 1
    assert report.known["encrypted"] == 1


@pytest.mark.parametrize("name", FAULTS)
def test_a_leak_is_found_and_not_quoted(loaded: SmallStudy, project: Path, name: str) -> None:
    plant, what, place = FAULTS[name]
    plant(loaded, project)
    report = scan_for_leaks(loaded.study, project)
    assert any(what in leak.what and place in leak.place for leak in report.leaks), report.leaks
    assert all(leak.remedy for leak in report.leaks)
    printed = json.dumps(report.details(), ensure_ascii=False).lower().replace(str(project).lower(), "")
    for hidden in ("some-listener", "person-one", "jane.doe", read_key(loaded.study)):
        assert hidden not in printed


def _scanned(small: SmallStudy, project: Path) -> LeakScanReport:
    small.load()
    return scan_for_leaks(small.study, project)


def test_a_desk_with_tables_of_other_layers_is_found(loaded: SmallStudy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "LAYERS", ("marts", "anonymized"))
    with duckdb.connect(str(loaded.study.warehouse_path)) as connection:
        for layer in desk.LAYERS:
            connection.execute(f"create schema {layer}; create table {layer}.made as select 1 as elapsed_ms")
        desk.write_desk(connection, loaded.study, [f"{layer}.made" for layer in desk.LAYERS])
    is_as_warehouse, (leak,) = of_desk(loaded.study)
    assert is_as_warehouse and "tables of anonymized" in leak.what and "desk.py" in leak.remedy


def test_codes_and_names_that_are_words_or_numbers_are_no_false_alarm(
    small: SmallStudy, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A number that stands beside such words in the texts of the project, too.
    monkeypatch.setattr(keyring, "draw_shift", lambda taken: 1)
    for code, user in {
        "1": "music",
        "7": "Track",
        "a": "1",
        "D6": "participant",
        "A1": "a10",
        "S.01.x": "x",
        "P1": "sunny",
        "DE": "null",
    }.items():
        small.admit(code)
        small.donate(code, [play(username=user)])
    report = _scanned(small, project)
    assert report.passed, report.leaks
    (small.study.site / "index.html").parent.mkdir()
    (small.study.site / "index.html").write_text('{"participants": {"7": {"status": "loaded"}}}', encoding="utf-8")
    (small.study.site / "index.html").chmod(0o600)
    assert [leak.what for leak in _scanned(small, project).leaks] == ["contains a participant code"]


def test_a_page_says_when_consent_was_judged_and_what_rules_say(loaded: SmallStudy, project: Path) -> None:
    page = "<p>as of 2026-03-01T00:00:00+00:00, 2026-03-01; 64-35-12; and/or</p>"
    _in_study("site/report.html", page)(loaded, project)
    _in_study("site/lineage.html", '"generated_at": "2026-07-30T11:12:13Z"')(loaded, project)
    report = scan_for_leaks(loaded.study, project)
    assert report.passed, report.leaks
    _in_study("site/report.html", "<p>2026-03-01T10:17</p>")(loaded, project)
    (leak,) = scan_for_leaks(loaded.study, project).leaks
    assert "may be a true one" in leak.what and leak.remedy.startswith("Look at consonance/report/")


def test_what_the_operator_declares_is_no_leak(loaded: SmallStudy, project: Path) -> None:
    for name, text in {
        "study.yml": "\ncontact: team@study.example\n",
        "notes/2026.md": "person-one phoned",
        "notes/consent form.txt": "Write to team@study.example.",
        ".DS_Store": "Bud1",
        "participants.csv~": "person-one,1990",
        ".consents.csv.new": "person-one,granted",
        "recipients.csv": "1,somebody@elsewhere.example,2026-06-01\n",
    }.items():
        _in_study(name, text)(loaded, project)
    report = scan_for_leaks(loaded.study, project)
    assert report.passed, report.leaks


def test_a_study_with_nobody_has_no_leak(small: SmallStudy, project: Path) -> None:
    report = _scanned(small, project)
    assert report.passed, report.leaks


def test_what_this_process_makes_for_a_while_is_not_of_the_study_and_what_others_make_is(loaded: SmallStudy) -> None:
    with work_folder(loaded.study, PAIRED_REBUILD) as own:
        others = loaded.root / f"{PAIRED_REBUILD}1"
        like_own = loaded.root / own.name.removeprefix(".")
        for folder in (own, others, like_own):
            folder.mkdir()
            (folder / "copy.txt").touch()
        try:
            copies = {found.within for found in files_of_study(loaded.study) if found.path.name == "copy.txt"}
        finally:
            for folder in (others, like_own):
                (folder / "copy.txt").unlink()
                folder.rmdir()
    assert copies == {f"{others.name}/copy.txt", f"{like_own.name}/copy.txt"}


def test_the_names_that_checks_had_in_version_0_1_are_accepted_and_not_listed(loaded: SmallStudy) -> None:
    done = CliRunner().invoke(cli, ["check", "traces", "--json", "--study", str(loaded.root)])
    assert set(json.loads(done.output)) == {"passed", "leaks"}
    listed = CliRunner().invoke(cli, ["check", "--help"]).output
    assert "leaks" in listed and "traces" not in listed
    assert CliRunner().invoke(cli, ["check", "guards"]).exit_code == 2
