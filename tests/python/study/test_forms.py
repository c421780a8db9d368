"""What stays when a participant has gone has a form, and nothing else stands in it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, get_args

import pytest

from consonance.checks.study_checks import STUDY_CHECKS
from consonance.release.release_checks import ON_FILES, ON_RELEASE, ON_STUDY
from consonance.study.forms import FORMS, BadForm, _NotedCheck, refuse_other_certificate

HASH = "0" * 64
MOMENT = "2026-11-26T15:59:51Z"


def certificate() -> dict[str, Any]:
    return {
        "schema": "consonance certificate of erasure 2",
        "study": "Music and mood",
        "participants": ["0123456789abcdef" * 2],
        "is_replay": False,
        "requested_at": MOMENT,
        "begun_at": MOMENT,
        "deleted_at": MOMENT,
        "ended_at": MOMENT,
        "method": "It copied the vault.",
        "remains": "The ledger.",
        "rows": [{"store": "vault", "table": "raw.members", "before": 3, "after": 0}],
        "study_files": {"donation_files": 1, "donation_bytes": 9, "receipts": 0, "lines": {"surveys/….csv": 4}},
        "ledger_lines_renamed": 1,
        "texts_of_others_replaced": 0,
        "files": [{"file": "vault.duckdb", "before": {"bytes": 9, "sha256": HASH}, "after": None}],
        "search": {
            "passed": True, "texts": 1, "moments": 1, "days": 1, "ids": 1, "tables": 2, "columns": 3, "rows": 4, "hits": {},
        },
        "unpublished_releases": [
            {
                "number": 1,
                "tier": "controlled",
                "published_at": "2026-11-26T15:59:51",
                "recipients": [{"release": 1, "recipient": "A. Researcher", "handed_over_at": "2026-06-01"}],
            }
        ],
        "current_release": {"number": None, "why": "Nothing was published."},
        "left_to_the_operator": ["notes/x.md names the participant."],
        "audit_log": {"entry": 7, "hash": HASH},
        "software": {"python": "3.12.3", "dbt-core": "1.11.0"},
    }  # fmt: skip


def test_a_certificate_of_this_form_is_written_and_found_right() -> None:
    refuse_other_certificate(certificate(), re.compile("P013"))
    FORMS["certificate of erasure"](json.dumps(certificate()))


FAULTS: dict[str, Callable[[dict[str, Any]], object]] = {
    "the file": lambda content: content.update(searched_for=["who-is-gone"]),
    "participants": lambda content: content.update(participants=["who-is-gone"]),
    "rows.table": lambda content: content["rows"][0].update(table="who-is-gone"),
    "rows.…": lambda content: content["rows"][0].update(whose="who-is-gone"),
    "search.hits": lambda content: content["search"].update(hits={"who-is-gone": 1}),
    "software": lambda content: content["software"].update(python="who-is-gone of ours"),
    "files.file": lambda content: content["files"][0].update(file="surveys/who-is-gone.csv"),
    "left_to_the_operator": lambda content: content.update(left_to_the_operator=["Look at who-is-gone."]),
    "current_release.why": lambda content: content["current_release"].update(why="who-is-gone is in it"),
}


@pytest.mark.parametrize("part", FAULTS)
def test_whatever_else_is_in_it_is_refused_and_not_quoted(part: str) -> None:
    content = certificate()
    FAULTS[part](content)
    with pytest.raises(BadForm) as raised:
        refuse_other_certificate(content, re.compile("who-is-gone"))
    assert "gone" not in str(raised.value)
    assert part in str(raised.value) or part == "the file"


def test_the_signature_of_the_audit_log_has_three_parts() -> None:
    signed = {"entries": 3, "head": HASH, "signature": HASH}
    FORMS["anchor"](json.dumps(signed))
    for content in (json.dumps(signed | {"of": "P1"}), json.dumps(signed | {"head": "P1"}), "P1", ""):
        with pytest.raises(BadForm):
            FORMS["anchor"](content)


def test_every_check_may_be_noted_in_the_history_and_nothing_else() -> None:
    of_releases = {check.name for check in (*ON_STUDY, *ON_RELEASE, *ON_FILES)}
    noted = get_args(_NotedCheck.model_fields["check"].annotation)
    assert set(noted) == {check.name for check in STUDY_CHECKS} | of_releases
