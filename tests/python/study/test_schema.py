"""The declaration of the stores: complete."""

from __future__ import annotations

import ast
import re

import pytest
from conftest import SmallStudy, play

from consonance.consent.state import PURPOSES
from consonance.study.closed_lists import closed_lists
from consonance.study.dbt_command import PROJECT
from consonance.study.declared_tables import BadDeclaration, Column, Privacy, Table
from consonance.study.schema import columns_with_purposes, owners, tables, titles, word_columns
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
    return Table(
        "vault", "raw", "answers", "one answer", named, owner="participant_no", enrolled="they are everybody's"
    )


def test_what_numbers_the_rows_of_an_input_is_direct() -> None:
    for name in ("line", "ledger_line", "row_no", "position", "file_id"):
        with pytest.raises(BadDeclaration, match="numbers rows"):
            declared(Column(name, "integer not null", "open", says="nothing of a person"))
    declared(Column("release_no", "integer", "open", says="which release it is"))
    Table("catalogue", "music", "tracks", "one track", {"track_no": Column("track_no", "bigint", "open")})


def test_what_describes_a_file_or_a_form_is_not_open() -> None:
    for name in ("key_count", "form_version", "fields", "rows", "layout"):
        with pytest.raises(BadDeclaration, match="describes what its rows are from"):
            declared(Column(name, "integer not null", "open", says="nothing of a person"))
        declared(Column(name, "integer not null", "quasi", kind="package", enrolled="it is everybody's"))
    declared(Column("erased_rows", "integer", "open", says="how many rows were erased"))


def test_an_open_column_beside_persons_says_what_it_says() -> None:
    for column in (
        Column("order_of_enrolment", "integer", "open"),
        Column("answered_at", "timestamp not null", "open"),
        Column("city", "varchar", "open", text="given"),
        Column("score", "double", "open"),
    ):
        with pytest.raises(BadDeclaration, match="in a table with data of persons"):
            declared(column)
    for column in (
        Column("answered_at", "timestamp not null", "open", says="when it was"),
        Column("day", "date", "open", says="when it was"),
        Column("city", "varchar", "open", text="given", says="where it was"),
    ):
        with pytest.raises(BadDeclaration, match="is a moment of a participant, or a text that is on no list"):
            declared(column)
    declared(Column("is_new", "boolean not null", "open"), Column("kind", "varchar", "open", text="words", words=["a"]))


WHO = Column("who", "integer not null", "direct", kind="person")
MEMBER = Column("member_id", "integer", "direct", kind="member")
GENDER = Column("gender", "varchar", "quasi", kind="gender", text="words", words_of="who enrols")


@pytest.mark.parametrize(
    ("columns", "said", "what"),
    [
        ([WHO], {}, "the table plays does not say whose its rows are"),
        ([WHO], {"owner": "who", "nobody": "the study"}, "does not say whose"),
        ([WHO], {"nobody": "the study"}, "are said to be of nobody, but it has the column who"),
        ([WHO], {"owner": "whose"}, "whose cannot be the owner of plays"),
        ([MEMBER], {"owner": "member_id"}, "member_id cannot be the owner"),
        ([WHO], {"owner": "who"}, "does not say for which purpose"),
        ([WHO], {"owner": "who", "purpose": "library", "enrolled": "none"}, "does not say for which purpose"),
        ([WHO], {"owner": "who", "purpose": "library"}, "does not say which files decide what lands"),
        ([WHO, MEMBER], {"owner": "who", "enrolled": "none"}, "what a donation brought, and does not say"),
        ([WHO, GENDER], {"owner": "who", "enrolled": "none"}, "plays.gender does not say for which purpose"),
    ],
)
def test_a_table_of_the_vault_says_whose_its_rows_are(columns: list[Column], said: dict[str, str], what: str) -> None:
    named = {column.name: column for column in columns}
    with pytest.raises(BadDeclaration, match=what):
        Table("vault", "raw", "plays", "one play", named, **said)  # type: ignore[arg-type]
    given = {"purpose": "listening_history", "landed_by": "loaders/plays.py"}
    Table("vault", "raw", "plays", "one play", {**named, "who": WHO}, owner="who", **given)  # type: ignore[arg-type]
    with pytest.raises(BadDeclaration, match="catalogue has no persons"):
        Table("catalogue", "music", "plays", "one play", named)


def test_a_title_is_that_of_a_play() -> None:
    """What somebody typed, such as the name of a playlist, does not pass by the name of a title."""
    for said in ({"text": "title"}, {"text": "given", "key": "trackName"}):
        with pytest.raises(BadDeclaration, match="is called a title, and is no key of a play"):
            Column("name", "varchar", "quasi", kind="title", **said)  # type: ignore[arg-type]
    Column("name", "varchar", "quasi", kind="title", text="title", key="trackName")


@pytest.mark.parametrize(
    "said", [{"text": "words"}, {"text": "given", "words": ["a"]}, {"text": "words", "words": ["a"], "pattern": "a"}]
)
def test_words_have_one_list_and_other_texts_have_none(said: dict[str, str]) -> None:
    with pytest.raises(BadDeclaration, match="on which list its words are"):
        Column("reason", "varchar", "open", **said)  # type: ignore[arg-type]


def test_every_purpose_and_every_file_that_lands_rows_is_there() -> None:
    """Of each purpose what is given for it. Who changes this list changes what is asked of the ledger."""
    given: dict[str, set[str]] = {}
    for table in tables().values():
        given.setdefault(table.purpose or "", set()).add(table.name)
        for file in (table.landed_by or "").split(", ") if table.landed_by else ():
            assert (PROJECT / file).is_file(), f"{table.name} is landed by {file}, which is not there"
    for table, column in columns_with_purposes():
        given.setdefault(column.purpose or "", set()).add(f"{table.name}.{column.name}")
    assert given.pop("") & set(owners()) == {
        "participants", "consent_events", "keyring", "release_keyring", "applied_consents", "history_decisions",
    }  # fmt: skip
    assert given == {
        "listening_history": {
            "erased_rows", "erased_plays", "donations", "members", "donation_members", "broken_members", "extended_plays", "account_plays",
            "rejected_rows", "schema_drift",
        },
        "emotion_reports": {"survey_answers", "survey_prompts"},
        "library": {"library_items"},
        "demographics": {"participants.birth_year", "participants.gender", "participants.country"},
    }  # fmt: skip
    assert given.keys() <= set(PURPOSES)


def test_closed_lists_are_there() -> None:
    lists = {(table.name, column.name): words for table, column, words in closed_lists()}
    assert lists["consent_events", "event"] == ["granted", "amended", "withdrawn"]
    assert lists["consent_events", "purposes"] == list(PURPOSES)
    assert all(words for words in lists.values() if words is not None)
    named = {
        node.args[0].value for node in _calls("MemberBroken", "BrokenContent") if isinstance(node.args[0], ast.Constant)
    }
    assert named and named <= set(lists["broken_members", "reason"] or ())


def _calls(*names: str) -> list[ast.Call]:
    return [
        node
        for path in (PROJECT / "loaders").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names
    ]


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
