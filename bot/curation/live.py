"""Live: the pack as it stands now. Files that change are read again, and each workspace's curated changes laid over them.

Whatever is being answered goes on with what it has: a pack is swapped whole, and the last good one stays where an edit is at
fault. A change's phrasings work at once, word for word; with everything near them as soon as an index is built again.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from bot.curation.changes import laid_over
from bot.knowledge import PackError, load
from bot.knowledge.files import DEFAULT_VOICE, files_of
from bot.match import Matcher
from bot.model import Change, Knowledge

LOOK_EVERY = 2.0
"""Seconds between two looks at the pack's files: an edit shows before its curator has switched windows."""
MOST_WORKSPACES = 16
"""Workspaces whose laid-over packs are held at once; the least asked one goes first."""

Stamp = tuple[tuple[str, int, int], ...]
"""Of each file: its path, when it was changed, and its size."""

logger = logging.getLogger(__name__)


class Curated(Protocol):
    """Where curated changes are kept."""

    def revision(self, workspace: str) -> int:
        """Grows with each change; negative where it can't be told."""

    def changes(self, workspace: str) -> tuple[Change, ...]: ...


@dataclass(frozen=True, slots=True)
class _Laid:
    """A pack with a workspace's changes. `whole`: whether an index was built for it."""

    base: Matcher
    revision: int
    changes: tuple[Change, ...]
    matcher: Matcher
    whole: bool


class Live:
    """The pack in a folder and what is curated over it, for any number of threads."""

    def __init__(
        self,
        folder: Path,
        cache: Path | None = None,
        curated: Curated | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Loads the pack; raises PackError if it can't be."""
        self._folder, self._cache, self._curated, self._clock = folder, cache, curated, clock
        self._stamp = _stamp(folder)
        self._base = Matcher.of(load(folder, cache), cache)
        self._laid: OrderedDict[str, _Laid] = OrderedDict()
        self._lock = threading.Lock()
        self._wanted = threading.Event()
        self.loaded_at = clock()
        self.faults: tuple[str, ...] = ()
        """Why the files can't be read again, a line each; empty while all is well."""
        self.changed: list[Callable[[str], None]] = []
        """Told the workspace whose answers may have changed; an empty one stands for all of them."""

    @property
    def version(self) -> str:
        """Eight digits that change with the pack's files."""
        return self._base.knowledge.fingerprint[:8]

    def knowledge(self, workspace: str = "") -> Knowledge:
        """What a workspace's answers come from."""
        return self.matcher(workspace).knowledge

    def matcher(self, workspace: str = "") -> Matcher:
        """What understands a workspace's questions, with every change that has been made until now."""
        base = self._base
        if self._curated is None or not workspace:
            return base
        revision = self._curated.revision(workspace)
        with self._lock:
            laid = self._laid.get(workspace)
            if laid is not None:
                self._laid.move_to_end(workspace)
        if laid is not None and laid.base is base and revision in (laid.revision, -1):
            return laid.matcher
        changes = self._curated.changes(workspace) if revision >= 0 else ()
        if revision >= 0 and self._curated.revision(workspace) == revision:
            return self._lay(workspace, base, revision, changes)
        if laid is None:  # the store is away, or just being edited: ask anew next time
            return base
        return laid.matcher if laid.base is base else self._lay(workspace, base, laid.revision, laid.changes)

    def _lay(self, workspace: str, base: Matcher, revision: int, changes: tuple[Change, ...]) -> Matcher:
        knowledge = laid_over(base.knowledge, changes)
        whole = knowledge is base.knowledge
        matcher = base if whole else _at_once(base, knowledge, changes)
        with self._lock:
            before = self._laid.get(workspace)
            if before is not None and before.base is base and before.revision >= revision:
                return before.matcher
            self._laid[workspace] = _Laid(base, revision, changes, matcher, whole)
            while len(self._laid) > MOST_WORKSPACES:
                self._laid.popitem(last=False)
        self._wanted.set()
        if before is not None:
            self._tell(workspace)
        return matcher

    # --- looking again

    def watch(self, stop: threading.Event) -> None:
        """Look at the files, and build indexes for what has been curated, until `stop` is set. Runs in the caller's thread."""
        while not stop.is_set():
            self._wanted.wait(LOOK_EVERY)
            self._wanted.clear()
            try:
                self.look()
            except Exception:  # whatever it is: the watch goes on, and so does the last good pack
                logger.exception("The knowledge pack couldn't be looked at")

    def look(self) -> None:
        """Read the files again if they have changed, and build what has only been laid over."""
        stamp = _stamp(self._folder)
        if stamp != self._stamp:
            self._stamp = stamp
            self._reload()
        while (found := self._unbuilt()) is not None:
            workspace, laid = found
            matcher = Matcher.of(laid.matcher.knowledge, self._cache)
            with self._lock:
                if self._laid.get(workspace) is laid:
                    self._laid[workspace] = replace(laid, matcher=matcher, whole=True)
            self._tell(workspace)

    def _unbuilt(self) -> tuple[str, _Laid] | None:
        with self._lock:
            return next(((name, laid) for name, laid in self._laid.items() if not laid.whole), None)

    def _reload(self) -> None:
        try:
            knowledge = load(self._folder, self._cache)
        except PackError as error:
            self.faults = tuple(map(str, error.faults))
            logger.warning("The knowledge pack has changed and can't be read; the last good one stays.\n%s", error)
            return
        self.faults = ()
        if knowledge.fingerprint == self._base.knowledge.fingerprint:
            return
        self._base = Matcher.of(knowledge, self._cache)
        self.loaded_at = self._clock()
        logger.info("The knowledge pack was read again: %d entries", len(knowledge.entries))
        self._tell("")

    def _tell(self, workspace: str) -> None:
        for told in self.changed:
            told(workspace)


def _at_once(base: Matcher, knowledge: Knowledge, changes: tuple[Change, ...]) -> Matcher:
    """The matcher that knows the changes word for word; of two that say the same, the later counts."""
    last: dict[str, tuple[str, str]] = {}
    for change in changes:
        found = change.entry if change.kind in ("ask", "entry") else ""
        if change.kind != "ignore":
            last |= dict.fromkeys(change.phrasings, (change.kind, found))
    titles = [(change.title, change.entry) for change in changes if change.kind == "entry"]
    asks = [(text, entry) for text, (_, entry) in last.items() if entry in knowledge.by_id]
    refused = [text for text, (kind, _) in last.items() if kind == "not_ask"]
    return base.also(knowledge, [*titles, *asks], refused)


def _stamp(folder: Path) -> Stamp:
    """What tells that a file of the pack has changed; nothing where they can't be listed."""
    found = []
    try:
        for path in [DEFAULT_VOICE, *files_of(folder)]:
            seen = path.stat()
            found.append((str(path), seen.st_mtime_ns, seen.st_size))
    except OSError:
        return ()
    return tuple(found)
