"""Which item of a known instrument a column is: by its name, by what it asked, and by its answers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import duckdb

from loaders.surveys.profile import Column

# A template is copied under another name: nobody's answers belong to it.
TEMPLATES = ("likert_template",)
# What m-Path adds to the name of a question. The texts of a choice have a column of their own.
SUFFIX = re.compile(r"_(slider\w*|multiplechoice_(index|likert)|yesno|open|basic)$", re.IGNORECASE)
TEXTS_OF_CHOICES = re.compile(r"_multiplechoice_string$|_open$|_basic$", re.IGNORECASE)
UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})
TAG = re.compile(r"<[^>]*>")
# How programs call the questions of a form, beside its name.
NUMBERS = frozenset(f"item {number}" for number in range(1, 100))
NUMBERED = re.compile(r"(?:item ?|sq ?|q ?)?0*(\d+)")


@dataclass(frozen=True)
class Item:
    """An item of a known instrument."""

    instrument: str
    item: str
    least: float
    greatest: float
    position: int
    texts: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        return f"{self.instrument}.{self.item}"


@dataclass
class Recognised:
    """The items that were found, by column; ``unsure``: what a person should look at."""

    items: dict[Column, Item] = field(default_factory=dict)
    unsure: list[str] = field(default_factory=list)


def known_items(connection: duckdb.DuckDBPyConnection) -> list[Item]:
    """The items of ``item_ranges`` with their texts in every language, plain."""
    rows = connection.execute(
        """
        select
            ranges.instrument, ranges.item, ranges.answer_min, ranges.answer_max, ranges.position,
            list(texts.text) filter (where texts.text is not null)
        from item_ranges as ranges
        left join instrument_item_texts as texts on ranges.instrument = texts.instrument and ranges.item = texts.item
        group by all
        order by ranges.instrument, ranges.position, ranges.item
        """
    ).fetchall()
    return [
        Item(instrument, item, least, greatest, position, _spellings([*(texts or ()), item]) - NUMBERS)
        for instrument, item, least, greatest, position, texts in rows
        if instrument not in TEMPLATES
    ]


def _spellings(texts: Iterable[str]) -> frozenset[str]:
    """Texts as they are compared; German ones also as people write them without umlauts."""
    return frozenset(plain(spelling) for text in texts for spelling in (text, text.casefold().translate(UMLAUTS)))


def plain(text: str) -> str:
    """A text without tags, accents, signs and capital letters."""
    text = unicodedata.normalize("NFKD", TAG.sub(" ", text).casefold().replace("ß", "ss"))
    text = "".join(letter for letter in text if not unicodedata.combining(letter))
    return " ".join(re.findall(r"\w+", text.replace("_", " ")))


def recognise(columns: Sequence[Column], labels: Mapping[str, str], items: Sequence[Item]) -> Recognised:
    """Find the items of known instruments among ``columns``.

    Args:
        columns: Those that may have answers.
        labels: What each column asked, where the file says it.
        items: See ``known_items``.
    """
    found: dict[str, dict[Column, Item]] = {}
    for column in columns:
        for item in items:
            if not TEXTS_OF_CHOICES.search(column.name) and _fits(column, item) and _means(column, labels, item):
                found.setdefault(item.instrument, {}).setdefault(column, item)
    sizes = {instrument: sum(item.instrument == instrument for item in items) for instrument in found}
    result = Recognised()
    left = set(columns)
    while found:
        # The instrument that explains most columns; of several, the one that is more complete, and is named.
        ranks = {
            instrument: (
                len(_once_each(of_instrument, left)),
                sum(_named(column, labels, instrument) for column in of_instrument if column in left),
                len(_once_each(of_instrument, left)) / sizes[instrument],
            )
            for instrument, of_instrument in found.items()
        }
        best = max(sorted(ranks), key=lambda instrument: ranks[instrument])
        chosen = _once_each(found.pop(best), left)
        if not chosen:
            continue
        rivals = sorted(
            other
            for other, columns_of in found.items()
            if set(columns_of) >= set(chosen) and ranks[other][1:] == ranks[best][1:]
        )
        if rivals:
            result.unsure.append(
                f"{', '.join(column.name for column in chosen)}: {best}, or {' or '.join(rivals)}? Their items have the same names."
            )
        if len(chosen) < sizes[best]:
            result.unsure.append(f"{best}: {len(chosen)} of its {sizes[best]} items were found.")
        result.items |= chosen
        left -= set(chosen)
    return result


def _once_each(columns: Mapping[Column, Item], left: set[Column]) -> dict[Column, Item]:
    """Each item once: of several columns for it, the one with more numbers, else the first."""
    best: dict[str, Column] = {}
    for column, item in columns.items():
        if column in left and (item.name not in best or column.numbers > best[item.name].numbers):
            best[item.name] = column
    return {column: columns[column] for column in sorted(best.values(), key=lambda column: column.place)}


def _fits(column: Column, item: Item) -> bool:
    """Whether its numbers may be answers to the item, also if they were recoded by one."""
    if column.least is None or column.greatest is None:
        return True
    return item.least - 1 <= column.least and column.greatest <= item.greatest + 1


def _means(column: Column, labels: Mapping[str, str], item: Item) -> bool:
    """Whether the name or the question of a column is that of the item."""
    name = SUFFIX.sub("", column.name)
    label = labels.get(column.name, "")
    # A matrix of questions asks "How do you feel? - interested", or "How do you feel? [interested]".
    parts = (name, label, re.split(r"\s[-–:|]\s", label)[-1], *re.findall(r"\[([^\]]*)\]", label))
    if {plain(part) for part in parts} & item.texts:
        return True
    words = plain(name)
    if numbered := NUMBERED.fullmatch(_without(item.instrument, words) or ""):
        # A question that is another one's contradicts its number.
        return int(numbered[1]) == item.position and not _is_text(label)
    if (_without(item.instrument, words) or "") in item.texts:
        return True
    if len(label.split()) > 1:
        return any(re.search(rf"\b{re.escape(text)}\b", plain(label)) for text in item.texts if len(text) > 3)
    return bool(re.search(rf"(?:^| ){re.escape(plain(item.item))}$", words))


def _is_text(label: str) -> bool:
    return bool(re.search(r"[^\W\d]{3}", label)) and not re.search(r"\d", label)


def _without(instrument: str, words: str) -> str | None:
    """What is left of a plain name without the name of the instrument; ``None`` if it does not begin with it."""
    letters = "".join(re.findall(r"\w", instrument.replace("_", "")))
    pattern = r"\s*".join(re.escape(letter) for letter in letters)
    found = re.match(rf"{pattern}\s*(.*)", words)
    return found[1] if found else None


def _named(column: Column, labels: Mapping[str, str], instrument: str) -> bool:
    """Whether a column says the instrument's name."""
    return any(
        plain(instrument).replace(" ", "") in plain(text).replace(" ", "")
        for text in (column.name, labels.get(column.name, ""))
    )
