"""Answers in Markdown: their plain text, their parts, their source, and what Slack and the terminal show of them."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from bot.engine import Engine, ProcessMemory
from bot.knowledge import load
from bot.markdown import (
    Block,
    CodeBlock,
    Image,
    MarkdownList,
    MarkdownTable,
    Paragraph,
    Quote,
    Rule,
    Subheading,
    escape_text,
    parse,
    plain,
    split,
    to_markdown,
)
from bot.markdown.split import MIN_PIECE
from bot.model import Choice, Choices, Entry, Evidence, Formatted, Heading, Question, Reply
from bot.reply import plain_text
from bot.reply.wording import answer_part
from bot.slack.blocks import render_blocks
from bot.slack.blocks.limits import BLOCKS
from bot.slack.blocks.views import modal_view
from bot.slack.outgoing import reply_text
from bot.slack.payloads import ModalState
from bot.slack.strings import default_strings
from bot.terminal import render
from bot.text import units
from bot.understanding import Matcher
from support.block_lint import faults, view_faults
from support.golden import golden
from support.markdown import answers

FOLDER = Path(__file__).parent / "markdown"
CASES: list[dict[str, str]] = yaml.safe_load((FOLDER / "plain.yaml").read_text(encoding="utf-8"))
ANSWER = (FOLDER / "answer.md").read_text(encoding="utf-8")
EXAMPLES = settings(max_examples=int(os.environ.get("EXAMPLES", "15")), deadline=None)
"""How many random answers are tried: few in the quick suite, and as many as one likes by EXAMPLES=500."""
LAYOUTS: tuple[Any, ...] = ("cards", "classic", "links")


def reply(source: str, answer_format: Any = "markdown") -> Reply:
    parts = (Heading("A title"), Formatted(parse(source, answer_format), source), Choices("Next:", (Choice("a", "b"),)))
    return Reply(kind="topic", ids=("a",), parts=parts, evidence=Evidence(understood=""), reference="topic||a")


def drawn(source: str, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False, emoji=False)
    console.print(render(reply(source)))
    return console.file.getvalue()  # type: ignore[attr-defined]


# --- plain text


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_plain_text(case: dict[str, str]) -> None:
    assert plain(parse(case["markdown"])) == case["plain"]


def test_the_words_by_which_an_answer_is_found_have_no_addresses_and_marks() -> None:
    entry = Entry(id="a", title="A", answer="**Use** [the portal](https://a.example/secret) `now`", asks=("a",))
    assert entry.plain_answer == "Use the portal now"


# --- formats


def test_line_feeds_typed_in_a_form_stay_and_those_of_a_pack_are_blanks() -> None:
    typed = "Monday **9 to 5**\nTuesday 9 to 1\n- a\n- b"
    assert plain(parse(typed, "typed")) == "Monday 9 to 5\nTuesday 9 to 1\n\n- a\n- b"
    assert plain(parse(typed)) == "Monday 9 to 5 Tuesday 9 to 1\n\n- a\n- b"


def test_an_answer_of_an_earlier_release_stays_plain() -> None:
    entry = Entry(id="a", title="A", answer="Put it into `__init__`.\n- *one*", asks=("a",), answer_format="plain")
    assert plain_text(replace(reply(""), parts=(answer_part(entry),))) == "Put it into `__init__`.\n\n- *one*"


SOURCES = st.one_of(answers(), st.text(max_size=80))


@EXAMPLES
@given(SOURCES)
def test_a_typed_answer_reads_the_same_as_a_packs_markdown(source: str) -> None:
    assert parse(to_markdown(source, "typed")) == parse(source, "typed")


LINES = st.text(st.sampled_from("ab *_`[]()<>#-+.1~|\\&:/!h"), min_size=1, max_size=30).map(str.strip).filter(bool)


@EXAMPLES
@given(st.lists(LINES.filter(lambda line: not line.startswith("- ")), min_size=1, max_size=4))
def test_escaped_text_reads_as_it_was(lines: list[str]) -> None:
    assert plain(parse("\n\n".join(map(escape_text, lines)))) == "\n\n".join(
        " ".join(line.split(" ")) for line in lines
    )


def test_a_plain_answer_exported_as_markdown_shows_the_same() -> None:
    answer = "Use `__init__` & *this*.\n1. not a list\n- item_one_\n- # two\nhttps://a.example/x_y"
    assert plain(parse(to_markdown(answer, "plain"))) == plain(parse(answer, "plain"))


# --- parts


def contents(blocks: Sequence[Block]) -> Iterator[str]:
    """What is written in the blocks, in order, without blanks: at one a text may be divided. Headers of tables aren't among it,
    because they are repeated."""
    for block in blocks:
        match block:
            case Paragraph(spans) | Subheading(spans):
                yield from ("".join(span.text.split()) for span in spans)
            case CodeBlock(text):
                yield "".join(text.split())
            case MarkdownList(items):
                for item in items:
                    yield from contents(item.blocks)
            case Quote(inner):
                yield from contents(inner)
            case MarkdownTable(_, rows):
                yield from ("".join(span.text.split()) for row in rows for cell in row for span in cell)
            case Image(url, alt):
                yield f"{''.join(alt.split())}{url}"
            case Rule():
                pass


def languages(blocks: Sequence[Block]) -> set[str]:
    """The languages of the blocks of code with something in them, however deep they stand."""
    found: set[str] = set()
    for block in blocks:
        match block:
            case CodeBlock(text, language) if text:
                found.add(language)
            case MarkdownList(items):
                found |= set().union(*(languages(item.blocks) for item in items))
            case Quote(inner):
                found |= languages(inner)
    return found


def has_wide_row(blocks: Sequence[Block], limit: float) -> bool:
    """Whether a row of a table may be longer than the room for it, and become a paragraph with the columns' names. In a list or a
    quote that room may be what is left of a part."""
    tables = (block for block in blocks if isinstance(block, MarkdownTable))
    inner = [*(item.blocks for b in blocks if isinstance(b, MarkdownList) for item in b.items)]
    inner += [block.blocks for block in blocks if isinstance(block, Quote)]
    rows = (units(plain([replace(table, rows=(row,))])) for table in tables for row in table.rows)
    return any(length > limit for length in rows) or any(has_wide_row(each, MIN_PIECE / 2) for each in inner)


URLS_LINKED = ("https://a.example/x_y?a=1&b=2", "http://b.example/(c)", "a@b.example")


@EXAMPLES
@given(st.lists(answers(), min_size=1, max_size=6), st.integers(400, 900))
def test_a_divided_answer_fits_and_loses_nothing(sources: list[str], limit: int) -> None:
    blocks = parse("\n\n".join(sources))
    parts = split(blocks, limit)
    assert all(units(plain(part)) <= limit + 40 for part in parts)  # a link isn't divided
    assert set().union(*map(languages, parts)) == languages(blocks)
    assert [url for url in URLS_LINKED if url in plain(blocks) and not any(url in plain(part) for part in parts)] == []
    if not has_wide_row(blocks, limit / 2):
        assert "".join(text for part in parts for text in contents(part)) == "".join(contents(blocks))


def test_a_row_that_is_longer_than_a_part_becomes_text() -> None:
    parts = split(parse(f"| a | b |\n|---|---|\n| x | {'word ' * 100} |\n| y | z |"), 300)
    assert "".join(map(plain, parts)).count("word") == 100
    assert plain(parts[-1]).endswith("\n\na: y; b: z.")


def test_parts_end_between_blocks_and_code_is_closed_and_opened_again() -> None:
    code = "\n".join(f"line {number}" for number in range(100))
    first, second, *_ = split(parse(f"Before.\n\n```sh\n{code}\n```\n\nAfter."), 600)
    assert [type(block) for block in first] == [Paragraph, CodeBlock]
    assert isinstance(second[0], CodeBlock)
    assert second[0].language == "sh"
    assert first[1].text.split("\n")[-1] != ""  # type: ignore[union-attr]


def test_an_ordered_list_goes_on_with_its_numbers() -> None:
    parts = split(parse("\n".join(f"{n}. item {n} " + "x" * 50 for n in range(1, 21))), 300)
    assert len(parts) > 2
    starts = [part[0].start for part in parts if isinstance(part[0], MarkdownList)]
    assert starts == [int(plain((part[0],)).split(".")[0]) for part in parts]
    assert starts[0] == 1
    assert sum(len(block.items) for part in parts for block in part if isinstance(block, MarkdownList)) == 20


def test_a_long_paragraph_is_divided_between_sentences_and_a_quote_stays_a_quote() -> None:
    sentence = "This is a sentence of ordinary length, and it ends here. "
    parts = split(parse("> " + sentence * 30), 500)
    assert all(isinstance(part[0], Quote) for part in parts)
    assert all(plain(part).endswith("here.”") for part in parts)


# --- Slack


@pytest.mark.parametrize("layout", LAYOUTS)
def test_slack_golden(layout: Any) -> None:
    golden(f"markdown-{layout}", render_blocks(reply(ANSWER), layout))


@EXAMPLES
@given(st.lists(answers(), min_size=1, max_size=4))
def test_random_markdown_is_within_slacks_limits_on_every_surface(sources: list[str]) -> None:
    source = "\n\n".join(sources)
    for part in split(parse(source), 3_000):
        shown = replace(reply(""), parts=(Heading("A title"), Formatted(part)))
        for layout in LAYOUTS:
            blocks = render_blocks(shown, layout)
            assert faults(blocks) == []
            assert len(blocks) < BLOCKS["message"]
        view = modal_view(ModalState(("a",)), render_blocks(shown, "classic"), default_strings())
        assert view_faults(view) == []
        drawn_text = json.dumps(render_blocks(shown, "links"), ensure_ascii=False)
        assert '"image"' not in drawn_text
        assert '"mrkdwn"' not in drawn_text
        assert "<!" not in reply_text(shown).replace("&lt;!", "")


def test_every_word_of_an_answer_is_in_the_blocks() -> None:
    for layout in LAYOUTS:
        shown = json.dumps(render_blocks(reply(ANSWER), layout), ensure_ascii=False)
        for word in (
            "every_step",
            "wire-guard",
            "IT",
            "gw-1",
            "Rome",
            "https://vpn.example/guide",
            "status.png",
            "mailto:",
        ):
            assert word in shown, (layout, word)


# --- the terminal


@pytest.mark.parametrize("width", [40, 80])
def test_terminal_golden(width: int) -> None:
    text = "\n".join(line.rstrip() for line in drawn(ANSWER, width).split("\n"))
    file = FOLDER / f"answer.{width}.terminal.txt"
    if os.environ.get("GOLDEN") == "write":
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [40, 80])
def test_the_terminal_cuts_nothing(width: int) -> None:
    """A command and an address that are longer than a line go on in the next one."""
    command = "kubectl --namespace production get pods --selector app=web,tier=frontend,release=stable --output wide"
    address = "https://desk.example/" + "a-long-part-of-an-address/" * 6
    source = (
        f"```\n{command}\n```\n\n- see [the page]({address})\n\n> {address}\n\n| a | b |\n|---|---|\n| x | {address} |"
    )
    shown = "".join("".join(c for c in drawn(source, width) if c not in "│ \n"))
    assert (command.replace(" ", "") in shown, shown.count(address), "…" in shown) == (True, 3, False)


@EXAMPLES
@given(answers())
def test_random_markdown_is_drawn_in_the_terminal(source: str) -> None:
    assert "\x1b" not in drawn(source, 40)


# --- long answers


CODE = "\n".join(f"step_{number} --flag '<{number}>' \\\\" for number in range(150))
LONG = (
    f"First, read this.\n\n```sh\n{CODE}\n```\n\n" + "A sentence about the office. " * 120 + "\n\nThe very last words."
)


def long_engine(tmp_path: Path, answer: str = LONG) -> Engine:
    (tmp_path / "pack.yaml").write_text("name: Office\n", encoding="utf-8")
    entry = {"id": "setup", "title": "How do I set it up?", "asks": ["how do i set it up", "setup"], "answer": answer}
    other = {"id": "hours", "title": "When are you open?", "asks": ["when are you open"], "answer": "Nine to five."}
    (tmp_path / "answers.yaml").write_text(yaml.safe_dump([entry, other]), encoding="utf-8")
    return Engine(Matcher.from_knowledge(load(tmp_path)), ProcessMemory())


def test_a_long_answer_comes_in_parts_whose_texts_hold_all_of_it(tmp_path: Path) -> None:
    shown = long_engine(tmp_path).answer(Question("how do i set it up"))
    messages = [shown, *(replace(shown, parts=parts, further=()) for parts in shown.further)]
    assert len(messages) > 2
    text = "\n".join(plain_text(message) for message in messages)
    assert all(len(plain_text(message)) <= 3_900 for message in messages)
    assert all(len(reply_text(message)) <= 4_000 for message in messages)
    assert all(line in text for line in CODE.split("\n"))
    assert text.count("A sentence about the office.") == 120
    assert "The very last words." in text
    assert "…" not in text


def test_a_long_answer_can_be_read_on_by_asking(tmp_path: Path) -> None:
    engine = long_engine(tmp_path)
    first = engine.answer(Question("how do i set it up", conversation="c"))
    assert plain_text(first).endswith("say “show part 2 of How do I set it up?”.")
    second = engine.answer(Question("show the rest", conversation="c"))
    assert second.parts == first.further[0]
    third = engine.answer(Question("show part 3", conversation="c"))
    assert third.parts == first.further[1]
    again = [engine.answer(Question(text, conversation="d")) for text in ("setup", "show the rest", "show the rest")]
    assert again[2].parts == third.parts
    assert engine.answer(Question("show part 3 of how do i set it up")).parts == third.parts
    assert (third.ids, third.reference) == (("setup",), "topic||setup#3")
    assert engine.rebuild_reply(third.reference) == replace(third, evidence=Evidence(understood=""))


def test_behind_the_last_part_there_is_nothing(tmp_path: Path) -> None:
    engine = long_engine(tmp_path, "Short.")
    engine.answer(Question("setup", conversation="c"))
    assert plain_text(engine.answer(Question("show the rest", conversation="c"))) == "That was all of it."
    assert plain_text(engine.answer(Question("show part 9 of setup"))) == "That was all of it."


def test_a_title_that_asks_about_it_is_another_entrys_question(tmp_path: Path) -> None:
    """After an answer that is no card, "how much does it cost?" is the entry of that title."""
    engine = long_engine(tmp_path, "Short.")
    engine.answer(Question("when are you open", conversation="c"))
    assert engine.answer(Question("how do i set it up", conversation="c")).ids == ("setup",)


def test_of_an_answer_that_is_far_too_long_the_beginning_is_shown(tmp_path: Path) -> None:
    shown = long_engine(tmp_path, "word " * 10_000).answer(Question("setup"))
    assert len(shown.further) + 1 == 8  # of twenty thousand characters
    assert plain_text(replace(shown, parts=shown.further[-1])).endswith("…")
