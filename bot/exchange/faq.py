"""A FAQ as questions with answers in Markdown, and notes on what couldn't be taken over as it was."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

NoteKind = Literal["left out", "not taken", "changed", "read as"]
"""Whether something is missing in an answer, a row, section or phrasing is missing in the pack, something is written otherwise in
an answer, or was understood in one of several ways."""
LEFT_OUT: tuple[NoteKind, ...] = ("left out", "not taken")
"""The kinds of what is missing in the pack."""

_ASKS = re.compile(r"[?？؟\u037e⁇⁈][^\w\s]{0,10}(?:\s|$)")
"""A question mark at the end of a word: of Latin, Chinese and Arabic script, the Greek one, and doubled ones."""
ASKING_WORDS = frozenset(
    "how what why when where who whom whose which can could do does did is are was were should shall will would may might must "
    "am has have "
    "cómo cuál cuáles cuándo cuánto cuánta cuántos cuántas dónde adónde qué quién quiénes "
    "como qual quais quando quanto quantos onde quem "
    "comment pourquoi quand combien où qui quel quelle quels quelles puis-je peut-on est-ce qu'est-ce dois-je "
    "wie was wann warum weshalb wieso wo woher wohin wer wen wem welche welcher welches welchen kann können darf muss gibt "
    "cosa dove chi quale quali perché quanti "
    "как что когда почему зачем где куда кто сколько какой какая какое какие можно чем "
    "hoe wat wanneer waarom waar jak co kiedy dlaczego gdzie kto ile czy".split()
)
_ASKING_STARTS = re.compile(
    r"\W*(?:¿|por qu[eé]\b|en qué\b|a quién\b|如何|怎么|怎樣|怎样|怎麼|为什么|為什麼|为何|为啥|什么是|什麼是|哪|谁|能否|是否"
    r"|有没有|なぜ|どう|どこ|いつ|誰|何|어떻게|왜|무엇|언제|어디|누가)"
)
_ASKING_ENDS = re.compile(
    r"(?:吗|嗎|呢|怎么办|怎麼辦|为什么|什么|ですか|ますか|のか|でしょうか|나요|까요|습니까|인가요)\W*$"
)


@dataclass(frozen=True, slots=True, order=True)
class Note:
    """What a person has to know about a line; 0 stands for the whole file. `file`: the source's name, `sheet` a workbook's."""

    file: str
    line: int
    text: str
    kind: NoteKind = "left out"
    sheet: str = ""


@dataclass(frozen=True, slots=True)
class FaqQuestion:
    """A question with its answer.

    Attributes:
        question: Plain text.
        answer: Markdown.
        line: Where it starts in the file.
        asks: Further phrasings.
        not_asks: Questions that it doesn't answer.
        title, id: "" where the file has none.
        group: The headings above it, or its category: what tells two questions with the same words apart.
        file: The source's name: the file's, or within a folder its path.
        sheet: The workbook's sheet, or "".
        is_alone: The only question of a file in a folder, which the file's name therefore identifies.
        original: The question as its file has it, if `question` says more because another one has the same words; else "".
    """

    question: str
    answer: str
    line: int
    asks: tuple[str, ...] = ()
    not_asks: tuple[str, ...] = ()
    title: str = ""
    id: str = ""
    group: tuple[str, ...] = ()
    file: str = ""
    is_alone: bool = False
    original: str = ""
    sheet: str = ""


@dataclass(frozen=True, slots=True)
class Faq:
    """What a file holds.

    Attributes:
        questions: With their answers, in the file's order.
        name: Its title, or "".
        description: What was recognized in a file without questions, for the error message.
        notes: What was left out or changed.
        file: The source's name; "" for what is said of a folder.
        is_read: The file could be read.
        is_mostly_left_out: More than half of its text is in no answer.
    """

    questions: tuple[FaqQuestion, ...] = ()
    name: str = ""
    description: str = ""
    notes: tuple[Note, ...] = ()
    file: str = ""
    is_read: bool = True
    is_mostly_left_out: bool = False


def asks(text: str) -> bool:
    """Whether a title or a line of plain text is a question by its mark."""
    return _ASKS.search(text[-300:]) is not None


def looks_asked(title: str) -> bool:
    """Whether a title without a question mark reads as a question, by its first word, or by its first or last signs."""
    words = title.casefold().replace("’", "'").split()
    if len(words) > 2 and (words[0] in ASKING_WORDS or words[0].partition("'")[0] in ASKING_WORDS):
        return True
    return _ASKING_STARTS.match(title[:60]) is not None or _ASKING_ENDS.search(title[-60:]) is not None


def worded_apart(question: FaqQuestion, group: Sequence[str] = (), file: str = "") -> Iterator[str]:
    """The question with what may tell it from one with the same words that stands below the headings `group` in `file`."""
    yield from (f"{question.question} ({name})" for name in reversed(question.group) if name not in group)
    if question.file != file:
        yield from (
            f"{question.question} ({name})" for name in file_words(question.file) if name not in file_words(file)
        )


def file_words(file: str) -> tuple[str, str]:
    """The words of a file's name, and its path without the suffix."""
    path = PurePosixPath(file)
    return path.stem.replace("-", " ").replace("_", " "), file.removesuffix(path.suffix)


def is_bare(title: str) -> bool:
    """Whether a title has a word or two, and so doesn't say what it is about: "Hours", "First day"."""
    words = re.findall(r"\w+", title)
    return 0 < len(words) <= 2 and not asks(title) and (title.isascii() or len(title) > 2 * len(words))


def beginning(text: str, length: int = 60) -> str:
    """The first words of a text, on one line."""
    line = " ".join(text[: 4 * length].split())
    return line if len(line) <= length else (line[:length].rpartition(" ")[0] or line[:length]) + "…"


def joined_notes(notes: Iterable[Note]) -> tuple[str, ...]:
    """The notes as `file:line: text`, in order; notes with the same text on one file are one line that names all their lines."""
    lines: dict[tuple[str, str, str], list[int]] = {}
    for note in sorted(notes, key=lambda note: (note.file, note.sheet, note.line)):
        lines.setdefault((note.file, note.sheet, note.text), []).append(note.line)
    return tuple(_joined(file, sheet, text, numbers) for (file, sheet, text), numbers in lines.items())


MAX_LINES_NAMED = 8
"""Further lines that a note names one by one."""


def _joined(file: str, sheet: str, text: str, numbers: list[int]) -> str:
    place = f"{file}, sheet '{sheet}'" if sheet else file
    place += (f", row {numbers[0]}" if sheet else f":{numbers[0]}") if numbers[0] else ""
    others = sorted(set(numbers[1:]) - {numbers[0]})
    if not others:
        return f"{place}: {text}"
    named = ", ".join(map(str, others[:MAX_LINES_NAMED]))
    more = f" and {len(others) - MAX_LINES_NAMED} more" if len(others) > MAX_LINES_NAMED else ""
    return f"{place}: {text} (also {'row' if sheet else 'line'}{'s' * (len(others) > 1)} {named}{more})"
