"""How much memory DuckDB may use: of the machine, of the container, or as it is set."""

from __future__ import annotations

from pathlib import Path

import pytest

from consonance.study.memory import MEMORY_VARIABLE, BadMemoryLimit, group_limits, limit_of, memory_limit
from consonance.study.vault import session_settings

GIB = 1 << 30


@pytest.mark.parametrize(
    ("there", "limit"), [(64 * GIB, "32768MiB"), (8 * GIB, "4096MiB"), (GIB * 3 // 2, "1024MiB"), (GIB, "819MiB")]
)
def test_half_of_the_memory_but_not_too_little_and_not_all(there: int, limit: str) -> None:
    assert limit_of(there) == limit_of(there, "") == limit


def test_a_setting_counts_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert limit_of(GIB, " 12.5 GB ") == "12.5 GB"
    monkeypatch.setenv(MEMORY_VARIABLE, "3GiB")
    assert session_settings()["memory_limit"] == memory_limit() == "3GiB"
    for wrong in ("much", "8", "-1GiB", "0GiB", "80%", "8GiB; drop"):
        with pytest.raises(BadMemoryLimit, match="such as 8GiB"):
            limit_of(GIB, wrong)


def groups(tmp_path: Path, own: str, files: dict[str, str]) -> list[int]:
    tmp_path.mkdir()
    (tmp_path / "own").write_text(own, encoding="utf-8")
    for name, content in files.items():
        file = tmp_path / "cgroup" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
    return group_limits(tmp_path / "cgroup", tmp_path / "own")


def test_limits_of_containers_count(tmp_path: Path) -> None:
    two = {
        "memory.max": "8000\n",
        "user/memory.max": "max\n",
        "user/one/memory.max": "2000\n",
        "other/memory.max": "1\n",
    }
    assert sorted(groups(tmp_path / "2", "0::/user/one\n", two)) == [2000, 8000]
    one = {"memory/docker/memory.limit_in_bytes": "3000\n", "memory/memory.limit_in_bytes": "9223372036854771712\n"}
    assert min(groups(tmp_path / "1", "9:cpu:/docker\n4:memory:/docker\n0::/\n", one)) == 3000
    # Inside of a container, which sees its own group as the root, but the path of the machine.
    assert groups(tmp_path / "in", "0::/docker/abc\n", {"memory.max": "4000\n"}) == [4000]
    assert group_limits(tmp_path / "none", tmp_path / "none") == []
