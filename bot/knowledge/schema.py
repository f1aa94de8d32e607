"""The schema of a pack's files, as pydantic models: the one place where fields are named and typed."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from bot.knowledge.yaml_reader import shortened
from bot.model import Caution
from bot.text import clean, normalize_phrase

SUMMARY_LIMIT = 200
"""Characters of a card's summary: the body of Slack's card block takes no more."""
TITLE_LIMIT = 150
"""Characters of a title or name: the limit of Slack's header block and of a card's title."""
SHORT_LIMIT = 120
"""Characters of a note's short form: two lines on a phone."""
TEXT_LIMIT = 3_000
"""Characters of a text that is sent whole: a note, a sentence of the bot. Slack's text blocks take no more. Answers have no limit
of their own."""
PHRASING_LIMIT = 500
"""Characters of one phrasing. Real questions are shorter; a longer one is a paste."""
LINE_LIMIT = 500
"""Characters of a text that is read within a line, such as a card's noun phrases."""
ID_LIMIT = 150
"""Characters of an id: the limit of an option in Slack's menus; ids also stand in buttons, logs and database columns."""
ADDRESS_LIMIT = 3_000
"""Characters of a web address: the limit of Slack's buttons."""


def is_id(value: object) -> bool:
    """Whether a value is an id: lower-case letters and digits, joined by single hyphens."""
    return isinstance(value, str) and re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*", value) is not None


def _not_empty(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("empty", "is empty")
    return text.strip()


def _answer(text: str) -> str:
    """Without blank lines around it; the indent of its first line stays, because code may begin there."""
    return re.sub(r"\A(?:[ \t]*\n)+", "", _not_empty(text) and text).rstrip()


def _with_words(text: str) -> str:
    if not normalize_phrase(text):
        raise PydanticCustomError("no_words", "has an item without letters and digits; write a word, or take it out")
    return text


def _id_or_empty(text: str) -> str:
    if text and not is_id(text):
        raise ValueError(f"'{shortened(text)}' can't be an id: lower-case letters and digits, joined by single hyphens")
    return text


def _iso_date(text: str) -> str:
    if not text:
        return text
    try:
        return dt.date.fromisoformat(text).isoformat()
    except ValueError:
        raise ValueError(f"'{shortened(text)}' is not a date; write it as 2026-11-22") from None


def _web_address(text: str) -> str:
    if text and not re.fullmatch(r"https?://[^\s<>|\"]+", text):
        raise ValueError(f"'{shortened(text)}' is not a web address; it starts with https:// and has no blanks")
    return text


def as_list(value: object) -> object:
    """One text where a list is wanted is taken for a list of one, and nothing for an empty one: it can mean nothing else.

    Raises PydanticCustomError for a text with a comma, which may mean several.
    """
    if not isinstance(value, str):
        return value
    if "," in value:
        raise PydanticCustomError("one_text", ONE_TEXT)
    return [value] if value.strip() else []


ONE_TEXT = "is one text with a comma; write a list, each in a line of its own that starts with '- '"


def _true_or_false(value: object) -> object:
    if isinstance(value, str) and value.lower() in ("true", "yes", "false", "no"):
        return value.lower() in ("true", "yes")
    raise ValueError("can only be true or false")


# An optional field's empty default passes: what isn't written isn't checked.
AnswerText = Annotated[str, AfterValidator(_answer)]
NonEmptyText = Annotated[str, AfterValidator(_not_empty), Field(max_length=TEXT_LIMIT)]
TitleText = Annotated[str, AfterValidator(_not_empty), Field(max_length=TITLE_LIMIT)]
PhrasingText = Annotated[str, AfterValidator(_not_empty), Field(max_length=PHRASING_LIMIT)]
NonEmptyLine = Annotated[str, AfterValidator(_not_empty), Field(max_length=LINE_LIMIT)]
Line = Annotated[str, Field(max_length=LINE_LIMIT)]
IdText = Annotated[str, Field(max_length=ID_LIMIT), AfterValidator(_id_or_empty)]
RequiredId = Annotated[IdText, AfterValidator(_not_empty)]
IsoDate = Annotated[str, AfterValidator(_iso_date)]
WebAddress = Annotated[str, Field(max_length=ADDRESS_LIMIT), AfterValidator(_web_address)]
NameText = Annotated[TitleText, AfterValidator(_with_words)]
NameList = Annotated[tuple[NameText, ...], BeforeValidator(as_list)]
WordList = Annotated[tuple[Annotated[NameText, AfterValidator(clean)], ...], BeforeValidator(as_list)]
LineList = Annotated[tuple[NonEmptyLine, ...], BeforeValidator(as_list)]
PhrasingList = Annotated[tuple[PhrasingText, ...], BeforeValidator(as_list)]
IdList = Annotated[tuple[IdText, ...], BeforeValidator(as_list)]
Flag = Annotated[bool, BeforeValidator(_true_or_false)]


class Schema(BaseModel):
    """A mapping with these fields and no other."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NoteSchema(Schema):
    date: Annotated[IsoDate, AfterValidator(_not_empty)]
    text: NonEmptyText
    source: NonEmptyLine
    url: WebAddress = ""
    short: Annotated[str, Field(max_length=SHORT_LIMIT)] = ""


class SourceSchema(Schema):
    title: NonEmptyLine
    author: Line = ""
    publisher: Line = ""
    date: IsoDate = ""
    url: WebAddress = ""


class EntrySchema(Schema):
    """A topic, and the fields that every kind of entry may have."""

    id: RequiredId
    kind: Literal["topic"] = "topic"
    title: TitleText
    asks: PhrasingList = Field(min_length=1)
    not_asks: PhrasingList = ()
    answer: AnswerText
    paragraphs: LineList = ()
    names: NameList = ()
    related: IdList = ()
    notes: tuple[NoteSchema, ...] = ()
    source: SourceSchema | None = None
    owner: Line = ""
    reviewed: IsoDate = ""
    review_by: IsoDate = ""


class StepSchema(EntrySchema):
    kind: Literal["step"]  # type: ignore[assignment]  # narrows the base's literal to another one
    of: IdText
    step: Annotated[int, Field(ge=1, le=99)]


class LibrarySchema(EntrySchema):
    kind: Literal["library"]  # type: ignore[assignment]  # narrows the base's literal to another one
    title: Annotated[str, Field(max_length=TITLE_LIMIT)] = ""
    name: TitleText
    aliases: NameList = ()
    side: IdText = ""
    what: Line = ""
    summary: Annotated[str, Field(max_length=SUMMARY_LIMIT)] = ""
    good_for: LineList = ()
    capabilities: IdList = ()
    also: IdList = ()
    package: Line = ""
    install: Line = ""
    homepage: WebAddress = ""
    docs: WebAddress = ""


class PackSchema(Schema):
    """pack.yaml"""

    name: TitleText
    about: Line = ""
    subject: WordList = ()
    source: SourceSchema | None = None
    caution: Caution = "usual"


class GroupSchema(Schema):
    """A group of groups.yaml"""

    id: RequiredId
    title: TitleText
    label: TitleText
    words: WordList = ()
    list_asks: PhrasingList = ()
    pick_asks: PhrasingList = ()
    not_asks: PhrasingList = ()
    all: Flag = False


class OutOfScopeSchema(Schema):
    """out_of_scope.yaml"""

    names: NameList = ()
    ordinary_names: NameList = ()
    asks: PhrasingList = ()


class SmallTalkSchema(Schema):
    """A piece of small talk of voice.yaml"""

    asks: PhrasingList = ()
    answer: NonEmptyText


SCHEMA_OF_KIND: dict[str, type[EntrySchema]] = {"topic": EntrySchema, "step": StepSchema, "library": LibrarySchema}
