"""One core for the numbers: a report is made beside other work, and small matrices gain nothing from more."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from threadpoolctl import threadpool_limits

P = ParamSpec("P")
R = TypeVar("R")


def one_core(function: Callable[P, R]) -> Callable[P, R]:
    """Let BLAS and OpenMP use one thread while the function runs."""

    @wraps(function)
    def limited(*args: P.args, **kwargs: P.kwargs) -> R:
        with threadpool_limits(limits=1):
            return function(*args, **kwargs)

    return limited
