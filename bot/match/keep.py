"""Keeps an index as plain arrays, so that a start needn't count anything: no pickles, nothing that runs when it is read.

A file is a check sum, a line of JSON that says where each array lies, and the arrays as they lie in memory. numpy's own
archive of sixty files takes four times as long to open as all of it takes to read.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from bot import kept
from bot.match.english import english
from bot.match.exact import Exact
from bot.match.gate import Gate
from bot.match.index import Index
from bot.match.linear import Block, Linear, widened
from bot.match.meaning import Meanings
from bot.match.phrasings import Phrasings
from bot.match.profiles import Profile
from bot.match.reader import Reader
from bot.match.resolve import Lexicon, Resolver
from bot.match.scoring import Evidence
from bot.match.sparse import Rows
from bot.match.strangers import Strangers
from bot.match.wordtable import wordtable

MOST_KEPT = 24
"""Indexes in the folder: some packs, what each workspace's curators made of them, and the drafts that were looked at last."""
FORM = 11
"""Changes whenever the arrays do; an older file is not read."""

SUM = 8
"""Hexadecimal digits of the check sum."""
ALIGNED = 64
"""Bytes that arrays begin at multiples of, as processors like it."""
LONGEST_HEAD = 65_536
"""Bytes of the sum and the line of JSON."""

WEIGHTS = "evidence.linear.weights"

BETWEEN = "\0"
"""Between texts in one array; a cleaned text has no control characters."""

Array = NDArray[Any]
Arrays = dict[str, Array]


def save(index: Index, path: Path) -> None:
    """Write an index."""
    arrays = {name: np.asarray(array, order="C") for name, array in to_arrays(index).items()}
    kept.put(path, lambda file: _write(arrays, file), MOST_KEPT)


def _write(arrays: Arrays, file: BinaryIO) -> None:
    places, at = {}, 0
    for name, array in arrays.items():
        places[name] = (array.dtype.str, array.shape, at)
        at += -(-array.nbytes // ALIGNED) * ALIGNED
    head = json.dumps(places).encode()
    head += b" " * (-(len(head) + SUM + 1) % ALIGNED) + b"\n"
    file.write(b"0" * SUM + head)
    total = zlib.crc32(head)
    for array in arrays.values():
        content = array.tobytes() + bytes(-array.nbytes % ALIGNED)
        total = zlib.crc32(content, total)
        file.write(content)
    file.seek(0)
    file.write(f"{total:0{SUM}x}".encode())


def load(path: Path) -> Index | None:
    """The index in a file, or none where there is no file or it isn't one of ours."""
    try:
        content = np.fromfile(path, dtype=np.uint8)
        if int(bytes(content[:SUM]), 16) != zlib.crc32(content[SUM:].data):
            return None
        begin = bytes(content[: min(len(content), LONGEST_HEAD)]).index(b"\n") + 1
        places = json.loads(bytes(content[SUM:begin]))
        weights = widened(_array(content, begin, *places[WEIGHTS]))
        # All other arrays lie before them, and need the content no longer than that: half-width weights are half of it.
        content = content[: begin + places.pop(WEIGHTS)[2]].copy()
        arrays = {name: _array(content, begin, *place) for name, place in places.items()}
        index = from_arrays({**arrays, WEIGHTS: weights})
    except Exception:  # whatever is wrong with it: a cache can always be rebuilt, and must not stop a start
        return None
    kept.use(path)
    return index


def _array(content: Array, begin: int, kind: str, shape: list[int], at: int) -> Array:
    """The array that lies `at` so many bytes behind the head."""
    dtype = np.dtype(kind)
    first, count = begin + at, int(np.prod(shape, dtype=np.int64))
    return content[first : first + count * dtype.itemsize].view(dtype).reshape(shape)


def to_arrays(index: Index) -> Arrays:
    """The index as named arrays."""
    arrays: Arrays = {"form": np.array(FORM)}
    for name in ("evidence", "exact", "gate"):
        _put(getattr(index, name), name, arrays)
    _put(index.strangers.postings, "strangers.postings", arrays)
    _put(index.reader.resolver.pack, "pack", arrays)
    arrays["strangers.directions"] = index.strangers.directions
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
    arrays[WEIGHTS] = arrays.pop(WEIGHTS).astype(np.float16)  # last, as `load` expects them
    return arrays


def from_arrays(arrays: Mapping[str, Array]) -> Index:
    """An index from what `to_arrays` made. Raises ValueError for another form, KeyError for a missing array."""
    if int(arrays["form"]) != FORM:
        raise ValueError(f"form {int(arrays['form'])}, expected {FORM}")
    arrays = {**arrays, WEIGHTS: widened(arrays[WEIGHTS])}
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
    postings: Phrasings = _get(Phrasings, "strangers.postings", arrays)
    return Index(
        evidence=evidence,
        reader=Reader(resolver, words["stems"], synonyms, frozenset(words["subject"]), wordtable()),
        exact=_get(Exact, "exact", arrays),
        strangers=Strangers(words["strangers"], postings, arrays["strangers.directions"]),
        gate=_get(Gate, "gate", arrays),
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


def _get(kind: type[Any], name: str, arrays: Mapping[str, Array]) -> Any:
    """What `_put` took apart, put together by the types of the fields, as they are written."""
    return kind(**{field.name: _field(str(field.type), f"{name}.{field.name}", arrays) for field in fields(kind)})


def _field(kind: str, name: str, arrays: Mapping[str, Array]) -> Any:
    if kind in PARTS:
        return _get(PARTS[kind], name, arrays)
    if kind.endswith(" | None") and name not in arrays:
        return None
    match kind:
        case "int" | "float":
            return arrays[name].item()
        case "tuple[str, ...]":
            return tuple(bytes(arrays[name]).decode().split(BETWEEN)) if arrays[name].dtype == np.uint8 else ()
        case "tuple[float, ...]":
            return tuple(arrays[name].tolist())
    return arrays[name]


PARTS: Mapping[str, type[Any]] = {kind.__name__: kind for kind in (Phrasings, Rows, Profile, Linear, Block, Meanings)}
"""What an index's evidence is made of, by the names that the fields' types have."""


def _text(text: str) -> Array:
    """A text as bytes."""
    return np.frombuffer(text.encode(), dtype=np.uint8)
