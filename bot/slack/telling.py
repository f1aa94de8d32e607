"""Telling: who waits for an answer is told when the knowledge has changed and there is one."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from bot.model import Waiting
from bot.slack.trace import frames

LOOK_EVERY = 60.0
"""Seconds between two looks for knowledge that another process has changed."""

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Teller:
    """Asks again what was not known, whenever what is known has changed. Each process has one; the store sees to it that
    each person is told once.

    `version` names what a workspace is answered from. `tell` answers one who waits, if that is possible now, and runs what
    it is given if the answer has surely not arrived.
    """

    waiting: Callable[[], tuple[Waiting, ...]]
    tell: Callable[[Waiting, Callable[[], None]], None]
    version: Callable[[str], str]
    _known: dict[str, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _wanted: threading.Event = field(default_factory=threading.Event)

    def changed(self, workspace: str) -> None:
        """What is known in a workspace has changed; in all of them, if it is empty."""
        with self._lock:
            self._known = {name: known for name, known in self._known.items() if workspace not in ("", name)}
        self._wanted.set()

    def watch(self, stop: threading.Event) -> None:
        """Look again and again until `stop` is set. Runs in the caller's thread."""
        while not stop.is_set():
            try:
                self.look()
            except Exception as error:  # the next look may go well
                logger.error("Telling failed\n%s", frames(error))
            self._wanted.wait(LOOK_EVERY)
            self._wanted.clear()

    def look(self) -> None:
        """Tell everybody who can be told now; nothing is asked again where nothing has changed."""
        fresh: dict[str, bool] = {}
        for waiting in self.waiting():
            if waiting.workspace not in fresh:
                fresh[waiting.workspace] = self._fresh(waiting.workspace)
            if fresh[waiting.workspace]:
                self.tell(waiting, partial(self._later, waiting.workspace))

    def _later(self, workspace: str) -> None:
        """Somebody couldn't be told: the next look asks again."""
        with self._lock:
            self._known.pop(workspace, None)

    def _fresh(self, workspace: str) -> bool:
        version = self.version(workspace)
        with self._lock:
            known, self._known[workspace] = self._known.get(workspace), version
        return known != version
