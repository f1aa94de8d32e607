"""Delivery: one attempt, and what Slack's answer says of it."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any
from urllib.error import URLError

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.slack.access import REFUSED, is_slacks, webhook
from bot.slack.post.requests import Again, Lost, Outcome, Refused, Request, Sent

PACE = 1.0
"""Seconds between two posts to a channel that Slack has just slowed down: about one a second is its own rule."""

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Pulse:
    """Whether Slack still takes our token; `trouble` is its last word about it."""

    trouble: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, outcome: Outcome, method: str) -> None:
        """Learn from what became of a request."""
        if isinstance(outcome, Refused) and outcome.code in REFUSED:
            with self._lock:  # the requests of one moment say it once
                known, self.trouble = self.trouble, outcome.code
            if known != outcome.code:
                logger.error("Slack no longer takes SLACK_BOT_TOKEN (%s); nothing can be answered.", outcome.code)
        elif isinstance(outcome, Sent) and method:
            self.trouble = ""


def deliver(client: WebClient, request: Request) -> Outcome:
    """Send it once; says what became of it and raises nothing that a network can cause."""
    try:
        if request.url:
            if not is_slacks(request.url, client.base_url):
                return Refused("foreign_response_url")
            response = webhook(request.url).send_dict(dict(request.args))
            return _judge(response.status_code, response.headers, _error_in(response.body))
        client.api_call(request.method, json=dict(request.args))
        return Sent()
    except SlackApiError as error:
        answer = error.response
        return _judge(answer.status_code, answer.headers, str(answer.get("error") or "unknown_error"))
    except URLError as error:
        return Again(type(error.reason).__name__ if isinstance(error.reason, Exception) else "unreachable")
    except ConnectionError as error:
        return Again(type(error).__name__)
    except (OSError, HTTPException) as error:
        return Lost(type(error).__name__)


def _judge(status: int, headers: Mapping[str, Any], error: str) -> Outcome:
    if status == 429 or error in {"ratelimited", "rate_limited"}:
        return Again("rate limited", _seconds(headers))
    if status >= 500:
        return Again(f"HTTP {status}")
    if status == 200 and not error:
        return Sent()
    return Refused(error if error.isidentifier() else f"HTTP {status}")


def _error_in(body: str) -> str:
    """The error in a response_url's answer; empty where there is none."""
    if not body.startswith("{"):
        return "" if body.strip() in {"", "ok"} else body.strip()[:80]
    try:
        answer = json.loads(body)
    except ValueError:
        return "unknown_error"
    return "" if answer.get("ok", True) is True else str(answer.get("error") or "unknown_error")


def _seconds(headers: Mapping[str, Any]) -> float:
    for name, value in headers.items():
        if name.lower() == "retry-after":
            try:
                return max(0.0, float(value[0] if isinstance(value, list) else value))
            except (TypeError, ValueError):
                break
    return PACE
