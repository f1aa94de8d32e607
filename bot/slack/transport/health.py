"""The page of /healthz."""

from __future__ import annotations

from collections.abc import Callable

Page = Callable[[], tuple[int, str, bytes]]
"""Makes a page: its status, media type and body."""
HEALTH = "/healthz"


def health_page(is_healthy: bool, note: str = "") -> tuple[int, str, bytes]:
    """The page of /healthz; `note` names what is wrong although questions are answered."""
    text = "; ".join(filter(None, ("ok", note)))
    return (200, "text/plain", f"{text}\n".encode()) if is_healthy else (503, "text/plain", b"not able to answer\n")
