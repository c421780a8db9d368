"""The declaration of the stores: complete, and the classes of staging are its classes."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import yaml
from conftest import SmallStudy, play

from consonance.study.dbt_command import PROJECT
from consonance.study.schema import Column, tables, titles, word_columns
from consonance.study.vault import open_study

STAGING = PROJECT / "models" / "staging"
# A column of a staging model: as it is, renamed, a moment in milliseconds, or of the one row that there may be.
RENAMED = re.compile(
    r"^ {4,8}(?:select )?(?:(\w+)|\{\{ epoch_ms\('(\w+)'\) \}\}|coalesce\(max\((\w+)\), [^)]+\))(?: as (\w+))?,?$",
    re.MULTILINE,
)


def staged() -> Iterator[tuple[str, str, str, str, str]]:
    """(model, its column, its class, raw table, raw column) of every column that a staging model takes as it is."""
    models = yaml.safe_load((STAGING / "_staging__models.yml").read_text(encoding="utf-8"))["models"]
    for model in models:
        sql = (STAGING / f"{model['name']}.sql").read_text(encoding="utf-8")
        (table,) = re.findall(r"source\('raw', '(\w+)'\)", sql)
        origins = {name or plain: plain or moment or only for plain, moment, only, name in RENAMED.findall(sql)}
        for column in model["columns"]:
            if origin := origins.get(column["name"]):
                yield model["name"], column["name"], column["config"]["meta"]["privacy"], table, origin


@pytest.mark.parametrize("model, column, privacy, table, origin", staged())
def test_a_column_of_staging_has_the_class_of_the_column_it_comes_from(
    model: str, column: str, privacy: str, table: str, origin: str
) -> None:
    assert tables()[table].columns[origin].privacy == privacy


def test_nearly_all_of_staging_is_compared() -> None:
    models = yaml.safe_load((STAGING / "_staging__models.yml").read_text(encoding="utf-8"))["models"]
    assert len(list(staged())) >= sum(len(model["columns"]) for model in models) - 5


def test_a_column_without_a_class_or_a_text_without_a_meaning_is_refused() -> None:
    with pytest.raises(ValueError, match="no class of privacy"):
        Column("city", "varchar", "secret", text="given")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="needs the attribute text"):
        Column("city", "varchar", "quasi")
    with pytest.raises(ValueError, match="needs the attribute text"):
        Column("birth_year", "integer", "quasi", text="words")


def test_a_name_of_a_column_means_words_everywhere_or_nowhere() -> None:
    """An erasure passes over columns of words by their names."""
    others = {
        column.name
        for table in tables().values()
        for column in table.columns.values()
        if column.text not in ("words", None)
    }
    assert not others & word_columns()


def test_every_donated_text_has_a_title_a_uri_a_word_or_is_changed_by_name() -> None:
    donated = [column for name in titles() for column in tables()[name].columns.values() if column.key]
    assert [column.name for column in donated if column.text == "given"] == ["platform"]
    uris = {column.name for column in donated if column.text == "uri"}
    for columns in titles().values():
        for uri, kinds in columns.values():
            assert not kinds or set(re.findall(r"\w+_uri", uri)) <= uris


def test_a_vault_that_lacks_a_column_gets_it_and_keeps_its_rows(small: SmallStudy) -> None:
    small.admit("P1")
    small.donate("P1", [play()])
    small.load()
    with open_study(small.study) as connection:
        connection.execute("alter table vault.raw.extended_plays drop column platform")
    small.donate("P1", [play(ts="2024-01-01T00:00:00Z")], name="later.zip")
    small.load()
    assert small.vault("select platform from vault.raw.extended_plays order by ts") == [(None,), ("android",)]
