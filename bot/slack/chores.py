"""Chores: the commands that are no questions. Exact words only, so that none stands in a question's way."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

from bot import __version__
from bot.model import Evidence, Facts, Heading, Knowledge, Part, Reply, Tally, Text
from bot.slack.words import Words

Chore = Literal["status", "forget me", "trial on", "trial off"]
CHORES: tuple[Chore, ...] = ("status", "forget me", "trial on", "trial off")


class Curators(Protocol):
    """Who may curate."""

    def has(self, team: str, user: str) -> bool: ...


class Loaded(Protocol):
    """The pack as it was last read, and why it couldn't be read again."""

    @property
    def version(self) -> str: ...

    @property
    def loaded_at(self) -> float: ...

    @property
    def faults(self) -> tuple[str, ...]: ...


class Books(Protocol):
    """What the store tells and takes for chores."""

    def probe(self) -> str: ...

    def week(self, workspace: str) -> tuple[Tally, ...]: ...

    def in_trial(self, workspace: str, channel: str) -> bool: ...

    def set_trial(self, workspace: str, channel: str, on: bool, by: str) -> bool: ...

    def forget(self, workspace: str, user: str) -> int: ...


class Shelf(Protocol):
    """What a workspace is answered from."""

    def knowledge_of(self, workspace: str) -> Knowledge: ...


class Nobody:
    """No curators."""

    def has(self, team: str, user: str) -> bool:  # noqa: ARG002  nobody is nobody
        return False


def chore_of(text: str) -> Chore | None:
    """The chore that a command's text names, and nothing beside it."""
    told = " ".join(text.casefold().split())
    return next((chore for chore in CHORES if chore == told), None)


@dataclass(frozen=True, slots=True)
class Chores:
    """Does them, and says what was done."""

    books: Books
    shelf: Shelf
    words: Words
    curators: Curators
    loaded: Loaded | None = None

    def do(self, chore: Chore, workspace: str, user: str, channel: str) -> Reply:
        """What to say about a chore that was asked for in `channel`."""
        match chore:
            case "status":
                return _reply(*self._status(workspace, user, channel))
            case "forget me":
                return _reply(*self._forget(workspace, user))
            case "trial on" | "trial off":
                return _reply(Text(self.words[self._trial(workspace, user, channel, chore == "trial on")]))

    def known_to(self, workspace: str, user: str) -> str:
        """A line that names them to this person."""
        words = self.words
        return words["chores"] + (f" {words['chores_curators']}" if self.curators.has(workspace, user) else "")

    def _status(self, workspace: str, user: str, channel: str) -> Iterator[Part]:
        words, week = self.words, self.books.week(workspace)
        rows = [(words["status_version"], __version__)]
        if self.loaded is not None:
            at = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(self.loaded.loaded_at))
            rows += [(words["status_knowledge"], self.loaded.version), (words["status_loaded"], at)]
        rows += [(words["status_entries"], str(len(self.shelf.knowledge_of(workspace).entries)))]
        rows += [
            (words[f"status_{outcome}"], str(sum(each.count for each in week if each.outcome == outcome)))
            for outcome in ("answered", "offered", "missed")
        ]
        rows += [(words["status_database"], words["status_trouble" if self.books.probe() else "status_fine"])]
        if is_channel(channel):
            on = self.books.in_trial(workspace, channel)
            rows += [(words["status_channel"], words["status_trial" if on else "status_public"])]
        yield Heading(words["status_title"])
        yield Facts(tuple(rows))
        if self.loaded is not None and self.loaded.faults and self.curators.has(workspace, user):
            yield Text("\n".join((words["status_faults"], *(f"- {fault}" for fault in self.loaded.faults))))

    def _forget(self, workspace: str, user: str) -> Iterator[Part]:
        if self.books.probe():
            yield Text(self.words["forget_lost"])
            return
        removed = self.books.forget(workspace, user)
        yield Text(self.words["forgot" if removed else "forgot_nothing"])
        if removed:
            yield Facts(((self.words["forgot_count"], str(removed)),))
        yield Text(self.words["forgot_rest"])

    def _trial(self, workspace: str, user: str, channel: str, on: bool) -> str:
        """The word for what became of it."""
        if not self.curators.has(workspace, user):
            return "trial_curators"
        if not is_channel(channel):
            return "trial_where"
        if not self.books.set_trial(workspace, channel, on, f"{workspace}:{user}"):
            return "trial_lost"
        return "trial_begun" if on else "trial_ended"


def is_channel(channel: str) -> bool:
    """Whether it is a channel, and no direct message."""
    return bool(channel) and not channel.startswith("D")


def _reply(*parts: Part) -> Reply:
    return Reply(kind="help", ids=(), parts=parts, evidence=Evidence(understood=""))
