"""A small pack that has everything a pack can have, a finding of every kind in it, and golden files of the rendered replies.

To renew the files after an intended change: `GOLDEN=write make test`, then read the diff.
"""

from __future__ import annotations

import datetime as dt
import os
from functools import cache
from pathlib import Path

from bot.knowledge import load
from bot.model import Evidence, Finding, Kind, Knowledge, Reply
from bot.reply import compose

TODAY = dt.date(2024, 6, 1)
"""The day of the samples, on which one entry is past its date."""
GOLDEN = Path(__file__).parents[1] / "golden"


@cache
def pack() -> Knowledge:
    """The small pack."""
    return load(GOLDEN / "pack")


def finding(kind: Kind, *ids: str, **more: object) -> Finding:
    """A finding without evidence."""
    return Finding(kind=kind, ids=ids, evidence=Evidence(understood=""), **more)  # type: ignore[arg-type]


FINDINGS = {
    "topic": finding("topic", "which-wood"),
    "roadmap": finding("topic", "learn-joinery"),
    "step": finding("step", "step-joint"),
    "library": finding("library", "handsaw"),
    "library-beyond": finding("library", "plane", beyond=True),
    "compare": finding("compare", "handsaw", "jigsaw", "plane"),
    "list-without": finding("list", "jigsaw", "plane", group="cutting", excluded=("Handsaw",)),
    "likely": finding("topic", "which-wood", is_likely=True),
    "list": finding("list", "handsaw", "jigsaw", "plane", group="cutting"),
    "recommend": finding("recommend", "jigsaw", "handsaw", group="cutting"),
    "recommend-one": finding("recommend", "jigsaw", group="powered"),
    "help": finding("help"),
    "smalltalk": finding("smalltalk", talk="thanks"),
    "unknown": finding("unknown"),
    "unknown-offer": finding("unknown", "which-wood", "handsaw"),
    "unknown-partial": finding("unknown", "handsaw", out_of_scope=("Router", "Lathe")),
    "unknown-out-of-scope": finding("unknown", out_of_scope=("Lathe",)),
    "unknown-instead": finding("unknown", "handsaw", "jigsaw", out_of_scope=("bandsaw",), group="cutting"),
    "unknown-subject": finding("unknown", "which-wood", about_subject=True),
    "library-beside": finding("library", "plane", out_of_scope=("Router",)),
    "unknown-named": finding("unknown", "step-joint", mentioned_only=("Dovetail",)),
}


def sample(name: str) -> Reply:
    """The reply to one of FINDINGS."""
    return compose(FINDINGS[name], pack(), TODAY)


def golden(name: str, rendered: str) -> str:
    """The content of the golden file `name`; with GOLDEN=write, `rendered` is written to it first."""
    file = GOLDEN / name
    if os.environ.get("GOLDEN") == "write":
        file.write_text(rendered, encoding="utf-8")
    return file.read_text(encoding="utf-8")
