"""The encoding of a text file: recognized where that is sure, else refused with the remedy. No wrong letters come over."""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from bot.model import AskPyError

BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
SAMPLE = 200_000
"""Characters of which the letters are looked at."""

_WESTERN = tuple(
    map(
        frozenset,
        [
            "äöüß",
            "éèàçêîôûùëïœâæ",
            "áéíóúñüàçèòï",
            "ãõáéíóúâêôçà",
            "àèéìòù",
            "åäöéüæøà",
            "ëïéèöüê",
            "áéíóúýþðæö",
            "éèàçêîôûùëïœâäöüß",
        ],
    )
)
_CENTRAL = tuple(map(frozenset, ["ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "áéíóöőúüű", "čćđšž", "ăâîșțşţ"]))
_TURKISH = (frozenset("çğıöşüâî"),)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """An encoding of one byte a letter, the letters of each language that is written in it, and its name for people."""

    encoding: str
    languages: tuple[frozenset[str], ...]
    name: str


_LATIN = (
    _Candidate("cp1252", _WESTERN, "Windows-1252 (Western Europe)"),
    _Candidate("cp1250", _CENTRAL, "Windows-1250 (Central Europe)"),
    _Candidate("cp1254", _TURKISH, "Windows-1254 (Turkish)"),
    _Candidate("mac_roman", _WESTERN, "Mac Roman"),
)
_CYRILLIC = (
    _Candidate("cp1251", (), "Windows-1251 (Cyrillic)"),
    _Candidate("koi8-r", (), "KOI8-R (Cyrillic)"),
    _Candidate("cp866", (), "code page 866 (Cyrillic)"),
)
_EAST_ASIAN = (
    _Candidate("cp932", (), "Shift-JIS (Japanese)"),
    _Candidate("euc_jp", (), "EUC-JP (Japanese)"),
    _Candidate("cp949", (), "EUC-KR (Korean)"),
    _Candidate("gb18030", (), "GB 18030 (Chinese)"),
    _Candidate("big5", (), "Big5 (Chinese)"),
)
_COMMON_CYRILLIC = frozenset("оеаинтсрвлкмдпу")
_COMMON_CHINESE = frozenset(
    "的一是不了在有人我他这個个們们中来來上大为為和国國地到以说說时時要就出会會可也你对對生能而子那得于着下自之年过過发發后後用请請如何问問题題什么麼怎样樣"
)
_SIGNS = frozenset("“”‘’„‚«»‹›–—…•·†‡€£¥¢§©®™°ºª±×÷½¼¾²³µ¡¿¹‰¨´¸¦¬¶−→←≤≥≠√∞\xa0\xad")


def decode(content: bytes, path: object, encoding: str = "") -> tuple[str, str]:
    """The text of a file.

    Args:
        content: Its bytes.
        path: Its name in errors.
        encoding: The encoding that a person named, or "".

    Returns:
        The text, and the name of an encoding that was guessed, for a note; "" for Unicode and for one that was named.

    Raises:
        AskPyError: The encoding can't be told, or it isn't the one that was named.
    """
    if encoding:
        return _decode_as(content, path, encoding), ""
    for mark, name in BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return _decode_as(content, path, name), ""
    if wide := _wide(content):
        return wide, ""
    try:
        return content.decode(), ""
    except UnicodeDecodeError as error:
        if odd := _odd_lines(content):
            named = f"line{'s' * (len(odd) > 1)} {', '.join(map(str, odd[:8]))}{' and more' * (len(odd) > 8)}"
            raise AskPyError(
                f"{path} is UTF-8 but for {named}. Mend {'that' if len(odd) == 1 else 'those'}, or save the file as UTF-8 anew."
            ) from None
        found = _guess(content)
        if found is not None:
            return found
        line = content[: error.start].count(b"\n") + 1
        shown = _shown(content[error.start :][:1])
        raise AskPyError(
            f"{path} is not UTF-8 (line {line} has the byte {shown}), and no other encoding is sure. Save it as UTF-8, "
            "or name its encoding, say --encoding cp1252."
        ) from None


def _shown(byte: bytes) -> str:
    return f"0x{byte.hex()}"


def _decode_as(content: bytes, path: object, encoding: str) -> str:
    try:
        codec = codecs.lookup(encoding)
        return content.decode(codec.name)
    except LookupError:
        raise AskPyError(
            f"'{encoding}' is no encoding that Python knows. Usual ones: utf-8, utf-16, cp1252, cp1251, cp932."
        ) from None
    except (UnicodeError, ValueError) as error:
        start = error.start if isinstance(error, UnicodeDecodeError) else 0
        line = content[:start].count(b"\n") + 1
        raise AskPyError(
            f"{path} is not {encoding} (line {line}). Save it as UTF-8, or name another with --encoding."
        ) from None


def _wide(content: bytes) -> str:
    """The text of UTF-16 without a byte order mark, or "". Blanks and line feeds have a zero byte there, in every language."""
    sample = content[:SAMPLE]
    if len(content) % 2 or len(sample) < 8:
        return ""
    for encoding, low in (("utf-16-le", 0), ("utf-16-be", 1)):
        zeros = sum(
            pair in (b" \0", b"\n\0") if low == 0 else pair in (b"\0 ", b"\0\n")
            for pair in map(bytes, zip(sample[::2], sample[1::2], strict=True))
        )
        if zeros * 25 < len(sample) // 2 and sample[1 - low :: 2].count(0) * 3 < len(sample) // 2:
            continue
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if _is_text(text):
            return text
    return ""


def _is_text(text: str) -> bool:
    """Whether characters are letters, signs and blanks of few scripts, as they are in people's texts."""
    sample = text[:5_000]
    odd = sum(unicodedata.category(char) in ("Cc", "Cn", "Co", "Cs") and char not in "\r\n\t" for char in sample)
    scripts = {ord(char) >> 8 for char in sample if char.isalpha()}
    return odd * 50 <= len(sample) and (
        len(scripts) <= 6 or all(0x30 <= script <= 0x9F or script in (0, 1, 0xFF) for script in scripts)
    )


_HIGH = bytes(range(0x80, 0x100))


def _odd_lines(content: bytes) -> list[int]:
    """The lines that aren't UTF-8, if most letters beyond ASCII stand in lines that are; else none."""
    odd, in_utf8, in_others = [], 0, 0
    for number, line in enumerate(content.split(b"\n"), 1):
        high = len(line) - len(line.translate(None, _HIGH))
        try:
            line.decode()
            in_utf8 += high
        except UnicodeDecodeError:
            odd.append(number)
            in_others += high
    return odd if in_utf8 >= in_others else []


def _guess(content: bytes) -> tuple[str, str] | None:
    """The text by the first encoding whose letters make sense, and its name."""
    for candidate in (*_EAST_ASIAN, *_CYRILLIC, *_LATIN):
        try:
            text = content.decode(candidate.encoding)
        except UnicodeDecodeError:
            continue
        if _makes_sense(text[:SAMPLE], candidate):
            return None if candidate.encoding == "cp1252" and _may_be_turkish(content, text) else (text, candidate.name)
    return None


def _may_be_turkish(content: bytes, western: str) -> bool:
    """Whether a text makes sense in Turkish, too, with other letters: both encodings have all the others in common."""
    turkish = content.decode("cp1254", "replace")
    return turkish != western and _is_latin(turkish[:SAMPLE], [c for c in turkish[:SAMPLE] if ord(c) > 0x7F], _TURKISH)


def _makes_sense(text: str, candidate: _Candidate) -> bool:
    foreign = [char for char in text if ord(char) > 0x7F]
    if not foreign or any(unicodedata.category(char) in ("Cc", "Cn", "Co") for char in foreign):
        return False
    if candidate in _EAST_ASIAN:
        return _is_east_asian(foreign, candidate.encoding)
    if candidate in _CYRILLIC:
        return _is_cyrillic(text, foreign)
    return _is_latin(text, foreign, candidate.languages)


def _is_east_asian(foreign: list[str], encoding: str) -> bool:
    wide = sum(
        0x2E80 <= ord(char) <= 0x9FFF or 0xAC00 <= ord(char) <= 0xD7A3 or 0xFF01 <= ord(char) <= 0xFF60
        for char in foreign
    )
    if wide < 8 or wide * 10 < 9 * len(foreign):
        return False
    if encoding in ("cp932", "euc_jp"):
        return sum(0x3041 <= ord(char) <= 0x30FF for char in foreign) * 4 >= wide
    if encoding == "cp949":
        return sum(0xAC00 <= ord(char) <= 0xD7A3 for char in foreign) * 10 >= 7 * wide
    return sum(char in _COMMON_CHINESE for char in foreign) * 10 >= wide


def _is_cyrillic(text: str, foreign: list[str]) -> bool:
    letters = [char for char in foreign if "\u0400" <= char <= "\u04ff"]
    if len(letters) < 12 or len(letters) * 20 < 19 * sum(char.isalpha() for char in foreign):
        return False
    if any(char not in _SIGNS and not char.isalpha() and char != "№" for char in foreign):
        return False
    common = sum(char.lower() in _COMMON_CYRILLIC for char in letters)
    small = sum(char.islower() for char in letters)
    odd = len(re.findall(r"[а-яё][А-ЯЁ]|[A-Za-z][а-яА-Я]|[а-яА-Я][A-Za-z]", text))
    return common * 100 >= 60 * len(letters) and small * 2 >= len(letters) and odd * 20 <= len(letters)


def _is_latin(text: str, foreign: list[str], languages: Iterable[frozenset[str]]) -> bool:
    """Whether letters beyond ASCII are those of one language, stand among ASCII letters, and no sign stands within a word."""
    letters = [char for char in foreign if char.isalpha() and char not in "ªºµ"]
    if any(char not in _SIGNS and not char.isalpha() for char in foreign):
        return False
    if re.search(r"[^\W\d_][^\w\s\x00-\x7f’‘\xad·–—…\xa0][^\W\d_]|[a-zà-ÿ][À-ÞŠŽŒŸ](?=[a-z])|[¹²³¼½¾][^\W\d_]", text):
        return False
    if not letters:
        return True
    ascii_letters = sum(char.isascii() and char.isalpha() for char in text)
    if len(letters) * 3 > ascii_letters:
        return False
    lowered = [char.lower() for char in letters]
    best = max(sum(char in language for char in lowered) for language in languages)
    return best * 100 >= 97 * len(lowered)
