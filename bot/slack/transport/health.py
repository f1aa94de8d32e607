"""The page of /healthz."""

from __future__ import annotations

from collections.abc import Callable

Page = Callable[[], tuple[int, str, bytes]]
"""Makes a page: its status, media type and body."""
HEALTH = "/healthz"
STARTING = "still starting"
"""The note until everything is ready, if nothing is wrong."""


def health_page(is_healthy: bool, note: str = "") -> tuple[int, str, bytes]:
    """The page of /healthz; `note` names what is wrong."""
    text = (
        "; ".join(filter(None, ("ok", note))) if is_healthy else ": ".join(filter(None, ("not able to answer", note)))
    )
    return 200 if is_healthy else 503, "text/plain", f"{text}\n".encode()
