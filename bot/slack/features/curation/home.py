"""The Home tab: curators see their pages of it, everybody else what there is to ask."""

from __future__ import annotations

from bot.slack.blocks import context_block
from bot.slack.blocks import curation as blocks
from bot.slack.blocks.curation import PAGES, Dashboard, Note
from bot.slack.blocks.views import FRONT, View, home_view
from bot.slack.context import Context
from bot.slack.features import home
from bot.slack.features.curation.edits import Curator, load_dashboard
from bot.slack.outgoing import publish_home
from bot.slack.payloads import Payload, action_of, event_of, get_str, team_id_of, user_id_of


async def show_home(context: Context, body: Payload) -> None:
    """Show the Home tab to who has opened it, or turns a page of it."""
    curator, page = _visit(body)
    if not curator.user:
        return
    is_theirs = page in ("", FRONT) or page.partition("@")[0] in PAGES
    if is_theirs and is_curator(context, curator):
        await load_and_publish(context, curator, page)
    else:
        await home.show_home(context, curator.team, curator.user, page or FRONT)


def is_curator(context: Context, curator: Curator) -> bool:
    """Whether this person may curate."""
    return context.curators.contains(curator.team, curator.user)


async def load_and_publish(context: Context, curator: Curator, page: str, note: Note | None = None) -> None:
    """Show a curator's Home tab as it is now."""
    dashboard = await context.run_db(load_dashboard, context, curator.team)
    await publish(context, curator, dashboard, page, note)


async def publish(
    context: Context, curator: Curator, dashboard: Dashboard, page: str, note: Note | None = None
) -> None:
    """Show a curator's Home tab; without Slack's own chart where Slack refuses it.

    The view is rendered in a thread: a thousand edits take 40 ms.
    """

    def fallback() -> dict[str, object]:
        return {"user_id": curator.user, "view": _view(context, dashboard, page, note, native=False)}

    view = await context.run_in_thread(_view, context, dashboard, page, note, context.layout == "cards")
    await publish_home(context, curator.user, view, fallback)


async def publish_refusal(context: Context, curator: Curator) -> None:
    """Say that this is for curators, and show what everybody sees."""
    await context.refresh(curator.team)
    view = home_view(context.engine.knowledge_of(curator.team), FRONT, context.strings)
    view |= {"blocks": [context_block(context.strings["curate_only"]), *view["blocks"]]}
    await publish_home(context, curator.user, view)


def _view(context: Context, dashboard: Dashboard, page: str, note: Note | None, native: bool) -> View:
    if page.partition("@")[0] in PAGES:
        return blocks.page(dashboard, page, context.strings, note, native)
    front = home_view(dashboard.knowledge, FRONT, context.strings)
    return blocks.front(front, dashboard, context.strings, note)


def _visit(body: Payload) -> tuple[Curator, str]:
    """Who opens the Home tab, or presses a button that leads to a page of it; nobody where it is another tab."""
    event = event_of(body)
    if not event:
        return Curator(team_id_of(body), user_id_of(body)), action_of(body)[1]
    is_home = (get_str(event, "tab") or "home") == "home"
    return Curator(team_id_of(body), get_str(event, "user") if is_home else ""), ""
