"""The schema of a pack's files, as pydantic models: the one place where fields are named and typed."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from bot.model import Caution

SUMMARY_LIMIT = 200
"""Characters of a card's summary: the body of Slack's card block takes no more."""
TITLE_LIMIT = 150
"""Characters of a title or name: the limit of Slack's header block and of a card's title."""
ANSWER_LIMIT = 3_000
"""Characters of an answer: Slack's text blocks take no more, and an answer is sent whole or not at all."""
SHORT_LIMIT = 120
"""Characters of a note's short form: two lines on a phone."""
PHRASING_LIMIT = 500
"""Characters of one phrasing. Real questions are shorter; a longer one is a paste."""


def is_id(value: object) -> bool:
    """Whether a value is an id: lower-case letters and digits, joined by single hyphens."""
    return isinstance(value, str) and re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*", value) is not None


def _not_empty(text: str) -> str:
    if not text.strip():
        raise ValueError("is empty; write something or leave the field out")
    return text.strip()


def _id_or_empty(text: str) -> str:
    if text and not is_id(text):
        raise ValueError(f"'{text}' can't be an id: lower-case letters and digits, joined by single hyphens")
    return text


def _iso_date(text: str) -> str:
    if not text:
        return text
    try:
        return dt.date.fromisoformat(text).isoformat()
    except ValueError:
        raise ValueError(f"'{text}' is not a date; write it as 2026-11-22") from None


def _web_address(text: str) -> str:
    if text and not re.fullmatch(r"https?://[^\s<>|\"]+", text):
        raise ValueError(f"'{text[:60]}' is not a web address; it starts with https:// and has no blanks")
    return text


def _as_list(value: object) -> object:
    """One text where a list is wanted is taken for a list of one: it can mean nothing else."""
    return [value] if isinstance(value, str) else value


def _true_or_false(value: object) -> object:
    if isinstance(value, str) and value.lower() in ("true", "yes", "false", "no"):
        return value.lower() in ("true", "yes")
    raise ValueError("is true or false")


# An optional field's empty default passes: what isn't written isn't checked.
NonEmptyText = Annotated[str, AfterValidator(_not_empty)]
TitleText = Annotated[NonEmptyText, Field(max_length=TITLE_LIMIT)]
AnswerText = NonEmptyText
PhrasingText = Annotated[NonEmptyText, Field(max_length=PHRASING_LIMIT)]
IdText = Annotated[str, AfterValidator(_id_or_empty)]
RequiredId = Annotated[IdText, AfterValidator(_not_empty)]
IsoDate = Annotated[str, AfterValidator(_iso_date)]
WebAddress = Annotated[str, Field(max_length=3000), AfterValidator(_web_address)]
TextList = Annotated[tuple[NonEmptyText, ...], BeforeValidator(_as_list)]
PhrasingList = Annotated[tuple[PhrasingText, ...], BeforeValidator(_as_list)]
IdList = Annotated[tuple[IdText, ...], BeforeValidator(_as_list)]
Flag = Annotated[bool, BeforeValidator(_true_or_false)]


class Schema(BaseModel):
    """A mapping with these fields and no other."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NoteSchema(Schema):
    date: Annotated[IsoDate, AfterValidator(_not_empty)]
    text: NonEmptyText
    source: NonEmptyText
    url: WebAddress = ""
    short: Annotated[str, Field(max_length=SHORT_LIMIT)] = ""


class EntrySchema(Schema):
    """A topic, and the fields that every kind of entry may have."""

    id: RequiredId
    kind: Literal["topic"] = "topic"
    title: TitleText
    asks: PhrasingList = Field(min_length=1)
    not_asks: PhrasingList = ()
    answer: AnswerText
    paragraphs: TextList = ()
    names: TextList = ()
    related: IdList = ()
    notes: tuple[NoteSchema, ...] = ()


class StepSchema(EntrySchema):
    kind: Literal["step"]  # type: ignore[assignment]  # narrows the base's literal to another one
    of: IdText
    step: Annotated[int, Field(ge=1, le=99)]


class LibrarySchema(EntrySchema):
    kind: Literal["library"]  # type: ignore[assignment]  # narrows the base's literal to another one
    title: Annotated[str, Field(max_length=TITLE_LIMIT)] = ""
    name: TitleText
    aliases: TextList = ()
    side: IdText = ""
    what: str = ""
    summary: Annotated[str, Field(max_length=SUMMARY_LIMIT)] = ""
    good_for: TextList = ()
    capabilities: IdList = ()
    also: IdList = ()
    package: str = ""
    install: str = ""
    homepage: WebAddress = ""
    docs: WebAddress = ""


class SourceSchema(Schema):
    title: NonEmptyText
    author: str = ""
    publisher: str = ""
    date: IsoDate = ""
    url: WebAddress = ""


class PackSchema(Schema):
    """pack.yaml"""

    name: TitleText
    about: str = ""
    subject: TextList = ()
    source: SourceSchema | None = None
    caution: Caution = "usual"


class GroupSchema(Schema):
    """A group of groups.yaml"""

    id: RequiredId
    title: TitleText
    label: TitleText
    words: TextList = ()
    list_asks: PhrasingList = ()
    pick_asks: PhrasingList = ()
    not_asks: PhrasingList = ()
    all: Flag = False


class OutOfScopeSchema(Schema):
    """out_of_scope.yaml"""

    names: TextList = ()
    ordinary_names: TextList = ()
    asks: PhrasingList = ()


class SmallTalkSchema(Schema):
    """A piece of small talk of voice.yaml"""

    asks: PhrasingList = ()
    answer: AnswerText


SCHEMA_OF_KIND: dict[str, type[EntrySchema]] = {"topic": EntrySchema, "step": StepSchema, "library": LibrarySchema}
