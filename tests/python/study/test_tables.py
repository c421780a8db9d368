"""The study's own tables: where the header is, and lines that are added below it."""

from __future__ import annotations

from pathlib import Path

import pytest

from consonance.study.tables import BadTable, TableReader, append_rows

NAMES = ("code", "event")


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["", "|"])
@pytest.mark.parametrize("top", [[], [""], ["  "], [",,;"], ["# of Anna, Ben, Cem"], ['"# one, two"', ";", '#,"x']])
def test_a_row_is_added_below_whatever_stands_above_the_header(
    tmp_path: Path, top: list[str], delimiter: str, ending: str, end: str
) -> None:
    path = tmp_path / "table.csv"
    lines = [*top, delimiter.join(("note", *NAMES)), delimiter.join(("", "P1", "granted"))]
    content = ending.join(lines) + end.replace("|", ending)
    path.write_bytes(content.encode())
    append_rows(path, [{"code": "P2", "event": "x,y;z\t"}])
    assert path.read_bytes().decode().startswith(ending.join(lines) + ending)
    assert [row for _, row in TableReader(path).rows(NAMES)] == [
        {"code": "P1", "event": "granted"},
        {"code": "P2", "event": "x,y;z"},
    ]


@pytest.mark.parametrize(
    "content", ["", "# nothing\n", "code\nP1\n", 'code,event\nP1,"granted\n', "code,event\nP1,\xff\n"]
)
def test_a_table_to_which_nothing_can_be_added_stays_as_it_was(tmp_path: Path, content: str) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(BadTable, match="No line can be added"):
        append_rows(path, [{"code": "P2", "event": "granted"}])
    assert path.read_bytes() == content.encode("latin-1")
