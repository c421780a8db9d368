"""What a file says that may mean something else than it should: doubts, remarks, and what an operator can do."""

from __future__ import annotations

import duckdb

from loaders.side_files import SideTable
from loaders.surveys.identifying import identifies_by_name
from loaders.surveys.moments import how_read
from loaders.surveys.survey_map import SurveyMap

# So many items of one report, all answered alike.
CONSTANT_FROM = 5

# What lands and says nothing, or may say something else than it should.
DOUBTS = """
    with landed as (select * from judged_answers where is_answer and reason is null),
    known as (select instrument, count(*) as items from item_ranges group by instrument),
    answers as (
        select landed.*, known.items, ranges.item is not null as is_known, ranges.answer_min, ranges.answer_max
        from landed
        left join known using (instrument)
        left join item_ranges as ranges using (instrument, item)
    ),
    reports as (
        select count(distinct item) as lines, any_value(items) as items
        from answers
        group by participant_code, reported_at, instrument
    )
    select what, lines
    from (
        select 'unknown_instrument' as what, count(*) filter (where items is null) as lines from answers
        union all
        select 'unknown_item', count(*) filter (where items is not null and not is_known) from answers
        union all
        select 'outside_range', count(*) filter (where answer not between answer_min and answer_max) from answers
        union all
        select 'one_item_reports', count(*) filter (where lines = 1 and items > 1) from reports
    )
    where lines > 0
"""

# How moments and reports were read, and what is odd but may well be true.
REMARKS = f"""
    with landed as (select * from judged_answers where is_answer and reason is null),
    constant as (
        select 1
        from landed
        where answer is not null
        group by participant_code, reported_at, instrument
        having count(distinct item) >= {CONSTANT_FROM} and min(answer) = max(answer)
    ),
    moments as (
        select survey_moments.*
        from survey_moments
        inner join judged_prompts using (map_no, line)
        where judged_prompts.reason is null
    )
    select what, lines
    from (
        select 'items_put_together' as what, count(*) filter (where reported_at <> answered_at) as lines from landed
        union all
        select 'constant_answers', count(*) from constant
        union all
        select 'times_given_twice', count(*) from moments where is_twice
        union all
        select 'times_that_did_not_exist', count(*) from moments where is_missing
    )
    where lines > 0
"""

PROMPTS = "select status, count(*) from landed_prompts group by status order by status"
# Answers of questionnaires that were not finished.
UNFINISHED = """
    select count(*)
    from survey_cells
    inner join judged_prompts using (map_no, line)
    where judged_prompts.status <> 'answered' and judged_prompts.reason is null
"""

# Lines that belong to another questionnaire of the file, or that the map leaves out.
PASSED_OVER = "select count(*) from side_rows where line not in (select line from judged_prompts)"

ADVICE = {
    "no_line_counts": "The map passes over every line of the file: correct its settings only, moments or items.",
    "no_time_with_offset": "Write answered_at like 2026-03-01T10:00:00+01:00: without the offset the moment is not known. Or say in a map whose time it is (moments: clock).",
    "no_time": "The map says how moments are written (moments: written_as, clock, date_format); these are written otherwise, or their participants have no time zone.",
    "not_a_number": "Answers are numbers: export the values, not the labels, or say in a map which number each label stands for (recode: labels). Free text is never landed.",
    "identifies": "These answers look like addresses, telephone numbers or postal codes. They are never landed: take their column out of the map.",
    "sent_twice": "These reports repeat the one before them within the span of the map. A report that was sent twice counts once.",
    "looks_recoded": (
        "Some answers of the instrument are beyond one end of its scale by one, and none is at the other end: it seems to be stored "
        "off by one, such as 0 to 4 for 1 to 5. If so, say in a map how much to add: 'recode: {{{instrument}: {{add: {add}}}}}'."
    ),
    "unknown_instrument": "Their instrument is none of seeds/instruments.csv, nor of the study's instruments/: they are landed, but not scored.",
    "unknown_item": "Their item is not one of the instrument's items: they are landed, but not scored. A map says which item a word of another language is ('consonance survey map').",
    "outside_range": "These answers are outside the range of their item, and their scale is not scored. Was the instrument recoded? A map can add a number to each answer (recode: add).",
    "one_item_reports": "These reports have only one item of an instrument that has several. If each item has its own time, the map says how far apart items of one report may be (span).",
    "items_put_together": "Items that followed each other within the span of the map are one report, which has the moment of its first item.",
    "constant_answers": f"These reports have {CONSTANT_FROM} items or more that are all answered alike.",
    "times_given_twice": "Clocks gave these local times twice, when they were set back. They were read as the earlier of the two moments.",
    "times_that_did_not_exist": "Clocks left out these local times, when they were set forward. They were read by the clock before the change.",
}

MADE_NUMBERS = (
    " {alike:,} of them differ from an enrolled code only in leading zeros or capital letters: spreadsheets turn 007 into 7. "
    "Save the column as text."
)

# Codes that are not enrolled, and how many of them a spreadsheet may have made of an enrolled code.
STRANGERS = """
    with strangers as (select distinct participant_code as code from judged_prompts where reason = 'not_enrolled'),
    known as (select lower(ltrim(participant_code, '0')) as code from survey_people)
    select
        count(*),
        count(*) filter (where lower(ltrim(regexp_replace(code, '[.,]0+$', ''), '0')) in (select code from known))
    from strangers
"""

# Of an instrument that looks recoded: what its answers lack.
RECODED = """
    select answers.instrument, min(answers.answer - ranges.answer_min) < 0 as is_too_low
    from judged_answers as answers
    inner join item_ranges as ranges using (instrument, item)
    where answers.reason = 'looks_recoded'
    group by answers.instrument
    order by answers.instrument
"""


def counted(connection: duckdb.DuckDBPyConnection, query: str) -> dict[str, int]:
    """What a query of (what, count) counts."""
    return dict(connection.execute(query).fetchall())


def lines_passed_over(connection: duckdb.DuckDBPyConnection) -> int:
    """How many lines of the file are none that the map is about."""
    return int(connection.execute(PASSED_OVER).fetchall()[0][0])


def how_it_was_read(connection: duckdb.DuckDBPyConnection, table: SideTable, used: list[SurveyMap]) -> list[str]:
    """How the file was read, where it might have been read otherwise."""
    said = list(dict.fromkeys(how_read(one) for one in used if one.moments.clock.kind != "offset"))
    read = {name for one in used for name in one.used_columns()}
    if unread := [name for name in table.header if name not in read and identifies_by_name(name)]:
        said.append(f"not read, as they may identify: {', '.join(unread)}")
    if passed_over := lines_passed_over(connection):
        said.append(f"lines passed over: {passed_over:,}")
    ((left,),) = connection.execute(UNFINISHED).fetchall()
    if left:
        said.append(f"answers of unfinished questionnaires left out: {left:,}")
    return said


def advise(connection: duckdb.DuckDBPyConnection, found: list[str]) -> list[str]:
    """What an operator can do about reasons, doubts and remarks; one sentence or more for each."""
    advice = [ADVICE[what] for what in found if what in ADVICE and what != "looks_recoded"]
    if "looks_recoded" in found:
        advice += [
            ADVICE["looks_recoded"].format(instrument=instrument, add=1 if is_too_low else -1)
            for instrument, is_too_low in connection.execute(RECODED).fetchall()
        ]
    if "not_enrolled" in found:
        ((codes, alike),) = connection.execute(STRANGERS).fetchall()
        advice.append(
            f"Codes that participants.csv does not have: {codes:,}."
            + (MADE_NUMBERS.format(alike=alike) if alike else "")
        )
    return advice
