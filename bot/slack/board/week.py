"""The week's figures: as a sentence, as bars, and day by day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

from bot.model import Outcome, Tally
from bot.slack import limits
from bot.slack.blocks import aside, button, rows
from bot.slack.board.drawing import paragraph, section
from bot.slack.board.sentences import fill
from bot.slack.board.values import DAYS, OUTCOMES, Board
from bot.slack.limits import Block, cut
from bot.slack.words import Words

BAR = 24
"""Characters of the longest bar: with its label and number they fit a phone."""
WEEK = 7
"""Days."""


def figures_of(board: Board, words: Words) -> Iterable[Block]:
    """The figures as a sentence and as bars."""
    sums = _sums(board.week)
    if not sums.total():
        yield aside(words["curate_quiet"])
        return
    yield paragraph(
        fill(words["curate_figures"], asked=str(sums.total()), **{each: str(sums[each]) for each in OUTCOMES})
    )
    yield _bars([(words[f"curate_{outcome}"], sums[outcome]) for outcome in OUTCOMES])
    yield from rows([button(words["curate_days"], "go:days", {"value": DAYS})])


def days_of(board: Board, words: Words, native: bool) -> Iterable[Block]:
    """The same day by day: Slack's own chart, or all that was asked as bars; and a sentence for each day."""
    today = datetime.fromtimestamp(board.now, UTC).date()
    days = [(today - timedelta(days=ago)).isoformat() for ago in reversed(range(WEEK))]
    sums = {_weekday(day): _sums(tally for tally in board.week if tally.day == day) for day in days}
    if not any(each.total() for each in sums.values()):
        yield aside(words["curate_quiet"])
        return
    yield _chart(sums, words) if native else _bars([(day, each.total()) for day, each in sums.items()])
    told = [
        section(
            fill(words["curate_day"], day=day, asked=str(each.total()), **{name: str(each[name]) for name in OUTCOMES})
        )
        for day, each in sums.items()
        if each.total()
    ]
    yield {"type": "rich_text", "elements": [{"type": "rich_text_list", "style": "bullet", "elements": told}]}


def _sums(week: Iterable[Tally]) -> Counter[Outcome]:
    sums = Counter[Outcome](dict.fromkeys(OUTCOMES, 0))
    for tally in week:
        if tally.outcome in OUTCOMES:
            sums[tally.outcome] += tally.count
    return sums


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
