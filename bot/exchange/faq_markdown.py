"""Markdown files: questions as headings, Q: and A: lines, bold lines, foldable sections and tables."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.exchange.faq import Faq, FaqQuestion, plain_inline
from bot.exchange.faq_table import faq_from_rows, find_columns, split_phrasings

QUESTION_LEVEL = 7
"""The level of a question that isn't a heading (Q: lines, bold lines, <summary>): below every heading."""

_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*$")
_SETEXT_RULE = re.compile(r" {0,3}(=+|-{2,})[ \t]*$")
_FENCE = re.compile(r" {0,3}(```+|~~~+)")
_QUESTION = re.compile(
    r"\s*(?:[-*+]\s+)?[*_]{0,2}(?:Q|Question)(?:\s*\d*\s*:|\s*\d+[.)])[*_]{0,2}\s*(\S.*?)[*_]{0,2}\s*$", re.IGNORECASE
)
_ANSWER = re.compile(r"\s*(?:[-*+]\s+)?[*_]{0,2}(?:A|Answer)(?:\s*\d*\s*:|\s*\d+[.)])[*_]{0,2}\s*(.*)$", re.IGNORECASE)
_BOLD = re.compile(r"\s*(?:[-*+]\s+|\d+[.)]\s+)?(?:\*\*|__)([^*_]+\?)\s*(?:\*\*|__)\s*:?\s*(.*)$")
_SUMMARY = re.compile(r"\s*(?:<details[^>]*>)?\s*<summary[^>]*>(.*?)</summary>\s*(.*)$", re.IGNORECASE)
_FOLD = re.compile(r"</?(?:details|summary)[^>]*>|<a\s+(?:name|id)=[^>]*>(?:</a>)?|</a>", re.IGNORECASE)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_FRONT_MATTER = re.compile(r"---[ \t]*\n(.*?\n)(?:---|\.\.\.)[ \t]*(?:\n|$)", re.DOTALL)
_PHRASINGS = re.compile(
    r"\s*(?:[-*+]\s+)?[*_]{0,2}(also asked(?: as)?|keywords?|phrasings?|asks|alternatives?|aliases|other wordings)[*_]{0,2}"
    r"\s*:[*_]{0,2}\s*(\S.*)$",
    re.IGNORECASE,
)
_NUMBERING = re.compile(r"^(?:Q?\d+(?:\.\d+)*[.):]|Q(?:uestion)?\s*\d*:|\d+(?:\.\d+)+)\s+", re.IGNORECASE)
_ANCHOR = re.compile(r"\s*\{#[^}]*\}\s*$")
_ITEM = re.compile(r"\s*(?:[-*+]|(\d+)[.)])\s+(.*)$")
_CONTENTS_ITEM = re.compile(r"\s*(?:[-*+]|\d+[.)])\s+\[[^\]]*\]\(#[^)]*\)\s*$")
_TABLE_RULE = re.compile(r"\s*\|?(?:\s*:?-+:?\s*\|)+\s*(?::?-+:?\s*)?$")
_RULE = re.compile(r"\s*(?:[-*_]\s*){3,}$")
_PAGE_TITLE = re.compile(r"\b(?:faqs?|frequently asked|q ?& ?a|questions and answers|contents)\b", re.IGNORECASE)


@dataclass(slots=True)
class _FaqSection:
    """A heading or question, and the lines below it up to the next.

    Attributes:
        level: 1 to 6 of a heading, QUESTION_LEVEL of another question, 0 of what stands before the first of them.
        title: Plain text.
        line: Where it stands in the file.
        body: The lines below it.
    """

    level: int
    title: str
    line: int
    body: list[str] = field(default_factory=list)

    @property
    def is_question(self) -> bool:
        return self.level == QUESTION_LEVEL or self.title.endswith("?")


def read_markdown(text: str) -> Faq:
    """The questions of a Markdown file."""
    text = text.removeprefix("\ufeff")
    front_matter = _FRONT_MATTER.match(text)
    title = re.search(r"^title:\s*[\"']?(.*?)[\"']?\s*$", front_matter[1], re.MULTILINE) if front_matter else None
    if front_matter:  # replaced by as many line feeds, so that line numbers stay
        text = "\n" * front_matter[0].count("\n") + text[front_matter.end() :]
    lines = _COMMENT.sub(lambda match: "\n" * match[0].count("\n"), text).split("\n")
    faq = Faq(name=title[1] if title else "")
    lines = _take_tables(lines, faq)
    sections = _sections(lines)
    top = next((section for section in sections if section.level < QUESTION_LEVEL), None)
    if not faq.name and top is not None and top.level == 1 and not top.is_question:
        faq.name = top.title
    dropped = _take_questions(sections, faq)
    faq.notes += dropped if faq.questions else []
    faq.questions.sort(key=lambda question: question.line)
    headings = sum(0 < section.level < QUESTION_LEVEL for section in sections)
    faq.description = f"{headings} heading{'s' * (headings != 1)}, no answer below one, and no Q: and A: lines"
    return faq


# --- lines to sections


def _sections(lines: Sequence[str]) -> list[_FaqSection]:
    """The sections, in order; headings within code fences are text."""
    sections = [_FaqSection(0, "", 1)]
    fence = ""
    for number, line in enumerate(lines, 1):
        body = sections[-1].body
        mark = _FENCE.match(line)
        if fence or mark:
            fence = "" if fence and mark and mark[1].startswith(fence) else fence or (mark[1] if mark else "")
            body.append(line)
        elif (rule := _SETEXT_RULE.match(line)) and _may_be_underlined(body):
            sections.append(_FaqSection(1 if rule[1][0] == "=" else 2, _title(body.pop()), number - 1))
        elif heading := _HEADING.match(line):
            sections.append(_FaqSection(len(heading[1]), _title(heading[2]), number))
        elif question := _SUMMARY.match(line) or _QUESTION.match(line) or _BOLD.match(line):
            rest = question[2] if question.re is not _QUESTION else ""
            sections.append(_FaqSection(QUESTION_LEVEL, _title(question[1]), number, [rest] if rest else []))
        else:
            body.append(line)
    return sections[1:] if not "".join(sections[0].body).strip() else sections


def _may_be_underlined(body: Sequence[str]) -> bool:
    """Whether the last line is a heading if it is underlined: a paragraph of one line, and no item of a list."""
    if not body or not body[-1].strip():
        return False
    return (len(body) == 1 or not body[-2].strip()) and not _ITEM.match(body[-1])


def _title(text: str) -> str:
    text = " ".join(plain_inline(_FOLD.sub("", _ANCHOR.sub("", text))).split())
    return re.sub(r"<[^>]+>", "", _NUMBERING.sub("", text)).strip().removesuffix("#").strip()


def _take_questions(sections: Sequence[_FaqSection], faq: Faq) -> list[tuple[int, str]]:
    """Add the sections that are questions: with a text of their own and no question below.

    Headings below a question that are no questions are parts of its answer.

    Returns:
        Notes on texts that belong to no question, which don't matter in a file without questions.
    """
    unanswered: list[str] = []
    dropped: list[tuple[int, str]] = []
    n = 0
    while n < len(sections):
        section = sections[n]
        end = next((m for m in range(n + 1, len(sections)) if sections[m].level <= section.level), len(sections))
        below = sections[n + 1 : end]
        n += 1
        answer, asks = _answer(section.body)
        intro = answer or _answer([line for line in section.body if not _CONTENTS_ITEM.match(line)])[0]
        if section.level == 0 or not section.title:
            if intro:
                dropped.append((section.line, f"'{_beginning(intro)}' stands under no heading: left out"))
            continue
        if below and (any(sub.is_question for sub in below) or not section.is_question):
            if answer and section.is_question:
                faq.questions.append(FaqQuestion(section.title, answer, section.line, asks))
            elif intro and (section.level == 1 or _PAGE_TITLE.search(section.title)):
                dropped.append(_title_note(section, intro))
            elif answer:
                faq.notes.append(
                    (section.line, f"'{section.title[:60]}' has questions below it; its own text is left out")
                )
            continue
        if below:
            parts = [f"{sub.title}\n\n{_answer(sub.body)[0]}".strip() for sub in below]
            answer, n = "\n\n".join([answer, *parts]).strip(), end
        if not answer:
            is_last = n == len(sections) or sections[n].level != QUESTION_LEVEL
            if section.level == QUESTION_LEVEL and not is_last and not any(line.strip() for line in section.body):
                unanswered.append(section.title)  # the next question's answer is for both
            elif section.is_question:
                faq.notes.append((section.line, f"no answer ('{section.title[:60]}'): left out"))
            continue
        if section.is_question or not _PAGE_TITLE.search(section.title):
            faq.questions.append(FaqQuestion(section.title, answer, section.line, [*unanswered, *asks]))
        else:
            dropped.append(_title_note(section, answer))
        unanswered = []
    return dropped


def _title_note(section: _FaqSection, text: str) -> tuple[int, str]:
    return section.line, f"'{_beginning(text)}' under the title '{section.title[:60]}' answers no question: left out"


def _beginning(text: str) -> str:
    """The first words of a text, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= 60 else line[:59].rpartition(" ")[0] + "…"


# --- a section's text


def _answer(body: Sequence[str]) -> tuple[str, list[str]]:
    """The body as plain text, and the phrasings that it lists; nothing for a table of contents."""
    lines = [_FOLD.sub("", line) for line in body]
    filled = [line for line in lines if line.strip()]
    if filled and sum(bool(_CONTENTS_ITEM.match(line)) for line in filled) * 2 > len(filled):
        return "", []
    asks: list[str] = []
    blocks: list[str] = []
    fence, continues = "", False
    for line in lines:
        mark = _FENCE.match(line)
        if mark and (not fence or mark[1].startswith(fence)):
            fence, continues = "" if fence else mark[1], False
        elif fence:
            blocks.append(line.rstrip())
        elif listed := _PHRASINGS.match(line):
            asks += split_phrasings(listed[2], commas=not listed[1].lower().startswith(("also", "phrasing")))
            continues = False
        else:
            answer = _ANSWER.match(line) if not any(block.strip() for block in blocks) else None
            _add_line(blocks, answer[1] if answer else line, continues)
            continues = bool(line.strip())
    text = "\n".join(blocks)
    return re.sub(r"\n{3,}", "\n\n", text).strip(), asks


def _add_line(blocks: list[str], line: str, continues: bool) -> None:
    """Add a line as plain text. `continues`: it may be more of the paragraph or item before it."""
    line = re.sub(r"^\s*(?:>\s?)+", "", line)
    item = _ITEM.match(line)
    if not line.strip() or _RULE.match(line):
        blocks.append("")
    elif item and (item[1] is None or not continues or item[1] == "1" or _starts_number(blocks)):
        blocks.append(f"{item[1]}. {plain_inline(item[2])}" if item[1] else f"- {plain_inline(item[2])}")
    elif line.lstrip().startswith("|"):
        cells = [cell for cell in map(plain_inline, _cells(line)) if cell]
        if not _TABLE_RULE.match(line):
            blocks.append("- " + " · ".join(cells))
    elif continues and blocks and blocks[-1] and not blocks[-1].endswith("  "):
        blocks[-1] += " " + plain_inline(line.strip())
    else:
        blocks.append(plain_inline(line.strip()))
    if line.endswith("  ") or line.endswith("\\"):
        blocks[-1] = blocks[-1].rstrip("\\") + "  "


def _starts_number(blocks: Sequence[str]) -> bool:
    return bool(blocks) and re.match(r"\d+\. ", blocks[-1]) is not None


# --- tables


def _take_tables(lines: Sequence[str], faq: Faq) -> list[str]:
    """Add the questions of tables; the lines with those tables blanked."""
    rest = list(lines)
    for n in range(len(lines) - 2):
        if "|" not in lines[n] or not _TABLE_RULE.match(lines[n + 1]):
            continue
        columns = find_columns(_cells(lines[n]))
        if columns is None:
            continue
        end = next((m for m in range(n + 2, len(lines)) if "|" not in lines[m]), len(lines))
        table = faq_from_rows(columns, [(m + 1, _cells(lines[m])) for m in range(n + 2, end)])
        faq.questions += table.questions
        faq.notes += table.notes
        rest[n:end] = [""] * (end - n)
    return rest


def _cells(line: str) -> list[str]:
    row = line.strip().removeprefix("|")
    row = row[:-1] if row.endswith("|") and not row.endswith("\\|") else row
    return [re.sub(r"<br\s*/?>", "\n", cell.replace("\\|", "|").strip()) for cell in re.split(r"(?<!\\)\|", row)]
