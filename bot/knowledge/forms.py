"""What each file of a pack may hold, as pydantic models: the one place where fields are named and typed."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

SUMMARY_LIMIT = 200
"""Characters of a card's summary: the body of Slack's card block takes no more."""
TITLE_LIMIT = 150
"""Characters of a title or name: the limit of Slack's header block and of a card's title."""
ANSWER_LIMIT = 3_000
"""Characters of an answer: Slack's text blocks take no more, and an answer is sent whole or not at all."""
PHRASING_LIMIT = 500
"""Characters of one phrasing. Real questions are shorter; a longer one is a paste."""


def is_id(text: object) -> bool:
    """Lower-case letters and digits, joined by single hyphens."""
    return isinstance(text, str) and re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*", text) is not None


def _filled(text: str) -> str:
    if not text.strip():
        raise ValueError("is empty; write something or leave the field out")
    return text.strip()


def _identifier(text: str) -> str:
    if text and not is_id(text):
        raise ValueError(f"'{text}' can't be an id: lower-case letters and digits, joined by single hyphens")
    return text


def _day(text: str) -> str:
    if not text:
        return text
    try:
        return dt.date.fromisoformat(text).isoformat()
    except ValueError:
        raise ValueError(f"'{text}' is not a date; write it as 2026-11-22") from None


def _address(text: str) -> str:
    if text and not re.fullmatch(r"https?://[^\s<>|\"]+", text):
        raise ValueError(f"'{text[:60]}' is not a web address; it starts with https:// and has no blanks")
    return text


def _listed(value: object) -> object:
    """One value where a list is wanted is a list of one: the slip is harmless."""
    return [value] if isinstance(value, str) else value


def _true(text: object) -> object:
    if isinstance(text, str) and text.lower() in ("true", "yes", "false", "no"):
        return text.lower() in ("true", "yes")
    raise ValueError("is true or false")


# Where a field may be left out, its empty default is fine: a check speaks up about what somebody wrote.
Text = Annotated[str, AfterValidator(_filled)]
Title = Annotated[Text, Field(max_length=TITLE_LIMIT)]
Answer = Annotated[Text, Field(max_length=ANSWER_LIMIT)]
Phrasing = Annotated[Text, Field(max_length=PHRASING_LIMIT)]
Id = Annotated[str, AfterValidator(_identifier)]
Day = Annotated[str, AfterValidator(_day)]
Address = Annotated[str, Field(max_length=3000), AfterValidator(_address)]
Texts = Annotated[tuple[Text, ...], BeforeValidator(_listed)]
Phrasings = Annotated[tuple[Phrasing, ...], BeforeValidator(_listed)]
Ids = Annotated[tuple[Id, ...], BeforeValidator(_listed)]
Flag = Annotated[bool, BeforeValidator(_true)]


class Form(BaseModel):
    """A mapping with these fields and no other."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NoteForm(Form):
    date: Annotated[Day, AfterValidator(_filled)]
    text: Text
    source: Text
    url: Address = ""


class EntryForm(Form):
    """The fields that every entry may have; `asks` and `answer` it must."""

    id: Annotated[Id, AfterValidator(_filled)]
    kind: Literal["topic"] = "topic"
    title: Title
    asks: Phrasings = Field(min_length=1)
    not_asks: Phrasings = ()
    answer: Answer
    paragraphs: Texts = ()
    names: Texts = ()
    related: Ids = ()
    notes: tuple[NoteForm, ...] = ()


class StepForm(EntryForm):
    kind: Literal["step"]  # type: ignore[assignment]  # narrows the base's literal to another one
    of: Id
    step: Annotated[int, Field(ge=1, le=99)]


class LibraryForm(EntryForm):
    kind: Literal["library"]  # type: ignore[assignment]  # narrows the base's literal to another one
    title: Annotated[str, Field(max_length=TITLE_LIMIT)] = ""
    name: Title
    aliases: Texts = ()
    side: Id = ""
    what: str = ""
    summary: Annotated[str, Field(max_length=SUMMARY_LIMIT)] = ""
    good_for: Texts = ()
    capabilities: Ids = ()
    also: Ids = ()
    package: str = ""
    install: str = ""
    homepage: Address = ""
    docs: Address = ""


class SourceForm(Form):
    title: Text
    author: str = ""
    publisher: str = ""
    date: Day = ""
    url: Address = ""


class PackForm(Form):
    """pack.yaml"""

    name: Title
    about: str = ""
    subject: Texts = ()
    source: SourceForm | None = None


class GroupForm(Form):
    """One of groups.yaml"""

    id: Annotated[Id, AfterValidator(_filled)]
    title: Title
    label: Title
    words: Texts = ()
    list_asks: Phrasings = ()
    pick_asks: Phrasings = ()
    not_asks: Phrasings = ()
    all: Flag = False


class StrangersForm(Form):
    """strangers.yaml"""

    names: Texts = ()
    ordinary_names: Texts = ()
    asks: Phrasings = ()


class SaidForm(Form):
    asks: Phrasings = ()
    answer: Answer


FORM_OF_KIND: dict[str, type[EntryForm]] = {"topic": EntryForm, "step": StepForm, "library": LibraryForm}
