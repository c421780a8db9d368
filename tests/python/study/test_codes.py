"""Participant codes: one grammar wherever a code comes in, and no code leads out of the study."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import SmallStudy, lay_out_small, play

from consonance.cli.commands import cli
from consonance.study.codes import BadCode, is_code
from consonance.study.errors import ConsonanceError
from consonance.study.tables import BadTable

CODES = ("P1", "007", "21", "a_b-c", "S.01.x", "_x", "A" * 64, "x" * 63 + "y")
# A hundred texts that are no code, or not the code of anybody whom this study knows.
NO_CODES = (
    "", " ", ".", "..", "...", "/", "//", "\\", "~", "-", "--", "-P1", "--yes=P1", ".P1", "P1.", "P..1", "P1 ", " P1",
    "P1/", "/P1", "P1/.", "P1/..", "P1/../P1", "../P1", "./P1", "P1\\", "..\\P1", "P1/../../outside", "../outside",
    "../../outside", "inbox/P1", "../inbox/P1", "P1\0", "\0", "\0P1", "P1\0/..", "P1\n", "\nP1", "P1\r", "P1\t",
    "P1;P2", "P1,P2", "P1 P2", "P1|P2", "P1&P2", "P1'", "'P1'", '"P1"', "P1\"", "P1`", "$P1", "${HOME}", "$(id)", "`id`",
    "%2e%2e", "%00", "P1%00", "%P1", "P*", "P?", "*", "?", "[P]1", "P[1]", "{P1,P2}", "P1#", "#P1", "P1:Zone", "C:P1",
    "C:\\P1", "file:P1", "P1@x", "P1=", "P1+", "P1!", "(P1)", "<P1>", "Ρ1", "Р1", "P１", "P¹", "Ｐ1", "P1\u200b",
    "\u200eP1", "P1\u202e", "P\u03011", "\u2024\u2024", "\uff0e\uff0e", "\u2215P1", "P1\ufeff", "ﬁ", "É1", "日本", "🎵",
    "A" * 65, "A" * 10_000, "P1" * 5_000, "../" * 3_000, "p1", "P2x", "P01", "P",
)  # fmt: skip


def contents(folder: Path) -> dict[str, str]:
    """Every file, folder and link below ``folder``, with what it holds."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = f"-> {path.readlink()}"
        else:
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
    return found


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> SmallStudy:
    """A study with two participants, and other files beside it."""
    root = tmp_path_factory.mktemp("codes")
    (root / "outside").mkdir()
    (root / "outside" / "thesis.txt").write_text("not ours")
    study = lay_out_small(root / "study")
    for code in ("P1", "P2"):
        study.admit(code)
        study.donate(code, [play(master_metadata_track_name=f"Only {code}")])
    study.load()
    return study


def test_codes_have_letters_digits_and_few_signs() -> None:
    assert all(map(is_code, CODES))
    known = ("p1", "P2x", "P01", "P")  # codes, but nobody's
    assert len(NO_CODES) >= 100
    assert [text for text in NO_CODES if is_code(text)] == list(known)


def test_what_is_no_code_of_anybody_erases_nothing_and_certifies_nobody(beside: SmallStudy) -> None:
    stores = ("vault.duckdb", "catalog.duckdb", "audit.head")
    before = {name: held for name, held in contents(beside.root.parent).items() if not name.endswith(stores)}
    rows = beside.vault("select participant_no, count(*) from vault.raw.extended_plays group by all order by all")
    for text in NO_CODES:
        done = CliRunner().invoke(cli, ["withdraw", "--yes", "--study", str(beside.root), "--", text])
        assert done.exit_code != 0, text
        assert isinstance(done.exception, ConsonanceError | SystemExit), (text, done.exception)
        assert not (beside.root / "withdrawals").exists(), text
    after = {name: held for name, held in contents(beside.root.parent).items() if not name.endswith(stores)}
    assert after == before
    assert rows == beside.vault(
        "select participant_no, count(*) from vault.raw.extended_plays group by all order by all"
    )
    assert beside.vault("select count(*) from vault.raw.tombstones") == [(0,)]


@pytest.mark.parametrize("text", [text for text in NO_CODES if not is_code(text)][::7])
def test_no_path_is_made_of_what_is_no_code(beside: SmallStudy, text: str) -> None:
    for place in (beside.study.donations_of, beside.study.receipts_of):
        with pytest.raises(BadCode) as error:
            place(text)
        assert len(text) < 3 or text not in str(error.value)


@pytest.mark.parametrize("text", ["../P1", "P1/", "a..b", "Ｐ1", "A" * 65])
def test_a_table_with_what_is_no_code_is_refused(small: SmallStudy, text: str) -> None:
    small.enrol(text)
    with pytest.raises(BadTable, match=r"participants.csv cannot be used: line \d+ has no participant_code"):
        small.load()


def test_a_line_of_the_ledger_with_what_is_no_code_is_refused(small: SmallStudy) -> None:
    small.consent("P1")
    small.load()
    small.consent("../P1")
    with pytest.raises(BadTable, match=r"consents.csv cannot be used: line \d+ has no participant_code"):
        small.load()


def test_a_folder_whose_name_is_no_code_is_held(small: SmallStudy) -> None:
    small.admit("P1")
    small.donate("P1", [play()])
    small.donate("P 1", [play()])
    report = small.load()
    assert {donation.participant_code: (donation.status, donation.reason) for donation in report.donations} == {
        "P1": ("loaded", None),
        "P 1": ("held", "no_code"),
    }
