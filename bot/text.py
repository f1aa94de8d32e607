"""Words: from what somebody typed (or Slack delivered) to the tokens that everything else compares.

Nothing here knows a language's facts or a pack's subject; both are data.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

LONGEST_QUESTION = 4_000
"""Characters of a question that are read. Slack's own messages end at 4,000; a pasted book costs no more than that."""

_MENTION = re.compile(r"<[@!][^>]*>")
_CHANNEL = re.compile(r"<#[^>]*>")
_LINK_WITH_LABEL = re.compile(r"<(?:https?|mailto|tel)[^|>]*\|([^>]*)>")
_LINK = re.compile(r"<(?:https?|mailto|tel):[^>]*>|\bhttps?://\S+")
_EMOJI = re.compile(
    r":(?=[a-z0-9_+'-]*[a-z])[a-z0-9_+'-]+:(?::skin-tone-\d:)?|(?<![a-z0-9]):[+-]?[0-9]+:(?![0-9])", re.IGNORECASE
)
_MARKS = str.maketrans({"`": " ", "’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": " - ", "…": " ... "})
_BLANKS = re.compile(r"\s+")
_MOST_MARKS = 30
"""Combining marks in a row: Unicode's own limit (UAX 15, stream-safe text). Putting thousands in order takes a square of it."""
_WORD = re.compile(r"[^\W_]+(?:['][^\W_]+)*[+#]*", re.UNICODE)
_SENTENCE_END = re.compile(r"(?<=[.!?;])\s+|\n+")


def clean(text: str) -> str:
    """What the person meant, on one line: Slack's entities, links, mentions and emoji codes taken away.

    `text` is a Slack payload's text or a typed line; at most `LONGEST_QUESTION` characters of it are read.
    Case and punctuation stay, because sentences are found by them.
    """
    text = text[:LONGEST_QUESTION]
    if "<" in text or "http" in text:
        text = _LINK_WITH_LABEL.sub(r" \1 ", text)
        text = _LINK.sub(" ", _CHANNEL.sub(" ", _MENTION.sub(" ", text)))
    text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    if not text.isascii():
        text = unicodedata.normalize("NFKC", _few_marks(text))[:LONGEST_QUESTION]
    text = text.translate(_MARKS)
    if not text.isprintable():
        text = "".join(c if c in "\n\t" or unicodedata.category(c)[0] != "C" else "" for c in text)
    if ":" in text:
        text = _EMOJI.sub(" ", text)
    return "\n".join(line for line in (_BLANKS.sub(" ", line).strip() for line in text.split("\n")) if line)


def _few_marks(text: str) -> str:
    """The text with `_MOST_MARKS` of the combining marks that stand in a row."""
    if len(text) <= _MOST_MARKS or not any(map(unicodedata.combining, text)):
        return text
    found, row = [], 0
    for c in text:
        row = row + 1 if unicodedata.combining(c) else 0
        if row <= _MOST_MARKS:
            found.append(c)
    return "".join(found)


def sentences(text: str) -> list[str]:
    """The sentences of a cleaned text, in order; a line break ends one too."""
    return [part.strip() for part in _SENTENCE_END.split(text) if part.strip()]


def words(text: str) -> list[str]:
    """Casefolded words of a cleaned text: runs of letters and digits, with trailing + and # (c++, c#).

    Possessives lose their 's, contractions their apostrophe: "what's" is "whats", "Django's" is "django".
    """
    typed: list[str] = _WORD.findall(text.casefold())
    if "'" not in text:
        return typed
    found = []
    for word in typed:
        base, mark, tail = word.partition("'")
        found.append(base if mark and tail == "s" and base not in _CONTRACTED else word.replace("'", ""))
    return found


_CONTRACTED = frozenset(
    {"what", "that", "it", "who", "how", "where", "there", "here", "let", "he", "she", "when", "why"}
)


LONGEST_REMEMBERED = 32
"""Letters of a word that what is found out about it is remembered for, in memory: a pasted key isn't, and memory has an end."""


def stem(word: str) -> str:
    """A word without its commonest English endings, so that "answers", "answered" and "answering" meet.

    Light on purpose: heavier stemmers measured no better. Words with a digit, + or # stay as they are.
    """
    return _stem(word) if len(word) <= LONGEST_REMEMBERED else _stem.__wrapped__(word)


@lru_cache(maxsize=32_768)
def _stem(word: str) -> str:
    if len(word) < 4 or not word.isalpha():
        return word
    if word.endswith("ies"):
        return word[:-3] + "y" if len(word) > 4 else word
    if word.endswith(("sses", "shes", "ches", "xes", "zes")):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending in ("ing", "ed"):
        base = word.removesuffix(ending)
        if base != word and len(base) >= 3 and _VOWEL.search(base):
            word = base[:-1] if base[-1] == base[-2] and base[-1] not in "lsz" else base
            break
    return word[:-1] if len(word) > 3 and word.endswith("e") else word


_VOWEL = re.compile(r"[aeiouy]")
