"""What buttons and modals carry, so that they work from anywhere, in any order and after a restart.

A value is lines of text: ids first, and a person's words last, where there are any. Whatever can't be read is nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Literal, cast

from bot.model import Reply
from bot.slack.limits import BUTTON_VALUE, METADATA, cut, size

Vote = Literal["good", "bad"]
Reason = Literal["", "wrong", "outdated", "unclear", "missing"]
REASONS: tuple[Reason, ...] = ("wrong", "outdated", "unclear", "missing")

LONGEST_SUBJECT = 900
"""Characters of kind, group and ids; a list that is longer is named by its group alone."""


def key_of(*parts: str) -> str:
    """A short name for what the parts name together."""
    return sha256(":".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def subject_of(reply: Reply) -> str:
    """What a reply is about, by ids alone."""
    subject = reply.reference or f"{reply.kind}||{','.join(reply.ids)}"
    return subject if size(subject) <= LONGEST_SUBJECT else f"{subject.rpartition('|')[0]}|"


def about(subject: str) -> tuple[str, str]:
    """Kind and ids of a subject."""
    kind, _, rest = subject.partition("|")
    return kind, rest.partition("|")[2]


@dataclass(frozen=True, slots=True)
class Asked:
    """An answer that a button speaks of: what it was about, and the question it answered."""

    subject: str
    question: str

    def write(self) -> str:
        """As a button's value."""
        return cut(f"{self.subject}\n{self.question}", BUTTON_VALUE)

    @classmethod
    def read(cls, value: str) -> Asked:
        """From a button's value; one line alone is a question."""
        subject, divided, question = value.partition("\n")
        return cls(subject, question) if divided else cls("", value)


@dataclass(frozen=True, slots=True)
class Ballot:
    """A vote on the answer that `key` names."""

    key: str
    subject: str
    vote: Vote
    reason: Reason = ""

    def write(self) -> str:
        """As a button's value."""
        return f"{self.vote}\n{self.reason}\n{self.key}\n{self.subject}"

    @classmethod
    def read(cls, value: str) -> Ballot | None:
        """From a button's value."""
        vote, reason, key, subject = (value.split("\n", 3) + [""] * 4)[:4]
        if vote not in ("good", "bad") or reason not in ("", *REASONS) or not key:
            return None
        return cls(key, subject, cast(Vote, vote), reason)


@dataclass(frozen=True, slots=True)
class Modal:
    """What a modal remembers: the questions that led here, the one that is shown last; whether one can search in it;
    and the message it was opened on."""

    trail: tuple[str, ...] = ()
    search: bool = False
    channel: str = ""
    thread: str = ""

    @property
    def question(self) -> str:
        """What is shown; empty on a search's first page."""
        return self.trail[-1] if self.trail else ""

    def asking(self, question: str) -> Modal:
        """One page on."""
        return self if question == self.question else replace(self, trail=(*self.trail, question))

    def back(self, pages: int) -> Modal:
        """So many pages back, the first one at most."""
        return replace(self, trail=self.trail[: max(1, len(self.trail) - pages)])

    def write(self) -> str:
        """As private_metadata: the oldest questions are forgotten first, then the end of a long one."""
        kept = list(self.trail)
        while True:
            told = json.dumps([kept, self.search, self.channel, self.thread], ensure_ascii=False)
            if size(told) <= METADATA or not kept:
                return told
            kept = kept[1:] if len(kept) > 1 else [cut(kept[0], size(kept[0]) // 2)] if size(kept[0]) > 1 else []

    @classmethod
    def read(cls, metadata: str) -> Modal:
        """From private_metadata."""
        try:
            found: Any = json.loads(metadata)
            trail, search, channel, thread = found
            return cls(tuple(str(question) for question in trail), bool(search), str(channel), str(thread))
        except (ValueError, TypeError):
            return cls()


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a curator's modal remembers: the page of the Home tab behind it, the misses it is about, and which draft has
    been looked at."""

    page: str = ""
    keys: tuple[str, ...] = ()
    checked: str = ""

    @staticmethod
    def keys_of(keys: Iterable[str]) -> str:
        """Names of misses as a button's value: as many as fit."""
        kept = ""
        for key in keys:
            longer = f"{kept}\n{key}" if kept else key
            if size(longer) > BUTTON_VALUE:
                break
            kept = longer
        return kept

    def write(self) -> str:
        """As private_metadata."""
        keys = list(self.keys)
        while size(told := json.dumps([self.page, self.checked, keys], ensure_ascii=False)) > METADATA and keys:
            keys.pop()
        return told

    @classmethod
    def read(cls, metadata: str) -> Sheet:
        """From private_metadata."""
        try:
            found: Any = json.loads(metadata)
            page, checked, keys = found
            return cls(str(page), tuple(str(key) for key in keys), str(checked))
        except (ValueError, TypeError):
            return cls()
