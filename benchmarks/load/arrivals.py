"""Waiting for requests to arrive at the stand-in Slack."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping

from support.busy_slack import Attempt, BusySlack
from support.people import Said


class Answers:
    """The answers that haven't arrived yet. To be made before the questions are delivered."""

    def __init__(self, slack: BusySlack, keys: Mapping[str, object]) -> None:
        """`keys`: by address, what is answered there; with several addresses of one key, an answer to any of them is enough."""
        self._slack, self._keys = slack, keys
        self._missing = set(keys.values())
        self._all = threading.Event()
        self.last = time.monotonic()
        """When the last one arrived that was waited for."""
        slack.watchers.append(self._note)

    @classmethod
    def to_messages(cls, slack: BusySlack, messages: Iterable[Said]) -> Answers:
        """One answer to each message."""
        return cls(slack, {message.address: message.address for message in messages})

    def _note(self, attempt: Attempt) -> None:
        key = self._keys.get(attempt.address) if attempt.arrived else None
        if key in self._missing:
            self._missing.discard(key)
            self.last = attempt.done
            if not self._missing:
                self._all.set()

    def wait(self, seconds: float) -> bool:
        """Whether all of them arrived within so many seconds from now."""
        done = not self._missing or self._all.wait(seconds)
        self._slack.watchers.remove(self._note)
        return done


class Posts:
    """Counts the requests that Slack has taken."""

    def __init__(self, slack: BusySlack) -> None:
        self.number = 0
        self._changed = threading.Condition()
        slack.watchers.append(self._note)

    def _note(self, attempt: Attempt) -> None:
        if attempt.arrived:
            with self._changed:
                self.number += 1
                self._changed.notify_all()

    def wait(self, number: int, seconds: float) -> bool:
        """Whether there were so many at last, within so many seconds without a new one."""
        with self._changed:
            while self.number < number:
                before = self.number
                self._changed.wait(seconds)
                if self.number == before:
                    return False
            return True
