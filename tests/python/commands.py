"""The command line as a user calls it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

CONSONANCE = Path(sys.executable).with_name("consonance")


def consonance(
    *arguments: str | Path, cwd: Path | None = None, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CONSONANCE")}
    return subprocess.run(
        [CONSONANCE, *map(str, arguments)],
        cwd=cwd,
        env=clean | (environment or {}),
        capture_output=True,
        text=True,
        check=False,
    )
