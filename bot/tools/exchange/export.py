"""Curated changes as a patch against the pack's files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.curation.lint import lint
from bot.curation.source_locations import source_locations
from bot.knowledge import Fault, inspect, load
from bot.knowledge.files import files_of
from bot.knowledge.reader import Value, read
from bot.model import CURATED, AskPyError, Change
from bot.tools.exchange.newpack import Draft, written
from bot.tools.exchange.patch import difference, seat
from bot.tools.exchange.plan import Plan, count, planned
from bot.tools.exchange.scalars import scalar
from bot.tools.exchange.sheet import Amendment, amended

Numbered = tuple[int | None, Amendment]
Lost = tuple[str, Sequence[Numbered]]


@dataclass(frozen=True, slots=True)
class Export:
    """The patch, where it is applied, and what isn't in it: `left` in ordinary sentences, `faults` to be mended."""

    patch: str
    seat: Path
    exported: int
    left: tuple[str, ...]
    faults: tuple[str, ...]


def export(folder: Path, changes: Sequence[Change]) -> Export:
    """The changes that the pack in `folder` doesn't have yet. Raises PackError if it can't be loaded."""
    plan = planned(load(folder), changes)
    texts = {path.relative_to(folder).as_posix(): _text(path) for path in files_of(folder)}
    after, lost = _after(folder, texts, plan)
    top, way = seat(folder)
    patch = "".join(difference(way + name, texts.get(name), after[name]) for name in sorted(after))
    exported = plan.exported - sum(len(each.add) for _, amendments in lost.values() for _, each in amendments)
    faults = [f"{name}: {error}; write it by hand: {_added(each)}" for name, (error, each) in lost.items()]
    return Export(patch, top, exported, plan.left, (*plan.faults, *faults, *_new_faults(folder, after)))


def told(found: Export, output: Path | None) -> Iterator[str]:
    """What a person has to know beside the patch."""
    yield from found.faults
    yield from found.left
    if not found.patch:
        yield "Nothing is left to export."
        return
    file = str(output) if output is not None else "FILE"
    yield f"{count(found.exported, 'change')} exported. In {found.seat}: git apply {file}, or patch -p1 -i {file}."


# --- the files afterwards


def _after(folder: Path, texts: Mapping[str, str], plan: Plan) -> tuple[dict[str, str], dict[str, Lost]]:
    """Every file that changes, as it will be, and those that can't be changed."""
    found: dict[str, str] = {}
    lost: dict[str, Lost] = {}
    for name, amendments in _by_file(folder, texts, plan).items():
        if name not in texts:
            lines = [f"  - {scalar(text)}\n" for _, each in amendments for text in each.add]
            found[name] = "".join(["asks:\n", *lines])
            continue
        try:
            found[name] = _amended(folder, name, texts[name], amendments)
        except ValueError as error:
            lost[name] = str(error), amendments
    if plan.entries:
        name = next((name for name in texts if name in (CURATED, "curated.yml")), CURATED)
        drafts = [Draft(e.id, e.title, e.answer, list(e.asks), list(e.not_asks)) for e in plan.entries]
        found[name] = _appended(found.get(name, texts.get(name)), "\n".join(map(written, drafts)))
    return found, lost


def _added(amendments: Sequence[Numbered]) -> str:
    return ", ".join(repr(text) for _, each in amendments for text in each.add)


def _by_file(folder: Path, texts: Mapping[str, str], plan: Plan) -> dict[str, list[Numbered]]:
    found: dict[str, list[Numbered]] = {}
    ids: dict[str, list[str]] = {}
    for wanted, owner, amendment in plan.lists:
        # The three files of fixed names may end in .yml as well.
        name = next((n for n in (wanted, wanted.removesuffix("aml") + "ml") if n in texts), wanted)
        if owner and name not in ids:
            ids[name] = _ids(read(folder / name, name).value)
        found.setdefault(name, []).append((ids[name].index(owner) if owner else None, amendment))
    return found


def _ids(value: Value | None) -> list[str]:
    return [str(each.get("id", "")) if isinstance(each, dict) else "" for each in value or []]


def _amended(folder: Path, name: str, old: str, amendments: Sequence[Numbered]) -> str:
    """The file with its lists amended; raises ValueError unless it is then read as it was, but for them."""
    bom = "\ufeff" if old.startswith("\ufeff") else ""
    new = bom + amended(old.removeprefix(bom), amendments)
    if _value(new, name) != _expected(read(folder / name, name).value, amendments):
        raise ValueError("its lists are written in a way that can't be added to (an anchor, perhaps)")
    return new


def _appended(old: str | None, blocks: str) -> str:
    if old is None:
        return "# Entries that curators wrote in Slack.\n\n" + blocks
    newline = "\r\n" if "\r\n" in old else "\n"
    start = old if old.endswith("\n") or not old else old + newline
    return start + (newline if start.strip() else "") + blocks.replace("\n", newline)


# --- proof


def _expected(value: Value | None, amendments: Sequence[Numbered]) -> Value | None:
    """The file's value with the amendments made in memory: what the patched file has to be read as."""
    top = _copied(value)
    for at, each in amendments:
        mapping = top if at is None else top[at] if isinstance(top, list) else None
        if not isinstance(mapping, dict):
            return None
        old = mapping.get(each.field, [])
        listed = [old.strip()] if isinstance(old, str) else old if isinstance(old, list) else []
        mapping[each.field] = [*(text for n, text in enumerate(listed) if n not in each.cut), *each.add]
    return top


def _copied(value: Value | None) -> Value | None:
    if isinstance(value, list):
        return [copied for each in value if (copied := _copied(each)) is not None]
    if isinstance(value, dict):
        return {name: copied for name, each in value.items() if (copied := _copied(each)) is not None}
    return value


def _value(text: str, name: str) -> Value | None:
    with TemporaryDirectory(prefix="askpy-export-") as temporary:
        path = Path(temporary, "file.yaml")
        path.write_bytes(text.encode())
        document = read(path, name)
    if document.faults:
        raise ValueError(document.faults[0].text)
    return document.value


def _new_faults(folder: Path, after: Mapping[str, str]) -> list[str]:
    """What `check` would say about the patched pack and doesn't say about this one."""
    if not after:
        return []
    with TemporaryDirectory(prefix="askpy-export-") as temporary:
        patched = Path(temporary)
        for path in files_of(folder):
            _put(patched / path.relative_to(folder), path.read_bytes())
        for name, text in after.items():
            _put(patched / name, text.encode())
        found = _faults(patched)
    before = {(fault.entry, fault.text.partition(" (")[0]) for fault in _faults(folder)}
    return [f"With the patch: {each}" for each in found if (each.entry, each.text.partition(" (")[0]) not in before]


def _faults(folder: Path) -> list[Fault]:
    knowledge, faults = inspect(folder)
    found = faults if knowledge is None else faults + lint(knowledge, source_locations(folder, knowledge))
    return [fault for fault in found if not fault.advice]


def _put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode()
    except UnicodeDecodeError:
        raise AskPyError(f"{path} is not UTF-8; save it as UTF-8.") from None
