"""A small HTTP server that stands before another one: it answers the bot and browsers itself, or passes on what they send."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from support.local_slack import Json


@dataclass(frozen=True, slots=True)
class Response:
    """What a browser gets; redirects aren't followed."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def page(self) -> str:
        return self.body.decode()

    @property
    def cookie(self) -> str:
        return self.headers["set-cookie"].partition(";")[0]


def as_json(body: bytes) -> Response:
    return Response(200, {"content-type": "application/json"}, body)


OK = Response(200, {"content-type": "text/plain"}, b"ok")


class HttpFront(ABC):
    """Serves on a free loopback port until it is closed; a subclass says what it answers, in threads side by side."""

    def __init__(self) -> None:
        front = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(None)

            def do_POST(self) -> None:
                self._answer(self.rfile.read(int(self.headers["content-length"] or 0)))

            def _answer(self, body: bytes | None) -> None:
                kept = {name: self.headers[name] for name in ("authorization", "content-type") if self.headers[name]}
                response = front.answer(self.path, body, kept)
                self.send_response(response.status)
                for name in ("content-type", "location"):
                    if name in response.headers:
                        self.send_header(name, response.headers[name])
                self.send_header("content-length", str(len(response.body)))
                self.end_headers()
                self.wfile.write(response.body)

            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    @abstractmethod
    def answer(self, path: str, body: bytes | None, headers: dict[str, str]) -> Response:
        """What comes back for a request; without a body it is a GET. Of its headers, those that may be passed on."""

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def hellos(self) -> list[Json]:
        """No socket here."""
        return []
