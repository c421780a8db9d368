"""Interrupts (Ctrl-C) that wait: for the few steps that must all be done, or none of them."""

from __future__ import annotations

import signal
from contextlib import suppress
from types import FrameType, TracebackType


class Interrupts:
    """From ``hold`` to the end of the block an interrupt is noted in ``came``, and stops nothing.

    Outside the main thread, where Python takes no interrupts, nothing is changed.
    """

    def __init__(self) -> None:
        self.came = False
        self._before: signal._HANDLER = None

    def __enter__(self) -> Interrupts:
        return self

    def hold(self) -> None:
        """Let interrupts wait from here on."""
        with suppress(ValueError):
            self._before = signal.signal(signal.SIGINT, self._note)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.came = True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
