"""Markdown: headings, Q: and A: lines, bold questions, foldable sections and tables as questions with their answers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.tools.exchange.columns import columns_of, divided, faq_of
from bot.tools.exchange.faq import Asked, Faq, plain_inline

LINE = 7
"""The level of a question that is a line of its own: below every heading."""

_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*$")
_UNDERLINE = re.compile(r" {0,3}(=+|-{2,})[ \t]*$")
_FENCE = re.compile(r" {0,3}(```+|~~~+)")
_QUESTION = re.compile(
    r"\s*(?:[-*+]\s+)?[*_]{0,2}(?:Q|Question)(?:\s*\d*\s*:|\s*\d+[.)])[*_]{0,2}\s*(\S.*?)[*_]{0,2}\s*$", re.IGNORECASE
)
_ANSWER = re.compile(r"\s*(?:[-*+]\s+)?[*_]{0,2}(?:A|Answer)(?:\s*\d*\s*:|\s*\d+[.)])[*_]{0,2}\s*(.*)$", re.IGNORECASE)
_BOLD = re.compile(r"\s*(?:[-*+]\s+|\d+[.)]\s+)?(?:\*\*|__)([^*_]+\?)\s*(?:\*\*|__)\s*:?\s*(.*)$")
_SUMMARY = re.compile(r"\s*(?:<details[^>]*>)?\s*<summary[^>]*>(.*?)</summary>\s*(.*)$", re.IGNORECASE)
_FOLD = re.compile(r"</?(?:details|summary)[^>]*>|<a\s+(?:name|id)=[^>]*>(?:</a>)?|</a>", re.IGNORECASE)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_FRONT = re.compile(r"---[ \t]*\n(.*?\n)(?:---|\.\.\.)[ \t]*(?:\n|$)", re.DOTALL)
_FURTHER = re.compile(
    r"\s*(?:[-*+]\s+)?[*_]{0,2}(also asked(?: as)?|keywords?|phrasings?|asks|alternatives?|aliases|other wordings)[*_]{0,2}"
    r"\s*:[*_]{0,2}\s*(\S.*)$",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"^(?:Q?\d+(?:\.\d+)*[.):]|Q(?:uestion)?\s*\d*:|\d+(?:\.\d+)+)\s+", re.IGNORECASE)
_ANCHOR = re.compile(r"\s*\{#[^}]*\}\s*$")
_ITEM = re.compile(r"\s*(?:[-*+]|(\d+)[.)])\s+(.*)$")
_TO_ANCHOR = re.compile(r"\s*(?:[-*+]|\d+[.)])\s+\[[^\]]*\]\(#[^)]*\)\s*$")
_TABLE_LINE = re.compile(r"\s*\|?(?:\s*:?-+:?\s*\|)+\s*(?::?-+:?\s*)?$")
_RULE = re.compile(r"\s*(?:[-*_]\s*){3,}$")
_ABOUT_ALL = re.compile(r"\b(?:faqs?|frequently asked|q ?& ?a|questions and answers|contents)\b", re.IGNORECASE)


@dataclass(slots=True)
class _Section:
    level: int
    title: str
    line: int
    body: list[str] = field(default_factory=list)

    @property
    def asks(self) -> bool:
        return self.level == LINE or self.title.endswith("?")


def read_page(text: str) -> Faq:
    """A Markdown file."""
    text = text.removeprefix("\ufeff")
    front = _FRONT.match(text)
    named = re.search(r"^title:\s*[\"']?(.*?)[\"']?\s*$", front[1], re.MULTILINE) if front else None
    if front:
        text = "\n" * front[0].count("\n") + text[front.end() :]
    lines = _COMMENT.sub(lambda found: "\n" * found[0].count("\n"), text).split("\n")
    faq = Faq(name=named[1] if named else "")
    lines = _without_tables(lines, faq)
    sections = _sections(lines)
    top = next((each for each in sections if each.level < LINE), None)
    if not faq.name and top is not None and top.level == 1 and not top.asks:
        faq.name = top.title
    dropped = _questions(sections, faq)
    faq.notes += dropped if faq.asked else []
    faq.asked.sort(key=lambda asked: asked.line)
    headings = sum(0 < section.level < LINE for section in sections)
    faq.found = f"{headings} heading{'s' * (headings != 1)}, no answer below one, and no Q: and A: lines"
    return faq


# --- lines to sections


def _sections(lines: Sequence[str]) -> list[_Section]:
    found = [_Section(0, "", 1)]
    fence = ""
    for number, line in enumerate(lines, 1):
        mark = _FENCE.match(line)
        if fence or mark:
            fence = "" if fence and mark and mark[1].startswith(fence) else fence or (mark[1] if mark else "")
            found[-1].body.append(line)
            continue
        below = found[-1].body
        under = _UNDERLINE.match(line)
        if (
            under
            and below
            and below[-1].strip()
            and (len(below) == 1 or not below[-2].strip())
            and not _ITEM.match(below[-1])
        ):
            found.append(_Section(1 if under[1][0] == "=" else 2, _title(below.pop()), number - 1))
        elif heading := _HEADING.match(line):
            found.append(_Section(len(heading[1]), _title(heading[2]), number))
        elif asked := _SUMMARY.match(line) or _QUESTION.match(line) or _BOLD.match(line):
            rest = asked[2] if asked.re is not _QUESTION else ""
            found.append(_Section(LINE, _title(asked[1]), number, [rest] if rest else []))
        else:
            below.append(line)
    return found[1:] if not "".join(found[0].body).strip() else found


def _title(text: str) -> str:
    text = " ".join(plain_inline(_FOLD.sub("", _ANCHOR.sub("", text))).split())
    return re.sub(r"<[^>]+>", "", _NUMBER.sub("", text)).strip().removesuffix("#").strip()


def _questions(sections: Sequence[_Section], faq: Faq) -> list[tuple[int, str]]:
    """Add what the sections ask: those with a text of their own and none below, or none but parts of the answer.

    Returns notes on the texts that stand under no question and were left out.
    """
    waiting: list[str] = []
    dropped: list[tuple[int, str]] = []
    n = 0
    while n < len(sections):
        section = sections[n]
        end = next((m for m in range(n + 1, len(sections)) if sections[m].level <= section.level), len(sections))
        below = sections[n + 1 : end]
        n += 1
        answer, asks = _answer(section.body)
        beside = answer or _answer([line for line in section.body if not _TO_ANCHOR.match(line)])[0]
        if section.level == 0 or not section.title:
            if beside:
                dropped.append((section.line, f"'{_beginning(beside)}' stands under no heading: left out"))
            continue
        if below and (any(each.asks for each in below) or not section.asks):
            if answer and section.asks:
                faq.asked.append(Asked(section.title, answer, section.line, asks))
            elif beside and (section.level == 1 or _ABOUT_ALL.search(section.title)):
                dropped.append(_under_title(section, beside))
            elif answer:
                faq.notes.append(
                    (section.line, f"'{section.title[:60]}' has questions below it; its own text is left out")
                )
            continue
        if below:  # headings within an answer
            parts = [f"{each.title}\n\n{_answer(each.body)[0]}".strip() for each in below]
            answer, n = "\n\n".join([answer, *parts]).strip(), end
        if not answer:
            follows = n < len(sections) and sections[n].level == LINE and not any(line.strip() for line in section.body)
            if section.level == LINE and follows:
                waiting.append(section.title)  # one answer for several questions
            elif section.asks:
                faq.notes.append((section.line, f"no answer ('{section.title[:60]}'): left out"))
            continue
        if section.asks or not _ABOUT_ALL.search(section.title):
            faq.asked.append(Asked(section.title, answer, section.line, [*waiting, *asks]))
        else:
            dropped.append(_under_title(section, answer))
        waiting = []
    return dropped


def _under_title(section: _Section, text: str) -> tuple[int, str]:
    return section.line, f"'{_beginning(text)}' under the title '{section.title[:60]}' answers no question: left out"


def _beginning(text: str) -> str:
    """The first words of a text, on one line."""
    told = " ".join(text.split())
    return told if len(told) <= 60 else told[:59].rpartition(" ")[0] + "…"


# --- a section's text


def _answer(body: Sequence[str]) -> tuple[str, list[str]]:
    """The text as the bot says it, and further phrasings that stand in it; nothing for a table of contents."""
    lines = [_FOLD.sub("", line) for line in body]
    told = [line for line in lines if line.strip()]
    if told and sum(bool(_TO_ANCHOR.match(line)) for line in told) * 2 > len(told):
        return "", []
    asks: list[str] = []
    blocks: list[str] = []
    fence, joins = "", False
    for line in lines:
        mark = _FENCE.match(line)
        if mark and (not fence or mark[1].startswith(fence)):
            fence, joins = "" if fence else mark[1], False
            continue
        if fence:
            blocks.append(line.rstrip())
            continue
        if further := _FURTHER.match(line):
            asks += divided(further[2], commas=not further[1].lower().startswith(("also", "phrasing")))
            joins = False
            continue
        answer = _ANSWER.match(line) if not any(block.strip() for block in blocks) else None
        _add(blocks, answer[1] if answer else line, joins)
        joins = bool(line.strip())
    text = "\n".join(blocks)
    return re.sub(r"\n{3,}", "\n\n", text).strip(), asks


def _add(blocks: list[str], line: str, joins: bool) -> None:
    """A line of text: a line by itself, or more of the paragraph or item before it."""
    line = re.sub(r"^\s*(?:>\s?)+", "", line)
    item = _ITEM.match(line)
    if not line.strip() or _RULE.match(line):
        blocks.append("")
    elif item and (item[1] is None or not joins or item[1] == "1" or _starts_number(blocks)):
        blocks.append(f"{item[1]}. {plain_inline(item[2])}" if item[1] else f"- {plain_inline(item[2])}")
    elif line.lstrip().startswith("|"):
        cells = [cell for cell in map(plain_inline, _cells(line)) if cell]
        if not _TABLE_LINE.match(line):
            blocks.append("- " + " · ".join(cells))
    elif joins and blocks and blocks[-1] and not blocks[-1].endswith("  "):
        blocks[-1] += " " + plain_inline(line.strip())
    else:
        blocks.append(plain_inline(line.strip()))
    if line.endswith("  ") or line.endswith("\\"):
        blocks[-1] = blocks[-1].rstrip("\\") + "  "


def _starts_number(blocks: Sequence[str]) -> bool:
    return bool(blocks) and re.match(r"\d+\. ", blocks[-1]) is not None


# --- tables


def _without_tables(lines: Sequence[str], faq: Faq) -> list[str]:
    """The lines without the tables that hold questions; those are added to what was found."""
    kept = list(lines)
    for n in range(len(lines) - 2):
        if "|" not in lines[n] or not _TABLE_LINE.match(lines[n + 1]):
            continue
        columns = columns_of(_cells(lines[n]))
        if columns is None:
            continue
        end = next((m for m in range(n + 2, len(lines)) if "|" not in lines[m]), len(lines))
        table = faq_of(columns, [(m + 1, _cells(lines[m])) for m in range(n + 2, end)])
        faq.asked += table.asked
        faq.notes += table.notes
        kept[n:end] = [""] * (end - n)
    return kept


def _cells(line: str) -> list[str]:
    inside = line.strip().removeprefix("|")
    inside = inside[:-1] if inside.endswith("|") and not inside.endswith("\\|") else inside
    return [re.sub(r"<br\s*/?>", "\n", cell.replace("\\|", "|").strip()) for cell in re.split(r"(?<!\\)\|", inside)]
