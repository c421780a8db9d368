"""The leak scan: files beside the stores hold no secret and no name, and no tool sends usage statistics.

Databases are checked by the rules. This reads the files that commands write (dbt's ``target/`` and
``logs/``, the docs site, what is published), and the settings under which dbt ran.
"""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb

from consonance.consent.rules import with_rules
from consonance.study.dbt_command import log_folder, target_folder
from consonance.study.folder import Study
from consonance.study.key import read_key
from consonance.study.vault import open_study

TEXT_SUFFIXES = {".sql", ".json", ".html", ".log", ".txt", ".csv", ".md", ".yml"}
EMAIL = re.compile(with_rules("{{ email_pattern() }}").encode())


@dataclass(frozen=True)
class Leak:
    """A secret, a name or a dangerous setting in a place where none belongs; never the value itself."""

    place: str
    what: str


@dataclass(frozen=True)
class LeakScanReport:
    """What was found in how many files."""

    files: int
    leaks: tuple[Leak, ...]

    @property
    def passed(self) -> bool:
        return not self.leaks

    @property
    def summary(self) -> str:
        """One sentence."""
        if self.passed:
            return f"No secret and no name in {self.files:,} files, logs and pages."
        return f"{len(self.leaks)} leaks, the first: {self.leaks[0].place} {self.leaks[0].what}."

    def details(self) -> dict[str, Any]:
        """The report as JSON."""
        return {"files": self.files, "leaks": [asdict(leak) for leak in self.leaks]}


def scan_for_leaks(study: Study, workspace: Path | None = None, beside: Sequence[Path] = ()) -> LeakScanReport:
    """Search dbt's files and logs and the study's pages for the key, secrets, user names and codes.

    Args:
        study: Whose vault says what must not be found.
        workspace: Where dbt wrote its files and logs; the project's folder if not given.
        beside: Further folders to search.

    Raises:
        StoreError, VaultKeyError: the vault cannot be opened.
    """
    known = _known(study)
    found = list(_exposed(study)) + list(_unsafe_settings(target_folder(workspace) / "manifest.json"))
    files = 0
    for folder in (target_folder(workspace), log_folder(workspace), study.site, study.published, *beside):
        for path in sorted(folder.rglob("*")):
            if path.suffix not in TEXT_SUFFIXES or not path.is_file():
                continue
            files += 1
            content = path.read_bytes()
            for what, pattern in known.items():
                if pattern.search(content):
                    found.append(Leak(str(path), f"contains {what}"))
            if path.suffix == ".log" and EMAIL.search(content):
                found.append(Leak(str(path), "contains an e-mail address"))
    return LeakScanReport(files, tuple(found))


def _known(study: Study) -> dict[str, re.Pattern[bytes]]:
    with open_study(study, read_only=True) as connection:

        def values(statement: str) -> list[str]:
            return [value for (value,) in connection.execute(statement).fetchall()]

        def names(statement: str) -> list[str]:
            """Those that the rule of names looks for within a text: a rule over whole values finds shorter ones."""
            return values(
                with_rules(f"select name from ({statement}) as names (name) where {{{{ is_searched_within('name') }}}}")
            )

        known = {
            "the vault's key": [read_key(study)],
            "a secret of the keyring": values("select play_secret from vault.raw.keyring"),
            "a secret of the vault": values("select secret from vault.raw.secrets"),
            "a user name": names("select distinct unnest(usernames) from vault.raw.members"),
            "a participant code": names("select participant_code from vault.raw.keyring"),
        }
    return {
        what: re.compile(b"|".join(re.escape(name.encode()) for name in sorted(every)), re.IGNORECASE)
        for what, every in known.items()
        if every
    }


def _exposed(study: Study) -> Iterator[Leak]:
    if stat.S_IMODE(study.root.stat().st_mode) & 0o077:
        yield Leak(str(study.root), "can be entered by others: 'chmod 700' it")
    try:
        duckdb.connect(str(study.vault_path), read_only=True).close()
    except duckdb.Error:
        return
    yield Leak(str(study.vault_path), "is not encrypted")


def _unsafe_settings(manifest_path: Path) -> Iterator[Leak]:
    if not manifest_path.exists():
        return
    manifest = json.loads(manifest_path.read_text(encoding="utf-8"))
    if manifest["metadata"].get("send_anonymous_usage_stats") is not False:
        yield Leak(str(manifest_path), "was made with dbt's telemetry on")
    for node in manifest["nodes"].values():
        if node["resource_type"] == "test" and node["config"].get("store_failures"):
            yield Leak(str(manifest_path), f"the test {node['name']} keeps the rows that fail it")
