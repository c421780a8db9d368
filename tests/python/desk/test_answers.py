"""One query, one answer: in each format, for a terminal, a pipe and a file; and nothing but marts can be reached."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner, Result

from consonance.cli.commands import cli
from consonance.cli.main import status_of
from consonance.desk.answers import QueryFailed, answer_to
from consonance.desk.marts import NothingToAsk, of_release
from consonance.study.errors import ConsonanceError

MARTS = """
    create schema marts; create schema reference;
    create table marts.tracks as
    select * from (values
        (1, 'Träumerei | Nr. 7', 0.25, timestamp '2021-05-01 10:00:00', true),
        (2, '=1+1', null, null, false),
        (3, '-', 0.75, null, null)
    ) as tracks (track_id, title, valence, first_played_at_local, is_known);
    create table marts.plays as select range as play_id, range % 3 + 1 as track_id, 'x' as filler from range(1000);
    create table reference.feature_sources as select 'acousticbrainz' as source_id
"""


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("release") / "research.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(MARTS)
    return path


def sql(*arguments: str | Path, given: str = "") -> Result:
    return CliRunner().invoke(cli, ["sql", *map(str, arguments)], input=given)


def test_a_table_fits_80_columns(database: Path) -> None:
    done = sql("from plays join tracks using (track_id)", "--release", database)
    lines = done.output.splitlines()
    assert done.exit_code == 0 and "1000 rows" in done.output.replace(",", "")
    assert max(map(len, lines)) <= 80 and len(lines) < 60


def test_schemas_may_be_left_out_or_named(database: Path) -> None:
    for query in ("from tracks", "from marts.tracks", 'from "warehouse"."marts"."tracks"'):
        assert "Träumerei" in sql(query, "--release", database).output
    assert "acousticbrainz" in sql("from feature_sources", "--release", database).output
    assert "first_played_at_local" in sql("describe tracks", "--release", database).output
    assert "valence" in sql("summarize tracks", "--release", database).output


def test_csv_json_and_markdown_go_to_the_pipe(database: Path) -> None:
    query = "select title, valence, first_played_at_local from tracks order by track_id -- a comment"
    rows = list(csv.DictReader(io.StringIO(sql(query, "--release", database, "--format", "csv").output)))
    assert [row["title"] for row in rows] == ["Träumerei | Nr. 7", "=1+1", "-"]
    assert rows[0]["first_played_at_local"] == "2021-05-01 10:00:00" and rows[1]["valence"] == ""
    found = json.loads(sql(query + "\n;", "--release", database, "--format", "json").output)
    assert found[0]["valence"] == 0.25 and found[1]["valence"] is None
    lines = sql(query, "--release", database, "--format", "markdown").output.splitlines()
    assert lines[1] == "| --- | --- | --- |" and lines[2].startswith("| Träumerei \\| Nr. 7 | 0.25 |")


def test_a_csv_that_excel_opens_rightly(database: Path, tmp_path: Path) -> None:
    """It begins with a mark, without which Excel takes the letters for others; no title is computed as a formula."""
    done = sql("from tracks", "--release", database, "--format", "excel", "--output", tmp_path / "tracks.csv")
    content = (tmp_path / "tracks.csv").read_bytes()
    assert done.exit_code == 0 and content.startswith(b"\xef\xbb\xbf") and not content[3:].startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    assert [row["title"] for row in rows] == ["Träumerei | Nr. 7", "'=1+1", "'-"]


def test_a_name_that_is_there_twice_means_each_column(database: Path) -> None:
    query = 'select 1 as a, \'=2\' as a, 3 as "A", 4 as "b""c", title from tracks where track_id = 2 -- a comment'
    excel = answer_to(query, database, "excel", 80).decode("utf-8-sig").splitlines()
    usual = answer_to(query, database, "csv", 80).decode().splitlines()
    assert excel == [usual[0], "1,'=2,3,4,'=1+1"] and usual[1] == "1,=2,3,4,=1+1"


def test_json_of_what_is_no_number_is_null(database: Path) -> None:
    query = r"""select 'nan'::double as d, [1.5, '-inf'::double] as l, {'x': 'inf'::float} as s, 'NaN, "Infinity" \' as t, -0.5 as u"""
    content = answer_to(query, database, "json", 80).decode()

    def refuse(word: str) -> None:
        raise AssertionError(word)

    assert json.loads(content, parse_constant=refuse) == [
        {"d": None, "l": [1.5, None], "s": {"x": None}, "t": 'NaN, "Infinity" \\', "u": -0.5}
    ]


def test_the_suffix_of_the_file_says_the_format(database: Path, tmp_path: Path) -> None:
    for name in ("plays.parquet", "plays.json", "plays.csv"):
        file = tmp_path / name
        assert sql("from plays", "--release", database, "--output", file).exit_code == 0
        assert duckdb.sql(f"select count(*), sum(play_id) from '{file}'").fetchall() == [(1000, 499500)]


def test_a_query_comes_from_standard_input_and_may_have_several_statements(database: Path) -> None:
    script = "set variable least = 2;\nselect count(*) as tracks from tracks where track_id >= getvariable('least');\n"
    done = sql("-", "--release", database, "--format", "csv", given=script)
    assert done.output == "tracks\n2\n"


@pytest.mark.parametrize(
    ("query", "form", "message"),
    [
        ("from pleys", "table", "Did you mean"),
        ("select from where", "csv", "syntax error"),
        ("", "table", "no statement"),
        ("set threads = 1", "table", "locked"),
        ("explain from plays", "csv", "Only the answer of a select"),
        ("from read_csv('/etc/hostname')", "table", "disabled by configuration"),
        ("copy plays to '/tmp/elsewhere.csv'", "table", "disabled by configuration"),
        ("attach '/tmp/elsewhere.duckdb' as elsewhere", "table", "disabled by configuration"),
        ("delete from plays", "table", "read-only"),
        ("install httpfs", "table", "disabled by configuration"),
        ("set enable_external_access = true", "table", "Cannot"),
    ],
)  # fmt: skip
def test_a_wrong_query_ends_with_a_sentence(database: Path, query: str, form: str, message: str) -> None:
    with pytest.raises(ConsonanceError, match=f"(?i){message}"):
        answer_to(query, database, form, 80)


def test_an_error_is_printed_without_traceback_and_with_status_1(
    database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status_of(lambda: cli(["sql", "from pleys", "--release", str(database)], standalone_mode=False)) == 1
    assert "Error:" in (said := capsys.readouterr().err) and "pleys" in said and "Traceback" not in said


def test_without_a_desk_or_a_release_it_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "study.yml").write_text("title: x\n")
    done = sql("from plays", "--study", tmp_path)
    assert isinstance(done.exception, NothingToAsk) and "'dbt run'" in str(done.exception)
    for name in ("7", "current", str(tmp_path / "nowhere")):
        with pytest.raises(NothingToAsk, match="There is no release in"):
            of_release(name, tmp_path)
    assert issubclass(QueryFailed, ConsonanceError)
