"""The small part of SQL that the check of the wall reads: which functions, operators and joins.

Whatever is not listed here is a finding.
"""

from __future__ import annotations


def words(text: str) -> frozenset[str]:
    """The words of ``text``."""
    return frozenset(text.split())


# What a statement may call: functions that see nothing but their arguments. Whatever reads settings,
# variables, files, the clock, other relations by name, or packs a whole row is not among them.
SCALARS = words(
    """
    + - * / // % || >> << ~~ !~~ abs array_contains ceil chr concat_ws contains date_diff date_part date_trunc
    damerau_levenshtein dayofweek epoch_ms floor greatest hour least length list_concat list_distinct list_sort
    list_transform list_value ln lower make_timestamp_ms md5_number_lower month nfc_normalize nullif
    regexp_extract_all regexp_full_match regexp_matches regexp_replace replace round sqrt starts_with
    string_split_regex strip_accents substring timezone translate trim unnest upper year
    """
)
# The functions that take a lambda, as their last argument; its parameter is an element of the list, the first.
WITH_LAMBDA = words("list_transform")
AGGREGATES = words(
    """
    avg bool_and bool_or corr count count_star max max_by median min min_by regr_slope regr_sxx regr_sxy regr_syy
    stddev_samp sum
    """
)
OPERATORS = words(
    """
    OPERATOR_COALESCE OPERATOR_IS_NULL OPERATOR_IS_NOT_NULL OPERATOR_NOT COMPARE_IN COMPARE_NOT_IN ARRAY_EXTRACT
    """
)
WINDOWS = words(
    """
    WINDOW_AGGREGATE WINDOW_ROW_NUMBER WINDOW_RANK WINDOW_RANK_DENSE WINDOW_LAG WINDOW_LEAD
    WINDOW_FIRST_VALUE WINDOW_LAST_VALUE
    """
)
JOINS = frozenset({"INNER", "LEFT", "RIGHT"})
