"""Index builds and previews in a child process, so that the serving process answers meanwhile and its memory stays small.

`python -m bot.curation.build` reads one job as JSON from stdin, and writes its result as JSON to stdout:

    {"job": "index", "folder": …, "cache": …, "fingerprint": …, "changes": […]}                  -> {"index": fingerprint}
    {"job": "preview", "folder": …, "cache": …, "fingerprint": …, "changes": […], "draft": […], "index_from": …}
                                                                                                 -> {"preview": {…}}

`fingerprint` is that of the pack without changes. With "parent", the id of the process that waits, the child ends once that is
gone. A job that fails gives {"error": …}, a pack that can't be loaded {"faults": […]}. The index itself goes through the cache
folder, from which the parent then loads it.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from time import monotonic, sleep
from traceback import extract_tb
from typing import Any

import bot
from bot.curation.overlay import apply_changes
from bot.curation.preview import Moved, Preview, preview_changes
from bot.knowledge import Fault, PackError, load, pack_cache
from bot.model import AskPyError, Change, Knowledge
from bot.understanding import Matcher
from bot.understanding.targets import index_path

TIMEOUT = 300.0
"""Seconds after which a child is killed: many times what the largest packs need."""
MAX_CHILDREN = 2
"""Children of one process at once: each takes a core and about 200 MB."""
CHECK_INTERVAL = 0.1
"""Seconds between two looks whether the parent is being stopped."""
PARENT_CHECK_INTERVAL = 1.0
"""Seconds between a child's looks whether its parent is still there."""
NICENESS = 10
"""Added to a child's niceness, so that answers come first."""

_KEPT_VARIABLES = {"PATH", "HOME", "LANG", "LANGUAGE", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "VIRTUAL_ENV"}
_KEPT_PREFIXES = ("PYTHON", "LC_", "LD_", "DYLD_", "OPENBLAS_", "OMP_", "MKL_")

_slots = threading.BoundedSemaphore(MAX_CHILDREN)

logger = logging.getLogger(__name__)


class BuildStoppedError(AskPyError):
    """The process is being stopped, and the child was killed."""


class BuildError(AskPyError):
    """A child didn't do its job; the message says why, without anybody's words."""


class PackChangedError(BuildError):
    """The pack with the fingerprint that was asked for is neither in the cache nor in the folder."""


# --- for the parent: these block, and are called in threads


def is_built(cache: Path, fingerprint: str, index: str) -> bool:
    """Whether the cache holds the index with the fingerprint `index`; of a pack without changes, the pack too."""
    return index_path(cache, index).exists() and (
        index != fingerprint or pack_cache.path_of(cache, fingerprint).exists()
    )


def build_index(
    folder: Path, cache: Path, fingerprint: str, changes: Sequence[Change] = (), *, stop: threading.Event | None = None
) -> None:
    """Put the index for a pack with these changes into the cache, and the pack too.

    Raises:
        PackError: the pack in the folder can't be loaded.
        PackChangedError: the folder holds another pack than the one with this fingerprint.
        BuildError: the child couldn't be started, failed or took longer than TIMEOUT, or the cache can't be written.
        BuildStoppedError: `stop` was set meanwhile.
    """
    result = _run_child(_job("index", folder, cache, fingerprint, changes), stop)
    if not index_path(cache, str(result.get("index"))).exists():
        raise BuildError("its index isn't in the cache")


def preview_in_child(
    folder: Path,
    cache: Path | None,
    knowledge: Knowledge,
    changes: Sequence[Change],
    draft: Sequence[Change],
    *,
    index_from: int = 1,
    stop: threading.Event | None = None,
) -> Preview:
    """What a draft would do to a pack with a workspace's active changes. Takes seconds; in this thread where no child can do it.

    Args:
        folder: where the pack is, in case that it isn't in the cache.
        cache: the cache folder; without one there is no child.
        knowledge: the pack without changes.
        changes: the active changes.
        draft: the changes to be looked at.
        index_from: changes from which a workspace gets an index of its own.

    Raises BuildStoppedError if `stop` is set meanwhile.
    """
    if cache is not None:
        try:
            result = _run_child(
                _job("preview", folder, cache, knowledge.fingerprint, changes)
                | {"draft": _plain(draft), "index_from": index_from},
                stop,
            )
            return _preview_of(result["preview"])
        except (BuildError, PackError) as error:
            logger.warning("A preview is computed in the serving process, because its child failed: %s", reason(error))
    return preview_changes(knowledge, changes, draft, cache, index_from)


def reason(error: BaseException) -> str:
    """Why something failed, without anybody's words: the message of our own errors, else the type and where it was raised."""
    if isinstance(error, PackError):
        return f"the pack has {len(error.faults)} faults"
    if isinstance(error, AskPyError):
        return str(error)
    frames = extract_tb(error.__traceback__)
    return (
        f"{type(error).__name__} at {Path(frames[-1].filename).name}:{frames[-1].lineno}"
        if frames
        else type(error).__name__
    )


def _job(kind: str, folder: Path, cache: Path, fingerprint: str, changes: Sequence[Change]) -> dict[str, Any]:
    where = {"folder": str(folder.resolve()), "cache": str(cache.resolve())}
    return {"job": kind, "parent": os.getpid(), **where, "fingerprint": fingerprint, "changes": _plain(changes)}


def _run_child(job: Mapping[str, Any], stop: threading.Event | None) -> dict[str, Any]:
    """The result of a job; raises what `build_index` raises."""
    if not _is_writable(Path(job["cache"])):
        raise BuildError("the cache folder can't be written")
    deadline = monotonic() + TIMEOUT
    with _slot(deadline, stop):
        try:
            result = json.loads(_communicate(json.dumps(job).encode(), deadline, stop))
        except OSError as error:
            raise BuildError(f"it can't be started ({error.strerror})") from error
        except ValueError as error:
            raise BuildError("it gave no result") from error
    if "faults" in result:
        raise PackError(Path(job["folder"]), [Fault(**fault) for fault in result["faults"]])
    if "changed" in result:
        raise PackChangedError("the pack has changed")
    if "error" in result:
        raise BuildError(result["error"])
    return dict(result)


@contextmanager
def _slot(deadline: float, stop: threading.Event | None) -> Iterator[None]:
    """One of the MAX_CHILDREN."""
    while not _slots.acquire(timeout=CHECK_INTERVAL):
        _check(deadline, stop)
    try:
        yield
    finally:
        _slots.release()


def _communicate(job: bytes | None, deadline: float, stop: threading.Event | None) -> bytes:
    """What a child writes that is given this job; it is killed if it has to be waited for no longer."""
    command = [sys.executable, "-P", "-m", "bot.curation.build"]
    with subprocess.Popen(  # noqa: S603  our own interpreter
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # a traceback's message may have people's words
        env=_environment(),
        start_new_session=True,  # Ctrl-C is for the parent, which then stops the child
    ) as child:
        try:
            output = None
            while output is None:
                _check(deadline, stop)
                with suppress(subprocess.TimeoutExpired):
                    output, _ = child.communicate(job, timeout=CHECK_INTERVAL)
                job = None  # it is passed once, and written by the further calls
        finally:
            child.kill()  # does nothing to one that has ended
    if child.returncode:
        raise BuildError(f"it ended with {child.returncode}")
    return output


def _check(deadline: float, stop: threading.Event | None) -> None:
    if stop is not None and stop.is_set():
        raise BuildStoppedError("The index isn't built: the process is being stopped.")
    if monotonic() > deadline:
        raise BuildError(f"it took longer than {TIMEOUT:.0f} seconds")


def _environment() -> dict[str, str]:
    """The variables that a child may have: no tokens, no database. One thread for numpy, so that a core is left for answers."""
    variables = {
        name: value for name, value in os.environ.items() if name in _KEPT_VARIABLES or name.startswith(_KEPT_PREFIXES)
    }
    root = str(Path(bot.__file__).parents[1])
    path = os.pathsep.join(filter(None, (root, variables.get("PYTHONPATH"))))
    return {"OPENBLAS_NUM_THREADS": "1", **variables, "PYTHONPATH": path}


def _is_writable(cache: Path) -> bool:
    try:
        cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(cache, os.W_OK | os.X_OK)


def _plain(changes: Sequence[Change]) -> list[dict[str, Any]]:
    return [asdict(change) for change in changes]


def _preview_of(fields: Mapping[str, Any]) -> Preview:
    moved = tuple(Moved(**question) for question in fields["moved"])
    return Preview(tuple(fields["faults"]), moved, fields["asked"])


# --- for the child


def main() -> None:
    """Do the one job on stdin."""
    if hasattr(os, "nice"):
        with suppress(OSError):  # a system that refuses it lets the child compete
            os.nice(NICENESS)
    try:
        job = json.load(sys.stdin.buffer)
        threading.Thread(target=_end_with_parent, args=(job.get("parent", os.getppid()),), daemon=True).start()
        result = do(job)
    except PackError as error:
        result = {"faults": [asdict(fault) for fault in error.faults]}
    except PackChangedError:
        result = {"changed": True}
    except Exception as error:  # whatever it is: the parent builds it itself, and says why
        result = {"error": reason(error)}
    json.dump(result, sys.stdout)


def do(job: Mapping[str, Any]) -> dict[str, Any]:
    """The result of a job."""
    cache = Path(job["cache"])
    knowledge = _pack(Path(job["folder"]), cache, job["fingerprint"])
    changes = _changes(job["changes"])
    if job["job"] == "preview":
        return {
            "preview": asdict(preview_changes(knowledge, changes, _changes(job["draft"]), cache, job["index_from"]))
        }
    edited = apply_changes(knowledge, changes)
    Matcher.from_knowledge(edited, cache)
    return {"index": edited.fingerprint}


def _pack(folder: Path, cache: Path, fingerprint: str) -> Knowledge:
    """The pack with this fingerprint, whatever is in the folder by now; raises PackChangedError if it is nowhere."""
    knowledge = pack_cache.load(pack_cache.path_of(cache, fingerprint), fingerprint) or load(folder, cache)
    if knowledge.fingerprint != fingerprint:
        raise PackChangedError("the pack has changed")
    return knowledge


def _changes(rows: Sequence[Mapping[str, Any]]) -> tuple[Change, ...]:
    return tuple(Change(**{**row, "asks": tuple(row["asks"])}) for row in rows)


def _end_with_parent(parent: int) -> None:
    """End this process once its parent is gone: nobody waits for the result."""
    while os.getppid() == parent:
        sleep(PARENT_CHECK_INTERVAL)
    os._exit(1)


if __name__ == "__main__":
    main()
