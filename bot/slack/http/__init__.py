"""The HTTP door: a WSGI front around Bolt's own adapter, and the server that runs it.

Bolt parses the body before it checks the signature, and some rubbish raises inside it. Here the signature comes first, and
what is signed is met before it gets there.
"""

from __future__ import annotations

from bot.slack.http.front import EVENTS, wsgi
from bot.slack.http.objections import LARGEST_BODY
from bot.slack.http.pages import Page, health, not_yet
from bot.slack.http.server import CONNECTIONS, GRACE, THREADS, Pages, serve_http

__all__ = [
    "CONNECTIONS",
    "EVENTS",
    "GRACE",
    "LARGEST_BODY",
    "THREADS",
    "Page",
    "Pages",
    "health",
    "not_yet",
    "serve_http",
    "wsgi",
]
