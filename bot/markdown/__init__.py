"""Answers in Markdown: a tree of frozen nodes, its plain text, its division into parts, and text as Markdown source.

Only what curators write is parsed: answers and notes of a pack, and answers typed in Slack's forms. What askers type never is;
in a curator's form it is written as Markdown that shows the same words.
Front ends draw the nodes: bot/slack/blocks/markdown.py, bot/terminal.py.
"""

from bot.markdown.nodes import (
    Block,
    CodeBlock,
    Image,
    ListItem,
    MarkdownList,
    MarkdownTable,
    Paragraph,
    Quote,
    Rule,
    Span,
    Spans,
    Subheading,
    merge_spans,
)
from bot.markdown.parse import AnswerFormat, link_address, parse, picture_span
from bot.markdown.plain import plain, plain_answer, prose, table_row_text
from bot.markdown.source import block_sources, escape_text, to_markdown, write_markdown
from bot.markdown.split import split

__all__ = [
    "AnswerFormat",
    "Block",
    "CodeBlock",
    "Image",
    "ListItem",
    "MarkdownList",
    "MarkdownTable",
    "Paragraph",
    "Quote",
    "Rule",
    "Span",
    "Spans",
    "Subheading",
    "block_sources",
    "escape_text",
    "link_address",
    "merge_spans",
    "parse",
    "picture_span",
    "plain",
    "plain_answer",
    "prose",
    "split",
    "table_row_text",
    "to_markdown",
    "write_markdown",
]
