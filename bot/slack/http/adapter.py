"""Bolt's own adapter, mended."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterable
from urllib.parse import parse_qsl
from wsgiref.types import StartResponse, WSGIEnvironment

from slack_bolt import App, BoltRequest, BoltResponse
from slack_bolt.adapter.wsgi import SlackRequestHandler
from slack_bolt.adapter.wsgi.http_request import WsgiHttpRequest
from slack_bolt.adapter.wsgi.http_response import WsgiHttpResponse
from slack_bolt.request.internals import build_context

from bot.slack.promises import Acknowledged, Written

DELIVERED_ONCE = frozenset({"block_actions", "view_submission", "message_action", "shortcut"})
"""What does something and, like a command, never comes again from Slack itself."""
SIGNED_FOR = 600
"""Seconds in which a signature may be believed: five minutes, from a clock that is five minutes ahead."""
MOST_SEEN = 20_000
"""Signatures of commands and presses that are kept."""


class Bolt(SlackRequestHandler):
    """Bolt's adapter, with four mends.

    What its parser can't read is a bad request; a command may say "payload"; nobody sends a command or a press a second
    time: Slack delivers each once, where events may come again and are claimed before they are answered; and what was
    claimed is told when Slack has its acknowledgement.
    """

    def __init__(self, app: App, path: str) -> None:
        super().__init__(app, path)
        self._seen = _Seen()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        found = self.dispatch(WsgiHttpRequest(environ))
        response = WsgiHttpResponse(status=found.status, headers=found.headers, body=found.body)
        start_response(response.status, response.get_headers())
        return Written(found) if isinstance(found, Acknowledged) else response.get_body()

    def dispatch(self, request: WsgiHttpRequest) -> BoltResponse:
        try:
            read = BoltRequest(body=request.get_body(), query=request.query_string, headers=request.get_headers())
        except Exception:  # whatever rubbish raises in there, it was rubbish
            return BoltResponse(status=400, body="")
        if not read.body:
            # Bolt looks for the word anywhere in the form, a person's words included, and then finds no payload.
            read.body = dict(parse_qsl(read.raw_body, keep_blank_values=True))
            read.context = build_context(read.context, read.body)
        if "command" not in read.body and read.body.get("type") not in DELIVERED_ONCE:
            return self.app.dispatch(read)
        signature = str(read.headers.get("x-slack-signature", [""])[0])
        if not self._seen.first(signature):
            return BoltResponse(status=401, body="")
        response = self.app.dispatch(read)
        if response.status != 200:
            self._seen.forget(signature)
        return response


class _Seen:
    """The signatures that have come by, for as long as they are good."""

    def __init__(self) -> None:
        self._until: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def first(self, signature: str) -> bool:
        """Whether this is its first time."""
        now = time.monotonic()
        with self._lock:
            while self._until and (len(self._until) > MOST_SEEN or next(iter(self._until.values())) < now):
                self._until.popitem(last=False)
            fresh = signature not in self._until
            self._until.setdefault(signature, now + SIGNED_FOR)
            return fresh

    def forget(self, signature: str) -> None:
        """It was no good."""
        with self._lock:
            self._until.pop(signature, None)
