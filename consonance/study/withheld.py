"""Errors in words without content: the one place where the message of an error of DuckDB is read.

DuckDB quotes the value that it could not convert, and the key that is there twice. These are of participants. So neither
a terminal nor a log gets such a message, unless ``CONSONANCE_DEBUG`` asks for it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import duckdb

from consonance.study.dbt_command import PROJECT

DEBUG_VARIABLE = "CONSONANCE_DEBUG"
WITHHELD = f"The message is withheld: it may quote participants' data. Set {DEBUG_VARIABLE}=1 to see it."
T = TypeVar("T")
# DuckDB raises these for the text of a statement, for a file or a lock, before it reads a row.
OF_NO_ROW = (
    duckdb.BinderException, duckdb.CatalogException, duckdb.ConnectionException, duckdb.DependencyException,
    duckdb.InterruptException, duckdb.IOException, duckdb.NotImplementedException, duckdb.OutOfMemoryException,
    duckdb.ParserException, duckdb.PermissionException, duckdb.SyntaxException, duckdb.TransactionException,
)  # fmt: skip


def shows_messages() -> bool:
    """Whether the operator has asked for messages as they are."""
    return bool(os.environ.get(DEBUG_VARIABLE))


def kind_of(error: BaseException) -> str:
    """What kind of error it is, and nothing else of it."""
    return type(error).__name__


def of_statement_alone(run: Callable[[], T]) -> T:
    """Run a statement that holds no content itself, as those of dbt: an error that may quote a row loses its message.

    Raises:
        duckdb.Error: of the same type; it says what kind of error it is, and no more if it could quote a row.
    """
    try:
        return run()
    except duckdb.Error as error:
        if isinstance(error, OF_NO_ROW) or shows_messages():
            raise
        withheld = type(error)(f"{kind_of(error)}. {WITHHELD}")
    raise withheld  # here, so that the message is not in its context either


def unforeseen(error: BaseException) -> str:
    """What to say of an error that this program did not foresee: its kind, and the line of the project that raised it."""
    place, step = "", error.__traceback__
    while step is not None:
        file = Path(step.tb_frame.f_code.co_filename)
        if file.is_relative_to(PROJECT) and "site-packages" not in file.parts:
            place = f" at {file.relative_to(PROJECT).as_posix()}, line {step.tb_lineno}"
        step = step.tb_next
    what = (
        "DuckDB could not run a statement"
        if isinstance(error, duckdb.Error)
        else "This program did not foresee an error"
    )
    return f"{what} ({kind_of(error)}{place}). {WITHHELD}"
