"""How far one has to read to follow a mention from its payload to its post."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from support.slack_app import Door
from support.slack_steps import posted
from support.slack_stub import Stub

ROOT = Path(__file__).parents[2]
SLACK = ROOT / "bot" / "slack"
MOST_RUN, MOST_READ = 18, 4
"""Files of bot/slack that run for one mention, and those that have to be opened to follow it."""


def test_a_mention_runs_through_few_files(door: Door, stub: Stub) -> None:
    door.mention("topic", ts="1.1")  # what is imported or made once isn't counted
    run: set[str] = set()

    def note(frame: FrameType, _event: str, _arg: Any) -> None:
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(SLACK):
            run.add(path.relative_to(SLACK).as_posix())

    door.thread.call(lambda: sys.setprofile(note))
    try:
        door.mention("library", ts="2.2")
    finally:
        door.thread.call(lambda: sys.setprofile(None))
    assert len(posted(stub)) == 2
    assert {"features/messages.py", "outgoing.py", "transport/outbox.py", "transport/client.py"} <= run
    assert len(run) <= MOST_RUN, "\n".join(sorted(run))


def test_the_files_that_tell_it_are_named_in_the_readme() -> None:
    text = (ROOT / "bot" / "README.md").read_text(encoding="utf-8")
    section = text.partition("## A mention, from payload to post")[2].partition("\n## ")[0]
    files = list(dict.fromkeys(re.findall(r"`(slack/[\w/]+\.py)`", section)))
    assert files == [
        "slack/features/messages.py",
        "slack/outgoing.py",
        "slack/transport/outbox.py",
        "slack/transport/client.py",
    ]
    assert len(files) <= MOST_READ
    assert all((ROOT / "bot" / name).is_file() for name in files)
