"""The pack's subject as a whole: what is known of it, and an honest no where that isn't what was asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.knowledge import load
from bot.model import Text
from bot.reply.wording import answer_part
from bot.understanding import Matcher
from support.shipped import answer, found, knowledge

KNOWN = [
    "python",
    "python?",
    "what is python",
    "tell me about python",
    "is python easy",
    "is python popular",
    "is python versatile",
]
NOT_KNOWN = [
    "is python fast",
    "is python dead",
    "is python outdated",
    "is python still relevant",
    "is python worth learning",
    "when was python released",
    "how old is python",
    "who uses python",
    "so is python good?",
    "is python slow",
]
OTHERS = {
    "is python frontend": "is-python-frontend",
    "is python used for backend": "is-python-backend",
    "why python": "why-python-for-backend",
    "is python object oriented": "step-oop",
    "python 2": "step-editor",
}


@pytest.mark.parametrize("text", KNOWN)
def test_what_is_said_of_the_subject_answers(text: str) -> None:
    assert found(text).ids == ("what-is-python",)
    assert found(text).kind == "topic"


@pytest.mark.parametrize("text", NOT_KNOWN)
def test_what_is_not_said_of_it_is_an_honest_no_with_what_is(text: str) -> None:
    finding = found(text)
    assert (finding.kind, finding.ids, finding.about_subject) == ("unknown", ("what-is-python",), True)
    said = (Text(knowledge().voice.lines["unknown_subject"]), answer_part(knowledge().by_id["what-is-python"]))
    assert answer(text).parts[:2] == said


@pytest.mark.parametrize("text", OTHERS)
def test_a_part_of_the_subject_has_its_own_entry(text: str) -> None:
    assert found(text).ids[:1] == (OTHERS[text],)


def test_a_pack_without_a_topic_on_its_subject_answers_as_ever(tmp_path: Path) -> None:
    (tmp_path / "pack.yaml").write_text("name: Demo\nsubject: [bikes]\n", encoding="utf-8")
    (tmp_path / "a.yaml").write_text(
        "- {id: a, title: Where are the bikes kept?, asks: [bike shed], answer: x}\n", encoding="utf-8"
    )
    assert not Matcher.from_knowledge(load(tmp_path)).find("is bikes fast").about_subject
