"""A request to Slack, and what became of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

POST_LASTS = 600.0
"""Seconds after which an answer is no answer any more."""
TRIGGER_LASTS = 2.5
"""Seconds: a trigger_id dies after three."""
_NAMESPACE = UUID("5f0c1a52-6d0e-5b0a-9f7e-0a5b9d1c7e11")


def message_id(key: str) -> str:
    """The client_msg_id of a message: the same for each attempt to send it."""
    return str(uuid5(_NAMESPACE, key.encode("utf-8", "replace").decode("utf-8")))


@dataclass(frozen=True, slots=True)
class Sent:
    """Slack has it."""


@dataclass(frozen=True, slots=True)
class Again:
    """Slack certainly doesn't have it; it may be sent again, after the seconds that Slack named."""

    reason: str
    after: float | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """Slack won't have it."""

    code: str


@dataclass(frozen=True, slots=True)
class Lost:
    """Nobody knows whether Slack has it: it is never sent again."""

    reason: str


Outcome = Sent | Again | Refused | Lost


def nothing() -> None:
    """There is nothing to do."""
    return


def _ignore(_: Outcome) -> None:
    return


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request to Slack: a Web API method, or a response_url.

    `simpler` makes the arguments that stand in once Slack has refused the blocks. `then` runs when it has arrived,
    `failed` when it finally hasn't; `settled` after either, and as soon as it waits for a time that Slack has set.
    """

    method: str = ""
    url: str = ""
    args: Mapping[str, Any]
    simpler: Callable[[], Mapping[str, Any]] | None = None
    lasts: float = POST_LASTS
    then: Callable[[], None] = nothing
    failed: Callable[[Outcome], None] = _ignore
    settled: Callable[[], None] = nothing

    @property
    def lane(self) -> str:
        """What Slack's pace is counted by."""
        return str(self.args.get("channel") or self.url or self.method)

    @property
    def target(self) -> str:
        """What a log line calls it; a response_url is a secret."""
        return f"{self.method} {self.args.get('channel') or ''}".strip() if self.method else "response_url"
