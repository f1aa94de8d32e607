"""The front: which request is whose."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from slack_sdk.signature import SignatureVerifier

from bot.slack.app import SlackApp
from bot.slack.http.adapter import Bolt
from bot.slack.http.objections import objection
from bot.slack.http.pages import Page, health, send_page, send_status

EVENTS = "/slack/events"


def wsgi(app: SlackApp, pages: Mapping[str, Page] | None = None) -> WSGIApplication:
    """The front: `/slack/events` by POST, `/healthz` and the other `pages` by GET."""
    bolt = Bolt(app.bolt, EVENTS)
    signed = SignatureVerifier(app.signing_secret).is_valid
    gets = {"/healthz": lambda: health(app.able(), app.beside()), **(pages or {})}

    def front(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path, method = environ.get("PATH_INFO", ""), environ.get("REQUEST_METHOD", "")
        if path in gets:
            if method != "GET":
                return send_status(start_response, 405, allow="GET")
            return send_page(start_response, *gets[path]())
        if path != EVENTS:
            return send_status(start_response, 404)
        if method != "POST":
            return send_status(start_response, 405, allow="POST")
        status = objection(environ, signed)
        return send_status(start_response, status) if status else bolt(environ, start_response)

    return front
