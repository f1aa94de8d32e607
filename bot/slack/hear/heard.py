"""What was heard, as values."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.model import Question
from bot.slack.hear.payload import joined
from bot.slack.hear.places import Place
from bot.slack.values import Asked, Ballot, Modal


@dataclass(frozen=True, slots=True)
class Heard:
    """What was asked, where the answer goes, and a key that names the asking: the same one for each delivery of it.

    `asker` names the person: team and user. `typed`: in the person's own words, which a button's are not. `at`: when it was
    heard, by the monotonic clock.
    """

    question: Question
    place: Place
    key: str
    asker: str = ""
    channel: str = ""
    typed: bool = True
    at: float = field(default_factory=time.monotonic, compare=False)


@dataclass(frozen=True, slots=True)
class Pressed:
    """A button that does something with an answer. `key` names the press's message or modal."""

    asked: Asked
    place: Place
    user: str
    asker: str
    key: str
    url: str = ""

    @property
    def workspace(self) -> str:
        return workspace_of(self.asker)

    @property
    def question(self) -> Question:
        """What the answer was asked by."""
        return Question(self.asked.question, "command", workspace=self.workspace)


@dataclass(frozen=True, slots=True)
class Voted:
    """A vote, and where the thanks belong."""

    ballot: Ballot
    place: Place
    asker: str
    channel: str = ""


@dataclass(frozen=True, slots=True)
class Searched:
    """What was typed into a search. `block` is where a complaint about it belongs."""

    words: str
    modal: Modal
    asker: str
    block: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What a person pressed on the Home tab or in a curator's modal: `value` is what it carries, `page` the page of the
    Home tab that it belongs to, `view` the modal it stands in."""

    team: str
    user: str
    value: str = ""
    page: str = ""
    trigger: str = ""
    view: str = ""

    @property
    def by(self) -> str:
        """The person, with the workspace."""
        return joined(self.team, self.user)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """A form that was submitted: `values` by the names of its inputs, `first` the block that a complaint can stand at."""

    team: str
    user: str
    view: str
    name: str
    metadata: str
    values: Mapping[str, tuple[str, ...]]
    first: str

    def value(self, name: str) -> str:
        """What stands in an input; empty where there is none."""
        return next(iter(self.values.get(name, ())), "")

    def under(self, name: str) -> frozenset[str] | None:
        """What is ticked in all inputs of a name; None where there is no such input."""
        found = [values for key, values in self.values.items() if key.startswith(f"{name}:")]
        return frozenset(value for values in found for value in values) if found else None


def workspace_of(asker: str) -> str:
    """The team of an asker."""
    return asker.partition(":")[0]
