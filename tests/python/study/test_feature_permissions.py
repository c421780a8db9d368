"""The study's own permissions to use values of features: what study.yml may say, and what a load notes of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import consonance
from conftest import SmallStudy

from consonance.study.feature_permissions import noted_permissions
from consonance.study.feature_sources import known_sources
from consonance.study.settings import BadSettings, Settings

ENTRY = "feature_permissions:\n  - {source: spotify_archive, scope: train, reference: letter of 2026-02-11"


def permit(study: SmallStudy, text: str) -> None:
    with study.study.settings_path.open("a", encoding="utf-8") as file:
        file.write(f"\n{text}\n")


@pytest.mark.parametrize(
    ("text", "what", "remedy"),
    [
        ("feature_permissions: spotify_archive", "feature_permissions in {} is not a list", "'- {{source:"),
        ("feature_permissions:\n  - spotify_archive", "feature_permissions (entry 1) in {} is not a list", "'- {{source:"),
        (f"{ENTRY}}}\n  - {{scope: train, reference: x}}", "source of feature_permissions (entry 2) in {} is no known source", "spotify_archive"),
        (f"{ENTRY}}}\n  - {{source: spotifi, scope: train, reference: x}}", "source of feature_permissions (entry 2) in {} is no known source", "spotify_archive"),
        ("feature_permissions:\n  - {source: synthetic, scope: everything, reference: x}", "scope of feature_permissions (entry 1) in {} is neither train nor redistribute", "one entry for each"),
        ("feature_permissions:\n  - {source: synthetic, scope: train}", "reference of feature_permissions (entry 1) in {} is no text on one line", "200 characters"),
        ("feature_permissions:\n  - {source: synthetic, scope: train, reference: ' '}", "reference of feature_permissions (entry 1) in {} is no text on one line", "200 characters"),
        (f"feature_permissions:\n  - {{source: synthetic, scope: train, reference: {'x' * 201}}}", "reference of feature_permissions (entry 1) in {} is no text on one line", "200 characters"),
        (f"{ENTRY}, expires: never}}", "expires of feature_permissions (entry 1) in {} is not a date", "2027-01-31"),
        (f"{ENTRY}, expires: 2027}}", "expires of feature_permissions (entry 1) in {} is not a date", "2027-01-31"),
        (f"{ENTRY}, expires: 2027-01-31T10:00:00}}", "expires of feature_permissions (entry 1) in {} is not a date", "2027-01-31"),
        (f"{ENTRY}, until: 2027-01-31}}", "feature_permissions (entry 1) in {} is not a list", "expires"),
    ],
)  # fmt: skip
def test_what_is_no_permission_is_refused_with_file_entry_and_remedy(
    small: SmallStudy, text: str, what: str, remedy: str
) -> None:
    permit(small, text)
    with pytest.raises(BadSettings) as error:
        Settings.read(small.study)
    assert what.format(small.study.settings_path) in error.value.what
    assert remedy.replace("{{", "{") in error.value.remedy
    assert "spotifi " not in str(error.value) and "everything" not in str(error.value)


def test_nothing_is_permitted_where_study_yml_says_nothing(small: SmallStudy) -> None:
    permit(small, "feature_permissions:")
    assert Settings.read(small.study).feature_permissions == ()
    assert small.load().feature_permissions == []


def test_the_template_shows_a_permission_that_can_be_read(small: SmallStudy) -> None:
    text = small.study.settings_path.read_text(encoding="utf-8")
    start = text.index("# feature_permissions:")
    shown = "\n".join(line.removeprefix("# ") for line in text[start:].splitlines()[:2])
    permit(small, shown)
    (permission,) = Settings.read(small.study).feature_permissions
    assert permission.source in known_sources()


@pytest.mark.parametrize(("expires", "is_expired"), [("2026-02-28", True), ("2026-03-01", False), ("", False)])
def test_a_permission_counts_to_the_end_of_its_last_day(small: SmallStudy, expires: str, is_expired: bool) -> None:
    """The study's as_of is 2026-03-01."""
    permit(small, f"{ENTRY}, expires: {expires}}}")
    (permission,) = small.load().feature_permissions
    assert permission.is_expired is is_expired
    assert permission.as_json()["expires"] == (expires or None)


def test_a_load_notes_what_study_yml_says_now(small: SmallStudy) -> None:
    before = small.study.settings_path.read_text(encoding="utf-8")
    permit(small, f"{ENTRY}}}\n  - {{source: spotify_archive, scope: redistribute, reference: letter}}")
    small.load()
    with small.opened() as connection:
        assert [(one.source, one.scope) for one in noted_permissions(connection)] == [
            ("spotify_archive", "redistribute"),
            ("spotify_archive", "train"),
        ]
    small.study.settings_path.write_text(before, encoding="utf-8")
    small.load()
    assert small.vault("from vault.raw.feature_permissions") == []


@pytest.mark.parametrize("reference", ["mail to jane@mail.example", "call of +49 (0)30 123 45 67", "198.51.100.7"])
def test_a_reference_that_looks_like_an_address_is_refused_and_not_repeated(small: SmallStudy, reference: str) -> None:
    permit(small, f'feature_permissions:\n  - {{source: synthetic, scope: train, reference: "{reference}"}}')
    with pytest.raises(BadSettings, match=r"entry 1.* looks like an address or a telephone number") as error:
        small.load()
    assert reference not in str(error.value)
    assert small.vault("from vault.raw.feature_permissions") == []


def test_an_expired_permission_is_reported(small: SmallStudy, tmp_path: Path) -> None:
    permit(small, f"{ENTRY}, expires: 2020-01-31}}")
    done = consonance("load", "--study", small.root)
    assert done.returncode == 0, done.stderr
    said = "The permission to train models with values of spotify_archive ended on 2020-01-31, before as_of: it does not count."
    assert said in " ".join(done.stdout.split())
