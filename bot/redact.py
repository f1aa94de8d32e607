"""Redaction: what a question says of somebody in particular is taken out before its words are stored."""

from __future__ import annotations

import re

REDACTED = "…"
"""Stands for what was taken out. It is no word, so that the same question about two people is one question."""
FEWEST_DIGITS = 7
"""Digits from which on a number is more likely a telephone's, an account's or an order's than what is asked about."""
FEWEST_OF_A_KEY = (20, 3)
"""Characters and digits from which on a word is more likely a key or a token than a name in somebody's code."""

_PART = r"[^\s@<>()\[\],;:\"']"
_ADDRESS = re.compile(rf"(?<!{_PART}){_PART}+@{_PART}+\.\w+")
_NUMBER = re.compile(r"(?<!\w)(?:\+\d{1,3}[ .-]?)?\(?\d{2,}(?:[ ./()-]{1,3}\d{2,})*(?!\w)")
_PERSON = re.compile(r"\b[UW](?=[A-Z]*\d)[A-Z0-9]{8,11}\b")
_SITE = re.compile(r"(?<!\S)www\.\S+")
_LINK = re.compile(r"\b[a-z][a-z0-9+.-]{0,20}://\S+", re.IGNORECASE)
_TOKEN = re.compile(
    r"(?<![A-Za-z0-9])(?:(?:sk|pk|rk|xox[a-z]|xapp|glpat)-|(?:sk|pk|rk|gh[a-z]|github_pat)_|AKIA|ASIA|eyJ)[A-Za-z0-9_.+/=-]{12,}"
)
"""What the commonest services' keys begin with, and a JSON Web Token."""
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/=])[A-Za-z0-9+/=]{40,}")
_MIXED = re.compile(r"(?=[^a-z]*[a-z])(?=[^A-Z]*[A-Z])(?=[^0-9]*[0-9])")
_KEY = re.compile(rf"[A-Za-z0-9_+=-]{{{FEWEST_OF_A_KEY[0]},}}")


def redact(text: str) -> str:
    """A cleaned text without links, addresses, ids of people, long numbers, and what looks like a key.

    Versions and decorators stay.
    """
    for pattern in (_LINK, _ADDRESS, _SITE, _PERSON, _TOKEN):
        text = pattern.sub(REDACTED, text)
    text = _BASE64.sub(lambda found: REDACTED if _MIXED.match(found[0]) else found[0], text)
    text = _KEY.sub(lambda found: _unless(found, fewer_than=FEWEST_OF_A_KEY[1]), text)
    return _NUMBER.sub(lambda found: _unless(found, fewer_than=FEWEST_DIGITS), text)


def _unless(found: re.Match[str], fewer_than: int) -> str:
    return found[0] if sum(map(str.isdigit, found[0])) < fewer_than else REDACTED
