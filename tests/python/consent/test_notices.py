"""Notices: registered by a command, bound to their text, safe to repeat."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from commands import consonance
from conftest import SmallStudy

from consonance.consent.notices import BadNotice, read_notices, register_notice

TEXT = b"What the study is about, in other words.\n"


@pytest.fixture
def text(tmp_path: Path) -> Path:
    file = tmp_path / "Information (final).pdf"
    file.write_bytes(TEXT)
    return file


def test_a_notice_is_copied_hashed_and_registered_once(small: SmallStudy, text: Path) -> None:
    sha256 = hashlib.sha256(TEXT).hexdigest()
    first = register_notice(small.study, text, "v2", "pt-BR", "Informação")
    assert (first.path, first.sha256, first.is_new) == (small.root / "notices" / text.name, sha256, True)
    assert first.path.read_bytes() == TEXT
    table = small.study.notices_path.read_bytes()
    assert register_notice(small.study, text, "v2", "pt-BR", "Informação").is_new is False
    assert small.study.notices_path.read_bytes() == table
    assert read_notices(small.study)[-1] == {
        "form_version": "v2",
        "language": "pt-BR",
        "title": "Informação",
        "file": f"notices/{text.name}",
        "sha256": sha256,
    }
    small.enrol("P1")
    small.consent("P1", version="v2")
    small.load()
    assert small.vault("select form_version, sha256 from vault.raw.notices order by 1")[-1] == ("v2", sha256)


def test_a_text_that_lies_in_the_study_stays_where_it_is(small: SmallStudy) -> None:
    (small.root / "texts").mkdir()
    file = small.root / "texts" / "v2.txt"
    file.write_bytes(TEXT)
    assert register_notice(small.study, file, "v2", "en").path == file
    assert read_notices(small.study)[-1]["file"] == "texts/v2.txt"
    assert not (small.root / "notices").exists()


def test_what_cannot_be_registered_changes_nothing(small: SmallStudy, text: Path) -> None:
    table = small.study.notices_path.read_bytes()
    files = sorted(small.root.rglob("*"))
    wrong = {
        "another text under the version v1": (text, "v1", "en"),
        "does not exist": (text.with_name("none.pdf"), "v2", "en"),
        "The version for": (text, " ", "en"),
        "not a language tag": (text, "v2", "in English"),
    }
    for message, arguments in wrong.items():
        with pytest.raises(BadNotice, match=message):
            register_notice(small.study, *arguments)
    assert small.study.notices_path.read_bytes() == table
    assert sorted(small.root.rglob("*")) == files
    register_notice(small.study, text, "v2", "en")
    text.write_bytes(b"Something else.")
    with pytest.raises(BadNotice, match="exists already and has another text"):
        register_notice(small.study, text, "v3", "en")
    assert (small.root / "notices" / text.name).read_bytes() == TEXT


def test_the_command_says_what_it_did(small: SmallStudy, text: Path) -> None:
    arguments = ("consent", "notice", text, "--version", "v2", "--language", "en", "--study", small.root)
    done = consonance(*arguments)
    assert done.returncode == 0, done.stderr
    assert "Registered: notice v2" in done.stdout
    assert "Already registered: notice v2" in consonance(*arguments).stdout
    changed = consonance(*arguments[:2], small.study.settings_path, *arguments[3:])
    assert changed.returncode == 1
    assert "another text under the version v2" in changed.stderr
    assert "Traceback" not in changed.stderr
