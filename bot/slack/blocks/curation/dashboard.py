"""The data of the curators' dashboard, and the rows of its sections: a few blocks each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from bot.curation.freshness import DueEntry, due_entries
from bot.model import Change, Complaint, Entry, Knowledge, Miss, Outcome, PilotChannel, Tally
from bot.reply.wording import choice_of, readable_date, upper_first
from bot.slack.blocks import limits
from bot.slack.blocks.curation.edit_text import (
    change_label,
    channel_element,
    describe_edits,
    entry_label,
    fill,
    fill_plain,
    format_day,
    format_minute,
    group_title,
    quote_phrasing,
    quoted_entry_label,
    user_element,
    user_elements,
)
from bot.slack.blocks.elements import actions_blocks, button, context_block, plain_text_object
from bot.slack.blocks.limits import Block, cut
from bot.slack.blocks.rich_text import line_block, rich_text_list, rich_text_section, text_element
from bot.slack.payloads import CuratorModalState, parse_answer_ref, short_hash
from bot.slack.permissions import WorkspaceCurators
from bot.slack.strings import Strings

OUTCOMES: tuple[Outcome, ...] = ("answered", "offered", "missed")
"""The outcomes that are counted; small talk isn't."""
DAYS_PAGE = "days"
MAX_KEYS = 30
"""Phrasings of a group that can be edited at once: their keys fit into a button's value, and the phrasings into a modal."""
SHOWN_PHRASINGS = 4
"""Phrasings of a group that its row shows."""
BAR = 24
"""Characters of the longest bar: with its label and number it fits a phone."""
MAX_CURATORS = limits.OPTIONS
"""People whom an installer can name: as many as other menus have options. Slack publishes no limit for menus of people."""
WEEK = 7
"""Days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """What a workspace's curators see at one moment.

    Attributes:
        now: seconds since 1970.
        miss_groups: misses that ask the same, grouped.
        tallies: the outcomes of the last seven days.
        complaints: how often answers were voted not helpful, by answer and reason.
        history: the latest changes, the last one first.
        pilots: the pilot channels.
        faults: what is wrong with the pack's files.
        is_incomplete: whether the database couldn't be read.
        curators: who may curate; None where nobody has installed the app by OAuth.
    """

    knowledge: Knowledge
    now: float
    miss_groups: tuple[tuple[Miss, ...], ...] = ()
    tallies: tuple[Tally, ...] = ()
    complaints: tuple[Complaint, ...] = ()
    history: tuple[Change, ...] = ()
    pilots: tuple[PilotChannel, ...] = ()
    faults: tuple[str, ...] = ()
    is_incomplete: bool = False
    curators: WorkspaceCurators | None = None


# --- misses


def miss_rows(dashboard: Dashboard, strings: Strings) -> list[list[Block]]:
    """A row for each group of misses."""
    return [_miss_row(group, dashboard, strings) for group in dashboard.miss_groups]


def _miss_row(group: Sequence[Miss], dashboard: Dashboard, strings: Strings) -> list[Block]:
    """The phrasings, how often they were asked, and a button for each thing that can be done."""
    lead, *others = group
    elements = [rich_text_section(text_element(quote_phrasing(lead.text), bold=True))]
    items = [rich_text_section(*fill(quote_phrasing(miss.text))) for miss in others[: SHOWN_PHRASINGS - 1]]
    if len(group) > SHOWN_PHRASINGS:
        items.append(rich_text_section(*fill(strings["more_of_them"], count=str(len(group) - SHOWN_PHRASINGS))))
    elements += rich_text_list(items, "bullet")
    if lead.best in dashboard.knowledge.by_id:
        nearest = fill_plain(strings["nearest"], entry=quoted_entry_label(lead.best, dashboard.knowledge))
    else:
        nearest = strings["nothing_near"]
    keys = CuratorModalState.join_keys(miss.key for miss in group[:MAX_KEYS])
    buttons = [_miss_button(name, keys, lead.text, strings) for name in ("means", "write", "not_ours", "ignore")]
    return [
        {"type": "rich_text", "elements": elements},
        context_block(f"{_asked_text(group, dashboard.now, strings)} {nearest}"),
        *actions_blocks(buttons),
    ]


def _miss_button(name: str, keys: str, text: str, strings: Strings) -> Block:
    label = cut(f"{strings[name]} {text}", limits.BUTTON_LABEL)
    return button(strings[name], name, {"value": keys, "accessibility_label": label})


def _asked_text(group: Sequence[Miss], now: float, strings: Strings) -> str:
    """How often the phrasings of a group were asked, and when."""
    count = sum(miss.count for miss in group)
    first = format_day(min(miss.first for miss in group), now)
    last = format_day(max(miss.last for miss in group), now)
    key = "asked_once" if count == 1 else "asked_that_day" if first == last else "asked_often"
    return fill_plain(strings[key], count=str(count), first=first, last=last)


# --- complaints


def group_complaints(complaints: Iterable[Complaint]) -> dict[str, list[Complaint]]:
    """The complaints about each answer, by its reference, most complaints first."""
    groups: dict[str, list[Complaint]] = {}
    for complaint in complaints:
        groups.setdefault(complaint.subject, []).append(complaint)
    return dict(sorted(groups.items(), key=lambda item: (-sum(complaint.count for complaint in item[1]), item[0])))


def complaint_rows(dashboard: Dashboard, strings: Strings) -> list[list[Block]]:
    """A row for each answer that was complained about."""
    groups = group_complaints(dashboard.complaints)
    return [_complaint_row(ref, complaints, dashboard, strings) for ref, complaints in groups.items()]


def _complaint_row(ref: str, complaints: Sequence[Complaint], dashboard: Dashboard, strings: Strings) -> list[Block]:
    """The answer, how many complaints there are for each reason, and a button that opens the answer."""
    ordered = sorted(complaints, key=lambda complaint: (-complaint.count, complaint.reason))
    names = (strings.get(f"reason_{complaint.reason}", strings["no_reason"]).rstrip("?") for complaint in ordered)
    reasons = ", ".join(f"{name} {complaint.count}" for name, complaint in zip(names, ordered, strict=True))
    last = format_day(max(complaint.last for complaint in complaints), dashboard.now)
    text = f"{reasons}. {fill_plain(strings['last_vote'], last=last)}"
    entry, name = _single_entry(ref, dashboard.knowledge), _answer_name(ref, dashboard.knowledge, strings)
    if entry is None:
        return [line_block([text_element(name, bold=True), *fill("\n" + text)])]
    # a curator may have written the title
    return [_plain_section(f"{name}\n{text}") | {"accessory": _open_button(entry, strings)}]


def _open_button(entry: Entry, strings: Strings) -> Block:
    return _entry_button("open_item", "ask", choice_of(entry).ask, entry, strings)


def _entry_button(name: str, action_id: str, value: str, entry: Entry, strings: Strings) -> Block:
    """A button about an entry, which a screen reader tells from those of the other rows."""
    label = cut(f"{strings[name]}: {entry.label}", limits.BUTTON_LABEL)
    return button(strings[name], action_id, {"value": value, "accessibility_label": label})


def _single_entry(ref: str, knowledge: Knowledge) -> Entry | None:
    """The entry that the answer was about, if it was about a single one."""
    answer = parse_answer_ref(ref)
    is_single = answer.kind in ("topic", "step", "library") and len(answer.ids) == 1
    return knowledge.by_id.get(answer.ids[0]) if is_single else None


def _answer_name(ref: str, knowledge: Knowledge, strings: Strings) -> str:
    """What the answer was about, in words."""
    answer = parse_answer_ref(ref)
    if answer.kind in ("list", "recommend") and answer.group:
        return group_title(answer.group, knowledge)
    names = ", ".join(entry_label(entry_id, knowledge) for entry_id in answer.ids)
    if answer.kind == "unknown":
        return fill_plain(strings["vote_offers"], offers=names) if names else strings["vote_unknown"]
    return names or answer.kind


def _plain_section(text: str) -> Block:
    """A section in plain_text."""
    return {"type": "section", "text": {"type": "plain_text", "text": cut(text, limits.SECTION), "emoji": False}}


# --- reviews


def due_reviews(dashboard: Dashboard) -> list[DueEntry]:
    """The entries that have to be checked."""
    return due_entries(dashboard.knowledge, _today(dashboard), dashboard.complaints, dashboard.history)


def review_rows(dashboard: Dashboard, strings: Strings) -> list[list[Block]]:
    """A row for each entry that has to be checked."""
    return [_review_row(due, dashboard, strings) for due in due_reviews(dashboard)]


def _review_row(due: DueEntry, dashboard: Dashboard, strings: Strings) -> list[Block]:
    """The entry, its owner and dates, and the buttons that open and confirm it. One that was confirmed today can't be again."""
    entry = due.entry
    buttons = [_open_button(entry, strings)]
    if entry.reviewed < _today(dashboard).isoformat():
        buttons.append(_entry_button("still_right", "still_right", entry.id, entry, strings))
    title = line_block([text_element(cut(entry.label, limits.SECTION), bold=True)])
    return [title, context_block(_review_text(due, strings)), *actions_blocks(buttons)]


def _review_text(due: DueEntry, strings: Strings) -> str:
    """The owner, when the entry was checked and has to be, and how many votes say that it is out of date."""
    entry, dates = due.entry, list[str]()
    if entry.reviewed:
        dates.append(fill_plain(strings["review_checked"], date=readable_date(entry.reviewed)))
    if entry.review_by:
        key = "review_past" if due.is_past else "review_soon"
        dates.append(fill_plain(strings[key], date=readable_date(entry.review_by)))
    sentences = [fill_plain(strings["review_owner"], owner=entry.owner)] if entry.owner else []
    sentences += [f"{upper_first(', '.join(dates))}."] if dates else []
    sentences += [fill_plain(strings["review_votes"], count=str(due.votes))] if due.votes else []
    return " ".join(sentences)


def _today(dashboard: Dashboard) -> date:
    return datetime.fromtimestamp(dashboard.now, UTC).date()


# --- changes


def change_rows(dashboard: Dashboard, strings: Strings) -> list[list[Block]]:
    """A row for each batch of edits."""
    batches: dict[str, list[Change]] = {}
    for change in dashboard.history:
        batches.setdefault(change.batch or change.id, []).append(change)
    return [_change_row(batch, dashboard, strings) for batch in batches.values()]


def _change_row(batch: Sequence[Change], dashboard: Dashboard, strings: Strings) -> list[Block]:
    """What was changed, by whom and when, and a button that undoes it."""
    change = batch[0]
    section = _plain_section(describe_edits(batch, dashboard.knowledge, strings))
    label = cut(f"{strings['undo']}: {change_label(change, dashboard.knowledge)}", limits.BUTTON_LABEL)
    if change.batch:
        section["accessory"] = button(strings["undo"], "undo", {"value": change.batch, "accessibility_label": label})
    who, when = user_element(change.by, strings), format_minute(change.at, dashboard.now)
    return [section, line_block(fill(strings["changed_by"], who=who, when=when))]


# --- pilot channels


def pilot_rows(dashboard: Dashboard, strings: Strings) -> list[list[Block]]:
    """A row for each pilot channel."""
    return [_pilot_row(pilot, dashboard, strings) for pilot in dashboard.pilots]


def _pilot_row(pilot: PilotChannel, dashboard: Dashboard, strings: Strings) -> list[Block]:
    """The channel and since when it is a pilot, its figures, and the button that makes its answers public."""
    since = format_day(pilot.since, dashboard.now)
    sentence = fill(strings["trial_since"], channel=channel_element(pilot.channel), since=since)
    public_button = button(strings["trial_off"], "public", {"value": pilot.channel})
    return [line_block((*sentence, *pilot_figures(pilot, strings))), *actions_blocks([public_button])]


def pilot_figures(pilot: PilotChannel, strings: Strings) -> tuple[Block, ...]:
    """The outcomes and votes of a pilot channel, as sentences to be appended to a paragraph."""
    votes = pilot.good + pilot.bad
    figures = {
        "asked": pilot.answered + pilot.offered + pilot.missed,
        "answered": pilot.answered,
        "offered": pilot.offered,
        "missed": pilot.missed,
        "good": pilot.good,
        "bad": pilot.bad,
        "votes": votes,
        "percent": round(100 * pilot.good / votes) if votes else 0,
    }
    values = {name: str(figure) for name, figure in figures.items()}
    precision = strings["trial_precision" if votes else "trial_no_votes"]
    return (*fill(f" {strings['trial_figures']}", **values), *fill(f" {precision}", **values))


def pilot_menu_blocks(strings: Strings) -> list[Block]:
    """The menu that makes another channel a pilot channel."""
    menu = {
        "type": "conversations_select",
        "action_id": "trial:pick",
        "placeholder": plain_text_object(strings["trial_pick"], limits.PLACEHOLDER),
        "filter": {"include": ["public", "private"], "exclude_bot_users": True},
    }
    return actions_blocks([menu])


# --- curators


def curator_menu_blocks(dashboard: Dashboard, viewer: str, strings: Strings, has_chosen: bool) -> list[Block]:
    """The menu in which whoever installed the app names curators, and whom the operator has named; nothing for anybody else.

    Args:
        viewer: who sees it.
        has_chosen: whether the menu shows who is named already. Slack may refuse that of somebody who has left the workspace;
            then a sentence names them.
    """
    curators = dashboard.curators
    if curators is None or not viewer or viewer != curators.installer:
        return []
    named = curators.by_installer[:MAX_CURATORS]
    menu: Block = {
        "type": "multi_users_select",
        "action_id": "curators:pick",
        "placeholder": plain_text_object(strings["curators_pick"], limits.PLACEHOLDER),
        "max_selected_items": MAX_CURATORS,
    }
    if named and has_chosen:
        menu["initial_users"] = list(named)
    # Another block_id each time: otherwise Slack would keep what was chosen before, also where it couldn't be saved.
    block_id = f"curators:{short_hash(str(dashboard.now), *named)}"
    section = _plain_section(f"{strings['curators_who']}\n{strings['curators_what']}")
    lines = [("curators_until_now", named)] if not has_chosen else []
    lines += [("curators_by_operator", curators.by_operator)]
    return [
        section | {"block_id": block_id, "accessory": menu},
        *(line_block(fill(strings[key], names=user_elements(users, strings))) for key, users in lines if users),
    ]


# --- the week


def week_blocks(dashboard: Dashboard, strings: Strings) -> list[Block]:
    """The outcomes of the last seven days as a sentence and as bars, and a button to each day's."""
    counts = _count_outcomes(dashboard.tallies)
    if not counts.total():
        return [context_block(strings["curate_quiet"])]
    return [
        line_block(fill(strings["curate_figures"], **_outcome_values(counts))),
        _bar_block([(strings[f"curate_{outcome}"], counts[outcome]) for outcome in OUTCOMES]),
        *actions_blocks([button(strings["curate_days"], "go:days", {"value": DAYS_PAGE})]),
    ]


def day_blocks(dashboard: Dashboard, strings: Strings, native: bool) -> list[Block]:
    """The same day by day: as Slack's own chart if `native`, else the totals as bars; and a sentence for each day."""
    days = [_today(dashboard) - timedelta(days=age) for age in reversed(range(WEEK))]
    counts = {
        _format_weekday(day): _count_outcomes(tally for tally in dashboard.tallies if tally.day == day.isoformat())
        for day in days
    }
    if not any(day_counts.total() for day_counts in counts.values()):
        return [context_block(strings["curate_quiet"])]
    chart = (
        _chart_block(counts, strings)
        if native
        else _bar_block([(day, day_counts.total()) for day, day_counts in counts.items()])
    )
    items = [
        rich_text_section(*fill(strings["curate_day"], day=day, **_outcome_values(day_counts)))
        for day, day_counts in counts.items()
        if day_counts.total()
    ]
    return [chart, {"type": "rich_text", "elements": rich_text_list(items, "bullet")}]


def _count_outcomes(tallies: Iterable[Tally]) -> Counter[Outcome]:
    counts = Counter[Outcome](dict.fromkeys(OUTCOMES, 0))
    for tally in tallies:
        if tally.outcome in OUTCOMES:
            counts[tally.outcome] += tally.count
    return counts


def _outcome_values(counts: Counter[Outcome]) -> dict[str, str]:
    """The outcomes and their total, to be filled in."""
    return {"asked": str(counts.total()), **{outcome: str(counts[outcome]) for outcome in OUTCOMES}}


def _format_weekday(day: date) -> str:
    return f"{day:%a} {day.day} {day:%b}"


def _bar_block(figures: Sequence[tuple[str, int]]) -> Block:
    """A bar of text for each label and its figure."""
    longest = max(1, *(count for _, count in figures))
    label_width, digits = max(len(label) for label, _ in figures), len(str(longest))
    lines = []
    for label, count in figures:
        bar = "█" * max(round(BAR * count / longest), int(count > 0))
        lines.append(f"{label:{label_width}}  {count:{digits}}  {bar}".rstrip())
    element = {"type": "rich_text_preformatted", "elements": [text_element("\n".join(lines))]}
    return {"type": "rich_text", "elements": [element]}


def _chart_block(counts: Mapping[str, Counter[Outcome]], strings: Strings) -> Block:
    """Slack's own chart: the outcomes of each day side by side."""
    series = [
        {
            "name": cut(strings[f"curate_{outcome}"], limits.CHART_LABEL),
            "data": [{"label": day, "value": day_counts[outcome]} for day, day_counts in counts.items()],
        }
        for outcome in OUTCOMES
    ]
    axis = {"categories": list(counts), "y_label": cut(strings["curate_questions"], limits.CHART_TITLE)}
    chart = {"type": "bar", "series": series, "axis_config": axis}
    return {"type": "data_visualization", "title": cut(strings["curate_chart"], limits.CHART_TITLE), "chart": chart}
