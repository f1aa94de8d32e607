"""What the last import wrote, kept beside the pack's files: so the next one tells its own answers from what people changed.

It is JSON, which a pack's reader passes over, and belongs into the pack's repository.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from bot.exchange.faq import FaqQuestion, file_words
from bot.exchange.yaml_text import NewEntry
from bot.model import AskPyError

RECORD_FILE = "import.json"
ABOUT = "What the last import wrote into this pack. import --update compares with it; the bot doesn't read it."


@dataclass(frozen=True, slots=True)
class Record:
    """An entry as it was imported.

    Attributes:
        file: The source's name.
        place: The headings above it there.
        key: Its id or anchor there, or "".
        is_alone: It is the only question of its file.
        question, title, asks: As they were written into the pack.
        answer: SHA-256 of the answer.
        original: The question as the source has it; `question` may say more, to tell it from one with the same words.
    """

    file: str
    place: tuple[str, ...]
    key: str
    is_alone: bool
    question: str
    title: str
    asks: tuple[str, ...]
    answer: str
    original: str


def digest(answer: str) -> str:
    """SHA-256 of an answer, without the blanks around it, which a pack's reader takes away."""
    return hashlib.sha256(answer.strip().encode("utf-8", "replace")).hexdigest()


def record_of(entry: NewEntry, question: FaqQuestion) -> Record:
    return Record(
        file=question.file,
        place=question.group,
        key=question.id,
        is_alone=question.is_alone,
        question=question.question,
        title=entry.title,
        asks=tuple(entry.asks),
        answer=digest(entry.answer),
        original=question.original or question.question,
    )


def record_text(records: Mapping[str, Record]) -> str:
    content = {"about": ABOUT, "entries": {name: asdict(record) for name, record in records.items()}}
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def write_files(folder: Path, texts: Mapping[str, str], remedy: str) -> None:
    """Write files by their names: all of them, or none if one can't be written. A new folder appears with its files in it.

    Raises:
        AskPyError: The folder can't be written, with `remedy`.
    """
    contents = {name: text.encode("utf-8", "replace") for name, text in texts.items()}
    is_new = not folder.exists()
    place = folder.with_name(f".{folder.name}.new") if is_new else folder
    written: dict[Path, Path] = {}
    try:
        place.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            path = place / name
            temporary = path if is_new else path.with_name(f".{path.name}.new")
            written[temporary] = path
            temporary.write_bytes(content)
        if is_new:
            place.rename(folder)
        else:
            for temporary, path in written.items():
                temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            for temporary in written:
                temporary.unlink(missing_ok=True)
            if is_new:
                place.rmdir()
        raise AskPyError(f"{folder} can't be written: {error.strerror or error}. {remedy}") from None


def read_record(path: Path) -> dict[str, Record]:
    """The entries of the last import by id; none without a record. Raises AskPyError for a file that isn't one."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): _read(fields) for name, fields in content["entries"].items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise AskPyError(
            f"{path} can't be read as the record of an import. Restore it, or delete it: then no answer is replaced."
        ) from None


def _read(fields: Mapping[str, object]) -> Record:
    place, asks = fields["place"], fields["asks"]
    if not (isinstance(place, list) and isinstance(asks, list)):
        raise TypeError("place and asks are lists")
    file, headings, question = str(fields["file"]), tuple(map(str, place)), str(fields["question"])
    original = fields["original"] if "original" in fields else _original(question, (*headings, *file_words(file)))
    return Record(
        file, headings, str(fields["key"]), bool(fields["is_alone"]), question,
        str(fields["title"]), tuple(map(str, asks)), str(fields["answer"]), str(original),
    )  # fmt: skip


def _original(question: str, names: Iterable[str]) -> str:
    """A question without the name in brackets that told it from another: records of older versions don't have the original."""
    return next((question.removesuffix(end) for name in names if question.endswith(end := f" ({name})")), question)
