"""Keeps a loaded pack as JSON, so that a start needn't read and check the YAML again. Nothing in it runs when it is read."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bot import kept
from bot.model import Entry, Group, Knowledge, Library, Note, Said, Source, Step, Strangers, Voice

MOST_KEPT = 4
"""Packs in the folder: some packs and the one before the last edit."""

_KINDS: dict[str, type[Entry]] = {"topic": Entry, "step": Step, "library": Library}


def path_of(folder: Path, fingerprint: str) -> Path:
    """Where the pack with this fingerprint is kept; another for every edit of the code that reads packs."""
    digest = hashlib.sha256()
    here = Path(__file__).parent
    for path in [*sorted(here.glob("*.py")), here.parent / "model.py"]:
        digest.update(path.read_bytes())
    return folder / f"pack-{fingerprint[:24]}-{digest.hexdigest()[:12]}.json"


def recall(path: Path, fingerprint: str) -> Knowledge | None:
    """The pack with this fingerprint out of a file; none where there is no file or it isn't as `keep` wrote it."""
    try:
        digest, _, content = path.read_bytes().partition(b"\n")
        if digest != _digest(content):
            return None
        knowledge = _knowledge(json.loads(content))
    except Exception:  # whatever is wrong with it: a cache can always be rebuilt, and must not stop a start
        return None
    if knowledge.fingerprint != fingerprint:
        return None
    kept.use(path)
    return knowledge


def keep(knowledge: Knowledge, path: Path) -> None:
    """Write a pack."""
    fields = asdict(knowledge)
    del fields["by_id"]
    fields["entries"] = [{"kind": entry.kind, **asdict(entry)} for entry in knowledge.entries]
    content = json.dumps(fields).encode()
    kept.put(path, lambda file: file.write(_digest(content) + b"\n" + content), MOST_KEPT)


def _digest(content: bytes) -> bytes:
    """Tells a damaged or foreign file, so that no value in it needs to be checked."""
    return hashlib.sha256(content).hexdigest().encode()


def _knowledge(fields: dict[str, Any]) -> Knowledge:
    entries = tuple(_entry(entry) for entry in fields["entries"])
    voice = fields["voice"]
    talk = {name: Said(tuple(said["asks"]), said["answer"]) for name, said in voice["small_talk"].items()}
    return Knowledge(
        name=fields["name"],
        about=fields["about"],
        subject=tuple(fields["subject"]),
        source=Source(**fields["source"]) if fields["source"] else None,
        entries=entries,
        groups=tuple(Group(**_tuples(group)) for group in fields["groups"]),
        voice=Voice(small_talk=talk, lines=voice["lines"], examples=tuple(voice["examples"])),
        strangers=Strangers(**_tuples(fields["strangers"])),
        synonyms={word: tuple(variants) for word, variants in fields["synonyms"].items()},
        fingerprint=fields["fingerprint"],
        by_id={entry.id: entry for entry in entries},
    )


def _entry(fields: dict[str, Any]) -> Entry:
    fields["notes"] = [Note(**note) for note in fields["notes"]]
    return _KINDS[fields.pop("kind")](**_tuples(fields))


def _tuples(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}
