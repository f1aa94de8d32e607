"""The parser for imported Markdown: markdown-it-py with CommonMark, tables and the marks that documentation generators add to it.

Besides markdown-it's own tokens there are:

- `mark`: a line that opens or closes a container, or stands for something that isn't text. `info` is its kind ("admonition",
  "fold", "tab", "group", "dropped"), `tag` the mark's own word, `content` its title, `nesting` 1, -1 or 0.
- `footnote`: the definition of a footnote; `info` is its label, `content` its text.
- `definition_term` and `definition_open`/`definition_close`: a term and its text.
- `footnote_reference` and `wiki_link`, inline; `content` is the label, and what stands between the brackets.

HTML stays in `html_block` and `html_inline` tokens; `faq_blocks` converts it.
"""

from __future__ import annotations

import html
import re
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.ruler import RuleOptionsType
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

ADMONITIONS = frozenset(
    "note notes tip tips hint info important warning caution danger error attention success failure bug example abstract summary "
    "question quote seealso todo admonition callout alert notice".split()
)
FOLDS = frozenset("details expand collapse dropdown accordion".split())
GENERIC = frozenset("admonition callout alert notice hint".split())
"""Names of containers that say nothing of their kind, which another word or an attribute names."""


@lru_cache(maxsize=1)
def parser() -> MarkdownIt:
    """The parser. Addresses are left as they are written, also those that a browser would refuse: the importer names them."""
    md = MarkdownIt("js-default", {"html": True, "linkify": True})
    if md.linkify is not None:
        md.linkify.set({"fuzzy_link": False, "fuzzy_email": False, "fuzzy_ip": False})
    md.core.ruler.disable("text_join")  # escapes and entities stay tokens of their own, with their source
    md.validateLink = lambda _: True  # type: ignore[method-assign, assignment]
    md.normalizeLink = md.normalizeLinkText = lambda url: url  # type: ignore[method-assign, assignment]
    interrupting: RuleOptionsType = {"alt": ["paragraph", "reference", "blockquote", "list"]}
    md.block.ruler.before("table", "mark", _mark_rule, interrupting)
    md.block.ruler.before("table", "indented_mark", _indented_mark_rule, interrupting)
    md.block.ruler.before("table", "directive", _directive_rule, interrupting)
    md.block.ruler.before("reference", "footnote", _footnote_rule, interrupting)
    md.block.ruler.before("paragraph", "definition", _definition_rule)
    md.block.ruler.before("table", "component_comment", _comment_block_rule, interrupting)
    md.inline.ruler.before("link", "component_comment", _comment_rule)
    md.inline.ruler.before("link", "footnote_reference", _footnote_reference_rule)
    md.inline.ruler.before("link", "wiki_link", _wiki_link_rule)
    return md


# --- marks on a line of their own

_COLONS = re.compile(r"(:{3,})[ \t]*(?:\{?\.?([A-Za-z][\w-]*)\}?)?[ \t]*(?:\[([^\]]{0,300})\](?!\())?[ \t]*(.{0,300})$")
_LIQUID = re.compile(r"\{%-?[ \t]*(end)?([A-Za-z][\w-]*)[ \t]*(.{0,500}?)-?%\}[ \t]*$")
_SHORTCODE = re.compile(r"\{\{[<%][ \t]*(/?)[ \t]*([A-Za-z][\w-]*)[ \t]*(.{0,500}?)/?[>%]\}\}[ \t]*$")
_ATTRIBUTES = re.compile(r"\{:[^{}]{0,300}\}[ \t]*$")
_CONTENTS = re.compile(
    r"(?:\[\[?_?TOC_?\]?\]|\$\{toc\}|\{:toc\}|@\[toc\][^\n]{0,80}|<!--\s*toc\s*-->)[ \t]*$", re.IGNORECASE
)
_MODULE = re.compile(r"(?:import\s[^;]{1,300}?\sfrom\s|import\s)['\"][^'\"]{1,300}['\"];?[ \t]*$")
_TARGET = re.compile(r"\([\w/.:-]{1,200}\)=[ \t]*$")
_NAMED_VALUE = re.compile(
    r"(?:title|label|name|summary|caption|header)\s*=\s*(?:\"([^\"]{0,300})\"|'([^']{0,300})')", re.IGNORECASE
)
_QUOTED = re.compile(r"\"([^\"]{1,300})\"|'([^']{1,300})'")


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]


def _mark_rule(state: StateBlock, start: int, _end: int, silent: bool) -> bool:
    if state.is_code_block(start):
        return False
    found = _read_mark(_line(state, start))
    if found is None:
        return False
    if not silent:
        kind, name, title, nesting = found
        token = Token("mark", name, 0, map=[start, start + 1], info=kind, content=title, block=True)
        token.meta = {"nesting": nesting, "is_indented": False}
        token.level = state.level
        state.tokens.append(token)
        state.line = start + 1
    return True


def _read_mark(line: str) -> tuple[str, str, str, int] | None:
    """Kind, word, title and nesting of a line that is a mark."""
    match line[:1]:
        case ":":
            return _read_colons(line)
        case "{" | "[" | "$" | "@":
            if _CONTENTS.match(line):
                return "contents", line, "", 0
            if _ATTRIBUTES.match(line):
                return "attributes", line, "", 0
            if liquid := _LIQUID.match(line):
                return _container(liquid[2].lower(), liquid[3], -1 if liquid[1] else 1, line)
            if code := _SHORTCODE.match(line):
                return _container(code[2].lower(), code[3], -1 if code[1] else 1, line)
        case "(" if _TARGET.match(line):
            return "attributes", line, "", 0
        case "i" if _MODULE.match(line):
            return "dropped", line, "", 0
    return None


def _read_colons(line: str) -> tuple[str, str, str, int] | None:
    colons = _COLONS.match(line)
    if colons is None:
        return None
    if not colons[2]:
        return ("group", ":::", "", -1) if not (colons[3] or colons[4]) else None
    name, title = colons[2].lower(), (colons[3] or re.sub(r"\{[^{}]*\}", "", colons[4])).strip()
    kind = "fold" if name in FOLDS else "admonition" if name in ADMONITIONS else "group"
    return kind, name, title, 1


def _container(name: str, arguments: str, nesting: int, line: str) -> tuple[str, str, str, int]:
    """The mark of a template language: a container that is known, or one that is dropped."""
    named = _NAMED_VALUE.search(arguments)
    title = (named[1] or named[2] or "") if named else ""
    if name in FOLDS:
        quoted = _QUOTED.search(arguments)
        return "fold", name, title or ((quoted[1] or quoted[2]) if quoted else ""), nesting
    if name in ADMONITIONS:
        kind = (
            re.search(r"\b(" + "|".join(sorted(ADMONITIONS - GENERIC)) + r")\b", arguments.lower())
            if name in GENERIC
            else None
        )
        return "admonition", kind[1] if kind else name, title, nesting
    if name in ("tab", "tabitem"):
        return "tab", name, title or arguments.strip(" \"'"), nesting
    if name in ("tabs", "raw", "tabpane"):
        return "group", name, "", nesting
    return "dropped", line.strip(), "", 0


# --- MkDocs: a mark with a text that is indented below it

_INDENTED = re.compile(r"(!!!|\?\?\?\+?|===[!+]?)[ \t]+([A-Za-z][\w \t-]{0,80})?[ \t]*(?:\"([^\"]{0,300})\")?[ \t]*$")


def _indented_mark_rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    if state.is_code_block(start):
        return False
    found = _INDENTED.match(_line(state, start))
    if found is None or (found[1].startswith("=") and found[3] is None) or not (found[2] or found[3] is not None):
        return False
    if silent:
        return True
    indent = state.sCount[start] + 4
    last = start
    for number in range(start + 1, end):
        if not state.isEmpty(number):
            if state.sCount[number] < indent:
                break
            last = number
    kind = {"!": "admonition", "?": "fold", "=": "tab"}[found[1][0]]
    name = (found[2] or "").split()[0].lower() if found[2] else ""
    _push_mark(state, kind, name, found[3] or "", 1, [start, last + 1])
    _tokenize_inside(state, start + 1, last + 1, indent)
    _push_mark(state, kind, name, "", -1, None)
    state.line = last + 1
    return True


_DIRECTIVE = re.compile(r"\.\.[ \t]+\{?([A-Za-z][\w:-]{0,40})\}?::(?:[ \t]+(.{0,500}))?$")
_CODE_DIRECTIVES = frozenset("code code-block sourcecode highlight literalinclude prompt".split())


def _directive_rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """`.. name:: Title` of reStructuredText with an indented text below it, which may begin with options (`:name: value`)."""
    if state.is_code_block(start):
        return False
    found = _DIRECTIVE.match(_line(state, start).rstrip())
    if found is None:
        return False
    if silent:
        return True
    name, title = found[1].lower(), (found[2] or "").strip()
    first, last = start + 1, start
    for number in range(start + 1, end):
        if not state.isEmpty(number):
            if state.sCount[number] <= state.sCount[start]:
                break
            last = number
    while first <= last and (state.isEmpty(first) or re.match(r":[\w-]+:", _line(state, first))):
        first += 1
    indent = min((state.sCount[n] for n in range(first, last + 1) if not state.isEmpty(n)), default=0)
    lines = [start, last + 1]
    if name in ("contents", "toctree"):
        _push_mark(state, "contents", name, "", 0, lines)
    elif name in _CODE_DIRECTIVES:
        token = Token("fence", "code", 0, map=lines, info=title, markup="", block=True)
        token.content, token.level = state.getLines(first, last + 1, indent, True), state.level
        state.tokens.append(token)
    elif name in ("image", "figure"):
        state.tokens.append(Token("html_block", "", 0, map=lines, content=f'<img src="{html.escape(title)}">'))
        _tokenize_inside(state, first, last + 1, indent)
    else:
        kind = "fold" if name in FOLDS else "admonition"
        _push_mark(state, kind, name, title, 1, lines)
        _tokenize_inside(state, first, last + 1, indent)
        _push_mark(state, kind, name, "", -1, None)
    state.line = last + 1
    return True


def _push_mark(state: StateBlock, kind: str, name: str, title: str, nesting: int, lines: list[int] | None) -> None:
    token = Token("mark", name, 0, map=lines, info=kind, content=title, block=True)
    token.meta = {"nesting": nesting, "is_indented": True}
    token.level = state.level
    state.tokens.append(token)


def _tokenize_inside(state: StateBlock, start: int, end: int, indent: int) -> None:
    """Parse lines with an indent as the blocks of a container."""
    line_max, block_indent, parent, tight = state.lineMax, state.blkIndent, state.parentType, state.tight
    state.lineMax, state.blkIndent, state.parentType, state.tight = end, indent, "root", False
    if start < end:
        state.md.block.tokenize(state, start, end)
    state.lineMax, state.blkIndent, state.parentType, state.tight = line_max, block_indent, parent, tight


# --- comments of MDX, as tokens of HTML's comments

LONGEST_COMMENT = 5_000
"""Characters in which its end is looked for."""


def _comment_block_rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """`{/* a comment */}` that begins a line and ends one, blank lines within it or not."""
    position = state.bMarks[start] + state.tShift[start]
    if not state.src.startswith("{/*", position) or state.is_code_block(start):
        return False
    closing = state.src.find("*/}", position + 3, min(state.eMarks[end - 1], position + LONGEST_COMMENT))
    if closing < 0:
        return False
    last = start
    while state.eMarks[last] < closing:
        last += 1
    if state.src[closing + 3 : state.eMarks[last]].strip():
        return False
    if not silent:
        token = state.push("html_block", "", 0)
        token.content, token.map = "<!-- -->", [start, last + 1]
        state.line = last + 1
    return True


def _comment_rule(state: StateInline, silent: bool) -> bool:
    if not state.src.startswith("{/*", state.pos):
        return False
    closing = state.src.find("*/}", state.pos + 3, min(state.posMax, state.pos + LONGEST_COMMENT))
    if closing < 0:
        return False
    if not silent:
        state.push("html_inline", "", 0).content = "<!-- -->"
    state.pos = closing + 3
    return True


# --- footnotes, definitions, wiki links

_FOOTNOTE = re.compile(r"\[\^([^\]\s]{1,100})\]:[ \t]*(.*)$")
_DEFINITION = re.compile(r":[ \t]+\S")


def _footnote_rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    if state.is_code_block(start):
        return False
    found = _FOOTNOTE.match(_line(state, start))
    if found is None:
        return False
    if silent:
        return True
    lines, last = [found[2]], start
    for number in range(start + 1, end):
        if state.isEmpty(number):
            continue
        is_indented = state.sCount[number] >= state.blkIndent + 2
        if not is_indented and (
            number > last + 1 or _line(state, number).startswith(("[", "#", "-", "*", ">", "`", "<", "|"))
        ):
            break
        lines += [""] * (number - last - 1) + [_line(state, number)]
        last = number
    token = Token("footnote", "", 0, map=[start, last + 1], info=found[1], content="\n".join(lines).strip(), block=True)
    token.level = state.level
    state.tokens.append(token)
    state.line = last + 1
    return True


def _definition_rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """`Term` and, in the next line or behind a blank one, `: text`."""
    if silent or state.is_code_block(start) or start + 1 >= end:
        return False
    below = start + 1 if not state.isEmpty(start + 1) else start + 2
    if (
        below >= end
        or state.isEmpty(below)
        or state.sCount[below] - state.blkIndent > 3
        or state.sCount[below] < state.blkIndent
    ):
        return False
    if not _DEFINITION.match(_line(state, below)):
        return False
    term = state.push("definition_term", "", 0)
    term.content, term.map = _line(state, start).strip(), [start, start + 1]
    number = below
    while number < end and not state.isEmpty(number) and _DEFINITION.match(_line(state, number)):
        number = _push_definition(state, number, end)
        following = number
        while following < end and state.isEmpty(following):
            following += 1
        if (
            following < end
            and state.sCount[following] == state.blkIndent
            and _DEFINITION.match(_line(state, following))
        ):
            number = following
    state.line = number
    return True


def _push_definition(state: StateBlock, start: int, end: int) -> int:
    """Parse one definition; returns the line behind it."""
    position = state.bMarks[start] + state.tShift[start]
    shift = len(re.match(r":[ \t]+", state.src[position : state.eMarks[start]])[0])  # type: ignore[index]
    indent = min(state.sCount[start] + shift, state.sCount[start] + 4)
    last = start
    for number in range(start + 1, end):
        if state.isEmpty(number):
            continue
        is_lazy = number == last + 1 and not _DEFINITION.match(_line(state, number))
        if state.sCount[number] < state.blkIndent + 2 and not is_lazy:
            break
        last = number
    opened = state.push("definition_open", "", 1)
    opened.map = [start, last + 1]
    saved = state.tShift[start], state.sCount[start]
    state.tShift[start] += shift
    state.sCount[start] = indent
    _tokenize_inside(
        state, start, last + 1, indent if _all_indented(state, start + 1, last + 1, indent) else state.blkIndent
    )
    state.tShift[start], state.sCount[start] = saved
    state.push("definition_close", "", -1)
    return last + 1


def _all_indented(state: StateBlock, start: int, end: int, indent: int) -> bool:
    return all(state.isEmpty(number) or state.sCount[number] >= indent for number in range(start, end))


_FOOTNOTE_REFERENCE = re.compile(r"\[\^([^\]\s]{1,100})\]")
_WIKI_LINK = re.compile(r"!?\[\[([^\[\]\n]{1,300})\]\](?!\()")


def _footnote_reference_rule(state: StateInline, silent: bool) -> bool:
    if state.src[state.pos] != "[":
        return False
    return _push_inline(state, silent, "footnote_reference", _FOOTNOTE_REFERENCE.match(state.src, state.pos))


def _wiki_link_rule(state: StateInline, silent: bool) -> bool:
    if state.src[state.pos] not in "[!":
        return False
    return _push_inline(state, silent, "wiki_link", _WIKI_LINK.match(state.src, state.pos))


def _push_inline(state: StateInline, silent: bool, kind: str, found: re.Match[str] | None) -> bool:
    if found is None or found.end() > state.posMax:
        return False
    if not silent:
        token = state.push(kind, "", 0)
        token.content, token.markup = found[1], found[0]
    state.pos = found.end()
    return True
