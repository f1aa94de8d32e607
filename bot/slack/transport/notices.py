"""Notices for the operator: what is wrong between Slack and the bot, in the log and on /healthz.

A kind of fault is logged when it begins, and then at most once a minute with the number of its occurrences since, also where it
comes and goes. It is a note on /healthz until it is known to be over, or hasn't occurred for a while. Use it on the event loop
only.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

LOG_INTERVAL = 60.0
"""Seconds between two log lines of one kind: often enough to be seen, and too rare to hide the other lines."""
PRESENT_FOR = 600.0
"""Seconds after its last occurrence in which a fault is on /healthz. Slack repeats an event for six minutes, and in a quiet
workspace little happens."""

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Fault:
    """One kind. Times are monotonic.

    Attributes:
        count: occurrences since it began; one that comes again soon after its end has not begun anew.
        unlogged: occurrences since the last line.
        logged_at: when that was.
        is_over: whether it is known to be over.
        end_is_due: whether a line has said that it began, and none yet that it is over.
        ends_at: when it counts as over if it doesn't occur again; until then its count is kept.
        timer: logs what is unlogged when the minute is over.
    """

    text: str = ""
    unit: str = ""
    level: int = logging.WARNING
    is_note: bool = True
    count: int = 0
    unlogged: int = 0
    logged_at: float = -math.inf
    is_over: bool = False
    end_is_due: bool = False
    ends_at: float = -math.inf
    timer: asyncio.TimerHandle | None = None


class Notices:
    """The faults of this process. `clock` returns monotonic seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._faults: dict[str, _Fault] = {}

    def report(
        self,
        kind: str,
        text: str,
        *,
        unit: str = "",
        level: int = logging.WARNING,
        is_note: bool = True,
        lasts: float = PRESENT_FOR,
    ) -> None:
        """A fault has occurred: remember it, and log it unless a line of its kind was logged within LOG_INTERVAL.

        Args:
            kind: its name, one of a bounded set; `end` takes all kinds of a prefix.
            text: the sentence, with the remedy and without a full stop. It holds no ids and nothing secret.
            unit: what is counted. The sentence is about that: "refused: …" becomes "3 requests refused: …".
            level: of the log line.
            is_note: whether /healthz shows it.
            lasts: seconds after the last occurrence in which it counts as present.
        """
        fault = self._occur(kind, text, lasts)
        fault.unit, fault.level, fault.is_note = unit, level, is_note
        fault.unlogged += 1
        if self._is_due(fault):
            self._log(fault)
        elif fault.timer is None:
            self._log_later(fault)

    def occurred(self, kind: str, text: str, *, is_note: bool = True) -> bool:
        """As `report`, for a caller that writes a line for each occurrence.

        Returns:
            Whether that line has to tell the sentence.
        """
        fault = self._occur(kind, text, PRESENT_FOR)
        fault.is_note = is_note
        if not self._is_due(fault):
            return False
        fault.logged_at, fault.end_is_due = self._clock(), True
        return True

    def end(self, prefix: str, text: str) -> None:
        """The faults whose kinds begin with `prefix` are over; log the text, if there is one, if a line told that one had begun.

        What isn't logged yet is logged when the minute is over, so that a fault that comes and goes is told, too.
        """
        end_is_due, latest = False, self._clock() + PRESENT_FOR
        for kind, fault in self._faults.items():
            if kind.startswith(prefix):
                end_is_due |= fault.end_is_due
                fault.is_over, fault.end_is_due, fault.ends_at = True, False, min(fault.ends_at, latest)
        if end_is_due and text:
            logger.info("%s.", text)

    @property
    def present(self) -> tuple[str, ...]:
        """The sentences of the faults that are present, for /healthz."""
        now = self._clock()
        return tuple(
            _sentence(each, each.count)
            for each in self._faults.values()
            if each.ends_at > now and each.is_note and not each.is_over
        )

    def _occur(self, kind: str, text: str, lasts: float) -> _Fault:
        now = self._clock()
        for name in [
            name for name, each in self._faults.items() if max(each.ends_at, each.logged_at + LOG_INTERVAL) < now
        ]:
            del self._faults[name]
        fault = self._faults.setdefault(kind, _Fault())
        if fault.ends_at < now:
            fault.count = 0
        fault.text, fault.ends_at, fault.is_over = text, now + lasts, False
        fault.count += 1
        return fault

    def _is_due(self, fault: _Fault) -> bool:
        return self._clock() - fault.logged_at >= LOG_INTERVAL

    def _log(self, fault: _Fault) -> None:
        since = " since the last such line" + "; over now" * fault.is_over
        logger.log(fault.level, "%s.", _sentence(fault, fault.unlogged, since))
        fault.logged_at, fault.unlogged, fault.end_is_due = self._clock(), 0, not fault.is_over

    def _log_later(self, fault: _Fault) -> None:
        """Log what isn't logged yet when the minute is over."""

        def log() -> None:
            fault.timer = None
            if fault.unlogged:
                self._log(fault)

        seconds = max(0.0, fault.logged_at + LOG_INTERVAL - self._clock())
        fault.timer = asyncio.get_running_loop().call_later(seconds, log)


def _sentence(fault: _Fault, count: int, since: str = "") -> str:
    if fault.unit:
        return f"{count} {fault.unit}{'s' * (count != 1)} {fault.text}"
    if count == 1:
        return f"{fault.text} (once more{since})" if fault.is_over else fault.text
    return f"{fault.text} ({count} times{since})"
