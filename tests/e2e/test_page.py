"""One conversation typed into the stand-in Slack's own page, in a real browser."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from support.local_slack import scene

HERE = Path(__file__).parent


def test_a_conversation_in_the_page(browser: str, tmp_path: Path) -> None:
    """Keeps a picture where ASKPY_TEST_PICTURES says, else beside the other leavings of the test."""
    folder = Path(os.environ.get("ASKPY_TEST_PICTURES") or tmp_path)
    picture = folder / "conversation.png"
    with scene(tmp_path, "socket", ASKPY_CARDS="classic") as running:  # the page draws no card blocks
        ran = subprocess.run(
            ["node", "page.mjs", running.slack.url, str(picture.absolute()), browser],
            cwd=HERE,
            env={name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ} | {"HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert ran.returncode == 0, ran.stderr
    seen = json.loads(ran.stdout)

    assert seen["faults"] == []
    assert (seen["inThread"], seen["inChannel"]) == (2, 1)
    assert "Python" in seen["answers"][0]
    assert "Tornado" in seen["answers"][1]
    assert "Flask" in seen["private"]
    assert "Django" in seen["private"]
    assert picture.stat().st_size > 10_000
