"""The audit says what it looked up, and never calls nothing clean; the SBOM lists all that is locked."""

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


CASES: dict[str, tuple[list[dict[str, Any]], str, int, int]] = {
    "none answered": ([], "No advisory database", 0, 1),
    "one answered that knows no package": ([{"dependencies": [UNKNOWN]}], "No advisory database", 0, 1),
    "clean": ([{"dependencies": [package()]}], "1 packages looked up, 0 known holes.", 0, 0),
    "the second answered": ([{"dependencies": [UNKNOWN]}, {"dependencies": [package()]}], "1 packages looked up", 0, 0),
    "a hole": ([{"dependencies": [package(HOLE)]}], "one 1.0: GHSA-1, mended in 1.1", 1, 1),
    "some unknown": ([{"dependencies": [package(), UNKNOWN]}], "Not looked up: other.", 0, 1),
}
"""The reports, words of the verdict, and the exit code without --strict and with it."""


@pytest.mark.parametrize("case", CASES)
def test_verdict(case: str) -> None:
    reports, words, *codes = CASES[case]
    for is_strict, code in zip((False, True), codes, strict=True):
        told, found = audit.verdict(reports, is_strict=is_strict)
        assert words in told
        assert found == code


def test_the_option_is_what_makes_it_strict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "_reports", lambda: [{"dependencies": [package(), UNKNOWN]}])
    codes = []
    for options in ([], ["--strict"]):
        monkeypatch.setattr("sys.argv", ["audit.py", *options])
        codes.append(audit.main())
    assert codes == [0, 1]


LOCK = """\
# by make lock
one==1.0 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
    # via askpy
two==2.0 ; sys_platform == 'win32' \\
    --hash=sha256:cc
    # via one
"""


def component(name: str, version: str, *hashes: str) -> dict[str, Any]:
    reference = {"hashes": [{"alg": "SHA-256", "content": each} for each in hashes]}
    return {"name": name, "version": version, "externalReferences": [reference]}


BOMS: dict[str, tuple[list[dict[str, Any]], list[str]]] = {
    "all": ([component("one", "1.0", "bb", "aa"), component("two", "2.0", "cc")], []),
    "a package is missing": ([component("one", "1.0", "aa", "bb")], ["two 2.0"]),
    "another version": ([component("one", "1.0", "aa", "bb"), component("two", "2.1", "cc")], ["two 2.0"]),
    "a hash is missing": ([component("one", "1.0", "aa"), component("two", "2.0", "cc")], ["one 1.0"]),
    "no hashes": ([{"name": "one", "version": "1.0"}, component("two", "2.0", "cc")], ["one 1.0"]),
}


@pytest.mark.parametrize("case", BOMS)
def test_what_an_sbom_lacks_is_named(case: str) -> None:
    components, missing = BOMS[case]
    assert audit.unlisted({"components": components}, LOCK) == missing


def test_every_pin_of_the_lock_is_looked_for() -> None:
    lock = Path(__file__).parents[1].joinpath("requirements.txt").read_text(encoding="utf-8")
    assert len(audit.unlisted({"components": []}, lock)) == lock.count("==") - lock.count(" == ") > 30
