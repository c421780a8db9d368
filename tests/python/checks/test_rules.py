"""Every quality rule passes on a sound study, and fails on what it is there for."""

from __future__ import annotations

import gc
from pathlib import Path

import duckdb
import pytest
from conftest import SmallStudy

from consonance.checks.rules import HEADINGS, NothingToCheck, all_rules, read_rule
from consonance.checks.study_checks import run_rules
from consonance.consent.rules import with_rules
from consonance.study.dbt_command import PROJECT
from consonance.study.vault import attach_study, session_settings

# Rule to the statement that makes it fail; "wh" is the warehouse, "vault" the vault.
FAULTS: dict[str, str] = {
    "A1_rows_are_accounted_for": "delete from vault.raw.extended_plays where row_no = 1",
    "A2_donations_were_consented": "update vault.raw.consent_events set occurred_at = '2099-01-01'",
    "A3_plays_can_be_true": "update vault.raw.extended_plays set ms_played = -5 where row_no = 1",
    "A4_secrets_are_random": "update vault.raw.keyring set pseudonym = md5(participant_code)",
    "A5_only_listed_fields": "alter table vault.raw.extended_plays add column ip_addr varchar",
    "A5_drift_keeps_no_values": "insert into vault.raw.schema_drift values (1, 1, 'key', 'email=jane@mail.example', 1)",
    "A5_rejected_rows_keep_listed_fields": "insert into vault.raw.rejected_rows select 1, 1, 1, 'missing_time', '{\"ip_addr_decrypted\": 1}'",
    "A6_rows_have_their_purpose": "insert into vault.raw.survey_prompts values ('P999', null, null, now(), null, 'answered', 'f', 2)",
    "A7_histories_are_of_one_person": "update vault.raw.members set usernames = ['a', 'b']",
    "A8_fetched_tracks_were_heard": "insert into vault.raw.fetched_tracks values ('reccobeats', '0000000000000000000001', now(), null, null, true)",
    # The participant after whom a file of the catalogue is called.
    "A9_the_catalogue_names_nobody": "update vault.raw.members set usernames = ['features.csv']",
    "A10_words_are_on_their_list": "insert into vault.raw.survey_rejects values ('surveys/mood.csv', 'not_a_number: sad', 1)",
    "A11_consent_is_judged_at_as_of": "update vault.raw.study set as_of = as_of - interval 11 weeks",
    "C1_consent_covers_everyone": "insert into vault.raw.consent_events select 9999, participant_code, 'withdrawn', [], 'v1', '2026-01-01', null, null from vault.raw.participants where participant_code = 'D024'",
    "C2_plays_are_in_the_consented_window": "update vault.raw.consent_events set history_to = '2021-06-30' where participant_code = 'D007'",
    "C3_notices_are_registered": "delete from vault.raw.notices",
    "C4_purposes_are_granted_one_by_one": "update vault.raw.consent_events set purposes = ['listening_history'] where participant_code = 'D024'",
    "C4_held_back_plays_are_not_kept": "update vault.raw.extended_plays set incognito_mode = true; update vault.raw.consent_events set purposes = ['listening_history']",
    "C4_flags_are_those_of_the_ledger": "update wh.marts.participants set grants_ml_training = not grants_ml_training where participant_id = (select min(participant_id) from wh.marts.participants)",
    "C5_rows_of_nobody_name_nobody": "insert into vault.raw.secrets select participant_code, 'x' from vault.raw.keyring order by 1 limit 2",
    "C5_nobody_erased_is_there": "insert into vault.raw.library_items values (0, 'saved', 'spotify:track:0000000000000000000001')",
    "D1_columns_can_be_searched": "alter table wh.marts.tracks add column names varchar[]",
    "D1_no_column_lists_participants": "create table wh.reference.groups as select participant_code as code, 'a' as part from vault.raw.participants",
    "D1_nothing_fetched_but_what_was_heard": "insert into wh.anonymized.anon_fetched_tracks values ('reccobeats', '0000000000000000000001', null, null)",
    "D1_nothing_looks_like_an_address": "update wh.marts.tracks set title = 'write to jane@mail.example' where track_id = (select min(track_id) from wh.marts.tracks)",
    "D1_nothing_the_vault_knows": "update wh.marts.tracks set creator = 'Listener-024-q7x' where track_id = (select min(track_id) from wh.marts.tracks)",
    "D2_row_order_says_nothing": "insert into wh.marts.sessions from wh.marts.sessions order by participant_id limit 1",
    "D2_pseudonyms_come_from_the_keyring": "update wh.marts.sessions set participant_id = md5('D024') where participant_id = (select min(participant_id) from wh.marts.sessions)",
    "D3_elapsed_clocks_begin_with_the_first_play": "update wh.anonymized.anon_plays set started_elapsed_ms = started_elapsed_ms + 1682935200000, ended_elapsed_ms = ended_elapsed_ms + 1682935200000",
    "D3_no_number_is_a_clock": "alter table wh.marts.plays add column since_first_play_s bigint; update wh.marts.plays as plays set since_first_play_s = clocks.started_elapsed_ms // 1000 from wh.anonymized.anon_plays as clocks where clocks.play_id = plays.play_id",
    "D3_every_time_is_shifted": "alter table wh.marts.plays add column played_on date; update wh.marts.plays set played_on = '2019-05-01'",
    "M1_every_landed_row_has_one_fate": "update wh.audit.row_accounting set rows = rows - 1 where fate = 'kept'",
    "M2_plays_belong_to_what_is_there": "update wh.marts.plays set session_id = 1 where play_id = (select min(play_id) from wh.marts.plays)",
    "M3_values_are_possible": "update wh.marts.plays set valence = 73 where play_id = (select min(play_id) from wh.marts.plays)",
    "M4_sessions_are_apart": "update wh.anonymized.anon_plays set started_elapsed_ms = started_elapsed_ms - 36000000 where play_id in (select session_id from wh.marts.sessions)",
    "M5_windows_do_not_look_ahead": "update wh.marts.emotion_windows set plays = plays + 1 where emotion_window = 'day_before'",
    "P2_training_values_may_be_trained_on": "insert into wh.features.feat_training_values by name select track_id, feature, value, source_id from wh.features.feat_track_source_values where source_id = 'spotify_archive'",
    "P2_training_examples_are_of_permitted_values": "update wh.marts.training_examples set mean_tempo = coalesce(mean_tempo, 100) + 1 where report_id = (select min(report_id) from wh.marts.training_examples)",
    "M8_rows_are_not_repeated": "insert into wh.marts.plays select * from wh.marts.plays limit 1",
    "M7_folds_are_of_persons": "update wh.marts.training_examples set fold = (fold + 1) % 5 where report_id = (select min(report_id) from wh.marts.training_examples)",
    "M6_plays_keep_the_clock_of_their_session": "update wh.marts.plays set started_at_local = started_at_local + interval 1 hour, ended_at_local = ended_at_local + interval 1 hour where play_id <> session_id",
}


OF_CONNECTIONS = "A12_connections_are_closed"


def spoil(study: SmallStudy, fault: str) -> None:
    with duckdb.connect(config=session_settings()) as connection:
        attach_study(connection, study.study)
        connection.execute(f"attach '{study.study.warehouse_path}' as wh")
        connection.execute(fault)


def test_a_sound_study_passes_every_rule(demo: SmallStudy) -> None:
    results = run_rules(demo.study)
    assert [(result.rule.name, result.violations) for result in results] == [(rule.name, 0) for rule in all_rules()]
    assert all(result.passed for result in results)


def test_every_rule_has_a_fault_that_makes_it_fail() -> None:
    assert {*FAULTS, OF_CONNECTIONS} == {rule.name for rule in all_rules()}


def test_a_connection_that_is_not_closed_is_found() -> None:
    """Nothing in the stores makes this rule fail."""
    (rule,) = (rule for rule in all_rules() if rule.name == OF_CONNECTIONS)
    with duckdb.connect() as connection:
        found = {place for place, _ in connection.execute(rule.query).fetchall()}
    assert {"settings.duckdb.temp_file_encryption", "settings.duckdb.enable_external_access"} <= found


@pytest.mark.parametrize("name", FAULTS)
def test_a_rule_fails_on_what_it_is_there_for(demo_copy: SmallStudy, name: str) -> None:
    spoil(demo_copy, FAULTS[name])
    (result,) = run_rules(demo_copy.study, [rule for rule in all_rules() if rule.name == name])
    assert not result.passed
    assert result.violations


def test_a_checkpoint_closes_the_stores(demo_copy: SmallStudy) -> None:
    gc.disable()
    try:
        run_rules(demo_copy.study)
        spoil(demo_copy, "select 1")  # opens the vault for writing
    finally:
        gc.enable()


def test_a_rule_that_cannot_run_fails(demo_copy: SmallStudy) -> None:
    spoil(demo_copy, "drop table wh.marts.emotion_windows")
    (result,) = run_rules(demo_copy.study, [rule for rule in all_rules() if rule.name.startswith("M5")])
    assert not result.passed
    assert result.violations is None


def test_without_a_warehouse_nothing_is_checked(small: SmallStudy) -> None:
    with pytest.raises(NothingToCheck, match="dbt run"):
        run_rules(small.study)


def test_a_rule_says_what_example_why_and_remedy(tmp_path: Path) -> None:
    for rule in all_rules():
        assert all(len(getattr(rule, heading)) > 10 for heading in HEADINGS if heading != "relation"), rule.name
    (tmp_path / "X1_lacks.sql").write_text("-- what: something\nselect 1")
    with pytest.raises(ValueError, match="lacks '-- relation: …'"):
        read_rule(tmp_path / "X1_lacks.sql")


@pytest.mark.parametrize(
    "text",
    ["write to jane@mail.example", "198.51.100.7", "2001:db8:0:0:0:0:0:7", "+49 (0)30 123 45 67", "030 1234567 89"],
)
def test_what_the_rules_take_for_an_address_no_function_passes(text: str) -> None:
    """The patterns of the checks and those of the functions are two on purpose; here they meet."""
    is_address = "{{ looks_like_an_address('value') }} or {{ looks_like_a_telephone_number('value') }}"
    with duckdb.connect() as connection:
        for name, arguments in (("public_text", "text_value, is_private"), ("survey_name", "name")):
            body = (PROJECT / "functions" / f"{name}.sql").read_text(encoding="utf-8")
            connection.execute(f"create macro {name}({arguments}) as ({body})")
        found = connection.execute(
            with_rules(
                f"select {is_address}, public_text(value, false), survey_name(value) from (select $text as value)"
            ),
            {"text": text},
        )
        assert found.fetchall() == [(True, None, None)]


@pytest.mark.parametrize(
    "text",
    [
        "spotify:track:0123456789012345678901", "0123456789012345678901", "DE1012345678",
        "01234567-0123-4567-8901-0123456789ab", "2558007737cc4f6982d4e5bb02b71df2", "p23456789234",
    ],
)  # fmt: skip
def test_ids_are_no_telephone_numbers(text: str) -> None:
    with duckdb.connect() as connection:
        is_number = with_rules("select {{ looks_like_a_telephone_number('value') }} from (select $text as value)")
        assert connection.execute(is_number, {"text": text}).fetchall() == [(False,)]
