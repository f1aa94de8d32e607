"""Pages: what is answered without Bolt."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from wsgiref.types import StartResponse

Page = Callable[[], tuple[int, str, bytes]]
"""Status, type and body of a page."""

_REASONS = {
    200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 405: "Method Not Allowed",
    413: "Payload Too Large", 415: "Unsupported Media Type", 501: "Not Implemented", 503: "Service Unavailable",
}  # fmt: skip


def health(able: bool, beside: str = "") -> tuple[int, str, bytes]:
    """The page of /healthz; `beside` is what there is to say although answers go on."""
    told = "; ".join(filter(None, ("ok", beside)))
    return (200, "text/plain", f"{told}\n".encode()) if able else (503, "text/plain", b"not able to answer\n")


def not_yet(start_response: StartResponse) -> Iterable[bytes]:
    """Whatever is asked: come again."""
    return send_page(start_response, *health(False))


def send_status(start_response: StartResponse, status: int, allow: str = "") -> Iterable[bytes]:
    """A status and its name."""
    return send_page(start_response, status, "text/plain", f"{_REASONS[status]}\n".encode(), allow)


def send_page(start_response: StartResponse, status: int, kind: str, body: bytes, allow: str = "") -> Iterable[bytes]:
    """Status, headers and body."""
    headers = [("Content-Type", f"{kind}; charset=utf-8"), ("Content-Length", str(len(body)))]
    start_response(f"{status} {_REASONS[status]}", headers + ([("Allow", allow)] if allow else []))
    return [body]
