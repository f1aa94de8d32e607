"""Attributes: which attribute of a card a question asks for, and that a story about a card asks for none."""

from __future__ import annotations

import pytest

from support.shipped import found

ASKED = {
    "is django free": "licence",
    "flask docs": "docs",
    "how do i install kivy": "install",
    "who created kivy": "maker",
    "is sqlalchemy still maintained": "version",
    "how fast is fastapi": "speed",
    "is sqlalchemy hard": "ease",
    "is pandas frontend or backend": "side",
    "is fastapi async": "group",
    # slips are forgiven as they are elsewhere
    "how do i instal flask": "install",
    "kivy licens": "licence",
    "kivy documentaton": "docs",
    # nothing by itself
    "what is django": "",
    "django": "",
    "django is free to choose the tables of our accounts": "",
    "my flask install broke after the upgrade of the database": "",
}


@pytest.mark.parametrize("text", ASKED)
def test_the_attribute_that_is_asked_for(text: str) -> None:
    attribute = found(text).attribute
    assert (attribute.name if attribute else "") == ASKED[text]
