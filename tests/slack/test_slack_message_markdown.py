"""The words of Slack's messages as Markdown: what is shown of it has the same words, code and links."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.markdown import Block, CodeBlock, MarkdownList, MarkdownTable, Paragraph, Quote, Span, Subheading, parse, plain
from bot.slack.blocks.limits import size
from bot.slack.message_markdown import attached_words_of, has_words, markdown_of, own_words_of

Json = dict[str, Any]
CASES: list[Json] = yaml.safe_load((Path(__file__).parent / "message_markdown.yaml").read_text(encoding="utf-8"))
EXAMPLES = settings(max_examples=int(os.environ.get("EXAMPLES", "40")), deadline=None)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_messages(case: Json) -> None:
    assert markdown_of(case["message"]) == case["markdown"].rstrip("\n")


# --- any rich text

WORDS = st.sampled_from(
    "run the tool a_b_c __init__ _x_ 5*3 **x** * x<y & &amp; <b>bold</b> <https://a.example> <!channel> <@U0EVIL> :wave: "
    "C++ naïve 漢字 「引用」 🦊 ` `` ``` \\ \\* | || # ## ### 1. 2) 10. - -- --- === + > >> ~ ~~x~~ ~~~ "
    "[x](y) [x]: [ ] ![a](b) ! ( ) : :-- |-- $HOME C:\\Users\\x mailto:a@b.example http: *** ___ ]( \t".split(" ")
)
BLANKS = st.sampled_from([" ", " ", " ", "", "  ", "\n", "\n\n", "\n \n", "\u00a0"])
TEXT = st.lists(st.tuples(WORDS, BLANKS), min_size=1, max_size=8).map(lambda pairs: "".join(a + b for a, b in pairs))
ANY_TEXT = st.one_of(TEXT, st.text(max_size=20), st.text("ab *_`[]()<>#-+.1~|\\&:/!\n", max_size=30))
STYLES = st.fixed_dictionaries({}, optional={name: st.booleans() for name in ("bold", "italic", "strike", "code")})
URLS = st.sampled_from(
    [
        "https://a.example/x_y?a=1&b=2",
        "https://a.example/x_(y)_*z*",
        "https://a.example/_x_/__y__",
        "http://b.example",
        "https://a.example/a b&copy;c",
        "https://a.example/%41/ü",
        "mailto:a@b.example",
        "https://a.example/<x>[y]\\z",
    ]
)


def _styled(strategy: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    return st.tuples(strategy, STYLES).map(lambda pair: pair[0] | {"style": pair[1]})


TEXTS = _styled(ANY_TEXT.map(lambda text: {"type": "text", "text": text}))
LINKS = _styled(
    st.one_of(
        URLS.map(lambda url: {"type": "link", "url": url}),
        st.tuples(URLS, ANY_TEXT).map(lambda pair: {"type": "link", "url": pair[0], "text": pair[1]}),
    )
)
OTHERS = st.sampled_from(
    [
        {"type": "emoji", "name": "wave", "unicode": "1f44b"},
        {"type": "emoji", "name": "our_own"},
        {"type": "user", "user_id": "U1"},
        {"type": "channel", "channel_id": "C1"},
        {"type": "broadcast", "range": "here"},
        {"type": "date", "timestamp": 1, "format": "{date}", "fallback": "1 May"},
        {"type": "color", "value": "#ff0000"},
    ]
)
INLINE = st.lists(st.one_of(TEXTS, TEXTS, LINKS, OTHERS), max_size=6)
SECTIONS = INLINE.map(lambda elements: {"type": "rich_text_section", "elements": elements})
LISTS = st.tuples(
    st.sampled_from(["bullet", "ordered"]), st.integers(0, 4), st.integers(0, 12), st.lists(SECTIONS, max_size=4)
).map(
    lambda parts: {
        "type": "rich_text_list", "style": parts[0], "indent": parts[1], "offset": parts[2], "elements": parts[3],
    }
)  # fmt: skip
FENCES = st.lists(TEXTS, max_size=4).map(lambda elements: {"type": "rich_text_preformatted", "elements": elements})
QUOTES = INLINE.map(lambda elements: {"type": "rich_text_quote", "elements": elements})
RICH_TEXT = st.lists(st.one_of(SECTIONS, LISTS, FENCES, QUOTES), max_size=5).map(
    lambda elements: {"type": "rich_text", "elements": elements}
)


def message_of(*blocks: Json, **fields: Any) -> Json:
    return {"text": "something else", "blocks": list(blocks)} | fields


def spans_of(blocks: Iterable[Block]) -> Iterator[Span]:
    """All that is shown, in order; a block of code is a span of code."""
    for block in blocks:
        match block:
            case Paragraph(spans) | Subheading(spans):
                yield from spans
            case CodeBlock(text):
                yield Span(text, code=True)
            case MarkdownList(items):
                for item in items:
                    yield from spans_of(item.blocks)
            case Quote(inner):
                yield from spans_of(inner)
            case MarkdownTable(header, rows):
                yield from (span for row in (header, *rows) for cell in row for span in cell)


LOOKS: Json = {
    "emoji": lambda element: "👋" if "unicode" in element else ":our_own:",
    "user": lambda _: "@someone",
    "channel": lambda _: "#channel",
    "broadcast": lambda _: "@here",
    "date": lambda _: "1 May",
    "color": lambda _: "#ff0000",
    "text": lambda element: element["text"],
    "link": lambda element: element.get("text") or element["url"],
}


def words_of(rich_text: Json) -> str:
    """The words that Slack shows of a block, without blanks."""
    found = []
    for element in rich_text["elements"]:
        items = element["elements"] if element["type"] == "rich_text_list" else [element]
        found += [LOOKS[each["type"]](each) for item in items for each in item["elements"]]
    return bare("".join(found))


def bare(text: str) -> str:
    """A text without blanks, control characters and what marks a list's item where it was typed by hand."""
    return "".join(c for c in text if c.isprintable() and not c.isspace())


def without_marks(text: str) -> str:
    """A text without the characters with which people begin a list's item by hand."""
    return "".join(c for c in text if c not in "-.•◦▪‣0123456789\ufe0e")


@EXAMPLES
@given(RICH_TEXT)
def test_words_in_are_words_out(block: Json) -> None:
    shown = parse.__wrapped__(markdown_of(message_of(block, text=""), 100_000), "typed")
    found = bare("".join(span.text for span in spans_of(shown)))
    assert unquote(without_marks(found)) == unquote(without_marks(words_of(block)))


@EXAMPLES
@given(RICH_TEXT)
def test_code_stays_code_and_links_stay_links(block: Json) -> None:
    shown = list(spans_of(parse.__wrapped__(markdown_of(message_of(block, text=""), 100_000), "typed")))
    code, urls = bare("".join(span.text for span in shown if span.code)), {unquote(span.url) for span in shown}
    fences = [each for each in block["elements"] if each["type"] == "rich_text_preformatted"]
    for element in (each for fence in fences for each in fence["elements"]):
        assert bare(element["text"]) in code
    for element in elements_of(block):
        if element.get("style", {}).get("code") and element["type"] in ("text", "link"):
            assert bare(LOOKS[element["type"]](element)) in code
        if element["type"] == "link" and bare(LOOKS["link"](element)):
            assert unquote(element["url"]) in urls


def elements_of(block: Json) -> Iterator[Json]:
    """The inline elements of a block, apart from preformatted text."""
    for element in block["elements"]:
        items = element["elements"] if element["type"] == "rich_text_list" else [element]
        for item in items:
            yield from item["elements"] if item["type"] != "rich_text_preformatted" else ()


# --- any markup and any payload

MARKUP = st.lists(
    st.tuples(
        st.sampled_from(
            "*bold* _it_ ~gone~ `a*b` ```x\ny``` <https://a.example/x_(y)|la_bel> <https://a.example> <@U1|ada> <#C1|general> "
            "<!here> &amp; &lt;b&gt; 5*3 a_b_c *a _b* c_ * _ ~ ` [x](y) • &gt; &gt;&gt;&gt; <!date^1^{date}|Monday> <x> \\".split(
                " "
            )
        ),
        BLANKS,
    ),
    max_size=12,
).map(lambda pairs: "".join(a + b for a, b in pairs))


@EXAMPLES
@given(MARKUP)
def test_markup_without_marks_reads_as_the_plain_words(text: str) -> None:
    marks = str.maketrans("", "", "*_~`>•“”-")
    shown = plain(parse.__wrapped__(markdown_of({"text": text}, 100_000), "typed"), addresses=False)
    words = LINK.sub(lambda match: match[2] or match[1], text).replace("@U1", "@ada").replace("<!here>", "@here")
    words = (
        words.replace("<#C1|general>", "#general")
        .replace("<@ada|ada>", "@ada")
        .replace("<!date^1^{date}|Monday>", "Monday")
    )
    words = words.replace("<x>", "&lt;x&gt;").replace("&gt;", ">").replace("&lt;", "<").replace("&amp;", "&")
    assert bare(shown.translate(marks)) == bare(words.translate(marks))


LINK = re.compile(r"<(https:[^|>]*)(?:\|([^>]*))?>")

KEYS = st.sampled_from(
    "type text blocks elements attachments message_blocks message fields title rows style indent offset border url unicode files "
    "name is_share from_url title_link pretext value language".split(" ")
)
KINDS_OF = st.sampled_from(
    "rich_text rich_text_section rich_text_list rich_text_preformatted rich_text_quote section context header markdown table "
    "image card mrkdwn plain_text text link emoji user broadcast date color ordered".split(" ")
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), ANY_TEXT, KINDS_OF, st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=6)),
    max_leaves=30,
)


@EXAMPLES
@given(st.dictionaries(KEYS, JSON, max_size=8), st.integers(0, 200))
def test_any_payload_is_read_within_the_limit(message: Json, limit: int) -> None:
    assert size(markdown_of(message, limit)) <= limit
    assert isinstance(own_words_of(message) + attached_words_of(message), str)


@EXAMPLES
@given(RICH_TEXT, st.integers(4, 300))
def test_what_is_cut_is_the_beginning_of_the_words(block: Json, limit: int) -> None:
    message = message_of(block, text="")
    source = markdown_of(message, limit)
    assert size(source) <= limit
    found = bare("".join(span.text for span in spans_of(parse.__wrapped__(source, "typed"))))
    assert without_marks(words_of(block)).startswith(without_marks(found.removesuffix("…")))


def test_a_cut_block_of_code_is_closed() -> None:
    fence = {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "line\n" * 1_000}]}
    source = markdown_of(message_of({"type": "rich_text", "elements": [fence]}), 300)
    assert source.startswith("```\nline\n")
    assert source.endswith("\nline\n```\n\n…")
    assert 280 < len(source) <= 300


def test_a_deep_payload_is_read_as_far_as_it_goes() -> None:
    forwarded: Json = {"is_share": True, "text": "deepest"}
    block: Json = {"type": "section", "text": {"type": "mrkdwn", "text": "deepest"}}
    for number in range(200):
        forwarded = {"is_share": True, "text": f"level {number}", "attachments": [forwarded]}
        block = {"type": "container", "elements": [block], "title": f"level {number}"}
    for message in ({"attachments": [forwarded]}, {"blocks": [block]}):
        source = markdown_of(message)
        assert "level 199" in source
        assert "deepest" not in source


@pytest.mark.parametrize(
    "unit",
    [
        "[",
        "![",
        "[x](",
        "]",
        "`",
        "`a",
        "``` ",
        "*",
        "*a",
        "_*a ",
        "~~",
        "<",
        "<a:",
        "<https://a|",
        "&gt;",
        "\\",
        "a b\n",
    ],
)
def test_no_text_takes_long(unit: str) -> None:
    text = unit * (40_000 // len(unit))
    typed = {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}
    for message in (
        {"text": text},
        {"blocks": [{"type": "rich_text", "elements": [typed]}]},
        {"blocks": [{"type": "markdown", "text": text}]},
        {"text": text, "attachments": [{"is_share": True, "text": text, "from_url": text}]},
    ):
        started = time.process_time()
        source = markdown_of(message)
        own_words_of(message), attached_words_of(message)
        assert time.process_time() - started < 1
        assert size(source) <= 3_000
        assert has_words(text) or not own_words_of(message)
