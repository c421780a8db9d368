"""Wrong invocations and damaged study folders, drawn at random from a seed: what a user gets wrong, and what a disk does."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import duckdb

# A word of participants' content: no message may hold it.
CONTENT = "canary-of-a-participant"
STORES = ("vault.duckdb", "catalog.duckdb", "warehouse.duckdb", "analysis.duckdb")
TABLES = ("participants.csv", "consents.csv", "notices.csv", "recipients.csv", "tombstones.csv", "donation_ids.csv")
FOLDERS = (
    "inbox",
    "surveys",
    "surveys/maps",
    "catalogue",
    "published",
    "notices",
    "receipts",
    "withdrawals",
    "instruments",
    "site",
)
OTHERS = (
    "study.yml",
    "vault.key",
    "audit.head",
    "README.md",
    "surveys/answers.csv",
    "published/current",
    ".withdrawing",
)
PLACES = (*STORES, *TABLES, *FOLDERS, *OTHERS)
CONTENTS: dict[str, bytes] = {
    "empty": b"",
    "binary": bytes(range(256)) * 40,
    "zeros": bytes(5000),
    "latin-1": f"participant_code,größe\n{CONTENT},é\n".encode("latin-1"),
    "UTF-16": f"participant_code,event\n{CONTENT},granted\n".encode("utf-16"),
    "one long line": CONTENT.encode() * 40_000,
    "an open quote": f'participant_code,"event\n{CONTENT},granted,,,\n'.encode(),
    "other columns": f"a;b;c\n{CONTENT};2;3\n".encode(),
    "JSON": b'{"a": [1, 2',
    "another database": b"SQLite format 3\x00" + bytes(4000),
}
SETTINGS = (
    "a: &a [*a]\n", "title: [1, 2]\n", "\tas_of: 1\n", "as_of: 2026-99-99\n", "as_of: [x]\n", "title: {a: b}\n", "- 1\n- 2\n",
    "unknown: 1\n", "one_history: 7\n", "one_history: [{codes: [P1], decision: 3}]\n", "feature_permissions: {a: 1}\n", "'': 1\n",
    "? [1, 2]\n: 3\n", "title: !!python/object:os.system x\n", "as_of: '2026-01-01'\n", "as_of: 1e400\n", "title: \"\\ud800\"\n",
    "a: &a [1]\nb: [*a, *a]\n", "feature_permissions: [{source: 1, scope: x, reference: 2, expires: z}]\n", "one_history: [[1]]\n", "7\n",
    "--- {}\n--- {}\n", "title: 'x\n", "title: " + "[" * 3000, "1: 2\n", "title: null\nas_of: ''\n", "as_of: '9999-12-31T23:59:59-23:00'\n",
)  # fmt: skip
LINES = (
    f"{CONTENT},granted", ",,,,,,", f'"{CONTENT}', f"P1,granted,{CONTENT},v1,2025-01-01T00:00:00Z,,", "P1,granted,,v9,never,,",
    f"P1,granted,listening_history,v1,2025-13-45T00:00:00Z,{CONTENT},", "\x00\x00", "P1," * 900, "../../x,granted,,v1,2025-01-01T00:00:00Z,,",
    f"P1,{CONTENT},female,DE,Europe/Berlin,2025-01-01", f"P9,1990,{CONTENT},XX,Mars/Phobos,2025-01-01", "P1,withdrawn,,v1,2025-06-01T00:00:00Z,,",
)  # fmt: skip


def _gone(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _removed(root: Path, chance: random.Random) -> None:
    _gone(root / chance.choice(PLACES))


def _other_content(root: Path, chance: random.Random) -> None:
    path = root / chance.choice([place for place in PLACES if place not in FOLDERS])
    _gone(path)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(CONTENTS[chance.choice(list(CONTENTS))])
    if path.name == "vault.key":
        path.chmod(0o600)


def _cut_off(root: Path, chance: random.Random) -> None:
    path = root / chance.choice((*STORES, *TABLES, "audit.head", "vault.key", "surveys/answers.csv"))
    if path.is_file():
        content = path.read_bytes()
        path.write_bytes(content[: int(len(content) * chance.random())])


def _garbled(root: Path, chance: random.Random) -> None:
    path = root / chance.choice((*STORES, *STORES, *TABLES, "audit.head", "vault.key"))
    if path.is_file() and path.stat().st_size:
        content = bytearray(path.read_bytes())
        for _ in range(chance.choice((1, 40, 4000))):
            content[chance.randrange(len(content))] = chance.randrange(256)
        path.write_bytes(content)


def _folder_for_a_file(root: Path, chance: random.Random) -> None:
    path = root / chance.choice((*STORES, *TABLES, "study.yml", "vault.key", "audit.head"))
    _gone(path)
    path.mkdir()


def _file_for_a_folder(root: Path, chance: random.Random) -> None:
    path = root / chance.choice(FOLDERS)
    _gone(path)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"a file")


def _link_to_nothing(root: Path, chance: random.Random) -> None:
    path = root / chance.choice(PLACES)
    _gone(path)
    with suppress(FileNotFoundError):
        path.symlink_to(chance.choice((root / "nowhere", path)))


def _settings(root: Path, chance: random.Random) -> None:
    (root / "study.yml").write_text(chance.choice(SETTINGS), encoding="utf-8", errors="surrogatepass")


def _broken_lines(root: Path, chance: random.Random) -> None:
    with (root / chance.choice(TABLES)).open("a", encoding="utf-8") as file:
        file.write("".join(f"{line}\n" for line in chance.sample(LINES, chance.randint(1, 3))))


def _lines_removed(root: Path, chance: random.Random) -> None:
    path = root / chance.choice(TABLES)
    if path.is_file():
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
        chance.shuffle(lines)
        path.write_text("".join(lines[: chance.randint(0, len(lines))]), encoding="utf-8")


def _key(root: Path, chance: random.Random) -> None:
    path = root / "vault.key"
    path.write_text(
        chance.choice(("short", "0" * 64, "x" * 5000, "ä" * 64, "0" * 63 + "'", "0" * 32 + "\n" + "1" * 32))
    )
    path.chmod(chance.choice((0o600, 0o600, 0o644)))


def _database_of_something_else(root: Path, chance: random.Random) -> None:
    path = root / chance.choice(STORES)
    _gone(path)
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            chance.choice(
                (
                    "create table t as select 1 as x",
                    "create schema marts",
                    "create schema raw; create schema music",
                    "create schema marts; create table marts.plays as select 1 as x",
                )
            )
        )


def _stores_exchanged(root: Path, chance: random.Random) -> None:
    one, other = (root / name for name in chance.sample(STORES, 2))
    if one.is_file() and other.is_file():
        shutil.copyfile(one, root / "between")
        shutil.copyfile(other, one)
        (root / "between").rename(other)


def _file_put_there(root: Path, chance: random.Random) -> None:
    place = chance.choice(
        (
            "inbox/P1/x.zip",
            "inbox/P1/x.json",
            "inbox/x.zip",
            "inbox/..x/y.json",
            "surveys/x.csv",
            "surveys/maps/x.yml",
            "catalogue/study_features/x.csv",
            "instruments/x.csv",
            "instruments/items.csv",
            "notices/x",
            "published/7/research.duckdb",
            "published/1x",
            "vault.duckdb.wal",
            "warehouse.duckdb.wal",
            "analysis.duckdb.wal",
            "vault.key.new",
            "vault.key.old",
            "vault.duckdb.new",
            ".withdrawing/record.duckdb",
            "analysis.duckdb.new",
        )
    )
    path = root / place
    with suppress(FileExistsError, NotADirectoryError):
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_dir():
            path.write_bytes(CONTENTS[chance.choice(list(CONTENTS))])


def _table_lost(root: Path, chance: random.Random) -> None:
    """A table or a column of an open store is not there: another program was at it."""
    path = root / chance.choice(("catalog.duckdb", "warehouse.duckdb", "analysis.duckdb"))
    with suppress(duckdb.Error), duckdb.connect(str(path)) as connection:
        tables = connection.execute("select schema_name, table_name from duckdb_tables() order by all").fetchall()
        for schema, table in chance.sample(tables, min(len(tables), chance.choice((1, 3, 100)))):
            connection.execute(
                chance.choice(
                    (f'drop table "{schema}"."{table}"', f'alter table "{schema}"."{table}" rename to "{table}_2"')
                )
            )


def _read_only(root: Path, chance: random.Random) -> None:
    """Bites on users who are not root."""
    (root / chance.choice((".", *FOLDERS, *STORES, *TABLES))).chmod(chance.choice((0o000, 0o500, 0o400)))


def _whole_study_gone(root: Path, chance: random.Random) -> None:
    shutil.rmtree(root)
    if chance.random() < 0.5:
        root.write_bytes(b"a file")


DAMAGES: tuple[Callable[[Path, random.Random], None], ...] = (
    _removed, _other_content, _cut_off, _garbled, _folder_for_a_file, _file_for_a_folder, _link_to_nothing, _settings, _broken_lines,
    _lines_removed, _key, _database_of_something_else, _stores_exchanged, _file_put_there, _table_lost, _whole_study_gone,
)  # fmt: skip

# Commands with what they need: {study} and {tmp} are folders, {file} is any file.
INVOCATIONS = (
    "load", "load --json", "load --dry-run", "load --dry-run --json", "check", "check rules", "check leaks", "check wall --json", "attack --samples 2",
    "site", "doctor", "doctor --json", "status", "status --json", "audit verify", "audit verify --json --against {file}", "audit verify --against {tmp}",
    "audit export {tmp}/log", "audit export {file}", "audit export {tmp}", "audit export {tmp}/no/such/folder/log", "key rotate", "publish --tier controlled",
    "publish --tier public", "report", "report --output {tmp}", "report --output {tmp}/no/x.html", "report --from {file}", "report --from {study}",
    "report --from {tmp}/nowhere", "sql 'select 1'", "sql 'from plays'", "sql 'from nowhere'", "sql 'selec'", "sql ''", "sql ';'", "sql 'from plays' --output {tmp}",
    "sql 'from plays' --output {tmp}/no/x.csv", "sql 'from plays' --release 7", "sql 'from plays' --release {file}", "sql 'from plays' --release {study}",
    "sql 'from plays' --format parquet --output {tmp}/x", "sql \"from '{file}'\"", "survey map {file}", "survey map {study}/surveys/answers.csv",
    "survey map {study}/surveys/answers.csv --replace --json", "survey preview {study}/surveys/answers.csv", "survey preview {study}/surveys/none.csv",
    "survey preview {study}/surveys", "survey preview {file} --json", "consent status", "consent status --json", "consent status P1", "consent status P99",
    "consent status ../x", "consent receipt P1", "consent receipt P99", "consent receipt ../../x", "consent notice {file} --version v2 --language en",
    "consent notice {tmp} --version v2 --language en", "consent notice {file} --version v1 --language xx", "consent notice {tmp}/none --version v2 --language en",
    "consent import {file} --from redcap --map {file}", "consent import {tmp}/none --from qualtrics --map {tmp}/none", "consent import {tmp} --from redcap --map {tmp}",
    "giveback P1", "giveback --all", "giveback P99", "giveback", "giveback P1 --all", "giveback ../../x", "withdraw P1 --yes", "withdraw P99 --yes", "withdraw",
    "withdraw ../../x --yes", "withdraw --replay --yes", "withdraw P1 --yes --json", "catalog status", "catalog status --json", "catalog match {file}", "catalog match {tmp}",
    "catalog match {tmp}/none.csv", "catalog add study_features {file}", "catalog add study_features {tmp}", "catalog add study_features {tmp}/none",
    "catalog add nowhere {file}", "catalog add acousticbrainz_lowlevel {file}", "catalog add musicbrainz_canonical {tmp}/none {file}", "catalog add muse {file} {file}",
    "catalog fetch reccobeats", "catalog fetch reccobeats --decoys {file}", "catalog fetch reccobeats --decoys {tmp}/none", "export training {tmp}/out", "export training {file}",
    "export training {tmp}/out --from current", "export training {tmp}/out --from 9", "export training {tmp}/no/such/out --format csv", "export openesm {tmp}/out",
    "export openesm {file} --author x", "export openesm {tmp}/out --author ../../x", "init {study}", "init {file}", "init {tmp}/a?b", "init {file}/below", "demo {file}", 
)  # fmt: skip
# Wrong whatever the study is like.
WRONG = (
    "nonsense", "load nonsense", "load --nonsense", "--study", "load --study", "check nonsense", "check rules nonsense", "attack --samples 0", "attack --samples x",
    "attack --seed x", "publish", "publish --tier secret", "audit", "audit nonsense", "audit export", "catalog add", "catalog add muse", "catalog", "catalog fetch",
    "catalog fetch nowhere", "catalog match", "consent import", "consent import {file}", "consent notice {file}", "consent receipt", "survey", "survey map", "key", "key nonsense",
    "withdraw P1 --requested-at yesterday", "export", "export training", "export training x --format x", "sql a b", "sql --format x 'select 1'", "report --from", "init",
    "demo --people x", "load --study {tmp}/none", "status --study {file}", "doctor --study {tmp}", "demo {tmp}/d --people 0", "demo {tmp}/d --people -3", "demo {tmp}/d --plays 0",
    "--versio", "load -x", "load --json=1", "completion", "completion nonsense", "sql --release x", "catalog fetch reccobeats --decoys -1 ", "giveback --all=1", "report --study {tmp}/?",
)  # fmt: skip


def damage(root: Path, chance: random.Random, many: int) -> list[str]:
    """Damage the study folder ``root``; what was done, in words."""
    done = []
    for change in chance.sample(DAMAGES, many):
        if root.is_dir():
            with suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError, FileExistsError, OSError):
                change(root, chance)
                done.append(change.__name__.strip("_"))
    return done
