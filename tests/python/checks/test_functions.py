"""What the functions of ``functions/`` give: every value of a closed result, and what lies beside it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import duckdb
import pytest
import yaml

from consonance.study.dbt_command import PROJECT

FOLDER = PROJECT / "functions"
FUNCTIONS: dict[str, dict[str, Any]] = {
    function["name"]: function
    for function in yaml.safe_load((FOLDER / "_functions.yml").read_text(encoding="utf-8"))["functions"]
}
AS_OF = int(datetime(2026, 6, 30, tzinfo=UTC).timestamp() * 1000)
BANDS = ("under 18", "18-24", "25-34", "35-44", "45-54", "55-64", "65-74", "75 and over")


def born(year: int | None, granted: bool | None = True) -> tuple[Any, ...]:
    return (year, AS_OF, granted)


# For each function with a closed result: arguments, and what it gives. The edges of every band are here.
CASES: dict[str, list[tuple[tuple[Any, ...], Any]]] = {
    "age_band": [
        *((born(2026 - age), band) for age, band in (
            (-5, "under 18"), (0, "under 18"), (17, "under 18"), (18, "18-24"), (24, "18-24"), (25, "25-34"), (34, "25-34"),
            (35, "35-44"), (44, "35-44"), (45, "45-54"), (54, "45-54"), (55, "55-64"), (64, "55-64"), (65, "65-74"),
            (74, "65-74"), (75, "75 and over"), (96, "75 and over"), (126, "75 and over"), (2026, "75 and over"),
        )),
        (born(None), None),
        (born(1990, False), None),
        (born(1990, None), None),
    ],
    "wider_age_band": [
        *(((band, 0), band) for band in BANDS),
        *(((band, 1), wider) for band, wider in zip(
            BANDS, ("under 18", "18-34", "18-34", "35-54", "35-54", "55-74", "55-74", "75 and over"), strict=True
        )),
        *(((band, 2), wider) for band, wider in zip(BANDS, ["under 35"] * 3 + ["35 and over"] * 5, strict=True)),
        *(((band, 3), None) for band in BANDS),
        *(((None, level), None) for level in range(4)),
        (("36", 0), None),
        (("36", 1), None),
    ],
    "gender_group": [
        *(((word, True), "female") for word in ("female", "F", "Woman", "w")),
        *(((word, True), "male") for word in ("male", "m", "Man")),
        *(((word, True), "undisclosed") for word in (None, "unknown", "prefer not to say", "NA", "n/a", "undisclosed")),
        *(((word, True), "other") for word in ("non-binary", "Jane Doe", "")),
        (("female", False), None),
        (("female", None), None),
    ],
    "known_word": [
        *(((word,), word) for word in (
            "exact", "offline_corrected", "unreliable_exit", "minute_resolution", "track", "episode", "audiobook", "unknown",
        )),
        *(((word,), None) for word in (None, "", "Track", "1990", "jane")),
    ],
    "row_fate": [
        *(((word,), word) for word in (
            "duplicate", "superseded_by_extended", "outside_consent_window", "purpose_not_granted", "kept", "erased",
        )),
        *(((word,), None) for word in (None, "", "Kept", "listener-1")),
    ],
    "flag": [((True,), True), ((False,), False), ((None,), None)],
    "is_abroad": [
        (("DE", "FR", True), True),
        (("DE", "DE", True), False),
        *(((country, home, True), None) for country, home in (("ZZ", "DE"), ("DE", "ZZ"), (None, "DE"), ("DE", None), ("de", "FR"))),
        (("DE", "FR", False), None),
        (("DE", "FR", None), None),
    ],
    "device_family": [
        *(((platform,), family) for platform, family in (
            ("android", "android"), ("Android OS 12 API 31 (samsung, SM-G991B)", "android"), ("ios", "ios"),
            ("iOS 16.1 (iPhone14,5)", "ios"), ("windows", "windows"), ("Windows 10 (10.0.19044; x64)", "windows"),
            ("linux", "linux"), ("Linux [x86-64 0]", "linux"), ("cast", "cast"), ("Partner google cast_tv", "cast"),
            ("osx", "mac"), ("OS X 12.5.1 [x86 8]", "mac"), ("WebPlayer (websocket RFC6455)", "other"),
            ("Partner sony_tv PlayStation", "console"), ("Partner samsung_tizen", "tv"), ("Partner sonos_ppc", "speaker"),
            ("Partner tesla_model", "car"), ("Garmin Venu", "wearable"), ("Jane's thing", "other"), ("", "other"), ("not_applicable", "other"),
        )),
        ((None,), None),
    ],
}  # fmt: skip


def given(name: str, arguments: tuple[Any, ...]) -> Any:
    """What the function gives, as DuckDB inlines it."""
    with duckdb.connect(config={"autoinstall_known_extensions": False}) as connection:
        names = [argument["name"] for argument in FUNCTIONS[name]["arguments"]]
        body = (FOLDER / f"{name}.sql").read_text(encoding="utf-8")
        connection.execute(f"create function {name}({', '.join(names)}) as ({body})")
        types = [argument["data_type"] for argument in FUNCTIONS[name]["arguments"]]
        parameters = ", ".join(f"cast(? as {type_})" for type_ in types)
        ((value,),) = connection.execute(f"select {name}({parameters})", arguments).fetchall()
        return value


def test_every_function_with_a_closed_result_is_tried_with_each_of_its_values() -> None:
    closed = {name: function["config"]["meta"]["values"] for name, function in FUNCTIONS.items() if "values" in function["config"]["meta"]}  # fmt: skip
    assert CASES.keys() == closed.keys()
    for name, values in closed.items():
        assert {value for _, value in CASES[name]} - {None} == set(values), name


@pytest.mark.parametrize("name", CASES)
def test_a_function_gives_what_it_should(name: str) -> None:
    assert [(arguments, given(name, arguments)) for arguments, _ in CASES[name]] == CASES[name]


@pytest.mark.parametrize(
    ("name", "arguments", "value"),
    [
        ("survey_answer", (999.0,), 999.0),
        ("survey_answer", (1990.0,), None),
        ("survey_answer", (-1000.0,), None),
        ("survey_name", ("PANAS",), "PANAS"),
        ("survey_name", ("jane@mail.example",), None),
        ("survey_name", ("call 030 123 456",), None),
        ("survey_name", ("x" * 101,), None),
        ("reason_token", ("trackdone",), "trackdone"),
        ("reason_token", ("Jane Doe",), "other"),
        ("reason_token", ("",), None),
        ("public_uri", ("spotify:track:" + "a" * 22,), "spotify:track:" + "a" * 22),
        ("public_uri", ("spotify:local:Jane:Home:Memo:180",), None),
        ("public_isrc", ("DEUM71703692",), "DEUM71703692"),
        ("public_isrc", ("Jane Doe",), None),
        ("public_text", ("Song", False), "Song"),
        ("public_text", ("Song", True), None),
        ("public_text", ("call +49 30 123456789", False), None),
        ("consented_country", ("DE", True), "DE"),
        ("consented_country", ("Germany", True), None),
        ("consented_country", ("DE", False), None),
        ("wider_country", ("DE", "Europe", 0), "DE"),
        ("wider_country", ("DE", "Europe", 1), "Europe"),
        ("wider_country", ("DE", "Europe", 2), None),
        ("wider_country", (None, "Europe", 1), None),
        ("shifted_local_time", (0, 3_600_000, 1), datetime(1970, 1, 8, 1)),
        ("elapsed_ms", (5_000, 2_000), 3_000),
    ],
)
def test_what_passes_and_what_does_not(name: str, arguments: tuple[Any, ...], value: Any) -> None:
    assert given(name, arguments) == value
