"""Finding names in a text as whole tokens: letters and digits go on neither before nor after them."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from consonance.checks.leaks.sought import CODE, SECRETS, USER_NAME, Sought
from consonance.study.tables import DELIMITERS, delimiter_of

# In bytes that are no text, shorter tokens occur by chance.
SHORTEST_IN_BYTES = 6
# A part of a random id is no token.
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
# What programs put between words and what looks as if it were letters of the next one: colours of a terminal, letters in
# JSON and in addresses. Ends of lines in JSON are ESCAPED.
ESCAPES = tuple(
    re.compile(pattern)
    for pattern in (r"\x1b\[[0-9;]*m", r"\\u001b\[[0-9;]*m", r"\\u00[0-7][0-9a-f]", r"%[2-7][0-9a-f]")
)
ESCAPED = ("\\n", "\\t", "\\r", "\\f", "\\b")
# What drawn lines are made of: "M12" in it is a movement of the pen.
DRAWING = re.compile(r"""\s(?:d|points|transform|viewbox|values)=(["'])[mlhvcsqtaz0-9e,.\s+-]*\1""")
# What says that a name follows. Of several ("participants: 40") a bare number is a count.
TOKEN = r"([^\s\"'\[\]{}()<>,;:|/\\]+)"
LABELS = ("participant", "donor", "subject", "respondent", "proband", "user", "codes", "inbox/")
ONE = re.compile(
    rf"(?:participant(?:[ _]code)?|donor|subject|respondent|proband|user[ _]?name)\\?[\"']?\s*[:=]\s*(?:\\?[\"'])?{TOKEN}"
)
SEVERAL = re.compile(
    rf"(?:participants|participant[ _]codes|codes|donors|user[ _]?names)\\?[\"']?\s*[:=]\s*[\[{{(]\s*(\\?[\"']?){TOKEN}"
)
NUMBERED = re.compile(r"participant[ _]#?(\d+)(?![^\W_])")
DONATION = re.compile(rf"inbox/{TOKEN}")
QUOTED = re.compile(r"[\"'](\d{5,8})\\?[\"']|/(\d{5,8})(?=/)")
# A table on a terminal, up to the next blank line.
PRINTED = re.compile(r"(?m)^\W*participant(?:[ _]code)? {2,}.*\n((?:.*\S.*(?:\n|\Z))+)")
COLUMNS = frozenset(
    (
        "participant",
        "participant_code",
        "participant code",
        "code",
        "donor",
        "subject",
        "respondent",
        "proband",
        "username",
        "user_name",
        "user name",
    )
)
# A key is found in groups of signs too. So many of its signs in a row occur nowhere by chance.
PART_OF_A_KEY = 16
SIGNS = b"0123456789abcdefghijklmnopqrstuvwxyz"
OTHER_SIGNS = bytes(byte for byte in range(256) if byte not in SIGNS)
# From a name to a shift beside it.
BESIDE = 300
SPACES = bytes(byte if chr(byte).isalnum() and byte < 128 else 32 for byte in range(256))


@dataclass(frozen=True)
class Hit:
    """A text that was found, and where: the number of the character that it begins with."""

    sought: Sought
    at: int


class Finder:
    """Finds what is sought in texts. It is made once, and used for every file."""

    def __init__(self, sought: Iterable[Sought]) -> None:
        self.sought = list(sought)
        self._by_text = {one.text: one for one in self.sought}
        self._by_word: dict[str, list[Sought]] = {}
        self._without_words = []
        for one in self.sought:
            if not one.is_distinctive:
                continue
            if one.word:
                self._by_word.setdefault(one.word, []).append(one)
            else:
                self._without_words.append(one)

    @cached_property
    def _parts_of_keys(self) -> list[tuple[bytes, Sought]]:
        """The vault's key, and what else is a secret of nobody, in parts without what may stand between its signs."""
        return [
            (part, one)
            for one in self.sought
            if one.kinds & SECRETS and not one.person
            for part in _parts(_squeezed(one.text))
        ]

    @cached_property
    def _named_where_said(self) -> dict[str, Sought]:
        """Names that are searched only where something says what they are."""
        return {one.text: one for one in self.sought if not one.is_distinctive}

    def find(self, text: str, *, is_text: bool = True) -> list[Hit]:
        """Everything that is found in ``text``, each once.

        Args:
            text: The text.
            is_text: False for bytes that are no text, as far as they can be read as one.
        """
        text = _read(text)
        found: dict[str, Hit] = {}
        for hit in self._tokens(text, is_text):
            found.setdefault(hit.sought.text, hit)
        if is_text and self._named_where_said:
            for hit in self._where_said(text):
                found.setdefault(hit.sought.text, hit)
        return sorted(found.values(), key=lambda hit: hit.at)

    def _tokens(self, text: str, is_text: bool) -> Iterator[Hit]:
        # The words of a text are cheap to have; only for those of a name the text is searched.
        suspect = _words(text) & self._by_word.keys()
        candidates = [one for word in suspect for one in self._by_word[word]] + self._without_words
        drawn = [match.span() for match in DRAWING.finditer(text)] if suspect and "<svg" in text else []
        for one in candidates if is_text else (one for one in candidates if len(one.text) >= SHORTEST_IN_BYTES):
            for start in _places(text, one.text):
                if not any(begin <= start < stop for begin, stop in drawn) and not _is_of_a_random_id(text, start, one):
                    yield Hit(one, start)
                    break

    def _where_said(self, text: str) -> Iterator[Hit]:
        names = self._named_where_said
        for at in _labels(text):
            for pattern in (ONE, NUMBERED, DONATION):
                if (match := pattern.match(text, at)) and (one := names.get(match.group(1).rstrip("."))):
                    yield Hit(one, match.start(1))
            if (
                (match := SEVERAL.match(text, at))
                and (one := names.get(match.group(2)))
                and (match.group(1) or not one.text.isdecimal())
            ):
                yield Hit(one, match.start(2))
        if any(one.is_number for one in names.values()):
            for match in QUOTED.finditer(text):
                one = names.get(match.group(1) or match.group(2))
                if one and one.is_number:
                    yield Hit(one, match.start())
        for match in PRINTED.finditer(text):
            for line in match.group(1).splitlines():
                if one := names.get(line.split()[0]):
                    yield Hit(one, match.start())
        cells = _cells_of_names(text)
        if 2 * len(cells & names.keys()) >= len(cells):
            yield from (Hit(names[cell], 0) for cell in cells & names.keys())

    def key_in_groups(self, text: str) -> Sought | None:
        """The key of which a quarter or more is in ``text``, whatever stands between its signs: spaces, dashes, ends of lines."""
        squeezed = _squeezed(text) if self._parts_of_keys else b""
        return next((one for part, one in self._parts_of_keys if part in squeezed), None)

    def shifts_beside(self, text: str) -> bool:
        """Whether the shifts of participants are beside their names: for half of those that the text names, or more."""
        text = _read(text)
        if "shift" not in text and "week" not in text:
            return False
        named: dict[int, bool] = {}
        for hit in self._everywhere(text):
            numbers = {int(number) for number in re.findall(r"(?<![\w.+-])-?\d{1,3}(?![\w.])", _record(text, hit.at))}
            person = hit.sought.person
            named[person] = named.get(person, False) or bool(numbers & hit.sought.shifts)
        return 2 * sum(named.values()) >= len(named) > 0

    def _everywhere(self, text: str) -> Iterator[Hit]:
        """Each place of each name of a participant with a shift."""
        for hit in self.find(text):
            if hit.sought.shifts:
                yield from (Hit(hit.sought, start) for start in _places(text, hit.sought.text))


def line_of(text: str, at: int) -> int:
    """The number of the line that the character ``at`` is in, from 1 on."""
    return text.count("\n", 0, at) + 1


def named(kinds: Collection[str]) -> str:
    """What was found, in words; a name that is two things is called after the first of these."""
    return next((kind for kind in (*sorted(SECRETS), CODE, USER_NAME) if kind in kinds), min(kinds))


def _read(text: str) -> str:
    """The text in lower case, with spaces for what only looks like letters; each character is where it was."""
    # The one letter that becomes two in lower case.
    read = text.replace("İ", "I").lower()
    for escaped in ESCAPED:
        read = read.replace(escaped, "  ")
    for pattern, mark in zip(ESCAPES, ("\x1b", "\\u001b", "\\u00", "%"), strict=True):
        if mark in read:
            read = pattern.sub(lambda match: " " * len(match.group()), read)
    return read


def _squeezed(text: str) -> bytes:
    """The letters and digits of a text, without anything between them."""
    return text.lower().encode("ascii", "ignore").translate(None, OTHER_SIGNS)


def _parts(key: bytes) -> Iterator[bytes]:
    """The parts of a key, of which one is in every piece of it that is twice as long."""
    for begin in range(0, len(key) - PART_OF_A_KEY + 1, PART_OF_A_KEY):
        part = key[begin : begin + PART_OF_A_KEY]
        # Who chose a key by hand may have repeated a sign.
        if len(set(part)) > PART_OF_A_KEY // 3:
            yield part


def _words(text: str) -> set[str]:
    """The words of ASCII letters and digits in a text in lower case."""
    words = set(text.encode("utf-8", "replace").translate(SPACES).split())
    return {word.decode("ascii") for word in words}


def _places(text: str, name: str) -> Iterator[int]:
    """Where ``name`` is in ``text`` as a whole token."""
    at = text.find(name)
    while at >= 0:
        if not _goes_on(text, at - 1, name[0]) and not _goes_on(text, at + len(name), name[-1]):
            yield at
        at = text.find(name, at + 1)


def _labels(text: str) -> Iterator[int]:
    """Where a word begins that may say that a name follows."""
    for label in LABELS:
        at = text.find(label)
        while at >= 0:
            if not _goes_on(text, at - 1, label[0]):
                yield at
            at = text.find(label, at + 1)


def _goes_on(text: str, at: int, beside: str) -> bool:
    """Whether the character ``at`` goes on with the token of which ``beside`` is the end."""
    return 0 <= at < len(text) and text[at].isalnum() and beside.isalnum()


def _is_of_a_random_id(text: str, start: int, one: Sought) -> bool:
    end, around = start + len(one.text), max(0, start - 36)
    return len(one.text) < 36 and any(
        around + match.start() <= start and end <= around + match.end()
        for match in UUID.finditer(text[around : end + 36])
    )


def _cells_of_names(text: str) -> set[str]:
    """The cells of a table in columns that, by their heading, have names."""
    heading = text.split("\n", 1)[0]
    if len(heading) > 10_000 or not any(delimiter in heading for delimiter in DELIMITERS):
        return set()
    delimiter = delimiter_of(heading)
    cells: set[str] = set()
    places: list[int] = []
    try:
        for row in csv.reader(text.splitlines(), delimiter=delimiter):
            if not places:
                places = [place for place, cell in enumerate(row) if cell.strip().strip('"') in COLUMNS]
                if not places:
                    return set()
            cells.update(row[place].strip().strip('"') for place in places if place < len(row))
    except csv.Error:
        return cells
    return cells - COLUMNS


def _record(text: str, at: int) -> str:
    """What stands beside a name: the rest of its line, or of its record."""
    begin = text.rfind("\n", max(0, at - BESIDE), at) + 1 or max(0, at - BESIDE)
    ends = [end for mark in ("\n", "}") if (end := text.find(mark, at, at + BESIDE)) >= 0]
    return text[begin : min(ends, default=at + BESIDE)]
