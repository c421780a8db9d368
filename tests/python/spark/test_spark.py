"""Both engines make the same tables of one study. 'make spark' runs this; elsewhere it is skipped, and says so."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from ast import literal_eval
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest
import yaml
from conftest import SmallStudy
from jinja2 import Environment
from name_pairs import pairs

from consonance.checks.study_checks import run_check
from consonance.export.vault import export_vault
from consonance.study import shared_macros
from consonance.study.dbt_command import PROJECT, run_dbt
from consonance.study.folder import Study
from consonance.study.records import records
from consonance.study.shared_macros import with_macros
from consonance.study.vault import open_catalogue
from consonance.synthetic.study import make_study
from loaders.dumps import add_dump
from loaders.load import load_study
from loaders.track_names import with_track_names

pytestmark = [
    pytest.mark.spark,
    pytest.mark.skipif(
        find_spec("pyspark") is None or shutil.which("java") is None,
        reason="Spark needs Java and the packages of requirements-spark.lock: 'make spark' has them.",
    ),
]

LAYERS = ("anonymized", "sessionized", "features", "marts", "audit")
# What a run remembers of the SQL that matched: it is another text for each engine.
OF_THE_ENGINE = ("matching_digest",)
ODD_NAMES = (
    "", " ", "'n'", "Rock 'n' Roll", "A\\B", "$1 \\1", "a\nb", "İstanbul", "ŁÓDŹ", "Straße", "e\u0301e\u0302", "ﬁn", "ＡＢＣ　１２",
    "ｶﾞｷﾞ", "กำ", "किताब", "Ολυσσεύς ΟΔΟΣ", "Ünïcödé (Remastered 2011) [feat. X]", "One - Live / Remastered", "Part II", "x\x0by",
    "\u200bzero", "Tom &amp; Jerry", "2+2", "part one\u2028two", "\U0001f600 smile", "Ａ＆Ｂ vs. Ｃ", "K\u212Aelvin", "don’t",
)  # fmt: skip


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> SmallStudy:
    """A synthetic study with the dumps of its music, made by DuckDB."""
    root = tmp_path_factory.mktemp("duckdb") / "study"
    laid_out = make_study(root, seed=7, people=8, plays=1_500, tracks=1_000, with_dumps=True)
    made = SmallStudy(Study.find(root))
    load_study(made.study)
    with open_catalogue(made.study) as connection:
        for source, files in laid_out.dumps.items():
            for file in files:
                add_dump(connection, source, file)
    run_dbt(made.study, "run")
    return made


@pytest.fixture(scope="module")
def tables(study: SmallStudy, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the tables that Spark makes of an export of the study, in files of few rows."""
    place = tmp_path_factory.mktemp("spark")
    export_vault(study.study, place / "export", rows_of_a_bucket=500)
    folders = {
        "CONSONANCE_EXPORT": "export",
        "CONSONANCE_SPARK": "spark",
        "DBT_TARGET_PATH": "target",
        "DBT_LOG_PATH": "logs",
    }
    environment = {name: str(place / folder) for name, folder in folders.items()}
    done = subprocess.run(
        [Path(sys.executable).with_name("dbt"), "--no-use-colors", "run", "--target", "spark"],
        cwd=PROJECT,
        env={**os.environ, **environment, "CONSONANCE_SPARK_PARTITIONS": "2"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8_000:]
    return place / "spark" / "tables"


@pytest.fixture(scope="module")
def both(study: SmallStudy, tables: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse of DuckDB as ``warehouse``, what Spark made as ``spark``."""
    with duckdb.connect() as connection:
        connection.execute(f"attach '{study.study.warehouse_path}' as warehouse (read_only)")
        connection.execute("attach ':memory:' as spark")
        read_back(connection, "spark", tables)
        yield connection


def read_back(connection: duckdb.DuckDBPyConnection, database: str, tables: Path) -> None:
    """Make tables of DuckDB of the Parquet files that Spark wrote right of the wall."""
    for layer in LAYERS:
        connection.execute(f"create schema if not exists {database}.{layer}")
        for folder in sorted((tables / f"{layer}.db").iterdir()):
            connection.execute(
                f"create table {database}.{layer}.{folder.name} as from read_parquet('{folder}/*.parquet')"
            )


def test_every_table_right_of_the_wall_is_the_same_value_by_value(both: duckdb.DuckDBPyConnection) -> None:
    """Ids, counts, times, words and scores are equal, floating numbers to 1e-9."""
    tables = both.execute(
        "select schema_name, table_name from duckdb_tables() where database_name = 'warehouse' and schema_name in $layers order by all",
        {"layers": list(LAYERS)},
    ).fetchall()
    assert len(tables) > 40
    rows = {f"{schema}.{name}": both.execute(f"select count(*) from warehouse.{schema}.{name}").fetchone() for schema, name in tables}  # fmt: skip
    assert [
        name
        for name in (
            "marts.plays",
            "marts.emotion_windows",
            "marts.training_examples",
            "features.feat_track_recordings",
        )
        if rows[name] < (10,)
    ] == []
    found = {f"{schema}.{name}": differences(both, f"{schema}.{name}") for schema, name in tables}
    assert {name: different for name, different in found.items() if different} == {}


def differences(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, int]:
    """How many rows differ, by column, with the rows of each engine in the order of their values."""
    described = connection.execute(f"describe warehouse.{table}").fetchall()
    types = {name: kind for name, kind, *_ in described if name not in OF_THE_ENGINE}
    exact = [name for name, kind in types.items() if kind not in ("DOUBLE", "FLOAT")]
    floating = [name for name in types if name not in exact]
    order = ", ".join([*exact, *(f"round({name}, 6)" for name in floating)])
    counts = [
        f"count(*) filter (where one.{name} is distinct from cast(other.{name} as {types[name]})) as {name}"
        for name in exact
    ]
    counts += [
        f"count(*) filter (where (one.{name} is null) <> (other.{name} is null) or abs(one.{name} - other.{name}) > 1e-9) as {name}"
        for name in floating
    ]
    numbered = f"select *, row_number() over (order by {order}) as row_place from {{}}.{table}"
    found = connection.execute(
        f"select count(*) filter (where one.row_place is null or other.row_place is null) as rows_of_one, {', '.join(counts)} "
        f"from ({numbered.format('warehouse')}) as one full join ({numbered.format('spark')}) as other using (row_place)"
    )
    names = [column[0] for column in found.description]
    return {name: count for name, count in zip(names, found.fetchall()[0], strict=True) if count}


class _Spark(shared_macros._DuckDB):
    """The other spelling of what engines spell differently."""

    def dispatch(self, name: str, _package: str) -> Callable[..., str]:
        found: Callable[..., str] = getattr(self._macros, f"spark__{name}")
        return found


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A session of Spark with the settings of the profile, and the functions of DuckDB that macros/spark.sql makes."""
    from pyspark.sql import SparkSession

    os.environ["CONSONANCE_SPARK"] = str(tmp_path_factory.mktemp("session"))
    profile = Environment().from_string((PROJECT / "profiles.yml").read_text(encoding="utf-8"))
    profile.globals["env_var"] = lambda name, default="": os.environ.get(name, default)
    builder = SparkSession.builder
    settings = yaml.safe_load(profile.render())["consonance"]["outputs"]["spark"]["server_side_parameters"]
    for name, value in {**settings, "spark.master": "local[1]"}.items():
        builder = builder.config(name, value)
    made = builder.getOrCreate()
    for statement in literal_eval(rendered_for_spark("{{ spark_dialect() }}", "spark.sql")):
        made.sql(statement)
    yield made
    made.stop()
    del os.environ["CONSONANCE_SPARK"]


def rendered_for_spark(statement: str, *files: str) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shared_macros, "_DuckDB", _Spark)
        return with_macros(
            statement, ("arrays.sql", "remembered_matching.sql", "track_names.sql", "track_matching.sql", *files)
        )


def test_names_have_the_same_keys(session: Any) -> None:
    """The names of the labelled pairs, and some with every kind of letter."""
    names = sorted({name for pair in pairs() for track in (pair.left, pair.right) for name in track} | set(ODD_NAMES))
    rows = [
        (number, name, other) for number, (name, other) in enumerate(zip(names, names[1:] + names[:1], strict=True))
    ]
    keys = "{{ with_name_keys('names', 'n', 'artist', 'title', 'title') }}"
    session.createDataFrame(rows, "n int, artist string, title string").createOrReplaceTempView("names")
    found = {row["n"]: row.asDict() for row in session.sql(rendered_for_spark(keys)).collect()}
    with duckdb.connect() as connection:
        connection.execute("create table names (n integer, artist varchar, title varchar)")
        connection.executemany("insert into names values (?, ?, ?)", rows)
        wanted = {row["n"]: row for row in records(connection.execute(with_track_names(keys)))}
    different = [(rows[n], wanted[n], found[n]) for n in wanted if wanted[n] != found[n]]
    assert len(wanted) > 100 and different == []


def test_few_errors_are_counted_alike(session: Any) -> None:
    """The distance of two texts, as far as it is at most two."""
    chance = Random(1)
    texts = ["".join(letters) for length in range(4) for letters in product("abc", repeat=length)]
    texts += ["".join(chance.choices("abcü", k=chance.randrange(4, 8))) for _ in range(30)]
    asked = [(one, other) for one in texts for other in texts]
    session.createDataFrame(asked, "one string, other string").createOrReplaceTempView("pairs")
    found = session.sql(
        rendered_for_spark("select one, other, least({{ edit_distance('one', 'other') }}, 3) from pairs")
    ).collect()
    with duckdb.connect() as connection:
        connection.execute("create table pairs (one varchar, other varchar)")
        connection.executemany("insert into pairs values (?, ?)", asked)
        wanted = connection.execute(
            "select one, other, least(damerau_levenshtein(one, other), 3) from pairs"
        ).fetchall()
    assert {tuple(row) for row in found} == set(wanted)


def test_the_rules_pass_on_what_spark_made(study: SmallStudy, tables: Path, tmp_path: Path) -> None:
    """The rules are SQL of DuckDB: they read the tables of Spark in the place of those that DuckDB made."""
    shutil.copytree(study.root, tmp_path / "study")
    copy = Study.find(tmp_path / "study")
    with duckdb.connect(str(copy.warehouse_path)) as connection:
        for layer in LAYERS:
            names = connection.execute(
                "select table_name from duckdb_tables() where schema_name = $1", [layer]
            ).fetchall()
            for (name,) in names:
                connection.execute(f"delete from {layer}.{name}")
                connection.execute(
                    f"insert into {layer}.{name} by name from read_parquet('{tables / f'{layer}.db' / name}/*.parquet')"
                )
    result = run_check("rules", copy)
    assert result.passed, result.as_json()
