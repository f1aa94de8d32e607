"""No secret lies in the tree: what looks like a token, a signing secret or a private key is found before it is pushed.

Run by `make check` and `make test`.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SHAPES = {
    "a Slack token": r"xox[abeoprs](?:\.xox[bp])?-\d{6,}-\w+",
    "a Slack app-level token": r"xapp-\d-\w+-\d+-\w{20,}",
    "a Slack webhook": r"hooks\.slack\.com/(?:services|commands|actions|workflows)/T\w{6,}/",
    "a signing secret": r"(?i)signing_?secret\W{0,8}[0-9a-f]{32}\b",
    "a private key": r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----",
    "a GitHub token": r"gh[opsu]_\w{36}|github_pat_\w{40,}",
    "a cloud key": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
}
SECRET = re.compile(
    "|".join(f"(?:{shape})" if "(?i)" not in shape else f"(?i:{shape[4:]})" for shape in SHAPES.values())
)
SAMPLES = {
    "a Slack token": "xox" + "b-1234567890-1234567890-abcdefABCDEF",
    "a Slack app-level token": "xap" + "p-1-A01BCDEF-1234567890-" + "0a" * 16,
    "a Slack webhook": "hooks." + "slack.com/services/T0123ABCD/B0123/abc",
    "a signing secret": "SLACK_SIGNING_" + "SECRET=" + "0123456789abcdef" * 2,
    "a private key": "-----BEGIN RSA " + "PRIVATE KEY-----",
    "a GitHub token": "gh" + "p_" + "a1" * 18,
    "a cloud key": "AK" + "IA" + "ABCD1234" * 2,
}


def tracked() -> list[Path]:
    try:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


def test_nothing_in_the_tree_looks_like_a_secret() -> None:
    found = []
    for path in tracked():
        text = path.read_text(encoding="utf-8", errors="replace")
        found += [f"{path.relative_to(ROOT)}: {hit.group()[:9]}…" for hit in SECRET.finditer(text)]
    assert found == []


def test_no_settings_file_is_committed() -> None:
    assert [path.name for path in tracked() if path.name.startswith(".env") and path.name != ".env.example"] == []


@pytest.mark.parametrize("name", SHAPES)
def test_a_secret_would_be_found(name: str) -> None:
    assert SECRET.search(f"x = '{SAMPLES[name]}'")
    assert re.search(SHAPES[name], SAMPLES[name])


@pytest.mark.parametrize("fine", ["xoxb-e2e", "xapp-1", "e2e-signing-secret", "SLACK_SIGNING_SECRET=", "xoxb-…"])
def test_a_placeholder_is_none(fine: str) -> None:
    assert not SECRET.search(fine)
