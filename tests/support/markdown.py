"""Random answers in Markdown, for hypothesis: every kind of block and span, nested, with hostile words among them."""

from __future__ import annotations

from hypothesis import strategies as st

WORDS = st.sampled_from(
    "run the tool a_b_c __init__ 5*3 x<y & <b>bold</b> <!channel> <@U0EVIL> :wave: C++ naïve 漢字 🦊 `` \\ | # 1. -".split(
        " "
    )
)
TEXT = st.lists(WORDS, min_size=1, max_size=8).map(" ".join)
URLS = st.sampled_from(
    [
        "https://a.example/x_y?a=1&b=2",
        "http://b.example/(c)",
        "mailto:a@b.example",
        "/relative",
        "#part",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://a.example/" + "long/" * 700,
        "https://a.example/a b",
    ]
)
CODE = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=60)
SPANS = st.one_of(
    TEXT,
    TEXT.map("**{}**".format),
    TEXT.map("_{}_".format),
    TEXT.map("~~{}~~".format),
    CODE.map("``{} ``".format),
    st.tuples(TEXT, URLS).map(lambda pair: f"[{pair[0]}]({pair[1]})"),
    st.tuples(TEXT, URLS).map(lambda pair: f"![{pair[0]}]({pair[1]})"),
    URLS.map("<{}>".format),
    URLS,
)
LINES = st.lists(SPANS, min_size=1, max_size=5).map(" ".join)
PARAGRAPHS = st.lists(LINES, min_size=1, max_size=3).map("\n".join)
FENCES = st.tuples(st.sampled_from(["", "sh", "c++ title"]), st.lists(CODE, max_size=30)).map(
    lambda pair: "\n".join([f"````{pair[0]}", *(line.replace("`", "'") for line in pair[1]), "````"])
)
ROWS = st.lists(TEXT.map(lambda text: text.replace("|", "/")), min_size=3, max_size=3).map(
    lambda row: f"| {' | '.join(row)} |"
)
TABLES = st.tuples(ROWS, st.lists(ROWS, max_size=30)).map(lambda pair: "\n".join([pair[0], "|:--|:-:|--:|", *pair[1]]))
FLAT = st.one_of(
    PARAGRAPHS,
    FENCES,
    TABLES,
    LINES.map("### {}".format),
    LINES.map("    {}".format),
    st.just("---"),
    st.tuples(TEXT, URLS).map(lambda pair: f"![{pair[0]}]({pair[1]})"),
)


def _indented(text: str, first: str, further: str) -> str:
    lines = text.split("\n")
    return "\n".join([first + lines[0], *(further + line for line in lines[1:])])


def _lists(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    items = st.lists(inner, min_size=1, max_size=12)
    numbers = st.integers(0, 30)
    return st.one_of(
        items.map(lambda texts: "\n".join(_indented(text, "- ", "  ") for text in texts)),
        st.tuples(numbers, items).map(
            lambda pair: "\n".join(_indented(text, f"{pair[0] + n}. ", "    ") for n, text in enumerate(pair[1]))
        ),
        inner.map(lambda text: _indented(text, "> ", "> ")),
    )


def answers() -> st.SearchStrategy[str]:
    """Markdown of a few blocks."""
    blocks = st.recursive(FLAT, _lists, max_leaves=12)
    return st.lists(blocks, min_size=1, max_size=5).map("\n\n".join)
