"""Curated changes as a patch against the pack's files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.knowledge import Fault, inspect, load
from bot.knowledge.files import files_of
from bot.knowledge.reader import Document, Value, read
from bot.model import AskPyError, Change
from bot.tools.exchange.newpack import written
from bot.tools.exchange.patch import difference, seat
from bot.tools.exchange.plan import Plan
from bot.tools.exchange.scalars import scalar
from bot.tools.exchange.sheet import Amendment, amended
from bot.tools.lint import lint
from bot.tools.places import STRANGERS, key, places_of

CURATED = "curated.yaml"
"""Where new entries go."""


@dataclass(frozen=True, slots=True)
class Export:
    """The patch, where it is applied, and what isn't in it: `left` in ordinary sentences, `faults` to be mended."""

    patch: str
    seat: Path
    exported: int
    left: tuple[str, ...]
    faults: tuple[str, ...]


def export(folder: Path, changes: Iterable[Change]) -> Export:
    """The changes that the pack in `folder` doesn't have yet. Raises PackError if it can't be loaded."""
    knowledge = load(folder)
    plan = Plan(knowledge)
    for change in changes:
        plan.take(change)
    texts = {path.relative_to(folder).as_posix(): _text(path) for path in files_of(folder)}
    after = _after(folder, texts, plan)
    plan.faults += _new_faults(folder, after)
    top, way = seat(folder)
    patch = "".join(
        difference(way + name, texts.get(name), after[name]) for name in sorted(after) if after[name] != texts.get(name)
    )
    return Export(patch, top, plan.exported, tuple(_left(plan)), tuple(plan.faults))


def told(found: Export, output: Path | None) -> Iterator[str]:
    """What a person has to know beside the patch."""
    yield from found.faults
    yield from found.left
    if not found.patch:
        yield "Nothing is left to export."
        return
    where = str(output) if output is not None else "it"
    yield f"{_count(found.exported, 'change')} exported. Apply {where} in {found.seat}: git apply FILE, or patch -p1 -i FILE."


def _left(plan: Plan) -> Iterator[str]:
    if plan.there:
        yield f"{_count(plan.there, 'change')} {'is' if plan.there == 1 else 'are'} in the pack already."
    if plan.ignored:
        yield f"{_count(plan.ignored, 'ignored question')} {'is' if plan.ignored == 1 else 'are'} no part of a pack."
    yield from plan.other


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


# --- the files afterwards


def _after(folder: Path, texts: dict[str, str], plan: Plan) -> dict[str, str]:
    """Every file that changes, as it will be."""
    found: dict[str, str] = {}
    for name, amendments in _amendments(folder, plan).items():
        if name not in texts:
            found[name] = "asks:\n" + "".join(f"  - {line}\n" for line in _listed(amendments))
            continue
        document = read(folder / name, name)
        bom = "\ufeff" if texts[name].startswith("\ufeff") else ""
        try:
            new = bom + amended(texts[name].removeprefix(bom), amendments)
            if _value(new, name) != _expected(document, amendments):
                raise ValueError("its lists are written in a way that can't be added to (an anchor, perhaps)")
        except ValueError as error:
            lost = ", ".join(repr(text) for each in amendments for text in each.add)
            plan.faults.append(f"{name}: {error}; write it there by hand: {lost}")
            continue
        found[name] = new
    if plan.entries:
        name = next((name for name in texts if name in (CURATED, "curated.yml")), CURATED)
        old = found.get(name, texts.get(name))
        blocks = "\n".join(written(draft) for draft in plan.entries.values())
        found[name] = _appended(old, blocks)
    return found


def _listed(amendments: Sequence[Amendment]) -> list[str]:
    return [scalar(text) for each in amendments for text in each.add]


def _appended(old: str | None, blocks: str) -> str:
    if old is None:
        return "# Entries that curators wrote in Slack.\n\n" + blocks
    newline = "\r\n" if "\r\n" in old else "\n"
    start = old if old.endswith("\n") or not old else old + newline
    return start + (newline if start.strip() else "") + blocks.replace("\n", newline)


def _amendments(folder: Path, plan: Plan) -> dict[str, list[Amendment]]:
    """What happens to each file's lists."""
    found: dict[str, list[Amendment]] = {}
    numbers: dict[str, list[str]] = {}
    touched = {*plan.asks, *plan.not_asks, *_uncovered(plan)} - {""}
    for entry in (plan.knowledge.by_id[name] for name in sorted(touched)):
        ids = numbers.setdefault(entry.file, _ids(read(folder / entry.file, entry.file)))
        at, asks = ids.index(entry.id), {key(text) for text in plan.asks.get(entry.id, [])} - {""}
        cut = frozenset(n for n, text in enumerate(entry.not_asks) if key(text) in asks)
        here = found.setdefault(entry.file, [])
        if plan.asks.get(entry.id):
            here.append(Amendment(at, "asks", tuple(plan.asks[entry.id])))
        if plan.not_asks.get(entry.id) or cut:
            here.append(Amendment(at, "not_asks", tuple(plan.not_asks.get(entry.id, ())), cut))
    strangers = plan.knowledge.strangers.asks
    cut = frozenset(n for n, text in enumerate(strangers) if key(text) and key(text) in plan.covered)
    if plan.not_asks.get("") or cut:
        name = next(
            (path.name for path in files_of(folder) if path.stem == "strangers" and path.parent == folder), STRANGERS
        )
        found[name] = [Amendment(None, "asks", tuple(plan.not_asks.get("", ())), cut, after="")]
    return found


def _uncovered(plan: Plan) -> Iterator[str]:
    """Entries whose own refusals are phrasings of theirs now."""
    for entry, added in plan.asks.items():
        refused = set(map(key, plan.knowledge.by_id[entry].not_asks))
        if refused & set(map(key, added)):
            yield entry


def _ids(document: Document) -> list[str]:
    listed = document.value if isinstance(document.value, list) else []
    return [str(each.get("id", "")) if isinstance(each, dict) else "" for each in listed]


# --- proof


def _expected(document: Document, amendments: Sequence[Amendment]) -> Value | None:
    """The file's value with the amendments made in memory: what the patched file has to be read as."""
    top = _copied(document.value)
    for each in amendments:
        mapping = top if each.at is None else top[each.at] if isinstance(top, list) else None
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


def _new_faults(folder: Path, after: dict[str, str]) -> list[str]:
    """What `check` would say about the patched pack and doesn't say about this one."""
    if not after:
        return []
    with TemporaryDirectory(prefix="askpy-export-") as temporary:
        patched = Path(temporary)
        for path in files_of(folder):
            _put(patched / path.relative_to(folder), path.read_bytes())
        for name, text in after.items():
            _put(patched / name, text.encode())
        found = [fault for fault in _faults(patched) if not fault.advice]
    before = {(fault.entry, fault.text.partition(" (")[0]) for fault in _faults(folder)}
    return [f"With the patch: {each}" for each in found if (each.entry, each.text.partition(" (")[0]) not in before]


def _faults(folder: Path) -> list[Fault]:
    knowledge, faults = inspect(folder)
    return faults if knowledge is None else faults + lint(knowledge, places_of(folder, knowledge))


def _put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode()
    except UnicodeDecodeError:
        raise AskPyError(f"{path} is not UTF-8; save it as UTF-8.") from None
