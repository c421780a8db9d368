"""The static check of the wall: the project passes, and every way around the wall is named."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import jinja2
import pytest
from click.testing import CliRunner
from conftest import SmallStudy

import consonance.checks.study_checks
import consonance.cli.commands
from consonance.checks.lineage import permissions
from consonance.checks.lineage.closed_results import closed_result
from consonance.checks.lineage.flow import Flow
from consonance.checks.lineage.jinja import jinja_names
from consonance.checks.lineage.known import AGGREGATES, SCALARS
from consonance.checks.lineage.policy import COMPILE, check_project
from consonance.checks.lineage.project import Macro, Model, NoManifest, Project
from consonance.checks.lineage.reading import Reading, Relation
from consonance.checks.lineage.report import Finding, LineageReport
from consonance.checks.lineage.reviews import ANY_CONDITION, BadReview, Review, Reviews
from consonance.checks.lineage.statement import read_statement
from consonance.checks.lineage.unread_sql import PLAIN
from consonance.checks.lineage.variables import problems_of
from consonance.consent.state import PURPOSES
from consonance.site.fields import PASSED_NOTHING, Field, followed, known_keys
from consonance.site.pages import render
from consonance.study.dbt_command import PROJECT, target_folder
from consonance.study.declared_tables import Column
from consonance.study.schema import tables
from loaders.export_kinds import ACCOUNT_KEY, EXTENDED, KINDS

# What a statement of a test may name: @model and @seed for relations, !function for declassifiers.
RAW = {
    "raw_keyring": '"vault"."raw"."keyring"',
    "music": '"catalogue"."music"."source_values"',
    "source_tracks": '"catalogue"."music"."source_tracks"',
    "rhythm": '"catalogue"."music"."acousticbrainz_rhythm"',
}


@pytest.fixture(scope="module")
def project(demo: SmallStudy) -> Project:
    demo.dbt(*COMPILE)
    return Project.read(PROJECT, target_folder())


@pytest.fixture(scope="module")
def reviews() -> Reviews:
    return Reviews.read()


def spelled(project: Project, statement: str) -> str:
    """``statement`` with names as dbt would compile them."""
    names = dict(RAW)
    for relation in [*(model.relation for model in project.models.values()), *project.seeds]:
        quoted = ".".join(f'"{part}"' for part in relation.split("."))
        names[relation.rpartition(".")[2]] = quoted
    names |= {
        model.name: ".".join(f'"{part}"' for part in model.relation.split(".")) for model in project.models.values()
    }
    statement = re.sub(r"@(\w+)", lambda match: names[match[1]], statement)
    return re.sub(r"!(\w+)\(", r'"warehouse"."declassify"."\1"(', statement)


def with_probe(project: Project, statement: str, layer: str = "anonymized", **changes: object) -> Project:
    """The project with one more model, called probe."""
    database = "vault" if layer in ("staging", "intermediate") else "warehouse"
    probe = Model(
        name="probe",
        relation=f"{database}.{layer}.probe",
        layer=layer,
        materialized="table",
        language="sql",
        file=f"models/{layer}/probe.sql",
        compiled=f"target/compiled/consonance/models/{layer}/probe.sql",
        source="select 1",
        sql=spelled(project, statement),
        privacy={},
        meta={"purposes": dict.fromkeys(PURPOSES, True)},
    )
    return replace(project, models={**project.models, "probe": replace(probe, **changes)})  # type: ignore[arg-type]


def found(project: Project, reviews: Reviews) -> list[Finding]:
    return check_project(project, reviews).findings


def altered(project: Project, model: str, *changes: tuple[str, str]) -> Project:
    """The project with the compiled SQL of ``model`` changed."""
    sql = project.models[model].sql
    for old, new in changes:
        assert old in sql, old
        sql = sql.replace(old, spelled(project, new))
    return project.with_model(model, sql=sql)


# The project as it is


def test_the_project_passes_and_every_released_column_is_listed(
    project: Project, reviews: Reviews, demo: SmallStudy
) -> None:
    report = check_project(project, reviews)
    assert report.findings == []
    assert report.passed and report.unresolved == 0
    there = demo.warehouse(
        "select table_schema || '.' || table_name, column_name from information_schema.columns where table_schema <> 'reference'"
    )
    assert sorted((row.relation, row.column) for row in report.rows) == sorted(there)
    assert len(there) > 200
    assert all(use.reason for use in report.uses)
    assert "only through functions/" in report.summary and "not proven" in report.summary


def test_columns_are_those_that_the_database_has(project: Project, reviews: Reviews, demo: SmallStudy) -> None:
    """Left of the wall as well: what the checker believes a model to be is what it is."""
    with demo.opened() as connection:
        there = connection.execute(
            "select table_schema || '.' || table_name, list(column_name order by ordinal_position) from information_schema.columns "
            "where table_catalog = 'vault' and table_schema in ('staging', 'intermediate') group by all"
        ).fetchall()
    models = {model.relation.split(".", 1)[1]: model for model in project.models.values()}
    for relation, columns in there:
        readable = {
            name: Relation.of({column: Flow() for column in described})
            for name, described in (
                *project.tables.items(),
                *((f"vault.{other}", tuple(columns)) for other, columns in there),
            )
        }
        reading = read_statement(models[relation].sql, readable.get)
        assert list(reading.columns) == columns, relation


def test_a_row_names_sources_classes_declassifiers_and_the_way(project: Project, reviews: Reviews) -> None:
    rows = {(row.relation, row.column): row for row in check_project(project, reviews).rows}
    row = rows["marts.plays", "device_family"]
    assert row.sources == ["stg_extended_plays.platform"]
    assert row.classes == ["quasi"]
    assert row.declassifiers == ["device_family"]
    assert row.path == (
        "stg_extended_plays.platform",
        "int_landed_plays.platform",
        "int_play_fates.platform",
        "anon_plays.device_family",
        "plays.device_family",
    )
    assert rows["marts.participants", "participant_id"].declassifiers == ["participant_pseudonym"]
    assert rows["marts.plays", "is_skip"].sources == ["stg_extended_plays.reason_end"]
    # Of several sources the preferred one gives the value.
    assert set(rows["marts.plays", "valence"].sources) >= {"music.source_values.value", "stg_fetched_values.value"}
    assert rows["marts.plays", "history_source"].sources == []
    # Whatever tells of a person has passed a function, all the way to the last mart.
    for row in rows.values():
        for origin, _ in row.ways:
            assert origin.privacy == "open" or origin.declassifiers, row
    assert rows["marts.plays", "play_id"].as_json()["sources"][0].keys() == {
        "column", "class", "declassifiers", "path",
    }  # fmt: skip


# Ways around the wall. Each is a model more, and every finding is about that model.

LEAKS: dict[str, tuple[str, str]] = {
    "user name": ("select unnest(usernames) as x from @stg_members", "stg_members.usernames (direct)"),
    "an element": ("select usernames[1] as x from @stg_members", "stg_members.usernames (direct)"),
    "a lambda": ("select list_transform(usernames, lambda u: lower(u)) as x from @stg_members", "stg_members.usernames (direct)"),
    "a lambda around a column": ("select list_transform([1], lambda a: gender) as x from @stg_participants", "stg_participants.gender (quasi)"),
    "quasi without a function": ("select country as x from @stg_participants", "stg_participants.country (quasi)"),
    "alias": (
        "with a as (select participant_code as b from @stg_participants), c as (select b as track_id from a) select track_id as x from c",
        "stg_participants.participant_code (direct)",
    ),
    "names of a cte": ("with a (b) as (select play_secret from @stg_keyring) select b as x from a", "play_secret"),
    "union": ("select 'a' as x union all select gender from @stg_participants", "stg_participants.gender (quasi)"),
    "second part of a recursion": (
        "with recursive r (n, a, b) as (select 1, 'c', gender from @stg_participants union all select n + 1, b, a from r where n < 3) select a as x from r",
        "stg_participants.gender (quasi)",
    ),
    "derived table": ("select a.b as x from (select gender as b from @stg_participants) as a", "gender"),
    "subquery as a value": ("select (select max(birth_year) from @stg_participants) as x", "birth_year (quasi)"),
    "correlated subquery": (
        "select (select max(p.gender) from @stg_participants as p where p.participant_code = s.item) as x from @stg_survey_answers as s",
        "stg_participants.gender, stg_survey_answers.item (quasi)",
    ),
    "what a subquery filters by": (
        "select (select count(*) from @stg_participants where gender = 'female') as x",
        "stg_participants.gender (quasi)",
    ),
    "what the cte of a subquery filters by": (
        "select (with a as (select 1 as b from @stg_participants where gender = 'female') select count(*) from a) as x",
        "stg_participants.gender (quasi)",
    ),
    "exists": (
        "select exists (select 1 from @stg_participants where birth_year = 1990) as x",
        "stg_participants.birth_year (quasi)",
    ),
    "in a subquery": ("select 'DE' in (select country from @stg_participants) as x", "country (quasi)"),
    "any of a subquery": ("select 1990 > any (select birth_year from @stg_participants) as x", "birth_year"),
    "condition of a case": (
        "select case when birth_year < 2000 then 1 else 0 end as x from @stg_participants",
        "stg_participants.birth_year (quasi)",
    ),
    "switch of a case": (
        "select case country when 'DE' then 1 end as x from @stg_participants",
        "stg_participants.country (quasi)",
    ),
    "partition of a window": (
        "select count(*) over (partition by gender) as x from @stg_participants",
        "stg_participants.gender (quasi)",
    ),
    "order of a window": (
        "select row_number() over (order by ts_ms) as x from @stg_extended_plays",
        "stg_extended_plays.ts_ms (quasi)",
    ),
    "named window": (
        "select row_number() over w as x from @stg_extended_plays window w as (order by ts_ms)",
        "stg_extended_plays.ts_ms (quasi)",
    ),
    "offset of a window": (
        "select lag(1, birth_year) over (order by 1 + 1) as x from @stg_participants",
        "stg_participants.birth_year (quasi)",
    ),
    "filter of a window": (
        "select count(*) filter (where gender = 'female') over () as x from @stg_participants",
        "stg_participants.gender (quasi)",
    ),
    "filter of an aggregate": (
        "select count(*) filter (where gender = 'female') as x from @stg_participants",
        "stg_participants.gender (quasi)",
    ),
    "order of an aggregate": (
        "select max(1 order by birth_year) as x from @stg_participants",
        "stg_participants.birth_year (quasi)",
    ),
    "aggregate": ("select max(birth_year) as x from @stg_participants", "stg_participants.birth_year (quasi)"),
    "argument of max_by": ("select max_by(1, birth_year) as x from @stg_participants", "birth_year (quasi)"),
    "array": ("select [country, 'x'] as x from @stg_participants", "stg_participants.country (quasi)"),
    "arithmetic": ("select -(birth_year * 2) as x from @stg_participants", "stg_participants.birth_year (quasi)"),
    "text": ("select 'a' || lower(trim(gender)) as x from @stg_participants", "stg_participants.gender (quasi)"),
    "like": ("select gender like 'f%' as x from @stg_participants", "stg_participants.gender (quasi)"),
    "between": ("select 1990 between 1 and birth_year as x from @stg_participants", "birth_year (quasi)"),
    "is null": ("select time_zone is null as x from @stg_participants", "stg_participants.time_zone (quasi)"),
    "coalesce and cast": ("select coalesce(cast(birth_year as varchar), '') as x from @stg_participants", "birth_year"),
    "beside a declassified value": (
        "select !device_family(platform) || platform as x from @stg_extended_plays",
        "stg_extended_plays.platform (quasi)",
    ),
    "after a detour through the vault": ("select ended_ms as x from @int_landed_plays", "stg_extended_plays.ts_ms"),
    "hash without a secret": ("select md5_number_lower(gender) as x from @stg_participants", "gender (quasi)"),
    "a merged column": (
        "select participant_code as x from @stg_keyring inner join @stg_participants using (participant_code)",
        "stg_keyring.participant_code, stg_participants.participant_code (direct)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LEAKS)
def test_a_leak_is_named(project: Project, reviews: Reviews, name: str) -> None:
    statement, named = LEAKS[name]
    findings = found(with_probe(project, statement), reviews)
    assert {finding.where for finding in findings} == {"probe"}
    leak, *_ = [finding for finding in findings if finding.kind == "leak" and named in finding.what]
    assert leak.what.startswith("probe.x contains ")
    assert " > probe.x" in leak.what
    assert leak.file == "models/anonymized/probe.sql" and leak.line
    assert "function" in leak.remedy
    assert not [finding for finding in findings if finding.kind == "unresolved"]


UNREAD: dict[str, tuple[str, str]] = {
    "row reference": ("select r as x from @stg_participants as r", "r stands for a whole row"),
    "row as json": ("select to_json(r) as x from @stg_participants as r", "to_json() is not among those"),
    "row of a cte": ("with r as (select gender from @stg_participants) select r as x from r", "whole row"),
    "struct_pack": ("select struct_pack(a := gender) as x from @stg_participants", "struct_pack()"),
    "row()": ("select row(gender) as x from @stg_participants", "row() is not among those"),
    "struct literal": ("select {'a': gender} as x from @stg_participants", "struct_pack()"),
    "list aggregate": ("select list(gender) as x from @stg_participants", "list() is not among those"),
    "string_agg": ("select string_agg(gender, ',') as x from @stg_participants", "string_agg()"),
    "unpivot": ("unpivot @stg_participants on gender, country into name k value x", "not"),
    "pivot in from": ("select * from (pivot @stg_participants on gender using count(*))", "not"),
    "query()": ("select x from query('select gender as x from vault.staging.stg_participants')", "query()"),
    "query_table()": ("select gender as x from query_table('stg_participants')", "query_table()"),
    "read_csv()": ("select x from read_csv('participants.csv')", "read_csv()"),
    "file": ("select x from 'participants.csv'", "participants.csv"),
    "series of a column": ("select 1 as x from @stg_members, generate_series(1, member_id)", "generate_series()"),
    "COLUMNS()": ("select columns('gen.*') from @stg_participants", "COLUMNS() is not supported"),
    "unpacked COLUMNS()": ("select coalesce(*columns('gen.*')) as x from @stg_participants", "not"),
    "star with exclude": ("select * exclude (gender) from @stg_participants", "exclude list is not supported"),
    "star with replace": ("select * replace ('x' as gender) from @stg_participants", "replace list is not supported"),
    "star with rename": ("select * rename (gender as x) from @stg_participants", "rename list is not supported"),
    "star with like": ("select * like 'gen%' from @stg_participants", "not supported"),
    "star at the wall": ("select * from @stg_study", "At the wall, * is not allowed"),
    "star of a relation at the wall": ("with a as (select s.* from @stg_study as s) select title as x from a", "At the wall"),
    "from first": ("from @stg_study", "At the wall, * is not allowed"),
    "lateral": (
        "select k.x from @stg_donations as d, lateral (select play_secret as x from @stg_keyring as i where i.participant_no = d.participant_no) as k",
        "d.participant_no is no column",
    ),
    "a setting": ("select current_setting('secret') as x", "current_setting()"),
    "a variable": ("select getvariable('secret') as x", "getvariable()"),
    "the user": ("select current_user as x", "current_user is no column"),
    "the clock": ("select now() as x", "now() is not among those"),
    "chance": ("select random() as x", "random() is not among those"),
    "a macro": ("select gender_of(participant_code) as x from @stg_participants", "gender_of()"),
    "a macro of a schema": ("select other.lower(gender) as x from @stg_participants", "other.lower()"),
    "a table macro": ("select x from people()", "people()"),
    "a declassifier without its schema": ("select device_family(platform) as x from @stg_extended_plays", "device_family()"),
    "a declassifier in half": ("select declassify.flag(true) as x", "declassify.flag()"),
    "a declassifier as a window": ("select !flag(true) over () as x", "window function flag()"),
    "a lambda that reads a setting": ("select list_transform(usernames, lambda u: getvariable(u)) as x from @stg_members", "getvariable()"),
    "a lambda of a place": ("select list_transform(usernames, lambda u, place: u) as x from @stg_members", "A lambda of this kind"),
    "a lambda of two lists": ("select list_transform(usernames, usernames, lambda u: u) as x from @stg_members", "A lambda of this kind"),
    "a lambda elsewhere": ("select list_filter(usernames, lambda u: true) as x from @stg_members", "list_filter() is not among those"),
    "an element like a relation": ("select list_transform(usernames, lambda m: m) as x from @stg_members as m", "m is a relation and an element"),
    "an element outside its lambda": ("select list_transform(usernames, lambda u: 1) as a, u as x from @stg_members", "u is no column"),
    "comprehension": ("select [a for a in [1]] as x", "not"),
    "field": ("select (select s from @stg_study as s).title as x", "not"),
    "field of a column": ("select s.title.a as x from @stg_study as s", "s.title.a is not supported"),
    "parameter": ("select $1 as x", "not"),
    "collation": ("select title collate nocase as x from @stg_study", "A collation is not supported"),
    "natural join": ("select a.title as x from @stg_study as a natural join @stg_study as b", "'natural inner'"),
    "semi join": ("select a.title as x from @stg_study as a semi join @stg_study as b on a.title = b.title", "'semi'"),
    "asof join": ("select a.title as x from @stg_study as a asof join @stg_study as b on a.as_of_ms > b.as_of_ms", "asof"),
    "positional join": ("select a.title as x from @stg_study as a positional join @stg_study as b", "positional"),
    "limit": ("select title as x from @stg_study limit 1", "'limit' is not supported"),
    "distinct on": ("select distinct on (title) title as x from @stg_study", "'distinct on' is not supported"),
    "sample": ("select title as x from @stg_study tablesample 10%", "sample is not supported"),
    "group by all": ("select title as x, count(*) as n from @stg_study group by all", "'group by all'"),
    "group by position": ("select title as x from @stg_study group by 1", "'group by' by position"),
    "order by position": ("select title as x from @stg_study order by 1", "'order by' by position"),
    "rollup": ("select title as x from @stg_study group by rollup (title)", "Grouping sets"),
    "except": ("select title as x from @stg_study except select 'a'", "EXCEPT is not supported"),
    "union by name": ("select title as x from @stg_study union all by name select 'a' as x", "UNION_BY_NAME"),
    "parts of different widths": ("select 1 as x union all select 1, 2", "different numbers of columns"),
    "values": ("select a as x from (values (1)) as v (a)", "expression list is not supported"),
    "unknown relation": ("select 1 as x from marts.plays", "marts.plays is no relation"),
    "unknown cte": ("select 1 as x from plays", "plays is no CTE"),
    "cte of a later name": ("with a as (select 1 as x from b), b as (select 1 as x) select x from a", "b is no CTE"),
    "unknown column": ("select s.gender as x from @stg_study as s", "s has no column gender"),
    "ambiguous column": ("select title as x from @stg_study as a cross join @stg_study as b", "column of several"),
    "row number of the store": ("select rowid as x from @stg_study", "rowid is no column"),
    "alias of the same select": ("select title as a, a as x from @stg_study", "a is no column"),
    "no name": ("select title || 'a' from @stg_study", "A column has no name"),
    "two columns of one name": ("select title as x, title as x from @stg_study", "Two columns are called x"),
    "two relations of one name": ("select 1 as x from @stg_study as a cross join @stg_study as a", "Two relations"),
    "two ctes of one name": ("with a as (select 1 as b), a as (select 2 as b) select b as x from a", "not"),
    "more names than columns": ("with a (b, c) as (select 1) select b as x from a", "does not fit"),
    "cte that is called like a relation": (
        'with "warehouse.reference.country_time_zones" as (select gender as country from @stg_participants) select country as x from "warehouse.reference.country_time_zones"',
        "The name 'warehouse.reference.country_time_zones' is not supported",
    ),
    "names that are alike to Python alone": (
        "with k as (select gender as a from @stg_participants) select x from (with \"\u212a\" as (select 'a' as a) select a as x from k)",
        "is not supported",
    ),
    "two statements": ("select 1 as x; select 2 as x", "not one query"),
    "no query": ("drop table marts.plays", "not one query"),
    "no SQL": ("select from where", "not one query"),
    "itself": ("select x from @probe", "probe reads itself"),
}  # fmt: skip


@pytest.mark.parametrize("name", UNREAD)
def test_what_is_not_read_fails(project: Project, reviews: Reviews, name: str) -> None:
    statement, named = UNREAD[name]
    names = with_probe(project, "select 1")  # so that @probe can be named
    findings = found(with_probe(project, spelled(names, "\n" + statement)), reviews)
    unresolved = [finding for finding in findings if finding.kind == "unresolved"]
    assert {finding.where for finding in findings} == {"probe"}
    assert any(named in finding.what for finding in unresolved), unresolved
    for finding in unresolved:
        assert finding.remedy
        assert finding.place.startswith(f"models/anonymized/probe.sql ({finding.compiled}, line ")


def test_a_line_is_that_of_the_compiled_file(project: Project, reviews: Reviews) -> None:
    """Counted in bytes by DuckDB, also after letters of several."""
    statement = "-- ä ö ü 日本\nwith a as (\n    select\n        title,\n        random() as b\n    from @stg_study\n)\n\nselect b as x from a"
    (finding,) = found(with_probe(project, statement), reviews)
    assert finding.line == 5


# Values of features: only by a join with the permissions of their sources

PERMITTED = "from @music as v inner join @feat_source_permissions as p on v.source_id = p.source_id where p.is_shown"


def with_mart(project: Project, statement: str, **meta: object) -> Project:
    return with_probe(project, statement, "marts", meta=meta or {"no_persons": "Values."})


def unpermitted(project: Project, reviews: Reviews) -> list[str]:
    return [finding.what for finding in found(project, reviews) if finding.kind == "permission"]


def test_a_value_passes_by_the_join_with_the_permissions(project: Project, reviews: Reviews) -> None:
    for statement in (
        f"select v.value as x {PERMITTED}",
        f"with a as (select v.* {PERMITTED}), b as (select max(a.value) as x from a) select x from b",
        f"with a as (select v.source_id, v.value {PERMITTED}) select case when value > 1 then 'high' end as x from a",
        PERMITTED.replace("from", "select v.value as x from", 1).replace("v.source_id = p.source_id", "p.source_id = v.source_id"),
        "select valence as x from @tracks",
        "select source_id as x from @music",
    ):  # fmt: skip
        assert found(with_mart(project, statement), reviews) == [], statement


@pytest.mark.parametrize(
    "statement",
    [
        "select value as x from @music",
        "select bpm as x from @rhythm",
        "select length_ms as x from @source_tracks",
        "select count(*) filter (where value > 0.5) as x from @music",
        "with a as (select max(value) as x from @music group by track_no) select x from a",
        PERMITTED.replace("from", "select v.value as x from", 1).removesuffix(" where p.is_shown"),
        PERMITTED.replace("from", "select v.value as x from", 1) + " or v.value > 0",
        PERMITTED.replace("from", "select v.value as x from", 1).replace("p.is_shown", "not p.is_shown"),
        PERMITTED.replace("from", "select v.value as x from", 1).replace("p.is_shown", "p.may_train_models"),
        PERMITTED.replace("from", "select v.value as x from", 1).replace("v.source_id = p.source_id", "v.feature <> p.source_id"),
        PERMITTED.replace("from", "select v.value as x from", 1).replace("v.source_id = p.source_id", "p.source_id = p.source_id"),
        "select v.value as x from @music as v cross join @feat_source_permissions as p where p.is_shown",
        "with p as (select source_id, true as is_shown from @feat_source_permissions) " + PERMITTED.replace("from", "select v.value as x from", 1).replace("@feat_source_permissions as p", "p"),
        "with p as (select source_id from @feat_source_permissions where is_shown) select v.value as x from @music as v left join p on v.source_id = p.source_id",
        f"select v.value as x {PERMITTED} union all select value as x from @music",
        f"select (select max(value) from @music) as x {PERMITTED}",
    ],
)  # fmt: skip
def test_a_value_without_the_join_is_named_in_every_mart(project: Project, reviews: Reviews, statement: str) -> None:
    (what,) = unpermitted(with_mart(project, statement), reviews)
    assert what.startswith("probe.x contains values of features that have not passed feat_source_permissions.is_shown")


def test_left_of_the_marts_values_may_be_without_permission(project: Project, reviews: Reviews) -> None:
    probe = with_probe(project, "select value as x from @music", "features", meta={"no_persons": "Values."})
    assert found(probe, reviews) == []
    assert unpermitted(with_mart_of(probe), reviews)


def with_mart_of(project: Project) -> Project:
    """The project with a mart that reads ``probe`` of features."""
    mart = replace(
        project.models["probe"],
        name="probed",
        layer="marts",
        relation="warehouse.marts.probed",
        sql='select x from "warehouse"."features"."probe"',
    )
    return replace(project, models={**project.models, "probed": mart})


def test_what_trains_models_takes_values_of_sources_that_permit_it(project: Project, reviews: Reviews) -> None:
    both = PERMITTED.replace("from", "select v.value as x, v.source_id from", 1)
    trained = f"with a as ({both}) select a.x from a inner join @feat_source_permissions as q on a.source_id = q.source_id where q.may_train_models"
    shown = f"select v.value as x {PERMITTED}"
    for meta in ({"purposes": {"ml_training": True}}, {"no_persons": "Values.", "trains_models": True}):
        assert found(with_mart(project, trained, **meta), reviews) == []
        (what,) = unpermitted(with_mart(project, shown, **meta), reviews)
        assert "have not passed feat_source_permissions.may_train_models" in what


def test_the_join_of_the_project_is_needed(project: Project, reviews: Reviews) -> None:
    """Without it every mart with features is named."""
    gated = {
        "feat_track_source_values": {
            "tracks",
            "plays",
            "emotion_windows",
            "emotion_window_features",
            "training_examples",
        },
        "feat_track_genres": {"track_genres"},
    }
    assert gated.keys() == {
        model.name for model in project.models.values() if "feat_source_permissions.is_shown" in model.sql.replace('"', "")
    }  # fmt: skip
    for gate, marts in gated.items():
        broken = altered(project, gate, ("where feat_source_permissions.is_shown", "where true"))
        named = {finding.where for finding in found(broken, reviews) if finding.kind == "permission"}
        assert marts <= named


# What a source of features says of persons: nothing passes


def test_texts_of_a_feature_source_pass_nowhere(project: Project, reviews: Reviews) -> None:
    for statement in (
        "select title as x from @source_tracks",
        "select upper(artist) as x from @source_tracks",
        "select t.title || s.title as x from @anon_tracks as t inner join @source_tracks as s on t.title = s.title",
        "with a as (select title_key as match_confidence, title from @source_tracks) select title as x from a",
        "select max(artist_keys) as x from @source_tracks",
    ):
        for layer in ("features", "marts"):
            findings = found(with_probe(project, statement, layer, meta={"no_persons": "Texts."}), reviews)
            assert [finding.kind for finding in findings] == ["leak"], statement
            assert findings[0].what.startswith("probe.x contains a text of a feature source: music.source_tracks.")


def test_a_catalogue_with_a_column_of_persons_is_named(
    project: Project, reviews: Reviews, monkeypatch: pytest.MonkeyPatch
) -> None:
    declared = dict(tables("catalogue.music"))
    source_tracks = declared["source_tracks"]
    added = Column("heard_in", "varchar", "quasi", text="given", kind="country")
    declared["source_tracks"] = replace(source_tracks, columns={**source_tracks.columns, "heard_in": added})
    monkeypatch.setattr(
        permissions, "tables", lambda schema: declared if schema == "catalogue.music" else tables(schema)
    )
    (finding,) = found(project, reviews)
    assert finding.what == "music.source_tracks.heard_in of the catalogue is quasi."


# Who may read what, and how a model may be made

LAYERS: dict[str, tuple[str, str, str]] = {
    "marts from raw": ("marts", "select pseudonym as x from @raw_keyring", "probe (marts) reads vault.raw.keyring"),
    "marts from staging": ("marts", "select title as x from @stg_study", "probe (marts) reads vault.staging.stg_study"),
    "marts from intermediate": ("marts", "select fate as x from @int_play_accounting", "reads vault.intermediate.int_play_accounting"),
    "features from intermediate": ("features", "select name as x from @int_known_names", "reads vault.intermediate.int_known_names"),
    "audit from raw": ("audit", "select count(*) as x from @raw_keyring", "probe (audit) reads vault.raw.keyring"),
    "wall from raw": ("anonymized", "select 1 as x from @raw_keyring", "probe (anonymized) reads vault.raw.keyring"),
    "wall from music": ("anonymized", "select 1 as x from @music", "reads catalogue.music.source_values"),
    "intermediate from raw": ("intermediate", "select 1 as x from @raw_keyring", "reads vault.raw.keyring"),
    "intermediate from the warehouse": ("intermediate", "select track_id as x from @plays", "(intermediate) reads warehouse."),
    "staging from staging": ("staging", "select title as x from @stg_study", "probe (staging) reads vault.staging"),
    "an unknown folder": ("scratch", "select 1 as x", "its file is in the folder scratch"),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_reads_its_own_side(project: Project, reviews: Reviews, name: str) -> None:
    layer, statement, named = LAYERS[name]
    findings = found(with_probe(project, statement, layer), reviews)
    assert any(named in finding.what and finding.where == "probe" for finding in findings if finding.kind == "layer")
    assert {finding.where for finding in findings} == {"probe"}


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"materialized": "incremental"}, "materialized as incremental"),
        ({"materialized": "external"}, "materialized as external"),
        ({"materialized": "view"}, "materialized as view"),
        ({"materialized": "ephemeral"}, "materialized as ephemeral"),
        ({"language": "python"}, "written in python"),
        ({"extras": ("post-hook",)}, "has post-hook"),
        ({"extras": ("sql_header",)}, "has sql_header"),
        ({"relation": "warehouse.marts.probe"}, "is built in warehouse.marts"),
        ({"relation": "vault.anonymized.probe"}, "is built in vault.anonymized"),
        ({"source": "{% if flags.WHICH == 'run' %}select 1{% endif %}"}, "uses flags in its Jinja"),
        ({"source": "{{ run_query('select 1') }}"}, "uses run_query in its Jinja"),
        ({"source": "{{ env_var('COLUMN') }}"}, "uses env_var in its Jinja"),
        ({"source": "{{ adapter.execute('select 1') }}"}, "uses adapter in its Jinja"),
        ({"source": "{{ adapter.dispatch('statement', 'dbt')() }}"}, "uses adapter in its Jinja"),
        ({"source": "{% set a = adapter %}{{ adapter.dispatch('epoch_ms', 'consonance')('a') }}"}, "uses adapter in"),
        ({"source": "{{ create_functions() }}"}, "uses create_functions in its Jinja"),
        ({"source": "{{ unfinished"}, "uses something unreadable in its Jinja"),
    ],
)
def test_a_model_is_its_select_and_nothing_else(
    project: Project, reviews: Reviews, changes: dict[str, object], named: str
) -> None:
    findings = found(with_probe(project, "select 1 as x", **changes), reviews)
    assert any(named in finding.what for finding in findings), findings
    assert {finding.where for finding in findings} == {"probe"}


def test_jinja_that_uses_nothing_else_passes(project: Project, reviews: Reviews) -> None:
    source = (
        "{% for a in [1] %}{{ ref('plays') }}{{ epoch_ms('a') }}{{ var('match_threshold') }}{{ loop.last }}{% endfor %}"
    )
    assert found(with_probe(project, "select 1 as x", source=source), reviews) == []
    assert jinja_names("{{ return(adapter.dispatch('a', 'consonance')(b)) }}") == {"return", "adapter.dispatch", "b"}


# Declassifiers

CALLS: dict[str, tuple[str, str]] = {
    "a class it does not accept": (
        "select !device_family(participant_code) as x from @stg_participants",
        "device_family() does not accept person (direct) as platform, and gets stg_participants.participant_code",
    ),
    "a code for a pseudonym": (
        "select !participant_pseudonym(participant_code) as x from @stg_participants",
        "The argument pseudonym of participant_pseudonym() is not stg_keyring.pseudonym",
    ),
    "a pseudonym with something added": (
        "select !participant_pseudonym(pseudonym || participant_code) as x from @stg_keyring",
        "The argument pseudonym of participant_pseudonym() is not stg_keyring.pseudonym",
    ),
    "a pseudonym or something else": (
        "with a as (select pseudonym as b from @stg_keyring union all select participant_code from @stg_keyring) select !participant_pseudonym(b) as x from a",
        "The argument pseudonym of participant_pseudonym() is not stg_keyring.pseudonym",
    ),
    "no shift": (
        "select !shifted_local_time(ts_ms, 0, 0) as x from @stg_extended_plays",
        "The argument shift_weeks of shifted_local_time() is not stg_keyring.shift_weeks",
    ),
    "half a shift": (
        "select !shifted_local_time(e.ts_ms, 0, k.shift_weeks * 0) as x from @stg_extended_plays as e cross join @stg_keyring as k",
        "The argument shift_weeks of shifted_local_time() is not stg_keyring.shift_weeks",
    ),
    "a shift that is undone": (
        "select !shifted_local_time(e.ts_ms, -604800000 * k.shift_weeks, k.shift_weeks) as x from @stg_extended_plays as e cross join @stg_keyring as k",
        "shifted_local_time() does not accept shift (direct) as offset_ms, and gets stg_keyring.shift_weeks",
    ),
    "a clock that begins in 1970": (
        "select !elapsed_ms(ts_ms, 0) as x from @stg_extended_plays",
        "The argument origin_ms of elapsed_ms() is not int_clock_origins.origin_ms",
    ),
    "an id that can be guessed": (
        "select !record_pseudonym('secret', gender) as x from @stg_participants",
        "The argument secret of record_pseudonym() is not stg_keyring.play_secret",
    ),
    "demographics without asking": (
        "select !consented_country(country, true) as x from @stg_participants",
        "The argument is_granted of consented_country() is not int_listeners.grants_demographics",
    ),
    "the wrong consent": (
        "select !age_band(birth_year, null, grants_listening_history) as x from @int_listeners",
        "The argument is_granted of age_band() is not int_listeners.grants_demographics",
    ),
    "an age band of another year": (
        "select !age_band(l.birth_year + 1, s.as_of_ms, l.grants_demographics) as x from @int_listeners as l cross join @stg_study as s",
        "The argument birth_year of age_band() is not int_listeners.birth_year",
    ),
    "the shift of the year 1970": (
        "select !shifted_local_time(0, p.start_offset_ms, k.shift_weeks) as x from @int_play_fates as p inner join @stg_keyring as k on p.participant_no = k.participant_no",
        "The argument utc_ms of shifted_local_time() is not int_play_fates.started_ms or",
    ),
    "a bit of a zone": (
        "select !flag(time_zone = 'Europe/Berlin') as x from @int_listeners",
        "The argument condition of flag() is not int_listeners.is_time_zone_assumed or int_spellings.is_private",
    ),
    "a private title": (
        "select !public_text(track_name, false) as x from @stg_extended_plays",
        "The argument is_private of public_text() is not int_spellings.is_private",
    ),
    "a birth year as an answer": (
        "select !survey_answer(birth_year) as x from @stg_participants",
        "survey_answer() does not accept birth_year (quasi) as answer, and gets stg_participants.birth_year",
    ),
    "a line of a file as an answer": (
        "select !survey_answer(line) as x from @stg_survey_answers",
        "survey_answer() does not accept row (direct) as answer, and gets stg_survey_answers.line",
    ),
    "a zone as an instrument": (
        "select !survey_name(time_zone) as x from @stg_participants",
        "survey_name() does not accept zone (quasi) as name",
    ),
    "a moment as a reason": (
        "select !reason_token(cast(ts_ms as varchar)) as x from @stg_extended_plays",
        "reason_token() does not accept moment (quasi) as reason",
    ),
    "a country as a platform": (
        "select !device_family(country) as x from @stg_extended_plays",
        "device_family() does not accept country (quasi) as platform",
    ),
    "a moment of UTC beside the local one": (
        "select !shifted_local_time(e.ts_ms, 0, k.shift_weeks) as x from @stg_extended_plays as e cross join @stg_keyring as k",
        "The argument offset_ms of shifted_local_time() is not made of the zone of the participant",
    ),
    "a moment from which the offset was taken": (
        "select !shifted_local_time(p.started_ms - p.start_offset_ms, p.start_offset_ms, k.shift_weeks) as x from @int_play_fates as p inner join @stg_keyring as k on p.participant_no = k.participant_no",
        "shifted_local_time() does not accept zone (quasi) as utc_ms",
    ),
    "a local clock beside the elapsed one": (
        "select !elapsed_ms(p.started_ms + p.start_offset_ms, o.origin_ms) as x from @int_play_fates as p inner join @int_clock_origins as o on p.participant_no = o.participant_no",
        "elapsed_ms() does not accept zone (quasi) as utc_ms",
    ),
    "too few arguments": ("select !consented_country('DE') as x", "takes 2 arguments, and gets 1 here"),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_a_declassifier_takes_what_its_guarantee_rests_on(project: Project, reviews: Reviews, name: str) -> None:
    statement, named = CALLS[name]
    findings = [finding for finding in found(with_probe(project, statement), reviews) if finding.kind == "declassifier"]
    assert any(named in finding.what for finding in findings), findings
    assert all(finding.where == "probe" and finding.line == 1 for finding in findings)


@pytest.mark.parametrize("layer", ["intermediate", "marts"])
def test_declassifiers_are_called_at_the_wall_alone(project: Project, reviews: Reviews, layer: str) -> None:
    findings = found(with_probe(project, "select !flag(true) as x", layer), reviews)
    assert any(finding.what == "probe calls flag()." and "models/anonymized" in finding.remedy for finding in findings)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"meta": {"guarantees": "one bit", "attack": "none known"}}, "does not declare which kinds of columns"),
        ({"meta": {"accepts": {"condition": ["zones"]}, "guarantees": "one bit", "attack": "none known"}}, "does not declare which kinds of columns"),
        ({"meta": {"accepts": {"condition": ["zone"]}, "attack": "none known"}}, "lacks meta guarantees"),
        ({"meta": {"accepts": {"condition": ["zone"]}, "guarantees": "one bit"}}, "lacks meta attack"),
        ({"meta": {"accepts": {"condition": ["zone"]}, "guarantees": "one bit", "attack": "none known", "only": {"condition": "stg_keyring.nothing"}}}, "requires condition to be stg_keyring.nothing"),
        ({"meta": {"accepts": {"condition": ["zone"]}, "guarantees": "one bit", "attack": "none known", "only": {"other": "stg_keyring.pseudonym"}}}, "requires other to be"),
        ({"source": "cast(condition as boolean)", "sql": "cast(other as boolean)"}, "is written with Jinja"),
        ({"sql": "(select max(username) from marts.people)"}, "marts.people is no relation"),
        ({"sql": '(select max(pseudonym) from "vault"."raw"."keyring")'}, "is no relation"),
        ({"sql": "username"}, "username is no column"),
        ({"sql": "getvariable('shift')"}, "getvariable() is not among those"),
        ({"sql": "\ncase\n    when to_json(condition) then 1\nend"}, "to_json() is not among those"),
        ({"sql": "condition, condition"}, "is more than one expression"),
        ({"sql": "condition); drop table marts.plays; select (1"}, "not one query"),
        ({"kind": "python scalar"}, "is a python scalar function"),
    ],
)  # fmt: skip
def test_a_function_says_what_it_does_and_sees_its_arguments_alone(
    project: Project, reviews: Reviews, changes: dict[str, object], named: str
) -> None:
    broken = project.with_function("flag", **({"source": changes.get("sql", project.functions["flag"].sql)} | changes))
    findings = found(broken, reviews)
    assert any(named in finding.what for finding in findings), findings
    own = [finding for finding in findings if named in finding.what]
    assert all((finding.where, finding.file) == ("flag", "functions/flag.sql") for finding in own)
    if "to_json" in named:
        assert own[0].line == 3


def test_a_declassifier_that_is_left_out_is_missed_at_every_column_of_the_wall(
    project: Project, reviews: Reviews
) -> None:
    """Every function, at every place where it is called: without it there is a leak, or a needless call."""
    calls = [
        (model.name, match)
        for model in project.models.values()
        for match in re.findall(r'"warehouse"\."declassify"\."(\w+)"\(\w+\.\w+\) as (\w+)', model.sql)
    ]
    assert len(calls) > 12
    for model, (function, column) in calls:
        sql = re.sub(
            rf'"warehouse"\."declassify"\."{function}"\((\w+\.\w+)\) as {column}\b',
            rf"\1 as {column}",
            project.models[model].sql,
        )
        findings = found(project.with_model(model, sql=sql), reviews)
        # A column of a CTE may have another name in the model.
        leaks = [finding for finding in findings if finding.where == model and " contains " in finding.what]
        assert leaks, (model, column)


# Staging


def test_staging_columns_are_declared_with_their_classes(project: Project, reviews: Reviews) -> None:
    model = project.models["stg_participants"]
    without = {name: privacy for name, privacy in model.privacy.items() if name != "gender"}
    (finding,) = found(project.with_model("stg_participants", privacy=without), reviews)
    assert finding.kind == "staging" and finding.what == "stg_participants.gender is not declared."
    for missing in (None, "quasy"):
        *_, finding = found(
            project.with_model("stg_participants", privacy={**model.privacy, "gender": missing}), reviews
        )
        assert finding.what == "stg_participants.gender has no class."
    (finding,) = found(project.with_model("stg_participants", privacy={**model.privacy, "email": "direct"}), reviews)
    assert finding.what == "stg_participants.email is declared, but there is no such column."
    assert "_staging__models.yml" in finding.remedy


def test_a_new_column_of_staging_fails_until_it_is_declared(project: Project, reviews: Reviews) -> None:
    findings = found(
        altered(project, "stg_participants", ("        gender,", "        gender,\n        enrolled_at,")), reviews
    )
    assert [finding.what for finding in findings] == ["stg_participants.enrolled_at is not declared."]


def test_staging_is_no_less_identifying_than_the_stores(project: Project, reviews: Reviews) -> None:
    """A second name loses no class, and what numbers the rows of an input is direct."""
    spoilt = altered(
        project, "stg_members", ("        usernames\n", "        usernames,\n        usernames as labels\n")
    )
    spoilt = spoilt.with_model("stg_members", privacy={**spoilt.models["stg_members"].privacy, "labels": "open"})
    (finding,) = found(spoilt, reviews)
    assert finding.what == "stg_members.labels is open, and raw.members.usernames, which it is made of, is direct."
    for model, column, origin in (
        ("stg_extended_plays", "row_id", "raw.extended_plays.row_no"),
        ("stg_extended_plays", "row_no", "raw.extended_plays.row_no"),
        ("stg_survey_answers", "line", "raw.survey_answers.line"),
        ("stg_consent_events", "ledger_line", "raw.consent_events.ledger_line"),
    ):
        opened = {**project.models[model].privacy, column: "open"}
        whats = [finding.what for finding in found(project.with_model(model, privacy=opened), reviews)]
        assert f"{model}.{column} is open, and {origin}, which it is made of, is direct." in whats


def test_staging_renames_and_does_nothing_else(project: Project, reviews: Reviews) -> None:
    findings = found(
        altered(project, "stg_participants", ("    from source", "    from source where gender = 'f'")), reviews
    )
    assert [finding.what for finding in findings] == ["stg_participants does more than rename: where."]


def test_an_opened_class_would_be_believed_and_a_closed_one_is_not_passed(project: Project, reviews: Reviews) -> None:
    """The labels steer the check: closing one column makes its way to the marts a leak."""
    closed = {**project.models["stg_extended_plays"].privacy, "is_shuffle": "quasi"}
    findings = found(project.with_model("stg_extended_plays", privacy=closed), reviews)
    assert [finding.what.split(" without")[0] for finding in findings] == [
        "anon_plays.is_shuffle contains stg_extended_plays.is_shuffle (quasi)"
    ]


# Implicit uses

USES: dict[str, tuple[str, str, str]] = {
    "where": ("select 1 as x from @stg_participants where participant_code = 'P1'", "stg_participants.participant_code (direct)", "where"),
    "having": ("select 1 as x from @stg_participants group by gender having max(participant_code) = 'P1'", "stg_participants.participant_code (direct)", "having"),
    "qualify": ("select 1 as x from @stg_participants qualify max(participant_code) over () = 'P1'", "stg_participants.participant_code (direct)", "qualify"),
    "exists": ("select 1 as x from @stg_study where exists (select 1 from @stg_members where member_id = 1)", "stg_members.member_id (direct)", "where"),
    "in": ("select 1 as x from @stg_study where title in (select participant_code from @stg_participants)", "stg_participants.participant_code (direct)", "where"),
    "join": ("select 1 as x from @stg_study as s inner join @stg_members as m on m.member_id = 1", "stg_members.member_id (direct)", "join"),
    "using": ("select 1 as x from @stg_members inner join @stg_members as m using (usernames)", "stg_members.usernames (direct)", "join"),
    "person and file": ("select 1 as x from @stg_members as m inner join @stg_donations as d on m.member_id = d.participant_no", "stg_donations.participant_no (direct)", "join"),
    "group": ("select count(*) as x from @stg_members group by usernames", "stg_members.usernames (direct)", "group"),
    "distinct": ("with a as (select distinct usernames from @stg_members) select count(*) as x from a", "stg_members.usernames (direct)", "distinct"),
    "union": ("with a as (select country from @stg_participants union select 'DE') select count(*) as x from a", "stg_participants.country (quasi)", "distinct"),
    "order": ("select 1 as x from @stg_members order by member_id", "stg_members.member_id (direct)", "order"),
    "order by an alias": ("with a as (select member_id as b from @stg_members order by b) select 1 as x from a", "stg_members.member_id (direct)", "order"),
    "unnest": ("with a as (select unnest(usernames) as b from @stg_members) select count(*) as x from a", "stg_members.usernames (direct)", "unnest"),
    "window": ("with a as (select row_number() over (order by member_id) as b from @stg_members) select 1 as x from a where b > 1", "stg_members.member_id (direct)", "where"),
    "filter": ("with a as (select count(*) filter (where member_id = 1) as b from @stg_members) select 1 as x from a where b > 1", "stg_members.member_id (direct)", "where"),
    "case within a filter": ("select 1 as x from @stg_members where case when member_id = 1 then true end", "stg_members.member_id (direct)", "where"),
    "a constant": ("with a as (select 'young' as b from @stg_participants where birth_year > 2000) select b as x from a", "stg_participants.birth_year (quasi)", "where"),
    "a constant of an outer join": ("select a.b as x from @stg_study left join (select 1 as b from @stg_participants where birth_year > 2000) as a on true", "stg_participants.birth_year (quasi)", "where"),
    "a constant of the other side": ("select a.b as x from (select 1 as b from @stg_participants where birth_year > 2000) as a right join @stg_study on true", "stg_participants.birth_year (quasi)", "where"),
    "a value of a seed": ("select z.region as x from @stg_participants as p inner join @country_time_zones as z on p.country = z.country", "stg_participants.country (quasi)", "join"),
    "who is there": (
        "with a as (select participant_code from @stg_participants where gender = 'female') select 1 as x from @stg_survey_prompts as p inner join a on p.participant_code = a.participant_code",
        "stg_participants.gender (quasi)", "where",
    ),
    "how many are there": (
        "select count(*) as x from @stg_participants as p left join (select participant_code from @stg_survey_answers where answer > 3) as a on p.participant_code = a.participant_code group by p.participant_code",
        "stg_survey_answers.answer (quasi)", "where",
    ),
    "a condition among others": ("select 1 as x from @int_play_fates as f where f.fate = 'kept' and f.started_ms > 0", "int_play_fates.started_ms (quasi)", "where"),
    "a part of a recursion": (
        "with recursive r (n) as (select 1 as n union all select r.n + 1 from r inner join @stg_participants as p on p.birth_year = r.n where r.n < 9) select n as x from r",
        "stg_participants.birth_year (quasi)", "join",
    ),
    "what a function does not accept": (
        "select !record_pseudonym(k.play_secret, a.b) as x from @stg_keyring as k left join (select 'a' as b from @stg_participants where birth_year > 2000) as a on true",
        "stg_participants.birth_year (quasi)", "where",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", USES)
def test_what_chooses_rows_or_values_needs_a_review(project: Project, reviews: Reviews, name: str) -> None:
    statement, column, kind = USES[name]
    spoilt = with_probe(project, statement)
    findings = found(spoilt, reviews)
    assert {finding.kind for finding in findings} == {"implicit"}
    assert any(f"probe uses {column} in a '{kind}'" in finding.what for finding in findings), findings


def test_a_review_allows_what_it_has_read(project: Project, reviews: Reviews) -> None:
    spoilt = with_probe(project, "select 1 as x from @stg_participants where birth_year > 2000 and gender = 'other'")
    used = [use for use in check_project(spoilt, reviews).uses if use.model == "probe"]
    keys = frozenset((use.column, use.use, use.model) for use in used)
    review = Review(keys, frozenset({"birth_year", "gender"}), "", "because")
    (finding,) = found(spoilt, replace(reviews, uses=[*reviews.uses, review]))
    assert "A condition of probe has changed since its review" in finding.what
    (digest,) = re.findall(r"write digest (\w+)", finding.remedy)
    review = replace(review, digest=digest)
    assert found(spoilt, replace(reviews, uses=[*reviews.uses, review])) == []
    narrow = replace(review, kinds=frozenset({"gender"}))
    (finding,) = found(spoilt, replace(reviews, uses=[*reviews.uses, narrow]))
    assert "whose review does not name birth_year" in finding.what


@pytest.mark.parametrize(
    "statement",
    [
        "select 1 as x from @stg_members as m inner join @stg_donation_members as d using (member_id)",
        "select 1 as x from @stg_extended_plays as p left join @stg_keyring as k on p.participant_no = k.participant_no",
        "select count(*) as x from @stg_extended_plays group by participant_no",
        "with a as (select distinct participant_code from @stg_survey_answers) select 1 as x from a",
        "select z.region as x from @country_time_zones as z cross join @stg_study as s where z.country = 'DE'",
        "select !consented_country(l.country, l.grants_demographics) as x from @int_listeners as l where l.grants_demographics",
    ],
)
def test_rows_of_one_person_or_row_belong_together(project: Project, reviews: Reviews, statement: str) -> None:
    assert found(with_probe(project, statement), reviews) == []


def test_a_review_covers_no_kind_more(project: Project, reviews: Reviews) -> None:
    """A fate that depends on a birth year is a choice by a birth year wherever it is used."""
    spoilt = altered(
        project,
        "int_extended_duplicates",
        ("    where decided.precedence is null\n", "    where decided.precedence is null or candidates.row_id in (select birth_year from @stg_participants)\n"),
    )  # fmt: skip
    whats = [finding.what for finding in found(spoilt, reviews)]
    assert any("anon_plays uses int_play_fates.fate (direct) in a 'where' whose review does not name birth_year" in what for what in whats)  # fmt: skip
    assert any("birth_year" in what and "It decides what row_fate() gets as fate" in what for what in whats)


@pytest.mark.parametrize(
    ("model", "old", "new"),
    [
        ("anon_emotion_answers", "last_answers.recency = 1", "last_answers.recency = 1 and last_answers.answered_ms % 2 = 0"),
        ("anon_plays", "where int_play_fates.fate = 'kept'", "where int_play_fates.fate <> 'duplicate'"),
        ("int_listeners", "stg_participants.country = country_time_zones.country", "stg_participants.country < country_time_zones.country"),
        ("int_spellings", "content_type, content_uri, title, creator, album\n", "content_type, content_uri, title, creator, substring(album, 1, 1)\n"),
    ],
)  # fmt: skip
def test_a_review_covers_no_other_condition(project: Project, reviews: Reviews, model: str, old: str, new: str) -> None:
    """Also of the same columns."""
    findings = found(altered(project, model, (old, new)), reviews)
    assert any(
        finding.kind == "review" and "has changed since its review" in finding.what and model in finding.what
        for finding in findings
    ), findings


@pytest.mark.parametrize(
    ("statement", "value"),
    [
        ("select region as x from @int_listeners", "probe.x"),
        (
            "select !wider_country(l.region, l.region, g.country_level) as x from @int_listeners as l cross join @stg_generalisation as g",
            "wider_country(country)",
        ),
        ("select 1 as x from @int_listeners where region = 'Europe'", "the 'where' of probe"),
        ("select count(*) as x from @int_listeners group by region", "the 'group' of probe"),
    ],
)
def test_a_review_of_which_rows_there_are_covers_no_value(
    project: Project, reviews: Reviews, statement: str, value: str
) -> None:
    """A join finds one row of a seed for each country: which one it is shows the country."""
    spoilt = with_probe(project, statement)
    (finding,) = found(spoilt, reviews)
    said = "values that a 'join' of int_listeners chose by stg_participants.country"
    assert finding.what.startswith(f"{value} has or goes by {said}")
    (review,) = [one for one in reviews.uses if ("stg_participants.country", "join", "int_listeners") in one.keys]
    others = [one for one in reviews.uses if one is not review]
    value = ANY_CONDITION if value.startswith("the ") else value
    named = replace(review, values=review.values | {value})
    assert found(spoilt, replace(reviews, uses=[*others, named])) == []
    (finding,) = found(project, replace(reviews, uses=[*others, named]))
    assert f"A review names values that it does not choose: {value}." in finding.what


def test_a_review_of_nothing_fails(project: Project, reviews: Reviews) -> None:
    stale = Review(
        frozenset({("stg_members.usernames", "order", "int_spellings")}), frozenset({"user_name"}), "", "because"
    )
    (finding,) = found(project, replace(reviews, uses=[*reviews.uses, stale]))
    assert finding.kind == "review" and finding.what.startswith(
        "int_spellings uses stg_members.usernames in no 'order'"
    )
    wide = [replace(review, kinds=review.kinds | {"birth_year"}) for review in reviews.uses]
    findings = found(project, replace(reviews, uses=wide))
    assert len(findings) == len(wide) and all("does not have: birth_year" in finding.what or "do not have: birth_year" in finding.what for finding in findings)  # fmt: skip


def test_the_list_of_reviews_can_be_read(reviews: Reviews) -> None:
    assert len(reviews.uses) <= 25


def test_reviews_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "reviewed.yml"
    entry = "- {columns: [a.b], kinds: [row], digest: d, reason: r, models: {m: [join]}}"
    unreasoned, shorter = entry.replace("reason: r", "reason: ' '"), entry.replace("reason: r, ", "")
    rest = "functions: {}\nmacros: []"
    for text, told in (
        (f"uses:\n{entry}\n{entry}\n{rest}", "twice"),
        (f"uses:\n{unreasoned}\n{rest}", "without a reason"),
        (f"uses:\n{shorter}\n{rest}", "lacks a part"),
        (f"uses:\n{entry.replace('kinds: [row], ', '')}\n{rest}", "lacks a part"),
        ("uses: []", "lacks a part"),
    ):
        path.write_text(text)
        with pytest.raises(BadReview, match=told):
            Reviews.read(path)


def test_a_model_that_reads_what_it_was_is_followed_and_reviewed(project: Project, reviews: Reviews) -> None:
    remembered = replace(reviews, memories={**reviews.memories, "probe": "because"})

    def told(statement: str) -> set[str]:
        return {
            finding.what
            for finding in found(with_probe(project, statement, privacy={"x": None, "y": None}), remembered)
        }

    assert told("select 1 as x, 2 as y union all select x, y from warehouse.anonymized.probe") == set()
    # What one run puts into y is in x after the next.
    (leak,) = [
        what
        for what in told(
            "select y as x, 2 as y from warehouse.anonymized.probe union all select 1 as x, country as y from @stg_participants"
        )
        if "probe.x" in what
    ]
    assert "stg_participants.country (quasi)" in leak
    assert told("select 1 as x, 2 as y") == {"probe does not read itself any more."}
    assert {finding.what for finding in found(project, remembered)} == {
        "There is no model probe that could read itself."
    }
    (finding,) = found(project, replace(reviews, memories={"feat_track_named_sources": "because"}))
    assert finding.what == "feat_track_recordings reads itself."


# What is not a model


class Refused(Exception):
    """What dbt's compiler would raise."""


def test_a_run_refuses_other_variables() -> None:
    """They would make other columns than those that were checked. The macro is called before any model."""

    class Exceptions:
        @staticmethod
        def raise_compiler_error(text: str) -> None:
            raise Refused(text)

    environment = jinja2.Environment(extensions=["jinja2.ext.do"])
    text = (PROJECT / "macros" / "stores.sql").read_text(encoding="utf-8")
    for given in ({}, {"session_gap_minutes": 20}):
        arguments = {"invocation_args_dict": {"vars": given}, "exceptions": Exceptions}
        macros = environment.from_string(text, globals=arguments).module
        if given:
            with pytest.raises(Refused, match="--vars is refused"):
                macros.refuse_other_variables()
        else:
            macros.refuse_other_variables()
    assert "refuse_other_variables()" in text.partition("macro refuse_unfit_stores()")[2].partition("endmacro")[0]


def test_a_function_is_reviewed_as_it_is(project: Project, reviews: Reviews) -> None:
    function = project.functions["reason_token"]
    for changes in (
        {"sql": function.sql.replace("0,39", "0,99"), "source": function.sql.replace("0,39", "0,99")},
        {"meta": {**function.meta, "accepts": {"reason": ["reason", "title"]}}},
    ):
        (finding,) = found(project.with_function("reason_token", **changes), reviews)
        assert finding.kind == "review" and finding.file == "functions/reason_token.sql"
        assert finding.what.startswith("The function reason_token() has changed since its review")
    spaced = function.sql.replace("\n", "\n   ")
    assert found(project.with_function("reason_token", sql=spaced, source=spaced), reviews) == []
    (finding,) = found(project, replace(reviews, functions={**reviews.functions, "whisper": "0" * 12}))
    assert finding.what == "There is no function whisper()."


@pytest.mark.parametrize(
    ("body", "values"),
    [
        ("case when a < 3 then 'low' when a < 5 then null else 'high' end", {"low", "high"}),
        ("case when b = 1 and a in ('x', 'y') then a end", {"x", "y"}),
        ("case when a = 1 then case when b is null then 'c' end else 'd' end", {"c", "d"}),
        ("cast(a as boolean)", {True, False}),
        ("case when a is null then null else a <> b end", {True, False}),
        ("case when a < 3 then cast(a as varchar) else 'high' end", None),
        ("case when a in ('x') or b = 1 then a end", None),
        ("case when not a in ('x') then a end", None),
        ("case when b in ('x') then a end", None),
        ("case when a in ('x') then 'x' else a end", None),
        ("try_cast(a as boolean)", None),
        ("lower(a)", None),
        ("a", None),
    ],
)
def test_a_closed_result_is_read_from_the_sql(body: str, values: set[object] | None) -> None:
    assert closed_result(body) == (None if values is None else frozenset(values))


def test_a_closed_result_is_declared(project: Project, reviews: Reviews) -> None:
    function = project.functions["age_band"]
    for old, new, named in (
        ("'18-24'", "'18-20'", "gives 18-20, 25-34"),
        ("then 'under 18'", "then cast(birth_year as varchar)", "can give other values than those that it declares"),
    ):
        sql = function.sql.replace(old, new)
        whats = [finding.what for finding in found(project.with_function("age_band", sql=sql, source=sql), reviews)]
        assert any(named in what for what in whats), whats
    meta = {name: value for name, value in function.meta.items() if name != "values"}
    whats = [finding.what for finding in found(project.with_function("age_band", meta=meta), reviews)]
    assert any("and declares other values" in what for what in whats)


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ("select {{ var('match_threshold') }}", ""),
        ("{% for name in var('audio_features') %}{{ name }}{{ ',' if not loop.last }}{% endfor %}", ""),
        ("select {{ var('with_country', 'null') }}", "uses var() otherwise"),
        ("select {{ var('match' ~ '_threshold') }}", "uses var() otherwise"),
        ("{% set v = var %}select {{ v('a') }}", "uses var() otherwise"),
        ("select {{ var('with_country') }}", "uses the variable with_country, which dbt_project.yml does not have"),
        ("{% if var('match_threshold') > 1 %}select 1{% endif %}", "hangs on the value of a variable"),
        ("select {{ 'country' if var('match_threshold') else 'null' }}", "hangs on the value of a variable"),
        ("{% set a = var('match_threshold') %}{% set b = a %}{{ 'country' if b }}", "hangs on the value of a variable"),
        ("{% for n in [1] if var('match_threshold') %}{{ n }}{% endfor %}", "hangs on the value of a variable"),
    ],
)
def test_no_column_depends_on_variables(source: str, named: str) -> None:
    problems = problems_of(source, frozenset({"match_threshold", "audio_features"}))
    assert [named in what for what, _ in problems] == [True] * bool(named)


def test_variables_are_looked_at_in_models_and_macros(project: Project, reviews: Reviews) -> None:
    source = "select {{ var('with_country') }}"
    macro = replace(project.macros["epoch_ms"], source=source)
    spoilt = replace(project, macros={**project.macros, "epoch_ms": macro})
    findings = found(with_probe(spoilt, "select 1 as x", source=source), reviews)
    assert {(finding.kind, finding.where) for finding in findings} == {
        ("unresolved", "epoch_ms"),
        ("unresolved", "probe"),
    }


def test_macros_that_run_sql_are_reviewed_as_they_are(project: Project, reviews: Reviews) -> None:
    macro = project.macros["create_seeds"]
    changed = replace(project, macros={**project.macros, "create_seeds": replace(macro, digest="0" * 12)})
    (finding,) = found(changed, reviews)
    assert finding.kind == "review" and "has changed since its review" in finding.what
    assert "0" * 12 in finding.remedy
    new = Macro("table_as", "macros/table_as.sql", "1" * 12, frozenset(), overrides=True)
    (finding,) = found(replace(project, macros={**project.macros, "table_as": new}), reviews)
    assert "table_as runs SQL that cannot be followed and has no review" in finding.what
    (finding,) = found(project, replace(reviews, macros={**reviews.macros, "epoch_ms": ("2" * 12, "because")}))
    assert finding.what == "The macro epoch_ms needs no review any more."


def test_hooks_call_reviewed_macros(project: Project, reviews: Reviews) -> None:
    (finding,) = found(replace(project, hooks=(*project.hooks, "copy marts.plays to 'x.csv'")), reviews)
    assert finding.file == "dbt_project.yml" and "copy marts.plays" in finding.what
    findings = found(replace(project, hooks=(*project.hooks, "{{ epoch_day() }}")), reviews)
    assert any("epoch_day runs SQL that cannot be followed" in finding.what for finding in findings)


def test_other_kinds_of_nodes_fail(project: Project, reviews: Reviews) -> None:
    (finding,) = found(replace(project, oddities=(("snapshot people", "snapshots/people.sql"),)), reviews)
    assert finding.what.startswith("snapshot people is of a kind that the wall check does not know")


def test_tests_keep_no_rows(project: Project, reviews: Reviews) -> None:
    name, test = next(iter(project.tests.items()))
    (finding,) = found(
        replace(project, tests={**project.tests, name: replace(test, extras=("store_failures",))}), reviews
    )
    assert "keeps rows (store_failures)" in finding.what


@pytest.mark.parametrize(
    ("generic", "changes", "told"),
    [
        ("", {"sql": "select 1; select 2"}, "not one query"),
        ("", {"sql": ""}, "not one query"),
        ("in_range", {"sql": ""}, "not one query"),
        ("in_range", {"sql": "select * from read_text('study.yml')"}, "table function"),
        ("unique", {"settings": ("where",)}, "has SQL in its settings (where)"),
        ("in_range", {"settings": ("fail_calc",)}, "has SQL in its settings (fail_calc)"),
        ("not_null", {"arguments": {"column_name": "(select 1)"}}, "The argument column_name of the test"),
        ("not_null", {"arguments": {"column_name": "title -- or"}}, "The argument column_name of the test"),
        ("accepted_values", {"arguments": {"values": ["a", "b') or ('"]}}, "The argument values of the test"),
        ("relationships", {"arguments": {"to": "read_text('study.yml')"}}, "The argument to of the test"),
    ],
)
def test_the_sql_of_a_data_test_can_be_read(
    project: Project, reviews: Reviews, generic: str, changes: dict[str, Any], told: str
) -> None:
    name, test = next((name, test) for name, test in project.tests.items() if test.generic == generic)
    (finding,) = found(replace(project, tests={**project.tests, name: replace(test, **changes)}), reviews)
    assert told in finding.what and finding.where == name


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("select * from @anon_plays", "reads warehouse.anonymized.anon_plays"),
        ("select * from @stg_keyring", "reads vault.staging.stg_keyring"),
        ("select * from @raw_keyring", "reads vault.raw.keyring"),
        (
            "with a as (select 1) select * from (select * from @int_known_names)",
            "reads vault.intermediate.int_known_names",
        ),
        ("select * from nowhere", "reads nowhere, which is no relation that the project knows"),
        ("select * from query('select 1')", "reads from a table function"),
    ],
)
def test_analyses_read_marts(project: Project, reviews: Reviews, statement: str, named: str) -> None:
    name, analysis = next(iter(project.analyses.items()))
    changed = {**project.analyses, name: replace(analysis, sql=spelled(project, statement))}
    findings = found(replace(project, analyses=changed), reviews)
    assert any(named in finding.what for finding in findings), findings
    assert {finding.where for finding in findings} == {name}


def test_a_project_that_was_not_compiled_is_reported(tmp_path: Path) -> None:
    with pytest.raises(NoManifest, match="dbt compile"):
        Project.read(tmp_path, tmp_path)


# What names mean

TABLES = {
    "d.s.t": Relation.of({"a": Flow.of_column("t.a", "direct"), "b": Flow.of_column("t.b", "open")}),
    "d.s.u": Relation.of({"a": Flow.of_column("u.a", "quasi"), "c": Flow.of_column("u.c", "open")}),
}
NAMES: dict[str, tuple[str, dict[str, str]]] = {
    "a cte is not the table of its name": ("with t as (select b as a from d.s.t) select a from t", {"a": "t.b"}),
    "a cte reads the table of its own name": ("with t as (select a from d.s.t) select a from t", {"a": "t.a"}),
    "an inner cte comes before an outer one": (
        "with x as (select a from d.s.t) select v, (with x as (select c from d.s.u) select max(c) from x) as w from (with x as (select b from d.s.t) select b as v from x)",
        {"v": "t.b", "w": "u.c"},
    ),
    "an inner cte is gone outside": (
        "with x as (select a from d.s.t), y as (with x as (select c from d.s.u) select c from x) select x.a, y.c from x cross join y",
        {"a": "t.a", "c": "u.c"},
    ),
    "a subquery looks inside first": ("select (select max(a) from d.s.u) as x from d.s.t", {"x": "u.a"}),
    "a subquery looks outside second": ("select (select max(b) from d.s.u) as x from d.s.t", {"x": "t.b"}),
    "an inner alias comes first": ("select (select max(r.a) from d.s.u as r) as x from d.s.t as r", {"x": "u.a"}),
    "an alias replaces the name": ("select r.a as x from d.s.t as r cross join d.s.u as t", {"x": "t.a"}),
    "names of an alias": ("select r.y as x from d.s.t as r (y, z)", {"x": "t.a"}),
    "names of a derived table": ("select z as x from (select a, b from d.s.t) as r (y, z)", {"x": "t.b"}),
    "a column comes before an alias": ("select b as a, a as x from d.s.t", {"a": "t.b", "x": "t.a"}),
    "using merges": ("select a as x from d.s.t inner join d.s.u using (a)", {"x": "t.a u.a"}),
    "using merges twice": ("select a as x from d.s.t inner join d.s.u using (a) left join d.s.u as v using (a)", {"x": "t.a u.a"}),
    "using leaves the sides": ("select u.a as x from d.s.t inner join d.s.u using (a)", {"x": "u.a"}),
    "a star after using": ("select * from d.s.t inner join d.s.u using (a)", {"a": "t.a u.a", "b": "t.b", "c": "u.c"}),
    "a star of one side": ("select u.* from d.s.t inner join d.s.u on t.a = u.a", {"a": "u.a", "c": "u.c"}),
    "capitals": ('select R."A" as X from D.S.T as r', {"x": "t.a"}),
    "a union goes by place": ("select a, b from d.s.t union all select c, a from d.s.u", {"a": "t.a u.c", "b": "t.b u.a"}),
    "a recursion swaps": (
        "with recursive r (n, x, y) as (select 0, a, 'y' from d.s.t union all select n + 1, y, x from r where n < 2) select x, y from r",
        {"x": "t.a", "y": "t.a"},
    ),
    "a recursion that is none": ("with recursive t as (select a from d.s.t) select a from t", {"a": "t.a"}),
    "a subquery in a join": ("select t.b as x from d.s.t inner join d.s.u on t.a = (select max(c) from d.s.u)", {"x": "t.b"}),
    "counting": ("select count(*) as x from d.s.t where a = 'z'", {"x": ""}),
    "counting a star": ("select count(t.*) as x from d.s.t", {"x": ""}),
    "an element is no column of its name": ("select list_transform([b], lambda a: a)[1] as x from d.s.t", {"x": "t.b"}),
    "a lambda sees the columns": ("select list_transform([1], lambda z: a)[1] as x from d.s.t", {"x": "t.a"}),
    "a lambda in a lambda": ("select list_transform([a], lambda y: list_transform([b], lambda y: y)[1])[1] as x from d.s.t", {"x": "t.a t.b"}),
    "a series": ("select cast(generate_series as integer) as x from generate_series(1, 9)", {"x": ""}),
}  # fmt: skip


def read(statement: str) -> Reading:
    return read_statement(statement, TABLES.get)


@pytest.mark.parametrize("name", NAMES)
def test_names_mean_what_duckdb_takes_them_for(name: str) -> None:
    statement, wanted = NAMES[name]
    reading = read(statement)
    assert reading.problems == []
    told = {
        column: " ".join(sorted(origin.column for origin in flow.origins)) for column, flow in reading.columns.items()
    }
    assert told == wanted
    # DuckDB itself, asked with a value that is told apart in every column.
    with duckdb.connect() as connection:
        connection.execute("attach ':memory:' as d; create schema d.s; use d.s")
        connection.execute("create table d.s.t as select 't.a' as a, 't.b' as b")
        connection.execute("create table d.s.u as select 'u.a' as a, 'u.c' as c")
        described = connection.execute(statement)
        assert [column[0].lower() for column in described.description or []] == list(wanted)
        for row in described.fetchall():
            for value, origins in zip(row, wanted.values(), strict=True):
                if isinstance(value, str) and value != "y":
                    assert value in origins.split(), (value, origins)


def test_a_copy_is_a_copy_through_names_alone() -> None:
    def copies(statement: str) -> frozenset[str]:
        reading = read(statement)
        assert reading.problems == []
        return reading.columns["x"].copy_of

    assert copies("with r as (select a as y from d.s.t) select distinct y as x from r") == {"t.a"}
    assert copies("select x from d.s.u left join (select a as x from d.s.t) as r on true") == {"t.a"}
    assert copies("select a as x from d.s.t union all select a from d.s.t") == {"t.a"}
    for made in (
        "cast(a as varchar)",
        "coalesce(a, b)",
        "max(a)",
        "lower(a)",
        "case when true then a end",
        "(select a)",
    ):
        assert copies(f"select {made} as x from d.s.t") == frozenset(), made
    assert copies("select a as x from d.s.t union all select a from d.s.u") == frozenset()
    assert copies("select a as x from d.s.t union all select null") == frozenset()
    assert copies("select a as x from d.s.t inner join d.s.u using (a)") == frozenset()


def test_what_may_be_called_sees_nothing_but_its_arguments() -> None:
    """DuckDB's own catalogue: none of them is volatile, none is a macro or a table function."""
    with duckdb.connect() as connection:
        known = connection.execute(
            "select function_name, list(distinct function_type), list(distinct stability) from duckdb_functions() where internal group by all"
        ).fetchall()
    kinds = {name: (set(types), set(stabilities)) for name, types, stabilities in known}
    for name in (SCALARS | AGGREGATES) - {"nullif", "unnest"}:
        types, stabilities = kinds[name]
        assert types <= ({"aggregate"} if name in AGGREGATES else {"scalar", "macro"}), name
        assert stabilities - {None} <= {"CONSISTENT", "CONSISTENT_WITHIN_QUERY"}, name


def test_the_syntax_tree_is_all_there_is(project: Project) -> None:
    """Written out as SQL again and read once more, every model is the same tree: it holds the whole statement."""

    def tree(statement: str) -> str:
        (text,) = connection.execute("select json_serialize_sql(?)", [statement]).fetchall()[0]
        return re.sub(r'"query_location":\d+', "", text)

    with duckdb.connect() as connection:
        for model in project.models.values():
            (again,) = connection.execute("select json_deserialize_sql(json_serialize_sql(?))", [model.sql]).fetchall()[
                0
            ]
            assert tree(again) == tree(model.sql), model.name


def test_every_part_of_the_project_is_read_for_a_reason(project: Project) -> None:
    """What the subset allows and no model uses would be a risk for nothing: the list stays short."""
    assert len(SCALARS) + len(AGGREGATES) < 75


# How it is printed


def run_check(
    monkeypatch: pytest.MonkeyPatch, study: SmallStudy, report: LineageReport, *arguments: str
) -> tuple[int, str]:
    monkeypatch.setattr(consonance.checks.study_checks, "check_lineage", lambda *_: report)
    monkeypatch.setattr(consonance.cli.commands.out, "width", 100)
    with consonance.cli.commands.out.capture() as captured:
        done = CliRunner().invoke(
            consonance.cli.commands.cli, ["check", "wall", "--study", str(study.root), *arguments]
        )
    return done.exit_code, captured.get() + done.output


def test_the_table_names_column_function_source_and_way(
    project: Project, reviews: Reviews, small: SmallStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    status, text = run_check(monkeypatch, small, check_project(project, reviews))
    assert status == 0
    lines = text.splitlines()
    assert max(map(len, lines)) <= 100
    flat = " ".join(text.split())
    assert "participant_id participant_pseudonym direct stg_keyring.pseudonym > int_listeners > anon_plays" in flat
    assert "anonymized.anon_plays" in lines and "marts.plays" in lines
    assert (
        "stg_members.usernames, stg_participants.participant_code in int_known_names (distinct, where) The names that texts"
        in flat
    )
    assert "wall passed: In the SQL, columns of persons reach a released column only through functions/" in flat


def test_findings_say_where_and_what_instead(
    project: Project, reviews: Reviews, small: SmallStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = check_project(
        with_probe(project, "select r.country as x, random() as y from @stg_participants as r"), reviews
    )
    status, text = run_check(monkeypatch, small, report)
    assert status == 1
    flat = " ".join(text.split())
    assert "models/anonymized/probe.sql (target/compiled/consonance/models/anonymized/probe.sql, line 1)" in flat
    assert "probe.x contains stg_participants.country (quasi) without a declassifier" in flat
    assert "wall failed: 2 findings" in flat
    status, text = run_check(monkeypatch, small, report, "--json")
    assert status == 1
    told = json.loads(text)
    assert told["passed"] is False and set(told) == {"passed", "wall"}
    assert told["wall"]["unresolved"] == 1
    assert {finding["kind"] for finding in told["wall"]["findings"]} == {"leak", "unresolved"}
    assert len(told["wall"]["columns"]) > 200


# What the docs site says of each field


def fields_of(project: Project, reviews: Reviews) -> dict[tuple[str, str], Field]:
    inputs = followed(check_project(project, reviews))
    return {(each.title, field.name): field for each in inputs for field in each.fields}


def test_every_key_of_an_export_is_followed(project: Project, reviews: Reviews) -> None:
    """The four field sets of the extended history and the account files; and whatever a loader takes is known."""
    fields = fields_of(project, reviews)
    fates = {name: field.fate for (title, name), field in fields.items() if title == "Extended streaming history"}
    sets = known_keys()["extended"]
    assert [len(sets[since]) for since in ("2020", "2021", "2024-11", "2025")] == [24, 2, 1, 4]
    assert fates.keys() == {key for keys in sets.values() for key in keys}
    assert {key for key in fates if fates[key] != "not read"} == {*EXTENDED.listed_keys, ACCOUNT_KEY}
    assert {key for key in fates if fates[key] == "not read"} == {
        "ip_addr", "ip_addr_decrypted", "user_agent_decrypted", "city", "region", "metro_code", "longitude", "latitude",
    }  # fmt: skip
    assert (fates["username"], fates["platform"], fates["shuffle"]) == ("vault only", "through functions", "as it is")
    # Its values begin on a date.
    assert fates["skipped"] == "vault only"
    for kind in KINDS:
        if kind is not EXTENDED:
            assert set(known_keys()["account"][kind.name]) == set(kind.listed_keys)
    for table in ("participants", "consent_events", "survey_answers", "survey_prompts", "library_items"):
        assert {f"raw.{table}.{column}" for column in tables()[table].columns} <= {
            field.column for field in fields.values()
        }
    ways = fields["Extended streaming history", "ts"].ways
    assert ("anon_plays.started_at_local", ("shifted_local_time",)) in [(way.column, way.functions) for way in ways]
    assert not [name for name, field in fields.items() if PASSED_NOTHING in str(field.fate)]


def test_a_planted_pass_through_is_on_the_page_of_fields(project: Project, reviews: Reviews) -> None:
    planted = with_probe(project, "select platform as device from @stg_extended_plays")
    field = fields_of(planted, reviews)["Extended streaming history", "platform"]
    assert field.fate == "passes the wall through no function"
    assert ("probe.device", (PASSED_NOTHING,)) in [(way.column, way.functions) for way in field.ways]
    report = check_project(planted, reviews)
    page = render("site_fields.html", inputs=followed(report), report=report)
    assert 'passes-the-wall-through-no-function">passes the wall through no function<' in page


def test_what_dbt_itself_calls_its_tests_with_is_plain() -> None:
    plain = ["title", -1, 0.5, True, "non-binary", "ref('plays')", "{{ get_where_subquery(source('raw', 'members')) }}"]
    assert all(PLAIN.fullmatch(str(one)) for one in plain)
