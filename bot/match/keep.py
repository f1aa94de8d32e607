"""Keeps an index as plain arrays, so that a start needn't count anything: no pickles, nothing that runs when it is read."""

from __future__ import annotations

import json
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

import numpy as np
from numpy.typing import NDArray

from bot import kept
from bot.match.english import english
from bot.match.exact import Exact
from bot.match.gate import Gate
from bot.match.index import Index
from bot.match.reader import Reader
from bot.match.resolve import Lexicon, Resolver
from bot.match.scoring import Evidence
from bot.match.strangers import Strangers
from bot.match.wordtable import wordtable

MOST_KEPT = 24
"""Indexes in the folder: some packs, what each workspace's curators made of them, and the drafts that were looked at last."""
FORM = 6
"""Changes whenever the arrays do; an older file is not read."""

BETWEEN = "\0"
"""Between texts in one array; a cleaned text has no control characters."""

Array = NDArray[Any]
Arrays = dict[str, Array]


def save(index: Index, path: Path) -> None:
    """Write an index."""
    kept.put(path, lambda file: np.savez(file, allow_pickle=False, **to_arrays(index)), MOST_KEPT)


def load(path: Path) -> Index | None:
    """The index in a file, or none where there is no file or it isn't one of ours."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            index = from_arrays(arrays)
    except Exception:  # whatever is wrong with it: a cache can always be rebuilt, and must not stop a start
        return None
    kept.use(path)
    return index


def to_arrays(index: Index) -> Arrays:
    """The index as named arrays."""
    arrays: Arrays = {"form": np.array(FORM)}
    for name in ("evidence", "exact", "gate"):
        _put(getattr(index, name), name, arrays)
    _put(index.strangers.postings, "strangers.postings", arrays)
    _put(index.reader.resolver.pack, "pack", arrays)
    arrays["strangers.directions"] = index.strangers.directions
    arrays["numbers"] = index.numbers
    arrays["texts"] = _text(BETWEEN.join(index.texts))
    resolver, reader = index.reader.resolver, index.reader
    arrays["words"] = _text(
        json.dumps(
            {
                "stems": reader.numbers,
                "known": sorted(resolver.stems),
                "strange": sorted(resolver.strange),
                "subject": sorted(reader.subject),
                "synonyms": reader.synonyms,
                "strangers": index.strangers.numbers,
            }
        )
    )
    return arrays


def from_arrays(arrays: Mapping[str, Array]) -> Index:
    """An index from what `to_arrays` made. Raises ValueError for another form, KeyError for a missing array."""
    if int(arrays["form"]) != FORM:
        raise ValueError(f"form {int(arrays['form'])}, expected {FORM}")
    words = json.loads(bytes(arrays["words"]))
    pack: Lexicon = _get(Lexicon, "pack", arrays)
    resolver = Resolver(
        pack=pack,
        own=frozenset(pack.words),
        stems=frozenset(words["known"]),
        strange=frozenset(words["strange"]),
        english=english(),
    )
    synonyms = {
        first: tuple((tuple(variant), tuple(meant)) for variant, meant in pairs)
        for first, pairs in words["synonyms"].items()
    }
    evidence: Evidence = _get(Evidence, "evidence", arrays)
    postings = _get(type(evidence.phrasings), "strangers.postings", arrays)
    return Index(
        evidence=evidence,
        reader=Reader(resolver, words["stems"], synonyms, frozenset(words["subject"]), wordtable()),
        exact=_get(Exact, "exact", arrays),
        strangers=Strangers(words["strangers"], postings, arrays["strangers.directions"]),
        gate=_get(Gate, "gate", arrays),
        numbers=arrays["numbers"],
        texts=tuple(bytes(arrays["texts"]).decode().split(BETWEEN)),
    )


def _put(value: object, name: str, arrays: Arrays) -> None:
    """A dataclass's arrays, numbers and words under its fields' names; what is None is left out."""
    if is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            _put(getattr(value, field.name), f"{name}.{field.name}", arrays)
    elif isinstance(value, tuple) and value and isinstance(value[0], str):
        arrays[name] = _text(BETWEEN.join(value))
    elif value is not None:
        arrays[name] = np.asarray(value)


def _get(kind: Any, name: str, arrays: Mapping[str, Array]) -> Any:
    """What `_put` took apart, put together by its type."""
    if isinstance(kind, types.UnionType):
        kind = get_args(kind)[0] if name in arrays else type(None)
    if kind is type(None):
        return None
    if isinstance(kind, type) and is_dataclass(kind):
        hints = get_type_hints(kind)
        return kind(**{field.name: _get(hints[field.name], f"{name}.{field.name}", arrays) for field in fields(kind)})
    if kind in (int, float):
        return kind(arrays[name])
    if get_args(kind)[:1] == (str,):
        return tuple(bytes(arrays[name]).decode().split(BETWEEN)) if arrays[name].dtype == np.uint8 else ()
    if get_args(kind)[:1] == (float,):
        return tuple(arrays[name].tolist())
    return arrays[name]


def _text(text: str) -> Array:
    """A text as bytes."""
    return np.frombuffer(text.encode(), dtype=np.uint8)
