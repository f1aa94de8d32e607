"""Saves an index as plain arrays, so that a start needn't count anything: no pickles, nothing is executed when it is read.

A file is a checksum, a line of JSON with the type, shape and position of each array, and the arrays as they lie in memory.
numpy's own archive of sixty files takes four times as long to open as all of this takes to read.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import Field, fields, is_dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from bot import file_cache
from bot.retrieval.documents import Documents
from bot.retrieval.embeddings import Embeddings, word_vectors
from bot.retrieval.encoding import Encoder
from bot.retrieval.english import english
from bot.retrieval.gate import Gate
from bot.retrieval.index import ExactPhrases, Index
from bot.retrieval.linear_classifier import FeatureBlock, LinearClassifier
from bot.retrieval.naive_bayes import NaiveBayes
from bot.retrieval.out_of_scope import OutOfScopeIndex
from bot.retrieval.scoring import IndexStats
from bot.retrieval.sparse import SparseRows
from bot.retrieval.spelling import Lexicon, SpellingCorrector
from bot.retrieval.tfidf import TfidfIndex

MAX_FILES = 24
"""Indexes in the folder: some packs, their workspaces' edited versions, and the drafts that were previewed last."""
FORMAT = 14
"""Changes whenever the arrays do; a file of another format is not read."""

CHECKSUM_DIGITS = 8
"""Hexadecimal digits of the CRC-32."""
ALIGNMENT = 64
"""Bytes at whose multiples arrays begin: a cache line."""
MAX_HEADER = 65_536
"""Bytes of the checksum and the line of JSON."""

SEPARATOR = "\0"
"""Between texts in one array; a cleaned text has no control characters."""

Array = NDArray[Any]
Arrays = dict[str, Array]


def load_or_build(path: Path | None, build: Callable[[], Index]) -> Index:
    """The index in the file `path`; where that can't be read it is built and saved there. None: it is only built."""
    if path is None:
        return build()
    index = load(path)
    if index is not None:
        return index
    with file_cache.build_lock(path):  # four processes that start together would each build for seconds
        index = load(path)
        if index is None:
            index = build()
            save(index, path)
    return index


def save(index: Index, path: Path) -> None:
    """Write an index to a file; a folder that can't be written is logged and otherwise ignored."""
    arrays = {name: np.asarray(array, order="C") for name, array in to_arrays(index).items()}
    file_cache.write_atomic(path, lambda file: _write(arrays, file), MAX_FILES)


def _write(arrays: Arrays, file: BinaryIO) -> None:
    layout, offset = {}, 0
    for name, array in arrays.items():
        layout[name] = (array.dtype.str, array.shape, offset)
        offset += -(-array.nbytes // ALIGNMENT) * ALIGNMENT
    header = json.dumps(layout).encode()
    header += b" " * (-(len(header) + CHECKSUM_DIGITS + 1) % ALIGNMENT) + b"\n"
    file.write(b"0" * CHECKSUM_DIGITS + header)
    checksum = zlib.crc32(header)
    for array in arrays.values():
        content = array.tobytes() + bytes(-array.nbytes % ALIGNMENT)
        checksum = zlib.crc32(content, checksum)
        file.write(content)
    file.seek(0)
    file.write(f"{checksum:0{CHECKSUM_DIGITS}x}".encode())


def load(path: Path) -> Index | None:
    """The index in a file; None where there is no file, it is damaged, or it is of another format."""
    try:
        content = np.fromfile(path, dtype=np.uint8)
        if int(bytes(content[:CHECKSUM_DIGITS]), 16) != zlib.crc32(content[CHECKSUM_DIGITS:].data):
            return None
        begin = bytes(content[: min(len(content), MAX_HEADER)]).index(b"\n") + 1
        layout = json.loads(bytes(content[CHECKSUM_DIGITS:begin]))
        index = from_arrays({name: _array(content, begin, *place) for name, place in layout.items()})
    except Exception:  # whatever is wrong with it: a cache can always be rebuilt, and must not stop a start
        return None
    file_cache.touch(path)
    return index


def _array(content: Array, begin: int, dtype_name: str, shape: list[int], offset: int) -> Array:
    """The array at `offset` bytes behind the header, which ends at `begin`."""
    dtype = np.dtype(dtype_name)
    first, count = begin + offset, int(np.prod(shape, dtype=np.int64))
    return content[first : first + count * dtype.itemsize].view(dtype).reshape(shape)


def to_arrays(index: Index) -> Arrays:
    """The index as named arrays."""
    arrays: Arrays = {"format": np.array(FORMAT)}
    for name in ("stats", "exact", "gate"):
        _flatten(getattr(index, name), name, arrays)
    encoder, spelling = index.encoder, index.encoder.spelling
    _flatten(index.out_of_scope.tfidf, "out_of_scope.tfidf", arrays)
    _flatten(spelling.lexicon, "lexicon", arrays)
    arrays["out_of_scope.vectors"] = index.out_of_scope.vectors
    arrays["texts"] = _encoded(SEPARATOR.join(index.texts))
    words = {
        "stem_ids": encoder.stem_ids,
        "pack_stems": sorted(spelling.pack_stems),
        "kept_words": sorted(spelling.kept_words),
        "subject": sorted(encoder.subject),
        "synonyms": encoder.synonyms,
        "out_of_scope_stem_ids": index.out_of_scope.stem_ids,
    }
    arrays["words"] = _encoded(json.dumps(words))
    return arrays


def from_arrays(arrays: Mapping[str, Array]) -> Index:
    """An index from what `to_arrays` made.

    Raises:
        ValueError: Another format.
        KeyError: A missing array.
    """
    if int(arrays["format"]) != FORMAT:
        raise ValueError(f"format {int(arrays['format'])}, expected {FORMAT}")
    words = json.loads(bytes(arrays["words"]))
    lexicon: Lexicon = _restored(Lexicon, "lexicon", arrays)
    spelling = SpellingCorrector(
        lexicon=lexicon,
        pack_words=frozenset(lexicon.words),
        pack_stems=frozenset(words["pack_stems"]),
        kept_words=frozenset(words["kept_words"]),
        english=english(),
    )
    synonyms = {
        first: tuple((tuple(variant), tuple(canonical)) for variant, canonical in pairs)
        for first, pairs in words["synonyms"].items()
    }
    tfidf: TfidfIndex = _restored(TfidfIndex, "out_of_scope.tfidf", arrays)
    return Index(
        stats=_restored(IndexStats, "stats", arrays),
        encoder=Encoder(spelling, words["stem_ids"], synonyms, frozenset(words["subject"]), word_vectors()),
        exact=_restored(ExactPhrases, "exact", arrays),
        out_of_scope=OutOfScopeIndex(words["out_of_scope_stem_ids"], tfidf, arrays["out_of_scope.vectors"]),
        gate=_restored(Gate, "gate", arrays),
        texts=tuple(bytes(arrays["texts"]).decode().split(SEPARATOR)),
    )


def _flatten(value: object, name: str, arrays: Arrays) -> None:
    """Put a dataclass's arrays, numbers and texts under the names of its fields; None is left out."""
    if is_dataclass(value) and not isinstance(value, type):
        for field in stored_fields(value):
            _flatten(getattr(value, field.name), f"{name}.{field.name}", arrays)
    elif isinstance(value, tuple) and value and isinstance(value[0], str):
        arrays[name] = _encoded(SEPARATOR.join(value))
    elif value is not None:
        arrays[name] = np.asarray(value)


def _restored(kind: type[Any], name: str, arrays: Mapping[str, Array]) -> Any:
    """The dataclass that `_flatten` took apart, by the types of its fields."""
    return kind(
        **{field.name: _field(str(field.type), f"{name}.{field.name}", arrays) for field in stored_fields(kind)}
    )


def stored_fields(kind: Any) -> list[Field[Any]]:
    """The fields of a dataclass that aren't computed from the others."""
    return [field for field in fields(kind) if field.init]


def _field(type_name: str, name: str, arrays: Mapping[str, Array]) -> Any:
    if type_name in NESTED_TYPES:
        return _restored(NESTED_TYPES[type_name], name, arrays)
    if type_name.endswith(" | None") and name not in arrays:
        return None
    match type_name:
        case "int" | "float":
            return arrays[name].item()
        case "tuple[str, ...]":
            return tuple(bytes(arrays[name]).decode().split(SEPARATOR)) if arrays[name].dtype == np.uint8 else ()
        case "tuple[float, ...]":
            return tuple(arrays[name].tolist())
    return arrays[name]


NESTED_TYPES: Mapping[str, type[Any]] = {
    kind.__name__: kind
    for kind in (TfidfIndex, SparseRows, NaiveBayes, LinearClassifier, FeatureBlock, Embeddings, Documents)
}
"""Dataclasses that are fields of IndexStats or of each other, by name."""


def _encoded(text: str) -> Array:
    """A text as UTF-8 bytes."""
    return np.frombuffer(text.encode(), dtype=np.uint8)
