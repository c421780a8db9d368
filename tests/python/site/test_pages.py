"""Pages are made of marts and audit alone, and say of nothing that is of few persons."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from consonance.checks.check import CheckResult
from consonance.checks.history import check_history, note_checks
from consonance.checks.lineage.project import Model
from consonance.release.parameters import small_group
from consonance.report.cells import SmallCells
from consonance.report.reading import Marts, Origin
from consonance.site import build, front, numbers
from consonance.site.analyses import DRAWN, WHOLES, answered
from consonance.site.frame import write_framed
from consonance.site.page import Link, Page
from consonance.site.pages import TEMPLATES, render, render_body
from consonance.site.quality import OF_CANDIDATES, judged_rules, states_of_checks
from consonance.site.releases import certificates, of_version_0_1, without_small_numbers
from consonance.site.serving import CannotServe, site_server
from consonance.study.child_processes import children_group
from consonance.study.dbt_command import PROJECT
from consonance.study.folder import Study
from consonance.study.forms import FORMS, BadForm
from consonance.study.layout import lay_out_study

PAGES = ("consonance/site", "consonance/report")
# Of the module that opens the stores pages may use what opens no vault.
OPENS_NO_VAULT = {"attach_to_read", "lock_down", "session_settings", "StoreError"}
FORBIDDEN = ("consonance.study.key", "consonance.study.keyring", "consonance.study.tokens")
# Where SQL is run: what it finds goes through a gate for small cells there, or is no number of a page.
RUNS_SQL = {
    "consonance/site/numbers.py": {"opened", "risks", "told"},
    # Of what it makes a table of, rows are shown through told, and columns as in the codebook.
    "consonance/site/analyses.py": {"answered", "_answered"},
    # Bars of few persons are put together or left out: test_codebook.py.
    "consonance/site/codebook.py": {"codebook", "entries", "_meanings", "_empty", "_words", "_persons_of", "_numbers"},
    "consonance/report/reading.py": {"persons", "counted", "_run", "opened"},
    "consonance/report/features.py": {"choose"},
}


def sources() -> dict[str, ast.Module]:
    return {
        path.relative_to(PROJECT).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for folder in PAGES
        for path in (PROJECT / folder).rglob("*.py")
    }


def have_participants(connection: duckdb.DuckDBPyConnection, people: int) -> None:
    connection.execute("create schema marts")
    connection.execute(f"create table marts.participants as select range as participant_id from range({people})")


def test_pages_never_open_the_vault() -> None:
    for file, tree in sources().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                assert not [
                    one.name for one in node.names if one.name.startswith(("consonance.study.vault", *FORBIDDEN))
                ], file
            if isinstance(node, ast.ImportFrom) and node.module:
                assert not node.module.startswith(FORBIDDEN), file
                names = {one.name for one in node.names}
                if node.module == "consonance.study.vault":
                    assert names <= OPENS_NO_VAULT, f"{file} opens the vault: take what it needs from marts or audit"
                assert not (node.module == "consonance.study" and names & {"vault", "key", "keyring", "tokens"}), file
            if isinstance(node, ast.Attribute):
                assert node.attr not in ("vault_path", "key_path"), f"{file} opens the vault"


def test_sql_of_pages_is_run_where_small_cells_are_refused() -> None:
    for file, tree in sources().items():
        functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
        running = {
            function.name
            for function in functions
            for node in ast.walk(function)
            if isinstance(node, ast.Attribute) and node.attr in ("execute", "sql", "query", "from_query")
            and isinstance(node.value, ast.Name | ast.Attribute) and "connection" in ast.unparse(node.value)
        }  # fmt: skip
        assert running <= RUNS_SQL.get(file, set()), file


def test_the_site_leaves_out_rows_of_few_persons_and_refuses_rows_that_do_not_say() -> None:
    few = small_group()
    with duckdb.connect() as connection:
        found = numbers.told(
            connection, f"select * from (values ('a', {few + 1}), ('b', {few}), ('c', 0)) as t (name, persons)"
        )
        assert [row["name"] for row in found.rows] == ["a", "c"] and found.left_out == 1
        for query in ("select 'a title' as title, 1 as participants", "select 'p1' as participant_id, 99 as persons"):
            with pytest.raises(SmallCells, match=r"consonance/site/numbers\.py does not say of how many persons"):
                numbers.told(connection, query)


def test_a_row_that_is_left_out_is_no_difference_of_the_others() -> None:
    few = small_group()
    rows = f"(values ('a', {3 * few}), ('b', {few + 1}), ('c', {few}), ('d', {2 * few})) as t (name, persons)"
    with duckdb.connect() as connection:
        found = numbers.told(connection, f"from {rows}", parts_of=())
        assert [row["name"] for row in found.rows] == ["a", "d"] and found.left_out == 2
        found = numbers.told(connection, f"from {rows} where name <> 'c'", parts_of=())
        assert [row["name"] for row in found.rows] == ["a", "b", "d"] and found.left_out == 0


def test_a_row_is_left_out_of_each_whole_and_of_equals_the_last() -> None:
    few = small_group()
    rows = f"""(values ('old', 'x', 'kept', {2 * few}), ('old', 'x', 'doubled', {2 * few}), ('old', 'x', 'late', 1),
        ('old', 'y', 'kept', {few + 1}), ('new', 'x', 'kept', {few + 1}), ('new', 'x', 'doubled', 0), ('lost', 'x', 'kept', {few}),
        ('odd', 'x', 'kept', {few}), ('odd', 'y', 'kept', {few + 1}), ('odd', 'y', 'doubled', {few + 2})
        ) as t (history, source, fate, persons)"""
    with duckdb.connect() as connection:
        found = numbers.told(connection, f"from {rows}", parts_of=("history", "source"))
        assert [(row["history"], row["source"], row["fate"]) for row in found.rows] == [
            ("old", "x", "kept"), ("old", "y", "kept"), ("new", "x", "kept"), ("new", "x", "doubled"), ("odd", "y", "doubled"),
        ]  # fmt: skip
        # All rows are a whole too, if none of them was left out for another reason.
        found = numbers.told(
            connection, f"from {rows} where history in ('new', 'lost')", parts_of=("history", "source")
        )
    assert [(row["history"], row["fate"]) for row in found.rows] == [("new", "doubled")]


def test_the_rows_of_an_analysis_are_parts_of_a_whole() -> None:
    few = small_group()
    rows = f"(values ('a', {3 * few}), ('b', {few + 1}), ('c', {few}), ('d', {2 * few})) as t (name, participants)"
    sql = f"-- Who?\nselect * from {rows}"
    model = Model("each", "", "analyses", "", "sql", "each.sql", "each.sql", sql, sql, {})
    with duckdb.connect() as connection:
        have_participants(connection, 3 * few + 1)
        (found,) = answered(connection, [model])
    assert ([row[0] for row in found.rows], found.left_out) == (["a", "d"], 2)
    # Who takes part and is in none of the rows of 'a' may be few.
    assert [row[1] for row in found.rows] == [f"up to {few} fewer than {3 * few + 1}", f"{2 * few}"]


def test_fates_and_ways_of_matching_are_parts_of_one_history_or_feature() -> None:
    few = small_group()
    for name, whole in WHOLES.items():
        a, b = (", ".join([f"'{name}'"] * len(whole)) for name in "ab")
        parts = f"({a}, {few + 9}), ({a}, {few + 8}), ({a}, 1), ({b}, {few + 1}), ({b}, {few + 1})"
        rows = f"(values {parts}) as t ({', '.join(whole)}, participants)"
        sql = f"-- Who?\nselect *, participants as {DRAWN[name]} from {rows}"
        model = Model(name, "", "analyses", "", "sql", "each.sql", "each.sql", sql, sql, {})
        with duckdb.connect() as connection:
            have_participants(connection, 9 * few)
            (found,) = answered(connection, [model])
        assert [row[0] for row in found.rows] == ["a", "b", "b"] and found.left_out == 2
        assert (PROJECT / "analyses" / f"{name}.sql").exists()


def test_a_row_of_nobody_knows_how_many_is_not_shown() -> None:
    sql = f"-- Who?\nselect * from (values ('a', {3 * small_group()}), ('b', null)) as t (name, participants)"
    model = Model("each", "", "analyses", "", "sql", "each.sql", "each.sql", sql, sql, {})
    with duckdb.connect() as connection:
        have_participants(connection, 4 * small_group())
        (found,) = answered(connection, [model])
    assert "b" not in [row[0] for row in found.rows] and found.left_out == 2


def test_an_analysis_that_fails_costs_its_own_page_alone() -> None:
    fails = "-- Whose root?\nselect sqrt(-1 - range) as root, 99 as participants from range(3)"
    is_none = (
        "-- What?\nselect 'nan'::double as slope, 0.5 as slope_from, 'inf'::double as slope_to, 99 as participants"
    )
    models = [
        Model(name, "", "analyses", "", "sql", f"{name}.sql", f"{name}.sql", sql, sql, {})
        for name, sql in (("a_root", fails), ("music_valence_and_reported_valence", is_none))
    ]
    with duckdb.connect() as connection:
        have_participants(connection, 99)
        root, slope = answered(connection, models)
    page = render("site_analysis.html", analysis=root, small_group=small_group())
    assert "It has no answer" in page and "OutOfRangeException" in page and "negative" not in page
    assert slope.rows == (("", "0.5", "", "99"),) and slope.figure is None and slope.failure is None


def test_every_query_of_the_site_says_of_how_many_persons_it_is() -> None:
    for query in (*numbers.QUERIES.values(), numbers.RISKS):
        assert "persons" in query
    templates = "".join(path.read_text(encoding="utf-8") for path in TEMPLATES.glob("site_*.html"))
    assert all(f"{name}.rows" in templates for name in numbers.QUERIES)


def figure(measure: str, persons: int, samples: int | None, value: float) -> dict[str, Any]:
    """A figure of the attacks, as ``audit.privacy_risk`` has it."""
    return {
        "attack": "k", "knowledge": "what", "points": None, "wrong_points": None, "persons": persons, "samples": samples,
        "measure": measure, "value": value, "low": None if samples is None else 0.01, "high": None if samples is None else 0.99,
    }  # fmt: skip


def certificate_of(persons: int, withheld: int, k: int, below_l: int, risk: list[dict[str, Any]]) -> dict[str, Any]:
    """What a certificate of a controlled release says of persons."""
    return {
        "tier": "controlled",
        "consent": {"persons": persons, "left_out": {"no active consent": 4}, "purposes_of_those_in": {"library": 1}},
        "demographics": {
            "age": "left out", "country": "regions", "gender": "groups", "persons": persons, "withheld": withheld, "k": k,
            "cells": 2, "l": 1, "cells_below_l": 1, "persons_below_l": below_l, "loss": 0.5,
        },
        "statements": ["Linkage.", f"Shared by at least {k} persons; the demographics of {withheld} of {persons} persons are withheld."],
        "risk": risk,
        "tables": [{"schema": "marts", "name": "participants", "rows": persons}],
    }  # fmt: skip


def page_of(certificate: dict[str, Any]) -> str:
    """The numbers of persons of the page of a release, tags as spaces."""
    page = render_body(
        "certificate.html", checks=[], software={}, parameters={}, files={}, **without_small_numbers(certificate)
    )
    return re.sub(r"(?:\s|<[^>]*>)+", " ", page)


def test_the_page_of_a_small_release_has_no_number_of_persons() -> None:
    certificate = certificate_of(12, 0, 7, 5, [figure("shift_found", 12, 12, 0.5)])
    page = page_of(certificate)
    assert not re.findall(r"\b(?:12|7|5|4|1) (?:persons|participants)|of 12\b|participants 12\b", page)
    few = f"up to {small_group()}"
    for said in (
        f"Persons in the release {few} ", f"no active consent {few} ", f"library {few} ", f"withheld 0 of {few} persons",
        f"(k) {few} persons;", f"1 groups with {few} persons have", "Not measured", "marts.participants How many rows",
    ):  # fmt: skip
        assert said in page
    assert "Shared by" not in page and "Linkage." in page
    assert certificate["consent"]["left_out"] == {"no active consent": 4}


def test_a_figure_of_a_release_that_counts_few_persons_is_words() -> None:
    risk = [
        figure("smallest_cell", 60, None, 7), figure("persons_in_cells_below_k", 60, None, 55), figure("cells", 60, None, 9),
        figure("smallest_l", 60, None, 1), figure("persons_in_cells_below_l", 60, None, 30),
        figure("shift_among_1", 60, 60, 2 / 60), figure("shift_among_10", 60, 60, 0.5), figure("shift_among_50", 60, 60, 58 / 60),
        figure("shift_found", 60, 60, 0), figure("singled_out", 60, 6000, 2 / 60), figure("shift_among_2", 58, 58, 1.0),
    ]  # fmt: skip
    page = page_of(certificate_of(60, 3, 30, 30, risk))
    few = f"up to {small_group()}"
    for said in (
        f"smallest cell 60 {few} persons ", f"below k 60 {few} fewer than 60 persons ", "cells 60 9.000 ",
        "smallest l 60 1.000 ", "below l 60 30.000 ",
        f"among 1 60 {few} persons k", "among 10 60 0.500 0.010 to 0.990", f"among 50 60 {few} fewer than 60 persons k",
        "shift found 60 0.000 0.010 to 0.990", "singled out 60 0.033 0.010 to 0.990",
        f"among 2 {few} fewer than 60 1.000 Tables",
        f"withheld {few} of 60 persons", "(k) 30 persons",
    ):  # fmt: skip
        assert said in page, said
    assert not re.findall(r"\b(?:58|55|3|2|7) persons|among 2 58|0\.967", page)


def test_figures_of_the_marts_that_count_few_persons_are_words(tmp_path: Path) -> None:
    study = lay_out_study(tmp_path / "study", "A study", None)
    with duckdb.connect(study.warehouse_path) as connection:
        have_participants(connection, 37)
        rows = pd.DataFrame(
            [
                figure("smallest_cell", 37, None, 1),
                figure("shift_among_50", 35, 35, 2 / 35),
                figure("cells", 20, None, 2),
            ]
        )
        connection.register("found", rows)
        connection.execute("create schema audit; create table audit.privacy_risk as from found")
    found = numbers.risks(study)
    told = {row["measure"]: (row["persons"], row["value"], row["high"]) for row in found.rows}
    assert found.left_out == 1 and told["smallest_cell"][:2] == ("37", "up to 20 persons")
    assert told["shift_among_50"] == ("up to 20 fewer than 37", "up to 20 persons", None)
    page = render("site_risk.html", parts=[("The marts", found, [])], small_group=20)
    assert page.count(">up to 20 persons</td>") == 2 and "5.7" not in page


def test_no_two_numbers_of_grants_or_of_the_front_page_differ_by_few() -> None:
    assert front._grants(50, {"a": 0, "b": 20, "c": 25, "d": 45, "e": 50}) == {
        "a": "0 participants", "b": "up to 20 participants", "c": "25 participants",
        "d": "up to 20 fewer than 50 participants", "e": "50 participants",
    }  # fmt: skip
    assert front._grants(90, {"a": 60, "b": 59}) == {
        "a": "60 participants", "b": "up to 20 fewer than 60 participants",
    }  # fmt: skip
    assert front._counts(37, {"plays": (170, 35), "reports": (9, 37)}) == (
        ("plays", 170, "up to 20 fewer than 37 participants"), ("reports", 9, "37 participants"),
    )  # fmt: skip


def test_plays_are_counted_by_history_and_those_of_few_persons_are_not_a_difference(tmp_path: Path) -> None:
    few, database = small_group(), tmp_path / "desk.duckdb"
    with duckdb.connect(database) as connection:
        have_participants(connection, 2 * few)
        for table in ("sessions", "emotion_reports"):
            connection.execute(f"create table marts.{table} as select participant_id from marts.participants limit 0")
        connection.execute(
            "create table marts.plays as select participant_id, "
            "case when participant_id < 3 then 'account' else 'extended' end as history_source from marts.participants"
        )
        marts = Marts(connection, {"participants": frozenset()})
        counted = {what: marts.counted(mart) for what, mart in front.COUNTED.items()}
    assert counted == {
        "plays of extended histories": (2 * few - 3, 2 * few - 3), "plays of account histories": None,
        "sessions of listening": None, "emotion reports": None,
    }  # fmt: skip


def test_the_consent_page_has_no_number_of_rows() -> None:
    few = small_group()
    with duckdb.connect() as connection:
        have_participants(connection, 2 * few)
        connection.execute("create schema audit")
        connection.execute(
            f"create table audit.consent_coverage as from (values ('marts.plays', 'listening_history', {few + 3}, 4711, 0), "
            f"('marts.plays', 'demographics', {few + 1}, 4242, 153)) as t (relation, purpose, participants, rows, rows_without_consent)"
        )
        facts = numbers.numbers(connection)
    page = render("site_consent.html", grants={}, small_group=few, **facts)
    assert "There are rows without consent." in page and page.count("failed</span>") == page.count("passed</span>") == 1
    assert not re.findall(rf"4711|4242|153|\b{few + 1}\b|\b{few + 3}\b", page)


def test_the_site_is_served_to_this_machine_alone(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<p>made", encoding="utf-8")
    with site_server(tmp_path, 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        assert server.server_address[0] == "127.0.0.1"
        with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/") as answer:
            assert answer.read() == b"<p>made"
        with pytest.raises(CannotServe, match=f"Port {server.server_port} of this machine is in use"):
            site_server(tmp_path, server.server_port).__enter__()
        server.shutdown()


def test_a_title_stays_as_it_is_and_a_page_of_markdown_is_framed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = [
        Page("index", "A *study* <of> `us`", "<p>a_b_c <b>*bold*</b></p>"),
        Page("a/b", "B", '<h2 id="x">x</h2>', "A"),
    ]
    monkeypatch.chdir(tmp_path)  # a study may be given by a relative path
    write_framed(pages, [Link("lineage.html", "Lineage", "A")], 'A [title](x) & "more"', Path("site"))
    index = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    assert "<h1>A *study* &lt;of&gt; `us`</h1>" in index and "<p>a_b_c <b>*bold*</b></p>" in index
    assert "A [title](x) &amp; &#34;more&#34;" in index and 'href="a/b.html"' in index
    labels = re.findall(r'(?:title|aria-label)="(A [^"]*)"', index)
    assert len(labels) > 1 and set(labels) == {"A [title](x) &amp; &#34;more&#34;"}
    assert 'href="../lineage.html"' in (tmp_path / "site" / "a" / "b.html").read_text(encoding="utf-8")
    privacy = (tmp_path / "site" / "docs" / "privacy.html").read_text(encoding="utf-8")
    assert (
        "<table>" in privacy and 'href="numbers.html' in privacy and ".md" not in re.findall(r'href="([^"]+)"', privacy)
    )
    loaded = re.findall(r'<(?:script|link|img|iframe)[^>]+(?:src|href)="([^"]+)"', index + privacy)
    assert loaded and not [address for address in loaded if address.startswith(("http", "//"))]
    assert not {path.name for path in (tmp_path / "site").rglob("*")} & {"404.html", "sitemap.xml", "search_index.json"}


def test_the_history_of_checks_has_rules_and_moments_and_nothing_else(tmp_path: Path) -> None:
    study = lay_out_study(tmp_path / "study", "A study", None)
    assert check_history(study) == []
    rule = {"rule": "C1_consent_covers_everyone", "passed": False, "findings": [{"what": "a secret"}]}
    note_checks(study, [CheckResult("rules", False, "a secret", {"rules": [rule]}), CheckResult("wall", True, "")])
    note_checks(study, [CheckResult("rules", True, "", {"rules": [rule | {"passed": True}]})])
    history = check_history(study)
    assert [(one.check, one.passed) for one in history] == [("rules", True), ("wall", True), ("rules", False)]
    text = study.check_history_path.read_text(encoding="utf-8")
    assert "secret" not in text
    FORMS["check history"](text)
    with pytest.raises(BadForm):
        FORMS["check history"](text.replace('"wall"', '"Anna is in"'))
    study.check_history_path.write_text(f"broken\n[]\n{text}", encoding="utf-8")
    assert check_history(study) == history
    certificate = {"release": 4, "tier": "public", "created": "2030-01-01T00:00:00Z", "checks": [{"rules": [rule]}]}
    judged = {one.rule.name: one for one in judged_rules([], history, [certificate])}
    outcomes = judged["C1_consent_covers_everyone"].outcomes
    assert [(one.of, one.passed) for one in outcomes] == [
        ("release 4 (public)", False), ("the warehouse", True), ("the warehouse", False),
    ]  # fmt: skip
    assert judged["M3_values_are_possible"].passed is None


def test_what_ran_on_a_candidate_is_not_said_to_have_run_on_the_study(tmp_path: Path) -> None:
    study = lay_out_study(tmp_path / "study", "A study", None)
    rule = {"rule": "C1_consent_covers_everyone", "passed": True}
    note_checks(study, [CheckResult("wall", False, "")])
    note_checks(study, [CheckResult("wall", True, ""), CheckResult("attacks", True, "")], (4, "controlled"))
    note_checks(study, [CheckResult("rules of the study", True, "", {"rules": [rule]})], (5, "public"))
    note_checks(study, [CheckResult(name, True, "") for name in OF_CANDIDATES[4:]], (5, "public"))
    FORMS["check history"](study.check_history_path.read_text(encoding="utf-8"))
    states = [(one.name, one.of, bool(one.at), one.passed) for one in states_of_checks(check_history(study))]
    candidates = ["the candidate of release 4 (controlled)", "the candidate of release 5 (public)"]
    assert states[:4] == [
        ("rules", "the study", False, False), ("wall", "the study", True, False),
        ("non-interference", "the study", False, False), ("leaks", "the study", False, False),
    ]  # fmt: skip
    assert states[4:7] == [
        ("rules of the study", candidates[1], True, True), ("wall", candidates[0], True, True),
        ("attacks", candidates[0], True, True),
    ]  # fmt: skip
    assert [name for name, *_ in states[7:]] == list(OF_CANDIDATES[4:])
    facts = {"small_group": 20, "wall": CheckResult("wall", True, "")}
    shown = front.Front("nobody", (), {}, (), ())
    page = render(
        "site_front.html", front=shown, rules={}, checks=states_of_checks(check_history(study)), built="", **facts
    )
    rows = [re.sub(r"<[^>]+>", "|", row) for row in page.splitlines() if "<td>" in row]
    assert "wall||the study|||failed" in rows[1] and "leaks||the study||not run yet" in rows[3]
    assert "wall||the candidate of release 4 (controlled)|||passed" in rows[5] and "|measured|" in rows[6]
    # A rule that was noted of a candidate is not told once more from the certificate of the release.
    certificate = {"release": 5, "tier": "public", "created": "2030-01-01T00:00:00Z", "checks": [{"rules": [rule]}]}
    judged = {one.rule.name: one for one in judged_rules([], check_history(study), [certificate])}
    assert [one.of for one in judged["C1_consent_covers_everyone"].outcomes] == [candidates[1]]


def test_a_release_of_version_0_1_is_listed_and_its_checks_are_not(tmp_path: Path) -> None:
    study = lay_out_study(tmp_path / "study", "A study", None)
    facts = {"tier": "controlled", "created": "2025-11-25T10:20:30Z"}
    for number, says in enumerate(("guards", "checks"), start=1):
        (study.published / str(number)).mkdir(parents=True)
        certificate = facts | {"release": number, says: [{"name": "wall", "passed": True}]}
        (study.published / str(number) / "certificate.json").write_text(json.dumps(certificate), encoding="utf-8")
    older = of_version_0_1(study)
    assert older == [facts | {"release": 1}] and [one["release"] for one in certificates(study)] == [2]
    page = render("site_releases.html", releases=certificates(study), older=older)
    assert 'href="2.html"' in page and 'href="1.html"' not in page
    assert "<td>Release 1</td><td>controlled</td><td>2025-11-25 10:20</td><td>made by version 0.1</td>" in page
    assert "its certificates are of another form" in page
    assert "version 0.1" not in render("site_releases.html", releases=certificates(study), older=[])


def test_an_analysis_of_participants_says_why_it_has_no_rows() -> None:
    sql = "-- How many? Of each.\nselect 'p' || range as participant_id, range as plays from range(30)"
    model = Model("each", "", "analyses", "", "sql", "each.sql", "each.sql", sql, sql, {})
    with duckdb.connect() as connection:
        have_participants(connection, 30)
        (analysis,) = answered(connection, [model])
    assert analysis.rows == () and [entry.name for entry in analysis.entries] == ["participant_id", "plays"]
    page = render("site_analysis.html", analysis=analysis, small_group=small_group())
    assert "A row is one participant, and no row is shown here" in page and "how its columns are distributed" in page
    assert "p29" not in page


def test_who_interrupts_a_site_does_not_wait_for_dbt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def describe(*_arguments: object) -> None:
        subprocess.run(["sleep", "60"], process_group=children_group.get(), check=False)

    def interrupt(_database: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(build, "of_study", lambda study: Origin(study.desk_path, "Study", "study"))
    monkeypatch.setattr(build, "run_dbt", describe)
    monkeypatch.setattr(build, "opened", interrupt)
    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        build.build_site(Study(tmp_path), results=[])
    assert time.monotonic() - begun < 30
