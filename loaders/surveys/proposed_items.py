"""The part of a proposed map about answers: which items, how they are recoded, and which lines count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import yaml

from loaders.side_files import ROWS
from loaders.surveys.guessing import Guess, form_of, long_columns
from loaders.surveys.profile import Column, values_where, words_of
from loaders.surveys.recognising import SUFFIX, TEXTS_OF_CHOICES, Item, known_items, plain, recognise
from loaders.surveys.survey_map import FormatName

LABELS = Path(__file__).with_name("known_labels.yml")
# What Qualtrics' Status says of a response that somebody gave, and not of a preview, a test or spam.
RESPONSES = ("ip address", "imported", "offline response", "offline", "0", "4", "16")
FINISHED = ("1", "true", "wahr", "vrai", "verdadero", "vero", "waar")
UNFINISHED = ("0", "false", "falsch", "faux", "falso", "onwaar")


def items_of_columns(
    connection: duckdb.DuckDBPyConnection,
    columns: Sequence[Column],
    all_columns: Sequence[Column],
    labels: Mapping[str, str],
    format_name: FormatName,
    own_name: str,
) -> tuple[Guess, list[Column], str | None]:
    """The items of a table with one questionnaire a line.

    Args:
        connection: With the table, ``item_ranges`` and ``instrument_item_texts``.
        columns: Those that may have answers.
        all_columns: Of the table.
        labels: What a column asked.
        format_name: What wrote the file.
        own_name: What to call an instrument that is not known.

    Returns:
        The settings, the columns with answers, and, of REDCap, the form that they belong to.
    """
    recognised = recognise(columns, labels, known_items(connection))
    guess = Guess(unsure=list(recognised.unsure))
    items = dict(recognised.items)
    form = None
    if format_name == "redcap":
        form, others = form_of(all_columns, list(items))
        guess.unsure += [f"{other} has a moment of its own. Write a second map for its items." for other in others]
    left = [column for column in columns if column not in items and _may_be_answers(column)]
    if items:
        guess.settings["items"] = {column.name: item.name for column, item in items.items()}
        if left:
            guess.unsure.append(f"These columns are no item of a known instrument: {_listed(left)}.")
    elif left:
        # Of a choice that m-Path writes twice, one column.
        own = {"_".join(plain(SUFFIX.sub("", column.name)).split()): column for column in reversed(left)}
        guess.settings["items"] = {column.name: f"{own_name}.{name}" for name, column in reversed(own.items())}
        guess.unsure.append(
            f"No item of a known instrument was found. Define {own_name} in the study's instruments/, or correct the items."
        )
    ranges: dict[str, list[tuple[Item, float | None, float | None]]] = {}
    for column, item in items.items():
        ranges.setdefault(item.instrument, []).append((item, column.least, column.greatest))
    of_instruments: dict[str, list[Column]] = {}
    for column, item in items.items():
        of_instruments.setdefault(item.instrument, []).append(column)
    _recode(connection, ranges, of_instruments, guess)
    return guess, list(items) or left, form


def items_of_lines(connection: duckdb.DuckDBPyConnection, columns: Sequence[Column]) -> Guess:
    """The items of a table with one answer a line: those that the instruments call otherwise."""
    named = long_columns([column.name for column in columns])
    by_name = {column.name: column for column in columns}
    guess = Guess({"columns": named})
    places = {what: f"c{by_name[name].place}" for what, name in named.items()}
    instrument = f"lower(trim({places['instrument']}))" if "instrument" in places else "cast(null as varchar)"
    found = connection.execute(
        f"""
        select instrument, item, min(answer), max(answer)
        from (
            select
                {instrument} as instrument,
                lower(trim({places["item"]})) as item,
                try_cast(replace(trim({places["answer"]}), ',', '.') as double) as answer
            from {ROWS}
        )
        where item <> ''
        group by all
        order by all
        """
    ).fetchall()
    known = known_items(connection)
    names = {(item.instrument, item.item): item for item in known}
    ranges: dict[str, list[tuple[Item, float | None, float | None]]] = {}
    items, unknown = {}, 0
    for in_file, word, least, greatest in found:
        item = names.get((in_file, word)) or next(
            (one for one in known if plain(word) in one.texts and in_file in (None, one.instrument)), None
        )
        if item is None:
            unknown += 1
            continue
        if (in_file, word) != (item.instrument, item.item):
            items[f"{in_file}.{word}" if in_file else word] = item.name
        ranges.setdefault(item.instrument, []).append((item, least, greatest))
    if items:
        guess.settings["items"] = items
    if unknown:
        guess.unsure.append(
            f"{unknown} words in {named['item']} are no item of their instrument. Write items for them."
        )
    _recode(connection, ranges, {instrument: [by_name[named["answer"]]] for instrument in ranges}, guess)
    return guess


def lines_that_count(
    connection: duckdb.DuckDBPyConnection, columns: Sequence[Column], answers: Sequence[Column], format_name: FormatName
) -> Guess:
    """Which lines of the file are questionnaires with these answers, and which of them were finished."""
    by_name = {column.name: column for column in columns}
    guess = Guess()
    if format_name == "m-path" and answers:
        lists = by_name["questionListName"]
        if names := values_where(connection, lists, answers):
            guess.settings["only"] = {lists.name: names}
    if format_name == "qualtrics" and answers:
        said = {
            name: values_where(connection, by_name[name], answers) for name in ("Status", "Finished") if name in by_name
        }
        settings: dict[str, dict[str, Any]] = {
            "Status": {"only": {"Status": list(RESPONSES)}},
            "Finished": {"finished": {"column": "Finished", "is": list(FINISHED)}},
        }
        for name, words in said.items():
            known = RESPONSES if name == "Status" else (*FINISHED, *UNFINISHED)
            if words and all(word.lower() not in known for word in words):
                guess.unsure.append(
                    f"{name}: its words are in a language that is not known. Write which of them count ({' and '.join(settings[name])})."
                )
            else:
                guess.settings |= settings[name]
    return guess


def _recode(
    connection: duckdb.DuckDBPyConnection,
    ranges: Mapping[str, Sequence[tuple[Item, float | None, float | None]]],
    columns: Mapping[str, Sequence[Column]],
    guess: Guess,
) -> None:
    """Say of each instrument how its answers become those that it defines."""
    recode: dict[str, dict[str, Any]] = {}
    for instrument, found in ranges.items():
        least = min((low - item.least for item, low, _ in found if low is not None), default=None)
        greatest = max((high - item.greatest for item, _, high in found if high is not None), default=None)
        if least is not None and greatest is not None:
            if least == -1 and greatest <= -1 and all(item.least >= 1 for item, *_ in found):
                recode[instrument] = {"add": 1}
            elif greatest == 1 and least >= 1:
                recode[instrument] = {"add": -1}
            elif least < 0 or greatest > 0:
                guess.unsure.append(f"{instrument}: some answers are outside its range.")
        labels, others = _labels_of(connection, instrument, columns[instrument])
        if labels:
            recode.setdefault(instrument, {})["labels"] = labels
        if others:
            guess.unsure.append(
                f"{instrument}: {others} texts are neither numbers nor published words of its answers. "
                "Write which number each stands for (recode: labels), or export the values."
            )
        if "add" in recode.get(instrument, {}):
            guess.unsure.append(
                f"{instrument}: its answers seem to be stored off by one, and the map adds {recode[instrument]['add']} to each. Is that so?"
            )
    if recode:
        guess.settings["recode"] = recode


def _labels_of(
    connection: duckdb.DuckDBPyConnection, instrument: str, columns: Iterable[Column]
) -> tuple[dict[str, float], int]:
    """The published words among the answers, as the file writes them, with their numbers; and how many other texts."""
    known = {word: number for words in _known_labels().get(instrument, ()) for word, number in words.items()}
    labels: dict[str, float] = {}
    others = 0
    for column in columns:
        if column.is_numeric:
            continue
        words, unknown = words_of(connection, column, known)
        others += unknown
        labels |= {word: known[word.lower().lstrip("0123456789 .:=)-")] for word in words}
    return labels, others


def _may_be_answers(column: Column) -> bool:
    is_number = column.is_numeric and column.distinct > 1 and column.greatest is not None and column.greatest <= 100
    return is_number and not TEXTS_OF_CHOICES.search(column.name)


def _listed(columns: Sequence[Column], most: int = 8) -> str:
    names = [column.name for column in columns]
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


@cache
def _known_labels() -> Mapping[str, Sequence[Mapping[str, float]]]:
    found: Mapping[str, Sequence[Mapping[str, float]]] = yaml.safe_load(LABELS.read_text(encoding="utf-8"))
    return found
