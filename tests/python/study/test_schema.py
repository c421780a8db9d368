"""The declaration of the stores: complete."""

from __future__ import annotations

import re

import pytest
from conftest import SmallStudy, play

from consonance.study.schema import BadDeclaration, Column, Privacy, Table, owners, tables, titles, word_columns
from consonance.study.vault import open_study


def test_a_column_without_a_class_or_a_text_without_a_meaning_is_refused() -> None:
    with pytest.raises(BadDeclaration, match="no class of privacy"):
        Column("city", "varchar", "secret", text="given")  # type: ignore[arg-type]
    with pytest.raises(BadDeclaration, match="needs the attribute text"):
        Column("city", "varchar", "quasi", kind="country")
    with pytest.raises(BadDeclaration, match="needs the attribute text"):
        Column("birth_year", "integer", "quasi", text="words", kind="birth_year")


@pytest.mark.parametrize(
    ("privacy", "kind"), [("open", "zone"), ("quasi", ""), ("quasi", "row"), ("direct", "zone"), ("direct", "city")]
)
def test_a_kind_has_its_class(privacy: Privacy, kind: str) -> None:
    with pytest.raises(BadDeclaration, match="not the class of its kind"):
        Column("city", "integer", privacy, kind=kind)


PERSON = Column("participant_no", "integer", "direct", kind="person")


def declared(*columns: Column) -> Table:
    named = {column.name: column for column in (PERSON, *columns)}
    return Table("vault", "raw", "answers", "one answer", named, owner="participant_no")


def test_what_numbers_the_rows_of_an_input_is_direct() -> None:
    for name in ("line", "ledger_line", "row_no", "position", "file_id"):
        with pytest.raises(BadDeclaration, match="numbers rows"):
            declared(Column(name, "integer not null", "open", says="nothing of a person"))
    declared(Column("release_no", "integer", "open", says="which release it is"))
    Table("catalogue", "music", "tracks", "one track", {"track_no": Column("track_no", "bigint", "open")})


def test_an_open_column_beside_persons_says_what_it_says() -> None:
    for column in (
        Column("order_of_enrolment", "integer", "open"),
        Column("answered_at", "timestamp not null", "open"),
        Column("city", "varchar", "open", text="given"),
        Column("score", "double", "open"),
    ):
        with pytest.raises(BadDeclaration, match="in a table with data of persons"):
            declared(column)
    declared(Column("is_new", "boolean not null", "open"), Column("kind", "varchar", "open", text="words"))


WHO = Column("who", "integer not null", "direct", kind="person")
MEMBER = Column("member_id", "integer", "direct", kind="member")


@pytest.mark.parametrize(
    ("columns", "said", "what"),
    [
        ([WHO], {}, "the table plays does not say whose its rows are"),
        ([WHO], {"owner": "who", "nobody": "the study"}, "does not say whose"),
        ([WHO], {"nobody": "the study"}, "are said to be of nobody, but it has the column who"),
        ([WHO], {"owner": "whose"}, "whose cannot be the owner of plays"),
        ([MEMBER], {"owner": "member_id"}, "member_id cannot be the owner"),
        ([WHO, MEMBER], {"owner": "who"}, "does not say for which purpose"),
    ],
)
def test_a_table_of_the_vault_says_whose_its_rows_are(columns: list[Column], said: dict[str, str], what: str) -> None:
    named = {column.name: column for column in columns}
    with pytest.raises(BadDeclaration, match=what):
        Table("vault", "raw", "plays", "one play", named, **said)  # type: ignore[arg-type]
    Table("vault", "raw", "plays", "one play", {**named, "who": WHO}, owner="who", purpose="listening_history")
    with pytest.raises(BadDeclaration, match="catalogue has no persons"):
        Table("catalogue", "music", "plays", "one play", named)


def test_an_erasure_deletes_by_the_owners_and_an_amendment_by_their_purposes() -> None:
    assert {table for table, (_, kind) in owners().items() if kind == "participant_code"} == {
        "participants", "consent_events", "survey_answers", "survey_prompts", "history_decisions",
    }  # fmt: skip
    assert {"extended_plays", "rejected_rows", "erased_rows"} < owners("listening_history").keys() < owners().keys()
    assert not {"library_items", "participants", "keyring"} & owners("listening_history").keys()


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
