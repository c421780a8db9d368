"""Files of donation tools: whose they are, what is landed of them, and what is left of them after a withdrawal."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from conftest import SmallStudy, account_play, as_bytes, play
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consonance.erasure import study_files
from consonance.study.doctor import examine
from loaders.archive import fingerprint_of
from loaders.donation_tools.files import shares_in
from loaders.inbox import find_donations
from loaders.refusals import MemberBroken

PORT = "assignment=12_task=3_participant={}_source=spotify_key=1699-spotify.json"
ONE, OTHER = "P001", "P002"


def as_texts(row: dict[str, Any]) -> dict[str, str]:
    """A row as JavaScript's String() writes its values."""
    spelled = {None: "null", True: "true", False: "false"}
    return {
        key: spelled[value] if value is None or isinstance(value, bool) else str(value) for key, value in row.items()
    }


def of_d3i(**tables: list[Any]) -> list[Any]:
    """What the data donation task of D3I donates."""
    return [{name: list(map(as_texts, rows)), "deleted row count": "2"} for name, rows in tables.items()]


def of_eyra(**tables: list[Any]) -> dict[str, Any]:
    """What Feldspar itself donates."""
    return {
        name: {"data": list(map(as_texts, rows)), "metadata": {"deletedRowCount": 0}} for name, rows in tables.items()
    }


def of_ddm(rows: dict[str, list[Any]], consent: Any = True) -> dict[str, Any]:
    """What the donations API of DDM answers."""
    donations = [
        {"participant": code, "data": theirs, "time_submitted": "2026-01-01T10:00:00+01:00", "status": "success", "consent": consent}
        for code, theirs in rows.items()
    ]  # fmt: skip
    return {"blueprints": {"7": {"blueprint_name": "History", "donations": donations}}, "metadata": {"n_blueprints": 1}}


def of_one_in_ddm(code: str, rows: list[Any]) -> list[Any]:
    """What DDM's download of the donations of one participant has in it."""
    (donation,) = of_ddm({code: rows})["blueprints"]["7"]["donations"]
    return [{"blueprint_id": 7, "blueprint_name": "History", "donation": donation}]


def of_osd2f(rows: dict[str, list[Any]]) -> list[Any]:
    """What OSD2F's download of completed submissions has in it."""
    return [
        {"db_id": number, "submission_id": code, "filename": "MyData/Streaming.json", "n_deleted_across_file": 0,
         "insert_timestamp": "2026-01-01T10:00:00+00:00", "entry": row}
        for number, (code, row) in enumerate((code, row) for code, theirs in rows.items() for row in theirs)
    ]  # fmt: skip


def put(small: SmallStudy, name: str, content: Any) -> Path:
    path = small.study.inbox / name
    path.write_bytes(as_bytes(content))
    return path


def landed(small: SmallStudy, code: str) -> list[tuple[Any, ...]]:
    return small.vault(
        f"""
        select extended_plays.* exclude (participant_no, member_id, key_count)
        from vault.raw.extended_plays inner join vault.raw.keyring using (participant_no)
        where participant_code = '{code}' order by row_no
        """
    )


ROWS = [play(), play(ts="2023-05-01T11:00:00Z", skipped=True, master_metadata_track_name="Käse 🧀", offline=None)]
IN_TOOLS: dict[str, Callable[[str, list[Any]], tuple[str, Any]]] = {
    "port, d3i": lambda code, rows: (PORT.format(code), of_d3i(history=rows, playlists=[{"name": "mine"}])),
    "port, eyra": lambda code, rows: (f"assignment=1_participant={code}_1699999999999.json", of_eyra(history=rows)),
    "ddm": lambda code, rows: ("ddm.json", of_ddm({"someone-else": [play()], code: rows})),
    "ddm, of one participant": lambda code, rows: ("ddm_x_donations_y.json", of_one_in_ddm(code, rows)),
    "osd2f": lambda code, rows: ("osd2f_completed_submissions.json", of_osd2f({"else": [play()], code: rows})),
}


def test_a_tool_lands_what_the_export_itself_would_have_landed(small: SmallStudy) -> None:
    faulty = [*ROWS, play(ts="yesterday"), play(ms_played=-1)]
    small.admit(ONE)
    small.donate(ONE, faulty)
    people = {f"T{number}": tool for number, tool in enumerate(IN_TOOLS)}
    for code, tool in people.items():
        small.admit(code)
        name, content = IN_TOOLS[tool](code, faulty)
        put(small, name, content)
    report = small.load().by_participant()
    expected = landed(small, ONE)
    assert len(expected) == 2
    for code, tool in people.items():
        (donation,) = report[code]
        assert (donation.status, donation.reason) == ("partly", "rows_rejected"), tool
        assert [donation.rows(what) for what in ("rows_in", "landed", "rejected")] == [4, 2, 2], tool
        assert landed(small, code) == expected, tool
    again = small.load().by_participant()
    assert {donation.status for code in people for donation in again[code]} == {"already"}


def test_an_account_history_and_unknown_columns_of_a_tool(small: SmallStudy) -> None:
    small.admit(ONE)
    put(small, PORT.format(ONE), of_d3i(history=[account_play() | {"my own column": 1, "mine": 2}]))
    assert small.load().donations[0].rows("landed") == 1
    assert small.vault("select what, name, occurrences from vault.raw.schema_drift order by name") == [
        ("key", "(no plain name)", 1),
        ("key", "mine", 1),
    ]


def test_whose_a_file_of_a_tool_is(small: SmallStudy) -> None:
    for code in (ONE, OTHER):
        small.admit(code)
    small.enrol("P003")
    (small.root / "donation_ids.csv").write_text(f"tool_id,participant_code\nid of a panel,{ONE}\n", encoding="utf-8")
    rows = {"id of a panel": [play()], OTHER: [play()], "P003": [play()], "stranger": [play()], "no code!": [play()]}
    put(small, "ddm.json", of_ddm(rows))
    put(small, "again.json", of_ddm(rows))
    put(small, "osd2f.json", [*of_osd2f({OTHER: [account_play()]}), {"filename": "x", "entry": play()}, 5])
    put(small, PORT.format(""), of_d3i(history=[play()]))
    put(small, PORT.format("P003"), "{")
    # Whoever did not say yes did not agree.
    for number, answer in enumerate((False, None, "", "no", 1)):
        put(small, f"declined-{number}.json", of_ddm({OTHER: [play(ts="2024-01-01T00:00:00Z")]}, consent=answer))
    found = {
        (one.participant_code, one.file.removeprefix("inbox/")): one.reason or one.status
        for one in small.load().donations
    }
    assert found == {
        (ONE, "again.json"): "loaded",
        (ONE, "ddm.json"): "already",
        (OTHER, "again.json"): "loaded",
        (OTHER, "ddm.json"): "already",
        (OTHER, "osd2f.json"): "loaded",
        ("", "osd2f.json"): "not_in_a_folder",
        ("P003", "again.json"): "no_consent",
        ("P003", "ddm.json"): "no_consent",
        ("stranger", "again.json"): "not_enrolled",
        ("stranger", "ddm.json"): "not_enrolled",
        ("no code!", "again.json"): "no_code",
        ("no code!", "ddm.json"): "no_code",
        ("", PORT.format("")): "not_in_a_folder",
        ("P003", PORT.format("P003")): "no_consent",
        **{(OTHER, f"declined-{number}.json"): "no_history" for number in range(5)},
    }  # fmt: skip
    assert len(landed(small, OTHER)) == 1


def test_what_cannot_be_used_is_refused_with_a_reason(small: SmallStudy) -> None:
    small.admit(ONE)
    cut_off = {"ddm": json.dumps(of_ddm({ONE: ROWS}))[:-40], "osd2f": json.dumps(of_osd2f({ONE: ROWS}))[:-40]}
    cases: list[tuple[str, Any, str]] = [
        ("port", b'[{"history": [{"ts": "2023', "malformed_json"),
        ("port", '[{"h": [{"ts": "ä"}]}]'.encode("latin-1"), "wrong_encoding"),
        ("port", "[" * 100_000, "too_deep"),
        ("port", {"version": 1, "encrypted_aes_key": "…", "iv": "…", "ciphertext": "…"}, "encrypted"),
        ("port", {"status": "donation declined"}, "no_history"),
        ("port", [], "no_history"),
        ("ddm", cut_off["ddm"], "malformed_json"),
        ("ddm", json.dumps(of_ddm({ONE: ROWS})).encode("utf-16"), "not_in_a_folder"),
        ("ddm", {"blueprints": {"7": [], "8": {"donations": [5, {"participant": 5, "data": []}]}}}, "not_in_a_folder"),
        ("osd2f", of_osd2f({ONE: [{"encrypted": "…"}]}), "encrypted"),
        ("osd2f", cut_off["osd2f"], "malformed_json"),
        ("notes", [{"anything": 1}], "not_in_a_folder"),
    ]
    reasons = {}
    for number, (tool, content, reason) in enumerate(cases):
        name = f"assignment=1_task={number}_participant={ONE}.json" if tool == "port" else f"{tool}-{number}.json"
        put(small, name, content)
        reasons[f"inbox/{name}"] = reason
    donations = small.load().donations
    assert {donation.file: donation.reason for donation in donations} == reasons
    for donation in donations:
        assert donation.status in ("refused", "held")
        assert donation.advice
        assert "2023" not in donation.advice


def test_the_doctor_finds_who_withdrew_in_a_file_of_others(small: SmallStudy) -> None:
    for code in (ONE, OTHER):
        small.admit(code)
    put(small, "ddm.json", of_ddm({ONE: [play()], OTHER: [play()]}))
    small.consent(ONE, event="withdrawn", purposes="", at="2025-02-01T10:00:00+00:00")
    small.load()
    found = {finding.place: finding.remedy for finding in examine(small.study).findings}
    assert found[ONE] == f"Run 'consonance withdraw {ONE}'."
    assert OTHER not in found


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tool=st.sampled_from(sorted(IN_TOOLS)), at=st.floats(0, 1), junk=st.binary(max_size=6), cut=st.booleans())
def test_no_damage_gives_rows_to_somebody_else(tmp_path: Path, tool: str, at: float, junk: bytes, cut: bool) -> None:
    """Bytes put in anywhere, or a file cut off there: it is refused, or nobody else gets what is one person's."""
    name, content = IN_TOOLS[tool](OTHER, [play(master_metadata_track_name="theirs alone")])
    whole = as_bytes(content)
    place = int(at * len(whole))
    path = tmp_path / name
    path.write_bytes(whole[:place] + junk + (b"" if cut else whole[place:]))
    try:
        shares = shares_in(path)
        contents = {share.tool_id: b"".join(member.read() for member in share.members()) for share in shares}
    except MemberBroken as broken:
        assert "theirs" not in str(broken)
        return
    known = {"someone-else", "else"}
    assert not [tool_id for tool_id in known & contents.keys() if b"theirs alone" in contents[tool_id]]


def test_a_withdrawal_takes_the_part_of_its_participant_alone(small: SmallStudy) -> None:
    for code in (ONE, OTHER):
        small.admit(code)
    ids = small.root / "donation_ids.csv"
    lines = ["tool_id,participant_code", f"id-of-a-panel,{ONE}", f"second-id,{ONE}", f"{OTHER}-b,{OTHER}"]
    ids.write_text("\n".join(lines), encoding="utf-8")
    named = "id-of-a-panel"
    both = {named: [play(), account_play()], OTHER: [play(ts="2024-01-01T00:00:00Z")]}
    put(small, "ddm.json", of_ddm(both))
    put(small, "two-ids.json", of_ddm({named: [play()], "second-id": [account_play()]}))
    put(small, "ddm-of-one.json", of_one_in_ddm(named, ROWS))
    put(small, "osd2f.json", of_osd2f(both))
    put(small, PORT.format(named), of_d3i(history=ROWS))
    small.load()

    def of_other() -> dict[str, str]:
        found: dict[str, str] = {}
        for donation in find_donations(small.study):
            if donation.participant_code == OTHER:
                with donation.opened() as members:
                    found[donation.path.name] = fingerprint_of(members)
        return found

    before = of_other()
    assert study_files.find(small.study, [ONE]).donation_files == 6
    study_files.clear(small.study, {ONE: "erased-0"})
    assert not study_files.find(small.study, [ONE]).are_there
    assert of_other() == before and set(before) == {"ddm.json", "osd2f.json"}
    assert sorted(path.name for path in small.study.inbox.iterdir()) == ["ddm.json", "osd2f.json"]
    assert named not in "".join(path.read_text() for path in (ids, *small.study.inbox.iterdir()))
    put(small, "cut-off.json", b'[{"blueprint_id": 7, ')
    assert any("cut-off.json" in what for what in study_files.left_to_do(small.study, [ONE], []))
