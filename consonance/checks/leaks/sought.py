"""What the leak scan searches for: what the vault knows of participants, and its secrets.

How a name is searched for depends on how much it says by itself. ``P001`` says enough: it is searched everywhere, as a
whole token. ``7``, ``a`` and ``music`` say nothing by themselves: they are in every file. Such a name is searched where
something says that it is a participant (``participant: 7``, a column ``participant_code``, the path ``inbox/7``).
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.metadata import distribution
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import duckdb

from consonance.study.dbt_command import PROJECT
from consonance.study.folder import Study
from consonance.study.key import pending_key, read_key
from consonance.study.settings import Settings
from loaders.donation_tools.files import tool_ids

KEY = "the vault's key"
SECRET = "a secret of the vault"
CODE = "a participant code"
USER_NAME = "a user name"
PSEUDONYM = "a pseudonym"
DIGEST = "a digest or an encoding of a participant code or a user name"
SECRETS = frozenset({KEY, SECRET})
# Names that the project's own texts have as examples, in unit tests and rules. Where dbt and pages repeat these texts they
# mean nobody.
EXAMPLES = frozenset({"17", "a", "b", "c", "d", "21", "p01", "p0001", "p0099", "100234", "sunny", "abcd", "1112345678"})
# What in the project's own texts looks like a code, and is an example (`P001`) or something else (`M49`): in these texts it is
# nobody. A test sees that nothing else is there.
LIKE_CODES = re.compile(r"(?<![^\W_])[a-z]{1,4}[-_.]?[0-9]{1,6}(?![^\W_])", re.IGNORECASE)
NO_CODES = frozenset(Path(__file__).with_name("no_codes.txt").read_text(encoding="utf-8").split())
# Tests are about participants who do not exist, and name many: what is called so, or is words or a number, is one of these.
OF_TESTS = re.compile(
    r"[a-z]{1,3}[-_]?\d{1,5}|[^\W_]{1,3}(?:[-_.][^\W_]{1,3})+|listener-\d{3}-q7x|[^\W\d_]+(?:[-_. ][^\W\d_]+)*|\d{1,8}"
)
WORD = re.compile(r"[^\W_]+")
ASCII_WORD = re.compile(r"[0-9a-z]+")
LETTERS = re.compile(r"[^\W\d_]+")
# So many digits in a row are no count, no year and no day.
LONG_NUMBER = 9
# So many are no count if they stand in quotation marks, or are a folder.
NUMBER = 5
# Texts from which dbt's logs and pages are made, and that nobody changes with this project. To import them takes a third of
# the time that every command takes to start.
OF_DBT = tuple(
    Path(str(distribution(package).locate_file(file)))
    for package, file in (
        ("dbt-core", "dbt/task/docs/index.html"),
        ("dbt-core", "dbt/events/types.py"),
        ("dbt-adapters", "dbt/adapters/events/types.py"),
        ("dbt-common", "dbt_common/events/types.py"),
    )
)
# Of the theme of the docs site, MkDocs Material: its templates, and its words in English.
THEME = find_spec("material")
OF_THEME = tuple(
    path
    for place in (THEME.submodule_search_locations or () if THEME else ())
    for pattern in ("*.html", "partials/*.html", "partials/languages/en.html")
    for path in sorted(Path(place, "templates").glob(pattern))
)
# The texts of the project. Of those from which dbt makes its artifacts, the log and the docs site, nothing looks like a code.
DBT_TEXTS = (
    "models", "macros", "functions", "seeds", "analyses", "tests/sql", "dbt_project.yml", "profiles.yml", "selectors.yml",
)  # fmt: skip
OTHER_TEXTS = (
    "consonance", "loaders", "docs", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile",
    "pyproject.toml", "requirements.lock", "requirements-spark.lock", "setup.py", ".ci", ".gitignore", ".sqlfluff",
)  # fmt: skip
TESTS = ("tests", "benchmarks")
RULES = PROJECT / "consonance" / "checks" / "rules"
# The Base64 of shorter names is a word of a few letters.
SHORTEST_ENCODED = 4
DIGESTS = ("md5", "sha1", "sha256")


@dataclass(frozen=True)
class Sought:
    """One text that is searched for.

    Attributes:
        text: In lower case.
        kinds: What it is, in words; one text may be several things.
        is_distinctive: Whether it is searched as a whole token everywhere, or only where something says what it is.
        word: The word of ASCII letters and digits in it that says most: only a text with this word is searched for the name.
        person: The number of the participant, or 0.
        shifts: The participant's shifts in weeks, in the study and in releases.
    """

    text: str
    kinds: frozenset[str]
    is_distinctive: bool
    word: str = ""
    person: int = 0
    shifts: frozenset[int] = frozenset()

    @property
    def is_number(self) -> bool:
        """Whether it has digits alone, and enough of them to be found in quotation marks."""
        return self.text.isdecimal() and NUMBER <= len(self.text) < LONG_NUMBER


def sought_by(study: Study, connection: duckdb.DuckDBPyConnection) -> list[Sought]:
    """Everything to search for in the outputs of ``study``.

    Args:
        study: Whose vault it is.
        connection: With the vault attached.

    Raises:
        VaultKeyError: see ``read_key``.
    """
    keys = [read_key(study)]
    if other := pending_key(study):
        keys.append(other)
    kinds: dict[str, set[str]] = {}
    persons: dict[str, int] = {}
    shifts: dict[int, set[int]] = {}

    def add(kind: str, rows: Iterable[tuple[str, int | None]]) -> None:
        for text, person in rows:
            if text and text.strip():
                kinds.setdefault(text.strip(), set()).add(kind)
                persons[text.strip()] = person or persons.get(text.strip(), 0)

    def rows(statement: str) -> list[tuple[str, int | None]]:
        return [(str(text), person) for text, person in connection.execute(statement).fetchall() if text is not None]

    add(CODE, rows(CODES))
    add(CODE, [(name, None) for name in _donors(study)])
    add(USER_NAME, rows("select distinct unnest(usernames), participant_no from vault.raw.members"))
    add(PSEUDONYM, rows(PSEUDONYMS))
    add(SECRET, rows(SECRETS_OF_THE_VAULT))
    add(KEY, [(form, None) for key in keys for form in (key, *_encoded(key))])
    for person, shift in connection.execute(SHIFTS).fetchall():
        shifts.setdefault(person, set()).add(shift)
    words = words_of_the_project() | {word for text in declared_texts(study) for word in LETTERS.findall(text.lower())}
    found: dict[str, Sought] = {}
    for text, what in kinds.items():
        person = persons[text]
        for form in _spellings(text):
            distinctive = bool(what & (SECRETS | {PSEUDONYM})) or is_distinctive(form, words)
            word = _telling_word(form, words)
            one = Sought(form, frozenset(what), distinctive, word, person, frozenset(shifts.get(person, ())))
            found[form] = _both(one, found.get(form))
        if what & {CODE, USER_NAME}:
            for digest in _digests(text) - words:
                found.setdefault(digest, Sought(digest, frozenset({DIGEST}), True, digest, person))
    return list(found.values())


CODES = """
    select code, max(participant_no)
    from (
        select participant_code as code, participant_no from vault.raw.keyring
        union all select participant_code, null from vault.raw.participants
        union all select participant_code, null from vault.raw.survey_answers
        union all select participant_code, null from vault.raw.survey_prompts
        union all select participant_code, null from vault.raw.history_decisions
        -- Of who was erased the ledger has a name that the study made.
        union all select participant_code, null from vault.raw.consent_events
        where not regexp_full_match(participant_code, 'erased-[0-9a-f]+')
    )
    group by code
"""
PSEUDONYMS = """
    select pseudonym, participant_no from vault.raw.keyring
    union all select pseudonym, participant_no from vault.raw.release_keyring
"""
SECRETS_OF_THE_VAULT = """
    select play_secret, participant_no from vault.raw.keyring
    union all select secret, null from vault.raw.secrets
"""
SHIFTS = """
    select participant_no, shift_weeks from vault.raw.keyring
    union all select participant_no, shift_weeks from vault.raw.release_keyring
"""


def is_distinctive(text: str, words: Collection[str]) -> bool:
    """Whether ``text``, in lower case, says by itself that it is a name, and no word or number of other things.

    Args:
        text: A participant code or a user name.
        words: What other texts are made of.
    """
    if text.isdecimal():
        return len(text) >= LONG_NUMBER
    return len(text) > 1 and text not in words


@cache
def words_of_the_project() -> frozenset[str]:
    """Words that logs, artifacts and pages have in any study, in lower case.

    Of the project's own texts these are words of letters, and shorter ones: no code of a participant becomes a
    word because somebody writes it into a model.
    """
    words = set(LETTERS.findall(f"{PROJECT}".lower()))
    # The names of rules are on pages and certificates.
    words.update(word for rule in RULES.rglob("*.sql") for word in WORD.findall(rule.stem.lower()))
    for part in (*DBT_TEXTS, *OTHER_TEXTS):
        for path in (PROJECT / part, *(PROJECT / part).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                text = path.read_text(encoding="utf-8", errors="replace").lower()
                words.update(LETTERS.findall(text))
                words.update(word for word in WORD.findall(text) if len(word) <= 2)
    for path in (*OF_DBT, *OF_THEME):
        text = path.read_text(encoding="utf-8", errors="replace").lower()
        words.update(LETTERS.findall(text))
        # What a program is called in which every name was made short.
        words.update(word for word in WORD.findall(text) if len(word) <= 3)
    return frozenset(words)


def declared_texts(study: Study) -> list[str]:
    """What the operator says of the study, and pages repeat: its title, its instruments, its notices, its place.

    Raises:
        BadSettings: ``study.yml`` cannot be used.
    """
    settings = Settings.read(study).model_dump(exclude={"one_history"})
    files = [study.notices_path, study.recipients_path, *study.instruments.glob("*.csv"), *study.notice_texts.glob("*")]
    texts = [path.read_text(encoding="utf-8", errors="replace") for path in files if path.is_file()]
    return [str(settings), str(study.root.absolute()), *texts]


def _donors(study: Study) -> list[str]:
    """Who the inbox says has donated: folders, and the ids of donation tools, also of donors who are not enrolled."""
    folders = [path.name for path in study.inbox.iterdir() if path.is_dir()] if study.inbox.is_dir() else []
    return [*folders, *sorted(tool_ids(study))]


def _spellings(name: str) -> set[str]:
    """A name as JSON, a page and an address spell it, in lower case."""
    spelled = {name, json.dumps(name)[1:-1], html.escape(name), quote(name)}
    return {spelling.lower() for spelling in spelled}


def _telling_word(name: str, words: Collection[str]) -> str:
    """The longest word of a name, of those that other texts do not have if there are any."""
    return max(ASCII_WORD.findall(name), key=lambda word: (word not in words, len(word)), default="")


def _digests(name: str) -> set[str]:
    """Digests of a name and, of one that is long enough not to occur by chance, Base64 and hex, in lower case."""
    spelled = {name.encode(), name.lower().encode(), name.upper().encode()}
    found = {hashlib.new(kind, one, usedforsecurity=False).hexdigest() for kind in DIGESTS for one in spelled}
    if len(name) >= SHORTEST_ENCODED:
        found |= {base64.b64encode(one).decode().rstrip("=").lower() for one in spelled}
        found |= {code for one in spelled if not (code := one.hex()).isdecimal()}
    return found


def _encoded(key: str) -> list[str]:
    """The vault's key in Base64, and its bytes if it is in hex."""
    contents = [key.encode()]
    with suppress(ValueError):
        contents.append(bytes.fromhex(key))
    return [base64.b64encode(content).decode().rstrip("=") for content in contents]


def _both(one: Sought, other: Sought | None) -> Sought:
    """One text that is two things: it is searched as the one that is found in more places."""
    if other is None:
        return one
    return Sought(
        one.text,
        one.kinds | other.kinds,
        one.is_distinctive or other.is_distinctive,
        one.word,
        one.person or other.person,
        one.shifts | other.shifts,
    )
