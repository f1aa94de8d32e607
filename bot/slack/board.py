"""What curators see: their pages of the Home tab, and their modals. Pure: what is remembered travels in the views.

People's words stand in plain_text and rich_text alone. Times are UTC, because a page is drawn once for all.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

from bot.model import Change, Complaint, Entry, Knowledge, Miss, Outcome, Step, Tally, Trial
from bot.reply.wording import choice_of
from bot.slack import limits
from bot.slack.blocks import aside, button, plain_text, rows, title
from bot.slack.limits import Block, cut, size
from bot.slack.values import Sheet, about
from bot.slack.views import FRONT, PAGE, View, fitted
from bot.slack.words import Words

CURATE, DAYS, MISSES, VOTES, CHANGES, TRIALS = "curate", "days", "misses", "votes", "changes", "trials"
PAGES = (CURATE, DAYS, MISSES, VOTES, CHANGES, TRIALS)
GLANCE = 5
"""Groups of misses on the first page; of everything else fewer."""
GROUPS = 10
"""Groups of misses on a page: each is as high as three rows."""
TOGETHER = 30
"""Phrasings that are dealt with at once: their names fit into a button, and as many into a modal."""
SHOWN = 4
"""Phrasings of a group that its row shows."""
TOLD = 8
"""Faults, or answers that would move, that a modal lists."""
BOXES = 10
"""Checkboxes in one input; Slack takes no more."""
LINE = 300
"""Units of one phrasing where there are many."""
BAR = 24
"""Characters of the longest bar: with its label and number they fit a phone."""
LONGEST_TITLE = 150
WEEK = 7
"""Days."""
OUTCOMES: tuple[Outcome, ...] = ("answered", "offered", "missed")

ENTRY, PICKED = "entry", "picked"
TITLE, ANSWER, ASKS = "title", "answer", "asks"
"""Names of the inputs, and of the blocks around them."""

Leaf = str | Block


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """What a workspace's curators go by at one moment. `away`: the database can't be read, so that something is missing."""

    knowledge: Knowledge
    now: float
    groups: tuple[tuple[Miss, ...], ...] = ()
    week: tuple[Tally, ...] = ()
    complaints: tuple[Complaint, ...] = ()
    history: tuple[Change, ...] = ()
    trials: tuple[Trial, ...] = ()
    faults: tuple[str, ...] = ()
    away: bool = False


@dataclass(frozen=True, slots=True)
class Note:
    """What has just been done, with a button that undoes the batch, or puts a channel back on trial."""

    leaves: tuple[Block, ...]
    undo: str = ""
    trial: str = ""


class Moved(Protocol):
    """A question whose answer would be another one; empty stands for no answer."""

    @property
    def question(self) -> str: ...

    @property
    def before(self) -> str: ...

    @property
    def after(self) -> str: ...


# --- sentences with people and channels in them


def fill(line: str, **parts: Leaf) -> tuple[Block, ...]:
    """A sentence whose {names} are filled in, as elements in which nothing is parsed; unknown names stay as they are."""
    leaves: list[Block] = []
    for n, piece in enumerate(re.split(r"\{(\w+)\}", line)):
        told: Leaf = parts.get(piece, f"{{{piece}}}") if n % 2 else piece
        if isinstance(told, dict):
            leaves.append(told)
        elif told:
            leaves.append({"type": "text", "text": told})
    return tuple(leaves)


def spoken(line: str, **parts: str) -> str:
    """The same as plain text."""
    return "".join(leaf["text"] for leaf in fill(line, **parts))


def person(by: str, words: Words) -> Leaf:
    """Who did it, as an element that names and doesn't ping."""
    user = by.rpartition(":")[2]
    return {"type": "user", "user_id": user} if user else words["curate_somebody"]


def channel(name: str) -> Block:
    """A channel by its id."""
    return {"type": "channel", "channel_id": name}


def quoted(text: str) -> str:
    """A phrasing on one line, in quotes."""
    return f"“{cut(' '.join(text.split()), LINE)}”"


def named(entry: str, knowledge: Knowledge) -> str:
    """What an entry is called; its id where the pack no longer has it."""
    found = knowledge.by_id.get(entry)
    return found.label if found is not None else entry


def titled(entry: str, knowledge: Knowledge) -> str:
    """The same within a sentence: in quotes where it may be one itself."""
    return _quoted(named(entry, knowledge))


def _quoted(name: str) -> str:
    return quoted(name) if " " in name else name


def already(change: Change, knowledge: Knowledge, words: Words) -> tuple[Block, ...]:
    """Who was here before, and what they did."""
    key = "taken_stranger" if change.kind == "not_ask" and not change.entry else f"taken_{change.kind}"
    return fill(
        words[key],
        who=person(change.by, words),
        text=quoted(change.text),
        title=quoted(change.title),
        entry=titled(change.entry, knowledge),
    )


def taken(change: Change, knowledge: Knowledge, words: Words) -> tuple[Block, ...]:
    """The same, where it keeps an edit from being saved."""
    return (*already(change, knowledge, words), *fill(f" {words['taken_what_now']}"))


def described(batch: Sequence[Change], knowledge: Knowledge, words: Words) -> str:
    """What a batch of edits says, a line for each kind of thing said."""
    lines: dict[tuple[str, str], list[Change]] = {}
    for change in batch:
        lines.setdefault((change.kind, change.entry), []).append(change)
    told = []
    for (kind, entry), changes in lines.items():
        key = "done_stranger" if kind == "not_ask" and not entry else f"done_{kind}"
        first = quoted(changes[0].title if kind == "entry" else changes[0].text)
        texts = first if len(changes) == 1 else spoken(words["and_more"], first=first, count=str(len(changes) - 1))
        told.append(spoken(words[key], texts=texts, entry=titled(entry, knowledge)))
    return "\n".join(told)


# --- the Home tab


def front(view: View, board: Board, words: Words, note: Note | None = None) -> View:
    """The front page with the way to the curators' pages below it."""
    open_, bad = str(len(board.groups)), str(len(_by_subject(board.complaints)))
    told = fill(words["curate_summary"], open=open_, bad=bad, trials=str(len(board.trials)))
    blocks = [
        {"type": "divider"},
        title(words["curate_front"]),
        *_note(note, words),
        *_troubles(board, words),
        _paragraph(told),
        *rows([button(words["curate_open"], "go:curate", {"value": CURATE})]),
    ]
    own = view["blocks"][: limits.BLOCKS["home"] - len(blocks)]
    return view | {"blocks": [*own, *blocks], "private_metadata": FRONT}


def page(board: Board, name: str, words: Words, note: Note | None = None, native: bool = False) -> View:
    """A page of the curators' ("misses@1"); the first one where there is none by that name. `native`: with Slack's own
    chart."""
    where, _, number = name.partition("@")
    if where == DAYS:
        return _view(DAYS, CURATE, words["curate_week"], list(_by_day(board, words, native)), words)
    if where not in PAGES[1:]:
        return _view(CURATE, FRONT, words["curate_title"], [*_note(note, words), *_overview(board, words)], words)
    rows_of = {MISSES: _misses, VOTES: _votes, CHANGES: _changes, TRIALS: _trials}[where](board, words)
    fits = GROUPS if where == MISSES else PAGE
    at = min(int(number) if number.isdecimal() and len(number) < 5 else 0, max(0, len(rows_of) - 1) // fits)
    turns = [("earlier", at - 1)] if at else []
    turns += [("more", at + 1)] if (at + 1) * fits < len(rows_of) else []
    ways = [button(words[key], f"go:{key}", {"value": f"{where}@{to}"}) for key, to in turns]
    shown = [block for row in rows_of[at * fits : (at + 1) * fits] for block in row]
    heading = spoken(words[f"curate_{where}"], count=str(len(rows_of)))
    body = [*_note(note, words), *_troubles(board, words), *(shown or [aside(words[f"curate_no_{where}"])])]
    body += [*(_starting(words) if where == TRIALS else []), *rows(ways)]
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
    yield from _week(board, words)
    for where, found, most in (
        (MISSES, _misses(board, words), GLANCE),
        (VOTES, _votes(board, words), 3),
        (CHANGES, _changes(board, words), 3),
        (TRIALS, _trials(board, words), 3),
    ):
        yield title(spoken(words[f"curate_{where}"], count=str(len(found))))
        yield from (block for row in found[:most] for block in row)
        if not found:
            yield aside(words[f"curate_no_{where}"])
        if where == TRIALS:
            yield from _starting(words)
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
        yield _paragraph(fill(words["curate_away"]))
    if board.faults:
        yield from _listed(words["curate_faults"], board.faults, words)


# --- the week


def _sums(week: Iterable[Tally]) -> Counter[Outcome]:
    sums = Counter[Outcome](dict.fromkeys(OUTCOMES, 0))
    for tally in week:
        if tally.outcome in OUTCOMES:
            sums[tally.outcome] += tally.count
    return sums


def _week(board: Board, words: Words) -> Iterable[Block]:
    """The figures as a sentence and as bars."""
    sums = _sums(board.week)
    if not sums.total():
        yield aside(words["curate_quiet"])
        return
    yield _paragraph(
        fill(words["curate_figures"], asked=str(sums.total()), **{each: str(sums[each]) for each in OUTCOMES})
    )
    yield _bars([(words[f"curate_{outcome}"], sums[outcome]) for outcome in OUTCOMES])
    yield from rows([button(words["curate_days"], "go:days", {"value": DAYS})])


def _by_day(board: Board, words: Words, native: bool) -> Iterable[Block]:
    """The same day by day: Slack's own chart, or all that was asked as bars; and a sentence for each day."""
    today = datetime.fromtimestamp(board.now, UTC).date()
    days = [(today - timedelta(days=ago)).isoformat() for ago in reversed(range(WEEK))]
    sums = {_weekday(day): _sums(tally for tally in board.week if tally.day == day) for day in days}
    if not any(each.total() for each in sums.values()):
        yield aside(words["curate_quiet"])
        return
    yield _chart(sums, words) if native else _bars([(day, each.total()) for day, each in sums.items()])
    told = [
        _section(
            fill(words["curate_day"], day=day, asked=str(each.total()), **{name: str(each[name]) for name in OUTCOMES})
        )
        for day, each in sums.items()
        if each.total()
    ]
    yield {"type": "rich_text", "elements": [{"type": "rich_text_list", "style": "bullet", "elements": told}]}


def _weekday(day: str) -> str:
    at = date.fromisoformat(day)
    return f"{at:%a} {at.day} {at:%b}"


def _bars(figures: Sequence[tuple[str, int]]) -> Block:
    """A bar for each figure, as text."""
    most, width = max(1, *(count for _, count in figures)), max(len(label) for label, _ in figures)
    digits = len(str(most))
    lines = []
    for label, count in figures:
        bar = "█" * max(round(BAR * count / most), int(count > 0))
        lines.append(f"{label:{width}}  {count:{digits}}  {bar}".rstrip())
    text = {"type": "text", "text": "\n".join(lines)}
    return {"type": "rich_text", "elements": [{"type": "rich_text_preformatted", "elements": [text]}]}


def _chart(sums: Mapping[str, Counter[Outcome]], words: Words) -> Block:
    """Slack's own chart: each day's outcomes side by side."""
    series = [
        {
            "name": cut(words[f"curate_{outcome}"], limits.CHART_LABEL),
            "data": [{"label": day, "value": each[outcome]} for day, each in sums.items()],
        }
        for outcome in OUTCOMES
    ]
    axis = {"categories": list(sums), "y_label": cut(words["curate_questions"], limits.CHART_TITLE)}
    chart = {"type": "bar", "series": series, "axis_config": axis}
    return {"type": "data_visualization", "title": cut(words["curate_chart"], limits.CHART_TITLE), "chart": chart}


# --- rows: each is a few blocks that belong together


def _misses(board: Board, words: Words) -> list[list[Block]]:
    return [_miss(group, board, words) for group in board.groups]


def _miss(group: Sequence[Miss], board: Board, words: Words) -> list[Block]:
    """A group of misses: its phrasings, its figures, and what can be done."""
    lead, *others = group
    elements = [_section([_bold(quoted(lead.text))])]
    if others:
        listed = [_section(fill(quoted(each.text))) for each in others[: SHOWN - 1]]
        if len(others) > SHOWN - 1:
            listed.append(_section(fill(words["more_of_them"], count=str(len(others) - SHOWN + 1))))
        elements.append({"type": "rich_text_list", "style": "bullet", "elements": listed})
    count = sum(miss.count for miss in group)
    first, last = (_day(at, board.now) for at in (min(miss.first for miss in group), max(miss.last for miss in group)))
    key = "asked_once" if count == 1 else "asked_that_day" if first == last else "asked_often"
    asked = spoken(words[key], count=str(count), first=first, last=last)
    near = (
        spoken(words["nearest"], entry=titled(lead.best, board.knowledge))
        if lead.best in board.knowledge.by_id
        else words["nothing_near"]
    )
    value = {"value": Sheet.keys_of(miss.key for miss in group[:TOGETHER])}
    buttons = [
        button(
            words[name], name, value | {"accessibility_label": cut(f"{words[name]} {lead.text}", limits.BUTTON_LABEL)}
        )
        for name in ("means", "write", "not_ours", "ignore")
    ]
    return [{"type": "rich_text", "elements": elements}, aside(f"{asked} {near}"), *rows(buttons)]


def _by_subject(complaints: Iterable[Complaint]) -> dict[str, list[Complaint]]:
    """The complaints about each answer, the most complained about first."""
    found: dict[str, list[Complaint]] = {}
    for each in complaints:
        found.setdefault(each.subject, []).append(each)
    return dict(sorted(found.items(), key=lambda item: (-sum(each.count for each in item[1]), item[0])))


def _votes(board: Board, words: Words) -> list[list[Block]]:
    return [_complained(subject, found, board, words) for subject, found in _by_subject(board.complaints).items()]


def _complained(subject: str, found: Sequence[Complaint], board: Board, words: Words) -> list[Block]:
    """An answer with bad votes: how many, why, and a way to look at it."""
    ordered = sorted(found, key=lambda each: (-each.count, each.reason))
    reasons = ", ".join(f"{words.get(f'reason_{each.reason}', words['no_reason'])} {each.count}" for each in ordered)
    told = f"{reasons}. {spoken(words['last_vote'], last=_day(max(each.last for each in found), board.now))}"
    entry, name = _one(subject, board.knowledge), _named(subject, board.knowledge, words)
    if entry is None:
        return [_paragraph([_bold(name), *fill("\n" + told)])]
    label = cut(f"{words['open_item']}: {entry.label}", limits.BUTTON_LABEL)
    opening = button(words["open_item"], "ask", {"value": choice_of(entry).ask, "accessibility_label": label})
    return [_text(f"{name}\n{told}") | {"accessory": opening}]  # a curator's title is a person's words


def _one(subject: str, knowledge: Knowledge) -> Entry | None:
    """The entry that the answer was about, if it was a single one."""
    kind, ids = about(subject)
    return knowledge.by_id.get(ids) if kind in ("topic", "step", "library") else None


def _named(subject: str, knowledge: Knowledge, words: Words) -> str:
    """What an answer was about, in words."""
    kind, ids = about(subject)
    group = subject.split("|")[1] if subject.count("|") > 1 else ""
    if kind in ("list", "recommend") and group:
        return next((each.title for each in knowledge.groups if each.id == group), group)
    listed = ", ".join(named(each, knowledge) for each in ids.split(",") if each)
    if kind == "unknown":
        return spoken(words["vote_offers"], offers=listed) if listed else words["vote_unknown"]
    return listed or kind


def batches(changes: Iterable[Change]) -> list[list[Change]]:
    """Edits that were made together, in the order in which they are given."""
    found: dict[str, list[Change]] = {}
    for change in changes:
        found.setdefault(change.batch or change.id, []).append(change)
    return list(found.values())


def _changes(board: Board, words: Words) -> list[list[Block]]:
    return [_changed(batch, board, words) for batch in batches(board.history)]


def _changed(batch: Sequence[Change], board: Board, words: Words) -> list[Block]:
    """What was changed, by whom and when, and the way back."""
    change = batch[0]
    block = _text(described(batch, board.knowledge, words))
    what = change.title or change.text
    label = cut(f"{words['undo']}: {what}", limits.BUTTON_LABEL)
    if change.batch:
        block["accessory"] = button(words["undo"], "undo", {"value": change.batch, "accessibility_label": label})
    return [
        block,
        _paragraph(fill(words["changed_by"], who=person(change.by, words), when=_moment(change.at, board.now))),
    ]


def _trials(board: Board, words: Words) -> list[list[Block]]:
    return [_trial(trial, board, words) for trial in board.trials]


def _trial(trial: Trial, board: Board, words: Words) -> list[Block]:
    """A channel on trial: what its askers got, how they liked it, and the switch."""
    told = fill(words["trial_since"], channel=channel(trial.channel), since=_day(trial.since, board.now))
    switch = button(words["trial_off"], "public", {"value": trial.channel})
    return [_paragraph((*told, *figures(trial, words))), *rows([switch])]


def figures(trial: Trial, words: Words) -> tuple[Block, ...]:
    """What a trial has counted, as the end of a paragraph."""
    asked, votes = trial.answered + trial.offered + trial.missed, trial.good + trial.bad
    counted = {name: str(getattr(trial, name)) for name in (*OUTCOMES, "good", "bad")}
    counted |= {
        "asked": str(asked),
        "votes": str(votes),
        "percent": str(round(100 * trial.good / votes) if votes else 0),
    }
    precision = words["trial_precision" if votes else "trial_no_votes"]
    return (*fill(f" {words['trial_figures']}", **counted), *fill(f" {precision}", **counted))


def _starting(words: Words) -> Iterable[Block]:
    """What puts another channel on trial."""
    menu = {
        "type": "conversations_select",
        "action_id": "trial:pick",
        "placeholder": plain_text(words["trial_pick"], limits.PLACEHOLDER),
        "filter": {"include": ["public", "private"], "exclude_bot_users": True},
    }
    return rows([menu])


# --- modals


def means(
    sheet: Sheet, misses: Sequence[Miss], picked: Sequence[str], entry: str, knowledge: Knowledge, words: Words,
    status: Sequence[Block] = (),
) -> View:  # fmt: skip
    """What these phrasings mean: the entry, `entry` to begin with, and which of them, those whose keys are `picked`."""
    if len(misses) == 1:
        asked: list[Block] = [_paragraph([_bold(quoted(misses[0].text))])]
    else:
        parts = [misses[start : start + BOXES] for start in range(0, len(misses), BOXES)]
        asked = [_boxes(n, part, picked, words) for n, part in enumerate(parts)]
    label = plain_text(words["means_which"], limits.INPUT_LABEL)
    chosen = {"type": "input", "block_id": ENTRY, "label": label, "element": _select(entry, knowledge, words)}
    return _modal("means", words["means"], words["save"], sheet, [*status, *asked, chosen], words)


def _boxes(number: int, misses: Sequence[Miss], picked: Sequence[str], words: Words) -> Block:
    """Up to ten phrasings to tick."""
    options = [{"text": plain_text(miss.text, limits.OPTION_LABEL), "value": miss.key} for miss in misses]
    initial = [option for option in options if option["value"] in picked]
    element = {"type": "checkboxes", "action_id": f"{PICKED}:{number}", "options": options}
    return {
        "type": "input",
        "block_id": f"{PICKED}:{number}",
        "optional": True,
        "label": plain_text(words["means_phrasings" if not number else "means_further"], limits.INPUT_LABEL),
        "element": element | ({"initial_options": initial} if initial else {}),
    }


def _select(entry: str, knowledge: Knowledge, words: Words) -> Block:
    """A menu of all entries; where they are too many for one, a menu that is filled as somebody types."""
    kinds = {"topic": "home_topics", "step": "steps", "library": "libraries"}
    groups = [
        {"label": plain_text(words[name], limits.OPTION_LABEL), "options": options}
        for kind, name in kinds.items()
        if (options := [option(each) for each in entries(knowledge) if each.kind == kind])
    ]
    shared = {"action_id": ENTRY, "placeholder": plain_text(words["means_pick"], limits.PLACEHOLDER)}
    found = knowledge.by_id.get(entry)
    shared |= {"initial_option": option(found)} if found is not None and found in entries(knowledge) else {}
    if sum(len(group["options"]) for group in groups) > limits.OPTIONS:
        return {"type": "external_select", "min_query_length": 0, **shared}
    if len(groups) == 1:
        return {"type": "static_select", "options": groups[0]["options"], **shared}
    return {"type": "static_select", "option_groups": groups, **shared}


def entries(knowledge: Knowledge) -> list[Entry]:
    """The entries that a menu can name."""
    return [entry for entry in knowledge.entries if size(entry.id) <= limits.OPTION_VALUE]


def option(entry: Entry) -> Block:
    """An entry in a menu."""
    label = f"{entry.number}. {entry.title}" if isinstance(entry, Step) else entry.label
    return {"text": plain_text(label, limits.OPTION_LABEL), "value": entry.id}


def suggested(typed: str, knowledge: Knowledge) -> list[Block]:
    """The menu's options for what has been typed so far: those that have all the words, the beginning of one at least."""
    wanted = typed.casefold().split()
    found = [
        option(entry)
        for entry in entries(knowledge)
        if all(word in f"{entry.label} {entry.title} {entry.id}".casefold() for word in wanted)
    ]
    return found[: limits.OPTIONS]


def write(
    sheet: Sheet, heading: str, answer: str, asks: str, words: Words, status: Sequence[Block] = ()
) -> View:  # fmt: skip
    """A new answer: title, answer, and phrasings, one a line. Saved only when it has been looked at as it stands."""
    inputs = [
        _input(TITLE, heading, words, LONGEST_TITLE),
        _input(ANSWER, answer, words, limits.TYPED, multiline=True),
        _input(ASKS, asks, words, limits.TYPED, multiline=True),
    ]
    submit = words["save" if sheet.checked else "check"]
    return _modal("write", words["write"], submit, sheet, [*status, *inputs], words)


def _input(name: str, told: str, words: Words, most: int, multiline: bool = False) -> Block:
    element: Block = {"type": "plain_text_input", "action_id": name, "max_length": most, "multiline": multiline}
    element["placeholder"] = plain_text(words[f"write_{name}_hint"], limits.PLACEHOLDER)
    if told.strip():
        element["initial_value"] = cut(told, most)
    label = plain_text(words[f"write_{name}"], limits.INPUT_LABEL)
    return {"type": "input", "block_id": name, "label": label, "element": element}


def checking(view: View, words: Words) -> View:
    """The same modal while it is being looked at."""
    return view | {"blocks": [aside(words["checking"]), *view["blocks"]][: limits.BLOCKS["modal"]]}


def done(sheet: Sheet, told: Sequence[Block], words: Words, undo: str = "", since: Sequence[Block] = ()) -> View:
    """What has become of it, and what has come of that."""
    ways = [button(words["undo"], "undo", {"value": undo})] if undo else []
    return _modal("done", words["curate_title"], "", sheet, [_paragraph(told), *since, *rows(ways)], words)


def _modal(name: str, heading: str, submit: str, sheet: Sheet, blocks: Sequence[Block], words: Words) -> View:
    view = {
        "type": "modal",
        "callback_id": name,
        "title": plain_text(heading, limits.MODAL_TITLE),
        "close": plain_text(words["cancel" if submit else "close"], limits.MODAL_TITLE),
        "private_metadata": sheet.write(),
    }
    view |= {"submit": plain_text(submit, limits.MODAL_TITLE)} if submit else {}
    return fitted(view, blocks)


# --- what stands above a form


def status(told: Sequence[Block]) -> list[Block]:
    """Why it isn't saved."""
    return [{"type": "rich_text", "elements": [{"type": "rich_text_quote", "elements": list(told)}]}]


def review(faults: Sequence[str], moved: Sequence[Moved], words: Words) -> list[Block]:
    """What the lint says of a draft, and which other answers it would change."""
    blocks = _seen(faults, moved, words, "review")
    if not moved:
        blocks.append(_paragraph(fill(words["review_same"])))
    return [*blocks, _paragraph(fill(words["review_save"])), {"type": "divider"}]


def since(faults: Sequence[str], moved: Sequence[Moved], words: Words) -> list[Block]:
    """What the lint says of an edit that is saved, and which other answers it has changed."""
    return _seen(faults, moved, words, "since")


def _seen(faults: Sequence[str], moved: Sequence[Moved], words: Words, key: str) -> list[Block]:
    blocks = list(_listed(words["review_faults"], faults, words)) if faults else []
    changed = [
        spoken(
            words[f"{key}_instead"],
            question=quoted(each.question),
            before=_quoted(each.before) or words["review_none"],
            after=_quoted(each.after) or words["review_none"],
        )
        for each in moved
    ]
    return [
        *blocks,
        *(_listed(spoken(words[f"{key}_moved"], count=str(len(changed))), changed, words) if changed else ()),
    ]


# --- small things


def _listed(heading: str, lines: Sequence[str], words: Words) -> Iterable[Block]:
    """A heading and some of the lines under it."""
    told = [_section(fill(cut(line, LINE))) for line in lines[:TOLD] if line.strip()]
    if len(lines) > TOLD:
        told.append(_section(fill(words["more_of_them"], count=str(len(lines) - TOLD))))
    listed = [{"type": "rich_text_list", "style": "bullet", "elements": told}] if told else []
    yield {"type": "rich_text", "elements": [_section([_bold(heading)]), *listed]}


def _section(leaves: Iterable[Block]) -> Block:
    return {"type": "rich_text_section", "elements": list(leaves)}


def _paragraph(leaves: Iterable[Block]) -> Block:
    return {"type": "rich_text", "elements": [_section(leaves)]}


def _bold(text: str) -> Block:
    return {"type": "text", "text": text, "style": {"bold": True}}


def _text(text: str) -> Block:
    """A section that nothing is parsed in."""
    return {"type": "section", "text": {"type": "plain_text", "text": cut(text, limits.SECTION), "emoji": False}}


def _day(at: float, now: float) -> str:
    """A day as people write it; the year where it is another one."""
    day = datetime.fromtimestamp(at, UTC)
    year = "" if day.year == datetime.fromtimestamp(now, UTC).year else f" {day.year}"
    return f"{day.day} {day:%b}{year}"


def _moment(at: float, now: float) -> str:
    return f"{_day(at, now)}, {datetime.fromtimestamp(at, UTC):%H:%M} UTC"
