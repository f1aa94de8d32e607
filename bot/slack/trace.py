"""What a log says of an exception: where it was raised, and its type. Its message may quote what people wrote."""

from __future__ import annotations

import traceback


def frames(error: BaseException) -> str:
    """A traceback without any message, the first cause first."""
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    kind = type(error)
    own = ["Traceback (most recent call last):\n", *traceback.format_tb(error.__traceback__)]
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    return (frames(before) + "\n\n" if before is not None else "") + "".join(own) + name
