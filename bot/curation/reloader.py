"""The reloader: the pack as it stands now. Files that change are read again, and each workspace's changes applied to them.

Whatever is being answered goes on with what it has: a pack is swapped whole, and the last good one stays where an edit is at
fault. A change's phrasings work at once, word for word; with everything near them as soon as an index is built again. A workspace
gets an index of its own from `index_from` changes on: it takes as much memory as hundreds of overlays that share the pack's.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol

from bot.curation import build
from bot.curation.build import BuildError, BuildStoppedError, PackChangedError, reason
from bot.curation.overlay import apply_changes, pack_phrases, wants_index, with_exact_phrases
from bot.curation.preview import Preview, preview_changes
from bot.knowledge import Fault, PackError, load, read_files
from bot.knowledge.files import DEFAULT_VOICE, files_of
from bot.model import Change, Knowledge
from bot.understanding import Matcher
from bot.understanding.targets import index_path

POLL_INTERVAL = 2.0
"""Seconds between two looks at the pack's files: an edit shows before its curator has switched windows."""
REVISION_MAX_AGE = 0.25
"""Seconds between two looks for other processes' changes."""
MAX_OVERLAYS, MAX_CHANGES = 2_000, 40_000
"""Workspaces whose overlays are held at once, and changes in all of them, of about 5 kB each. The least recently asked one goes
first; it is made again in milliseconds."""
INDEX_FROM = 200
"""Changes from which a workspace among many gets an index of its own, of some 30 MB: without one, 200 take 1 MB, 35 ms to apply
and a tenth of a question's time. See docs/decisions/051-many-workspaces-over-one-pack.md."""
MAX_INDEXES = 16
"""Of those, workspaces with an index of their own, which takes tens of MB: the ones that were asked last."""
READ_ATTEMPTS = 3
"""Times that files are read which change while they are being read."""
FIRST_PAUSE, LONGEST_PAUSE = POLL_INTERVAL, 300.0
"""Seconds before what has failed is tried again; each pause is twice the one before."""

Stamp = tuple[tuple[str, int, int, int], ...]
"""Of each file: its path, inode, time of change and size."""

logger = logging.getLogger(__name__)


class ChangeSource(Protocol):
    """Where changes are kept: the store, or a test's list."""

    def revision(self, workspace: str, max_age: float = 0.0) -> int:
        """Changes with each edit and undo; at most `max_age` seconds old, negative where it can't be told."""

    def active(self, workspace: str) -> tuple[Change, ...]: ...


@dataclass(frozen=True, slots=True)
class _Overlay:
    """A pack with a workspace's changes.

    Attributes:
        base: The pack without them.
        revision: What they are as of.
        changes: The changes.
        matcher: The pack with them.
        wants_index: They are enough for an index of their own.
        is_indexed: `matcher` has it; else it knows them by their exact phrases.
    """

    base: _Base
    revision: int
    changes: tuple[Change, ...]
    matcher: Matcher
    wants_index: bool = False
    is_indexed: bool = False

    def has_same_index(self, other: _Overlay) -> bool:
        """Whether the two differ in nothing but the dates of entries, which no index depends on."""
        return self.base is other.base and self.matcher.knowledge.fingerprint == other.matcher.knowledge.fingerprint


@dataclass(frozen=True, slots=True)
class _Base:
    """The pack that all workspaces share, with its phrases for `apply_changes`."""

    matcher: Matcher
    phrases: frozenset[str]

    @classmethod
    def from_matcher(cls, matcher: Matcher) -> _Base:
        return cls(matcher, pack_phrases(matcher.knowledge))

    @property
    def knowledge(self) -> Knowledge:
        return self.matcher.knowledge


@dataclass(frozen=True, slots=True)
class _FailedTask:
    """Something that failed and is tried again at `retry_at` (monotonic), or as soon as the cause is another one."""

    cause: object
    faults: tuple[str, ...]
    pause: float
    retry_at: float


class PackReloader:
    """The pack in a folder with the changes of each workspace. `matcher` and `knowledge` never block; all else may."""

    def __init__(
        self,
        folder: Path,
        cache: Path | None = None,
        changes: ChangeSource | None = None,
        clock: Callable[[], float] = time.time,
        *,
        build_in_child: bool = True,
        index_from: int = 1,
        stop: threading.Event | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Loads the pack; its index comes from the cache, or is built, which takes seconds.

        Args:
            folder: the pack's folder.
            cache: the folder in which packs and indexes are kept; without one all is built in this process.
            changes: where the workspaces' changes are read.
            clock: seconds since 1970, for `loaded_at`.
            build_in_child: whether indexes are built and previews computed in a child process.
            index_from: changes from which a workspace gets an index of its own; below, near phrasings of them aren't found.
            stop: once it is set, children are killed and nothing more is built.
            monotonic: seconds, for the pauses before something is tried again.

        Raises:
            PackError: the pack can't be loaded.
            BuildStoppedError: `stop` was set meanwhile.
        """
        self._folder, self._cache, self._changes = folder, cache, changes
        self._clock, self._monotonic = clock, monotonic
        self._build_in_child, self._stop = build_in_child, stop or threading.Event()
        self._index_from = index_from
        self._lock = threading.Lock()
        """Held for every replacement of what is below; never while an index is built or the database is asked."""
        self._refreshing = threading.Lock()
        self._wake = threading.Event()
        self._overlays: OrderedDict[str, _Overlay] = OrderedDict()
        self._failures: dict[str, _FailedTask] = {}
        """By workspace, by "changes of" a workspace for what couldn't be read, under an empty name for the files."""
        self.faults: tuple[str, ...] = ()
        """Why the files can't be read again or an index can't be built, a line each; empty while all is well."""
        self.changed: list[Callable[[str], None]] = []
        """Called with the workspace whose answers may have changed, empty for all of them; from any thread."""
        self._stamp = _stamp(folder)
        self._base = _Base.from_matcher(self._load())
        self.loaded_at = clock()

    @property
    def version(self) -> str:
        """Eight digits that change with the pack's files."""
        return self._base.knowledge.fingerprint[:8]

    # --- from memory, at once: for the event loop's thread

    def matcher(self, workspace: str = "") -> Matcher:
        """What understands a workspace's questions, with every change that `refresh` has seen."""
        overlay = self._overlays.get(workspace)  # without the lock: it may be held for some milliseconds
        return self._base.matcher if overlay is None else overlay.matcher

    def knowledge(self, workspace: str = "") -> Knowledge:
        """What a workspace's answers come from."""
        return self.matcher(workspace).knowledge

    def previewer(self, workspace: str) -> Callable[[Sequence[Change]], Preview]:
        """A function that tells what a draft would do to the workspace's pack as it stands now.

        The function blocks for seconds, and raises BuildStoppedError once the reloader is stopped.
        """
        base = self._base
        overlay = self._overlays.get(workspace) or _Overlay(base, 0, (), base.matcher)
        return partial(self._preview, overlay)

    def _preview(self, overlay: _Overlay, draft: Sequence[Change]) -> Preview:
        knowledge, changes, cache = overlay.base.knowledge, overlay.changes, self._cache
        if not self._build_in_child or cache is None:
            return preview_changes(knowledge, changes, draft, cache, self._index_from)
        return build.preview_in_child(
            self._folder, cache, knowledge, changes, draft, index_from=self._index_from, stop=self._stop
        )

    # --- a workspace's changes: for a database thread

    def refresh(self, workspace: str) -> None:
        """Read the workspace's changes if there are new ones, and apply them. Blocks for the database; raises nothing.

        While the store is away, and where it fails, what this process knew last stays.
        """
        if self._changes is None or not workspace:
            return
        key = f"changes of {workspace}"
        try:
            if not self._is_current(workspace, self._changes.revision(workspace, max_age=REVISION_MAX_AGE)):
                with self._refreshing:
                    self._read_changes(workspace, self._changes)
        except Exception as error:  # whatever it is: the question is answered by what is known
            self._record_failure(key, "", error, "The curators' newest changes couldn't be read")
        else:
            if key in self._failures:
                self._clear_failure(key)

    def _is_current(self, workspace: str, revision: int) -> bool:
        with self._lock:
            overlay = self._overlays.get(workspace)
            if overlay is not None:
                self._overlays.move_to_end(workspace)
        return revision < 0 or (overlay is not None and overlay.revision == revision)

    def _read_changes(self, workspace: str, source: ChangeSource) -> None:
        """Apply the changes that belong to one revision: the same before they are read and after."""
        revision = source.revision(workspace)
        for _ in range(READ_ATTEMPTS):
            if self._is_current(workspace, revision):
                return
            changes, before = source.active(workspace), revision
            revision = source.revision(workspace)
            if revision == before:
                self._overlay(workspace, revision, changes)
                return

    def _overlay(self, workspace: str, revision: int, changes: tuple[Change, ...]) -> None:
        with self._lock:
            known = self._overlays.get(workspace)
            overlay = _overlay(self._base, revision, changes, self._index_from)
            if known is not None and known.is_indexed and known.has_same_index(overlay):
                matcher = known.matcher.with_dates(overlay.matcher.knowledge)
                overlay = replace(overlay, matcher=matcher, is_indexed=True)
            self._overlays[workspace] = overlay
            self._overlays.move_to_end(workspace)
            self._drop_least_asked()
        self._clear_failure(workspace)
        if overlay.wants_index and not overlay.is_indexed:
            self._wake.set()
        if known is not None:
            self._notify(workspace)

    def _drop_least_asked(self) -> None:
        """Keep no more overlays than MAX_OVERLAYS and MAX_CHANGES allow, and the latest in any case. The caller has the lock."""
        held = sum(len(overlay.changes) for overlay in self._overlays.values())
        while len(self._overlays) > 1 and (len(self._overlays) > MAX_OVERLAYS or held > MAX_CHANGES):
            workspace, overlay = self._overlays.popitem(last=False)
            held -= len(overlay.changes)
            if self._failures.pop(workspace, None) is not None:
                self._list_faults()

    def forget(self, workspace: str) -> None:
        """Let go of a workspace's changes, and remove every index but the pack's from the cache: theirs have its words in them.

        Indexes of other workspaces that are in use stay in memory; those that aren't are built again when they are needed.
        """
        with self._lock:
            self._overlays.pop(workspace, None)
            self._failures.pop(workspace, None)
            self._failures.pop(f"changes of {workspace}", None)
            self._list_faults()
        if self._cache is not None:
            own = index_path(self._cache, self._base.knowledge.fingerprint)
            for path in self._cache.glob("index-*"):
                if path != own:
                    path.unlink(missing_ok=True)

    # --- files and indexes: for a thread of their own

    def run(self, stop: threading.Event) -> None:
        """Poll until `stop` is set, every POLL_INTERVAL seconds and whenever there are new changes. Then children are killed."""
        self._stop = stop
        while not stop.is_set():
            self._wake.wait(POLL_INTERVAL)
            self._wake.clear()
            try:
                self.poll()
            except Exception as error:  # whatever it is: polling goes on, and so does the last good pack
                logger.error("The knowledge pack couldn't be polled: %s", reason(error))

    def wake(self) -> None:
        """Let `run` poll, or see that it is to stop, at once."""
        self._wake.set()

    def poll(self) -> None:
        """Load the pack again if its files have changed, and build the indexes of overlays that lack one.

        Blocks for seconds; not for two threads at once. What fails is kept in `faults`, and tried again at later calls.
        """
        try:
            self._poll_files()
            while (unindexed := self._next_unindexed()) is not None:
                self._index(*unindexed)
        except BuildStoppedError:
            pass

    def _poll_files(self) -> None:
        stamp = _stamp(self._folder)
        if stamp == self._stamp:
            self._clear_failure("")
            return
        if not self._may_try("", stamp):
            return
        try:
            matcher = self._load(self._base.matcher)
            if matcher is not self._base.matcher:
                matcher.prepare()
                self._swap(matcher)
        except BuildStoppedError:
            raise
        except Exception as error:  # whatever it is: the last good pack stays, and it is tried again
            self._record_failure("", stamp, error, "The knowledge pack has changed and couldn't be loaded")
            return
        self._stamp = stamp
        self._clear_failure("")

    def _load(self, current: Matcher | None = None) -> Matcher:
        """The matcher for what is in the folder; `current` if that is for the very same.

        Files of which one changes while they are read are read again: some of them may belong to the state before.
        """
        for _ in range(READ_ATTEMPTS):
            stamp = _stamp(self._folder)
            files = read_files(self._folder)
            if _stamp(self._folder) != stamp:
                continue
            if current is not None and current.knowledge.fingerprint == files.fingerprint:
                return current
            try:
                self._prepare(files.fingerprint, files.fingerprint, ())
            except PackChangedError:
                continue
            return Matcher.from_knowledge(load(files, self._cache), self._cache)
        text = "files keep changing while they are read; they are read again once they stay as they are"
        raise PackError(self._folder, [Fault("pack.yaml", 1, "", text)])

    def _swap(self, matcher: Matcher) -> None:
        """Replace the pack, and apply every workspace's changes to the new one: one after the other, for there may be many."""
        base = _Base.from_matcher(matcher)
        with self._lock:
            self._base, self.loaded_at = base, self._clock()
            old_overlays = list(self._overlays.items())
        for workspace, old in old_overlays:
            new = _overlay(base, old.revision, old.changes, self._index_from)
            with self._lock:
                if self._overlays.get(workspace) is old:
                    self._overlays[workspace] = new
        logger.info("The knowledge pack was read again: %d entries", len(matcher.knowledge.entries))
        self._notify("")

    def _next_unindexed(self) -> tuple[str, _Overlay] | None:
        """A workspace with its overlay that has to be indexed now: one of the MAX_INDEXES that were asked last."""
        for workspace, overlay in self._wanting_index()[:MAX_INDEXES]:
            if not overlay.is_indexed and self._may_try(workspace, overlay.matcher.knowledge.fingerprint):
                return workspace, overlay
        return None

    def _wanting_index(self) -> list[tuple[str, _Overlay]]:
        """The overlays with enough changes for an index of their own, the one that was asked last first."""
        with self._lock:
            return [(name, overlay) for name, overlay in reversed(self._overlays.items()) if overlay.wants_index]

    def _drop_indexes(self) -> None:
        """Let go of the indexes of workspaces that weren't asked lately: their exact phrases go on working."""
        for workspace, overlay in self._wanting_index()[MAX_INDEXES:]:
            if overlay.is_indexed:
                unindexed = _overlay(overlay.base, overlay.revision, overlay.changes, self._index_from)
                with self._lock:
                    if self._overlays.get(workspace) is overlay:
                        self._overlays[workspace] = unindexed

    def _index(self, workspace: str, overlay: _Overlay) -> None:
        knowledge = overlay.matcher.knowledge
        try:
            self._prepare(overlay.base.knowledge.fingerprint, knowledge.fingerprint, overlay.changes)
            matcher = Matcher.from_knowledge(knowledge, self._cache)
            matcher.prepare()
        except BuildStoppedError:
            raise
        except Exception as error:  # whatever it is: the exact phrases go on working, and it is tried again
            self._record_failure(workspace, knowledge.fingerprint, error, "The curators' changes couldn't be indexed")
            return
        with self._lock:
            if self._overlays.get(workspace) is not overlay:
                return
            self._overlays[workspace] = replace(overlay, matcher=matcher, is_indexed=True)
        self._drop_indexes()
        self._clear_failure(workspace)
        self._notify(workspace)

    def _prepare(self, base: str, index: str, changes: Sequence[Change]) -> None:
        """Have a child put the index into the cache, where that can be. Else whoever asks for it next builds it here."""
        if not self._build_in_child or self._cache is None or not base or build.is_built(self._cache, base, index):
            return
        try:
            build.build_index(self._folder, self._cache, base, changes, stop=self._stop)
        except (PackChangedError, PackError):
            if not changes:  # else the pack below is known, whatever has become of the folder
                raise
        except BuildError as error:
            logger.warning("An index is built in the serving process, because its child failed: %s", error)

    def _notify(self, workspace: str) -> None:
        for callback in self.changed:
            try:
                callback(workspace)
            except Exception as error:  # the pack has been swapped all the same
                logger.error("A callback of the reloader failed: %s", reason(error))

    # --- failures

    def _may_try(self, workspace: str, cause: object) -> bool:
        with self._lock:
            failure = self._failures.get(workspace)
        return failure is None or failure.cause != cause or self._monotonic() >= failure.retry_at

    def _record_failure(self, workspace: str, cause: object, error: Exception, what: str) -> None:
        faults: tuple[str, ...] = (f"{what} ({reason(error)}). The last good state answers, and it is tried again.",)
        if isinstance(error, PackError):
            faults = tuple(map(str, error.faults))
        with self._lock:
            last = self._failures.get(workspace)
            again = last is not None and last.cause == cause
            pause = min(2 * last.pause, LONGEST_PAUSE) if last is not None and again else FIRST_PAUSE
            self._failures[workspace] = _FailedTask(cause, faults, pause, self._monotonic() + pause)
            self._list_faults()
        if last is None or last.faults != faults:
            logger.warning("%s; the last good state stays.\n%s", what, "\n".join(faults))

    def _clear_failure(self, workspace: str) -> None:
        with self._lock:
            if self._failures.pop(workspace, None) is not None:
                self._list_faults()

    def _list_faults(self) -> None:
        self.faults = tuple(dict.fromkeys(fault for failure in self._failures.values() for fault in failure.faults))


def _overlay(base: _Base, revision: int, changes: tuple[Change, ...], index_from: int) -> _Overlay:
    """The pack with these changes, found by their exact phrases until an index is built."""
    knowledge = apply_changes(base.knowledge, changes, base.phrases)
    if knowledge is base.knowledge:
        return _Overlay(base, revision, changes, base.matcher)
    if knowledge.fingerprint == base.knowledge.fingerprint:
        return _Overlay(base, revision, changes, base.matcher.with_dates(knowledge))
    matcher = with_exact_phrases(base.matcher, knowledge, changes)
    return _Overlay(base, revision, changes, matcher, wants_index(changes, index_from))


def _stamp(folder: Path) -> Stamp:
    """What tells that a file of the pack has changed; nothing where they can't be listed."""
    try:
        return tuple(map(_stamp_of_file, [DEFAULT_VOICE, *files_of(folder)]))
    except OSError:
        return ()


def _stamp_of_file(path: Path) -> tuple[str, int, int, int]:
    try:
        status = path.stat()
    except OSError:  # it has just gone, or is a link that leads nowhere
        return str(path), 0, 0, 0
    return str(path), status.st_ino, status.st_mtime_ns, status.st_size
