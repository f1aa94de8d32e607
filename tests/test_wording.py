"""Wordings: the same question in other letters, with slips, in other languages; opposites; what says nothing yet."""

from __future__ import annotations

import pytest

from support.shipped import found, knowledge

# --- upper case

FRAMES = [
    "is {} free",
    "what licence has {}",
    "latest version of {}",
    "is {} fast",
    "downsides of {}",
    "is {} still maintained",
    "is {} dead",
    "what can i build with {}",
    "does {} work on windows",
    "show me an example of {}",
]
NAMES = [card.name for group in knowledge().groups if group.all for card in knowledge().members(group)]


@pytest.mark.parametrize("frame", FRAMES)
def test_upper_case_never_matters(frame: str) -> None:
    for name in NAMES:
        text = frame.format(name)
        typed, lower, upper = found(text), found(text.lower()), found(text.upper())
        assert (typed.kind, typed.ids) == (lower.kind, lower.ids) == (upper.kind, upper.ids), name


@pytest.mark.parametrize("frame", FRAMES[:8])
def test_what_is_asked_of_everything_tells_nothing_about_a_name(frame: str) -> None:
    for name in ("flask", "celery", "pyramid", "dash"):
        finding = found(frame.format(name))
        assert (finding.kind, finding.ids) == ("library", (name,))


@pytest.mark.parametrize("text", ["how fast is a tornado", "is celery free of gluten", "price of a toga"])
def test_words_from_elsewhere_still_tell(text: str) -> None:
    assert found(text).kind == "unknown"
