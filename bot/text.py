"""Text: cleaning, sentences, words, stems, and the normalized form in which phrasings are compared.

Nothing here depends on a pack's subject.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable
from functools import lru_cache
from itertools import pairwise

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
_MAX_COMBINING = 30
"""Combining marks in a row that are read: Unicode's own limit (UAX 15, stream-safe text). Ordering n of them takes n² steps."""
_MARKED = "\u0900-\u0963\u0966-\u0dff\u0e00-\u0e7f\u0e80-\u0eff\u1000-\u109f\u1780-\u17ff"
"""Scripts of India and South East Asia, whose vowel signs Python counts as no part of a word."""
_WORD = re.compile(rf"(?:[^\W_]|[{_MARKED}])+(?:['][^\W_]+)*[+#]*", re.UNICODE)
_ASCII_WORD = re.compile(r"[^\W_]+(?:['][^\W_]+)*[+#]*", re.ASCII)
_WITHOUT_BLANKS = re.compile(
    "[\u0e00-\u0e7f\u0e80-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003134f]+"
)
"""Runs of scripts that have no blanks between words: Thai, Lao, Burmese, Khmer, Japanese, Chinese."""
MOST_PAIRS = 1_000
"""Words that are read of a text with such a run: so many characters say as much as LONGEST_QUESTION Latin letters."""
_SENTENCE_END = re.compile(r"(?<=[.!?;])\s+|(?<=[。!?])(?=[\u3040-\u9fff])|\n+")


def unescape(text: str) -> str:
    """A Slack payload's text with the three characters that Slack escapes in it: <, > and &."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def clean(text: str) -> str:
    """The text without Slack's mentions, links, emoji codes, escapes and without control characters; blanks collapsed.

    Args:
        text: A Slack payload's text or a typed line; at most LONGEST_QUESTION characters of it are read.

    Returns:
        Lines divided by line feeds, none of them empty. Case and punctuation stay, because `sentences` needs them.
    """
    text = text[:LONGEST_QUESTION]
    if "<" in text or "http" in text:
        text = _LINK_WITH_LABEL.sub(r" \1 ", text)
        text = _LINK.sub(" ", _CHANNEL.sub(" ", _MENTION.sub(" ", text)))
    text = _plain_letters(unescape(text))[:LONGEST_QUESTION]
    if not text.isprintable():
        text = "".join(c if c in "\n\t" or unicodedata.category(c)[0] != "C" else "" for c in text)
    if ":" in text:
        text = _EMOJI.sub(" ", text)
    return "\n".join(line for line in (_BLANKS.sub(" ", line).strip() for line in text.split("\n")) if line)


def _plain_letters(text: str) -> str:
    """The text with one form of each letter and mark (NFKC, straight quotes), without soft hyphens and zero-width signs."""
    if text.isascii():
        return text.translate(_MARKS)
    text = unicodedata.normalize("NFKC", _limit_combining(text)).translate(_MARKS)
    return text if text.isprintable() else "".join(c for c in text if unicodedata.category(c) != "Cf")


def _limit_combining(text: str) -> str:
    """The text with at most _MAX_COMBINING combining marks in a row."""
    if len(text) <= _MAX_COMBINING or not any(map(unicodedata.combining, text)):
        return text
    characters, run = [], 0
    for character in text:
        run = run + 1 if unicodedata.combining(character) else 0
        if run <= _MAX_COMBINING:
            characters.append(character)
    return "".join(characters)


def find_control_character(text: str) -> int | None:
    """The position of the first character that is no text and may harm whoever reads it; None where there is none.

    They are the control characters but for line feed and tab, with which a text could steer a terminal or forge a line of a log;
    those that turn the order of letters round (U+202D, U+202E); and byte order marks and non-characters, which YAML can't hold.
    """
    found = _CONTROL.search(text)
    return found.start() if found is not None else None


def units(text: str) -> int:
    """Length of a text as Slack may count it: in UTF-16 units, with &, < and > as entities."""
    length = len(text) + 4 * text.count("&") + 3 * (text.count("<") + text.count(">"))
    return length if text.isascii() else length + sum(character > "\uffff" for character in text)


def without_control_characters(text: str) -> str:
    """The text without what `find_control_character` finds; Windows' line ends become line feeds."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def printable(text: str) -> str:
    """The text on one line, with Python's escapes in place of what can't be printed."""
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202d\u202e\ufeff\ufffe\uffff]")


def sentences(text: str) -> list[str]:
    """The sentences of a cleaned text, in order; a line feed ends one too."""
    return [sentence.strip() for sentence in _SENTENCE_END.split(text) if sentence.strip()]


def words(text: str) -> list[str]:
    """Casefolded words of a text: runs of letters and digits, with trailing + and # (c++, c#).

    A run of a script without blanks between words (Chinese, Japanese, Thai) becomes its pairs of neighbouring characters.
    Possessives lose their 's, contractions their apostrophe: "what's" is "whats", "Django's" is "django". Letters and marks are
    those of `clean`, so that a name or a phrasing in a pack is found however its letters are encoded there.
    """
    if text.isascii():
        tokens: list[str] = _ASCII_WORD.findall(text.casefold())
    else:
        text = _plain_letters(text)
        tokens = _WORD.findall(text.casefold())
        if _WITHOUT_BLANKS.search(text):
            tokens = [part for token in tokens for part in _pairs(token)][:MOST_PAIRS]
    return tokens if "'" not in text else [_without_apostrophe(token) for token in tokens]


def word_breaks(text: str) -> list[str]:
    """The punctuation mark before each word of a text and after the last one; "" where there is none.

    Its length is one more than that of `words`, but for scripts without blanks between words.
    """
    text = text if text.isascii() else _plain_letters(text)
    return [next((mark for mark in between if mark in ",.;:!?()"), "") for between in _WORD.split(text)]


def _pairs(token: str) -> Iterable[str]:
    """The token; a run of a script without blanks as its pairs of neighbouring characters: "opening hours" has no other words."""
    end = 0
    for run in _WITHOUT_BLANKS.finditer(token):
        if run.start() > end:
            yield token[end : run.start()]
        yield from map("".join, pairwise(run[0])) if len(run[0]) > 1 else (run[0],)
        end = run.end()
    if end < len(token):
        yield token[end:]


def words_as_typed(text: str) -> list[str]:
    """The words of a cleaned text as they were typed: one for each of `words`, unless casefolding made letters of others."""
    return _WORD.findall(text)


def _without_apostrophe(token: str) -> str:
    base, apostrophe, ending = token.partition("'")
    is_possessive = apostrophe and ending == "s" and base not in _CONTRACTED
    return base if is_possessive else token.replace("'", "")


_CONTRACTED = frozenset("what that it who how where there here let he she when why".split())
"""Words after which 's is short for "is" or "us"."""


def normalize_phrase(text: str) -> str:
    """The words of a text, cleaned as a question is, joined by blanks: equal for two spellings of one phrasing.

    Two phrasings are the same if their normalized forms are: in the lint, in curators' changes, in misses and in exports.
    """
    return _normalize_phrase(text) if len(text) <= LONGEST_CACHED_PHRASE else _normalize_phrase.__wrapped__(text)


LONGEST_CACHED_PHRASE = 200
"""Characters of a phrasing whose normalized form is cached: nearly all of a pack's are shorter."""


@lru_cache(maxsize=32_768)  # the lint goes through all phrasings of a pack five times, and each curated change once
def _normalize_phrase(text: str) -> str:
    return " ".join(words(clean(text)))


LONGEST_CACHED = 32
"""Letters of a word up to which results about it are cached in memory: longer ones are pasted keys."""


def stem(word: str) -> str:
    """A casefolded word without its commonest English endings: "answers", "answered" and "answering" have one stem.

    Light on purpose: heavier stemmers measured no better. Words with a digit, + or # stay as they are.
    """
    return _stem(word) if len(word) <= LONGEST_CACHED else _stem.__wrapped__(word)


@lru_cache(maxsize=8_192)
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


LONGEST_SLUG = 48
"""Characters of an id that is made from a title."""


def slug(title: str, taken: Collection[str] = (), fallback: str = "question", limit: int = LONGEST_SLUG) -> str:
    """An id made from a title: its ASCII letters and digits, with hyphens between words.

    Args:
        title: Any text; letters with accents lose them.
        taken: Ids that exist; a number is appended until the id is none of them.
        fallback: The id for a title without ASCII letters and digits.
        limit: Characters of the id, before a number is appended; it is cut between two words where that is possible.
    """
    decomposed = unicodedata.normalize("NFKD", title.casefold().replace("'", "").replace("’", ""))
    base = re.sub(r"[^a-z0-9]+", "-", decomposed.encode("ascii", "ignore").decode()).strip("-")
    if len(base) > limit:
        base = base[: limit + 1].rpartition("-")[0] or base[:limit]
    base = base or fallback
    candidate, number = base, 1
    while candidate in taken:
        number += 1
        candidate = f"{base}-{number}"
    return candidate
