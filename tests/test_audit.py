"""The audit says what it looked up, and never calls nothing clean."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

_spec = importlib.util.spec_from_file_location("audit", Path(__file__).with_name("audit") / "audit.py")
assert _spec is not None
assert _spec.loader is not None
audit = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(audit)

HOLE = {"id": "GHSA-1", "fix_versions": ["1.1"]}
UNKNOWN = {"name": "other", "skip_reason": "not found"}


def package(*holes: dict[str, Any]) -> dict[str, Any]:
    return {"name": "one", "version": "1.0", "vulns": list(holes)}


CASES: dict[str, tuple[list[dict[str, Any]], str, int]] = {
    "none answered": ([], "No advisory database", 0),
    "one answered that knows no package": ([{"dependencies": [UNKNOWN]}], "No advisory database", 0),
    "clean": ([{"dependencies": [package()]}], "1 packages looked up, 0 known holes.", 0),
    "the second answered": ([{"dependencies": [UNKNOWN]}, {"dependencies": [package()]}], "1 packages looked up", 0),
    "a hole": ([{"dependencies": [package(HOLE)]}], "one 1.0: GHSA-1, mended in 1.1", 1),
    "some unknown": ([{"dependencies": [package(), UNKNOWN]}], "Not looked up: other.", 0),
}


@pytest.mark.parametrize("case", CASES)
def test_verdict(case: str) -> None:
    reports, words, code = CASES[case]
    told, found = audit.verdict(reports)
    assert words in told
    assert found == code
