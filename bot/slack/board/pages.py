"""The curators' pages of the Home tab: everything at a glance, and a page for each thing that there is more of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from bot.slack import limits
from bot.slack.blocks import aside, button, rows, title
from bot.slack.board.changes import changes_of
from bot.slack.board.complaints import by_subject, complaints_of
from bot.slack.board.drawing import listed, paragraph
from bot.slack.board.misses import misses_of
from bot.slack.board.sentences import fill, spoken
from bot.slack.board.trials import starting, trials_of
from bot.slack.board.values import CHANGES, CURATE, DAYS, MISSES, PAGES, TRIALS, VOTES, Board, Note
from bot.slack.board.week import days_of, figures_of
from bot.slack.limits import Block
from bot.slack.views import FRONT, PAGE, View, fitted
from bot.slack.words import Words

GLANCE = 5
"""Groups of misses on the first page; of everything else fewer."""
GROUPS = 10
"""Groups of misses on a page: each is as high as three rows."""


def front(view: View, board: Board, words: Words, note: Note | None = None) -> View:
    """The front page with the way to the curators' pages below it."""
    open_, bad = str(len(board.groups)), str(len(by_subject(board.complaints)))
    told = fill(words["curate_summary"], open=open_, bad=bad, trials=str(len(board.trials)))
    blocks = [
        {"type": "divider"},
        title(words["curate_front"]),
        *_note(note, words),
        *_troubles(board, words),
        paragraph(told),
        *rows([button(words["curate_open"], "go:curate", {"value": CURATE})]),
    ]
    own = view["blocks"][: limits.BLOCKS["home"] - len(blocks)]
    return view | {"blocks": [*own, *blocks], "private_metadata": FRONT}


def page(board: Board, name: str, words: Words, note: Note | None = None, native: bool = False) -> View:
    """A page of the curators' ("misses@1"); the first one where there is none by that name. `native`: with Slack's own
    chart."""
    where, _, number = name.partition("@")
    if where == DAYS:
        return _view(DAYS, CURATE, words["curate_week"], list(days_of(board, words, native)), words)
    if where not in PAGES[1:]:
        return _view(CURATE, FRONT, words["curate_title"], [*_note(note, words), *_overview(board, words)], words)
    rows_of = {MISSES: misses_of, VOTES: complaints_of, CHANGES: changes_of, TRIALS: trials_of}[where](board, words)
    fits = GROUPS if where == MISSES else PAGE
    at = min(int(number) if number.isdecimal() and len(number) < 5 else 0, max(0, len(rows_of) - 1) // fits)
    turns = [("earlier", at - 1)] if at else []
    turns += [("more", at + 1)] if (at + 1) * fits < len(rows_of) else []
    ways = [button(words[key], f"go:{key}", {"value": f"{where}@{to}"}) for key, to in turns]
    shown = [block for row in rows_of[at * fits : (at + 1) * fits] for block in row]
    heading = spoken(words[f"curate_{where}"], count=str(len(rows_of)))
    body = [*_note(note, words), *_troubles(board, words), *(shown or [aside(words[f"curate_no_{where}"])])]
    body += [*(starting(words) if where == TRIALS else []), *rows(ways)]
    return _view(f"{where}@{at}", CURATE, heading, body, words)


def _view(name: str, back: str, heading: str, body: Sequence[Block], words: Words) -> View:
    """A page; its buttons get their numbers here, and it remembers its name, so that it can be shown again."""
    returning = button(words["back"], "go:back", {"value": back})
    blocks = [title(heading), *rows([returning]), *_numbered(body)]
    return fitted({"type": "home", "private_metadata": name}, blocks)


def _numbered(blocks: Iterable[Block]) -> list[Block]:
    """The blocks with their unnumbered action_ids made unique."""
    seen: Counter[str] = Counter()

    def named(element: Block) -> Block:
        name = element.get("action_id", "")
        if not name or ":" in name:
            return element
        seen[name] += 1
        return element | {"action_id": f"{name}:{seen[name]}"}

    def made(block: Block) -> Block:
        if block["type"] == "actions":
            return block | {"elements": [named(element) for element in block["elements"]]}
        return block | {"accessory": named(block["accessory"])} if "accessory" in block else block

    return [made(block) for block in blocks]


def _overview(board: Board, words: Words) -> Iterable[Block]:
    """Everything at a glance; what is more has a page of its own."""
    yield from _troubles(board, words)
    yield title(words["curate_week"])
    yield from figures_of(board, words)
    for where, found, most in (
        (MISSES, misses_of(board, words), GLANCE),
        (VOTES, complaints_of(board, words), 3),
        (CHANGES, changes_of(board, words), 3),
        (TRIALS, trials_of(board, words), 3),
    ):
        yield title(spoken(words[f"curate_{where}"], count=str(len(found))))
        yield from (block for row in found[:most] for block in row)
        if not found:
            yield aside(words[f"curate_no_{where}"])
        if where == TRIALS:
            yield from starting(words)
        if len(found) > most:
            label = spoken(words["curate_all"], count=str(len(found)))
            yield from rows([button(label, f"go:{where}", {"value": f"{where}@0"})])


def _note(note: Note | None, words: Words) -> Iterable[Block]:
    if note is None:
        return
    yield {"type": "rich_text", "elements": [{"type": "rich_text_quote", "elements": list(note.leaves)}]}
    ways = [button(words["undo"], "undo:note", {"value": note.undo})] if note.undo else []
    ways += [button(words["trial_on"], "trial:note", {"value": note.trial})] if note.trial else []
    yield from rows(ways)


def _troubles(board: Board, words: Words) -> Iterable[Block]:
    """What keeps the page or the answers from being as they should."""
    if board.away:
        yield paragraph(fill(words["curate_away"]))
    if board.faults:
        yield from listed(words["curate_faults"], board.faults, words)
