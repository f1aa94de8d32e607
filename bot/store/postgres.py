"""PostgreSQL connections with a limit on waiting, also for a server that keeps the connection open and never answers."""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import Any, TypeVar

import psycopg

T = TypeVar("T")


class TimeoutConnection(psycopg.Connection[Any]):
    """Waits at most `answer_timeout` seconds for each answer, then closes itself and raises OperationalError."""

    answer_timeout = 2.0

    def wait(self, gen: Generator[Any, Any, T], *args: Any, **options: Any) -> T:
        return super().wait(self._limited(gen), *args, **options)

    def _limited(self, gen: Generator[Any, Any, T]) -> Generator[Any, Any, T]:
        until = time.monotonic() + self.answer_timeout
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if not ready and time.monotonic() > until:
                    self.close()
                    raise psycopg.OperationalError(f"no answer within {self.answer_timeout:g} seconds")
                wanted = gen.send(ready)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]
