"""The cache of loaded packs, as JSON: a start needs neither read nor check the YAML again. Reading it runs no code from it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bot import file_cache
from bot.model import Entry, Group, Knowledge, Library, Note, OutOfScope, SmallTalk, Source, Step, Voice

MAX_FILES = 4
"""Packs in the folder: some packs and the one before the last edit."""

_TYPE_OF_KIND: dict[str, type[Entry]] = {"topic": Entry, "step": Step, "library": Library}


def path_of(folder: Path, fingerprint: str) -> Path:
    """The cache file of the pack with this fingerprint; another one after every edit of the code that reads packs."""
    digest = hashlib.sha256()
    package = Path(__file__).parent
    for path in [
        *sorted(package.glob("*.py")),
        *sorted((package.parent / "markdown").glob("*.py")),
        package.parent / "model.py",
    ]:
        digest.update(path.read_bytes())
    digest.update(version("markdown-it-py").encode())  # the words of an answer are kept with the pack
    return folder / f"pack-{fingerprint[:24]}-{digest.hexdigest()[:12]}.json"


def load(path: Path, fingerprint: str) -> Knowledge | None:
    """The pack with this fingerprint; None where there is no such file or it isn't as `save` wrote it."""
    try:
        checksum, _, content = path.read_bytes().partition(b"\n")
        if checksum != _checksum(content):
            return None
        knowledge = _knowledge(json.loads(content))
    except Exception:  # whatever is wrong with it: a cache can always be rebuilt, and must not stop a start
        return None
    if knowledge.fingerprint != fingerprint:
        return None
    file_cache.touch(path)
    return knowledge


def save(knowledge: Knowledge, path: Path) -> None:
    """Write a pack; a folder that can't be written is logged and otherwise ignored."""
    fields = asdict(knowledge)
    del fields["by_id"]
    fields["entries"] = [{"kind": entry.kind, **asdict(entry)} for entry in knowledge.entries]
    content = json.dumps(fields).encode()
    file_cache.write_atomic(path, lambda file: file.write(_checksum(content) + b"\n" + content), MAX_FILES)


def _checksum(content: bytes) -> bytes:
    """SHA-256 in hexadecimal: a damaged or foreign file is recognised, so that no value in it has to be checked."""
    return hashlib.sha256(content).hexdigest().encode()


def _knowledge(fields: dict[str, Any]) -> Knowledge:
    entries = tuple(_entry(entry) for entry in fields["entries"])
    voice = fields["voice"]
    small_talk = {name: SmallTalk(tuple(talk["asks"]), talk["answer"]) for name, talk in voice["small_talk"].items()}
    return Knowledge(
        name=fields["name"],
        about=fields["about"],
        subject=tuple(fields["subject"]),
        source=Source(**fields["source"]) if fields["source"] else None,
        entries=entries,
        groups=tuple(Group(**_with_tuples(group)) for group in fields["groups"]),
        voice=Voice(small_talk=small_talk, lines=voice["lines"], examples=tuple(voice["examples"])),
        out_of_scope=OutOfScope(**_with_tuples(fields["out_of_scope"])),
        synonyms={word: tuple(variants) for word, variants in fields["synonyms"].items()},
        fingerprint=fields["fingerprint"],
        by_id={entry.id: entry for entry in entries},
        caution=fields["caution"],
    )


def _entry(fields: dict[str, Any]) -> Entry:
    fields["notes"] = [Note(**note) for note in fields["notes"]]
    fields["source"] = Source(**fields["source"]) if fields["source"] else None
    return _TYPE_OF_KIND[fields.pop("kind")](**_with_tuples(fields))


def _with_tuples(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}
