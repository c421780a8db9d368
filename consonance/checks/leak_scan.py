"""The leak scan: what a study and its tools write beside the tables holds no secret and no name.

It reads every file of the study folder, dbt's ``target/`` and ``logs/``, and the project's own texts, by content. Files
that are known by their path (``consonance.checks.leaks.places``) may hold what is said there. It also reads what the
loaders write in words into the stores, the rights on files, and the settings under which dbt ran.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from consonance.checks.history import check_history
from consonance.checks.leaks.contents import Piece, Unsearchable, is_encrypted_database, pieces
from consonance.checks.leaks.known_files import left_behind, open_folders, open_to_others, out_of_form, unlisted
from consonance.checks.leaks.leak import Leak
from consonance.checks.leaks.pages import OF_DBT, PageTexts, page_texts
from consonance.checks.leaks.places import (
    Found,
    files_beside,
    files_of_dbt,
    files_of_project,
    files_of_study,
    written_by,
)
from consonance.checks.leaks.sought import (
    SECRETS,
    declared_texts,
    sought_by,
)
from consonance.checks.leaks.stores import in_words, of_desk
from consonance.checks.leaks.tokens import Finder, Hit, line_of, named
from consonance.consent.rules import with_rules
from consonance.consent.status import NotLoaded
from consonance.study.dbt_command import log_folder, target_folder
from consonance.study.folder import Study
from consonance.study.vault import open_study

EMAIL = re.compile(with_rules("{{ email_pattern() }}"))
IP_ADDRESS = re.compile(with_rules("{{ ipv4_pattern() }}"))


@dataclass(frozen=True)
class LeakScanReport:
    """What was found in how many files; ``known``: the files that were not read, counted by the reason."""

    files: int
    leaks: tuple[Leak, ...]
    known: dict[str, int]

    @property
    def passed(self) -> bool:
        return not self.leaks

    @property
    def summary(self) -> str:
        """One sentence, about what was searched alone."""
        if self.passed:
            not_read = sum(self.known.values())
            return (
                f"No secret and no name in {self.files:,} files of the study, of dbt and of the project, searched by content; "
                f"{not_read:,} are known by their path."
            )
        return f"{len(self.leaks)} leaks, the first: {self.leaks[0].place} {self.leaks[0].what}."

    @property
    def remedy(self) -> str:
        """What to do, each thing once."""
        return " ".join(dict.fromkeys(leak.remedy for leak in self.leaks if leak.remedy))

    def details(self) -> dict[str, Any]:
        """The report as JSON."""
        return {"files": self.files, "known_by_path": self.known, "leaks": [asdict(leak) for leak in self.leaks]}


def scan_for_leaks(study: Study, workspace: Path | None = None, beside: Sequence[Path] = ()) -> LeakScanReport:
    """Search the files of ``study`` and of dbt for the key, secrets, user names, codes and pseudonyms.

    Args:
        study: Whose vault says what must not be found.
        workspace: Where dbt wrote its files and logs; the project's folder if not given.
        beside: Folders that are to be published.

    Raises:
        StoreError, VaultKeyError: the vault cannot be opened.
        NotLoaded: an older version made the vault.
        BadSettings: ``study.yml`` cannot be used.
    """
    with open_study(study, read_only=True) as connection:
        try:
            finder = Finder(sought_by(study, connection))
            of_study = list(files_of_study(study))
            leaks = [*in_words(connection, finder), *left_behind(connection, of_study)]
            written = study.settings_path.read_text(encoding="utf-8", errors="replace")
            noted = [" ".join([check.at, check.built or ""]) for check in check_history(study)]
            on_pages = page_texts(connection, study.root, [*declared_texts(study), written, *noted])
        except duckdb.CatalogException:
            raise NotLoaded(
                f"{study.vault_path} was made by an older version and lacks tables.", "Run 'consonance load'."
            ) from None
    addresses = {address for text in declared_texts(study) for _, address, _ in _addresses(text)}
    leaks += [*_exposed(study), *_unsafe_settings(target_folder(workspace) / "manifest.json")]
    logs = log_folder(workspace)
    dbt_folders = [target_folder(workspace), logs]
    leaks += open_folders(study, dbt_folders)
    leaks += unlisted(of_study, partial(_without_names, finder))
    files = [*of_study, *files_of_dbt(dbt_folders), *files_of_project(), *files_beside(beside)]
    known: Counter[str] = Counter()
    searched = 0
    is_as_warehouse, desk_leaks = of_desk(study)
    leaks += desk_leaks
    for found in dict.fromkeys(files):
        try:
            leaks += open_to_others(study, found)
            leaks += out_of_form(found)
            if found.path == study.desk_path and is_as_warehouse:
                known["the same tables as the warehouse, which the rules search"] += 1
                continue
            if not found.is_searched or (found.is_listed and is_encrypted_database(found.path)):
                known[found.place.what if not found.is_searched else "encrypted"] += 1
                continue
            # The texts of the project and of dbt have addresses of their own, and so have those of the operator.
            may_have_addresses = found.place.is_input or (found.is_of_project and logs not in found.path.parents)
            leaks += _in_file(found, finder, None if may_have_addresses else addresses, on_pages)
        except FileNotFoundError:  # another command deleted it
            continue
        searched += 1
    return LeakScanReport(searched, tuple(dict.fromkeys(leaks)), dict(sorted(known.items())))


def _in_file(found: Found, finder: Finder, addresses: set[str] | None, on_pages: PageTexts) -> Iterator[Leak]:
    """What is found in one file, each thing once; ``addresses``: those that it may hold, ``None`` for all."""
    leaks: dict[str, Leak] = {}
    name = _without_names(finder, found.within)
    for hit in _leaking(finder.find(found.within), found):
        what = f"has {named(hit.sought.kinds)} in its path"
        leaks.setdefault(what, Leak(name, what, _remedy(found, name)))
    try:
        for piece in pieces(found.path):
            of_page = on_pages.problems(found.path.name, piece.text) if found.is_page and piece.is_text else ()
            for what, at in (*_in_piece(piece, found, finder, addresses), *of_page):
                place = f"{name}:{piece.first_line + line_of(piece.text, at) - 1}"
                if piece.inside and not finder.find(piece.inside):
                    place += f" ({piece.inside})"
                leaks.setdefault(what, Leak(place, what, _remedy(found, name)))
    except Unsearchable as error:
        leaks[""] = Leak(
            name, f"cannot be searched: {error}", "Unpack it, delete it, or keep it outside the study folder."
        )
    except FileNotFoundError:
        raise
    except OSError as error:
        leaks[""] = Leak(name, f"cannot be searched: it cannot be read ({error.strerror})", "Look at the file.")
    yield from leaks.values()


def _without_names(finder: Finder, path: str) -> str:
    """A path without names of participants."""
    for hit in finder.find(path):
        path = re.sub(re.escape(hit.sought.text), "…", path, flags=re.IGNORECASE)
    return path


def _in_piece(piece: Piece, found: Found, finder: Finder, addresses: set[str] | None) -> Iterator[tuple[str, int]]:
    """What is found, and at which character."""
    hits = finder.find(piece.text, is_text=piece.is_text)
    for hit in _leaking(hits, found):
        yield f"contains {named(hit.sought.kinds)}", hit.at
    if not any(hit.sought.kinds & SECRETS for hit in hits) and (key := finder.key_in_groups(piece.text)):
        yield f"contains {named(key.kinds)}, in groups or in part", max(0, piece.text.lower().find(key.text[:4]))
    if addresses is not None and piece.is_text:
        for what, address, at in _addresses(piece.text):
            if address not in addresses:
                yield f"contains {what}", at
    # Words of the project that are somebody's code, too, stand beside numbers of all kinds.
    names = any(not found.names_nobody(hit.sought.text) for hit in hits)
    if piece.is_text and names and finder.shifts_beside(piece.text):
        yield "contains the shifts of participants beside their names", 0


def _addresses(text: str) -> Iterator[tuple[str, str, int]]:
    """What each address is, the address, and where. Of e-mails only the surroundings of each @ are looked at: a text may be
    one line without a space."""
    at = text.find("@")
    while at >= 0:
        begin = max(0, at - 64)
        if match := EMAIL.search(text[begin : at + 128]):
            yield "an e-mail address", match.group().strip("<>()[].,;:'\"").lower(), begin + match.start()
        at = text.find("@", at + 1)
    for match in IP_ADDRESS.finditer(text):
        yield "an IP address", match.group(), match.start()


def _leaking(hits: Iterable[Hit], found: Found) -> Iterator[Hit]:
    """The hits that are a leak in this file."""
    for hit in hits:
        if not (hit.sought.kinds & found.may_hold or found.names_nobody(hit.sought.text)):
            yield hit


def _remedy(found: Found, name: str) -> str:
    """What to do about a leak in a file; ``name``: its path, without names of participants."""
    if found.may_hold or found.place.is_input:
        writers = ", ".join((*found.place.written_by, *written_by(found.path.name)))
        who = f" If no person wrote it there, look at {writers}." if writers else ""
        return f"Remove it from {name}: here is {found.place.what}, and nothing else.{who}"
    if found.is_page and found.path.name != OF_DBT:
        makers = "consonance/report/" if found.path.name.startswith("report") else "consonance/site/"
        return f"Look at {makers}, which makes {name}: build.py or page.py, the templates, and what they read."
    if found.is_of_project:
        return (
            f"Look at {name}: the text of the project, or the macro or model that writes or logs it, must name "
            "nobody. Then delete target/ and logs/, and run dbt again."
        )
    writers = ", ".join(written_by(found.path.name))
    who = f"It is mentioned in {writers}: look there" if writers else "Find out which command wrote it"
    return f"Delete {name}. {who}; what belongs to whom is kept in the vault alone. Notes of your own belong in notes/."


def _exposed(study: Study) -> Iterator[Leak]:
    try:
        duckdb.connect(str(study.vault_path), read_only=True).close()
    except duckdb.Error:
        return
    yield Leak(str(study.vault_path), "is not encrypted", "Look at consonance/study/vault.py.")


def _unsafe_settings(manifest_path: Path) -> Iterator[Leak]:
    if not manifest_path.exists():
        return
    manifest = json.loads(manifest_path.read_text(encoding="utf-8"))
    if manifest["metadata"].get("send_anonymous_usage_stats") is not False:
        yield Leak(
            str(manifest_path), "was made with dbt's telemetry on", "Set send_anonymous_usage_stats in dbt_project.yml."
        )
    for node in manifest["nodes"].values():
        if node["resource_type"] == "test" and node["config"].get("store_failures"):
            yield Leak(
                str(manifest_path),
                f"the test {node['name']} keeps the rows that fail it",
                "Set store_failures to false in dbt_project.yml.",
            )
