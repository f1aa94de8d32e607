"""The Home tab: curators get their pages of it, everybody else the topics to ask about."""

from __future__ import annotations

from bot.slack.blocks.curation import PAGES
from bot.slack.blocks.views import FIRST_PAGE, home_view
from bot.slack.context import Context
from bot.slack.features.curation.curator_home import is_curator, load_and_publish
from bot.slack.features.curation.edits import Curator
from bot.slack.outgoing import publish_home
from bot.slack.payloads import Payload, action_of, event_of, get_str, team_id_of, user_id_of


async def show_home(context: Context, body: Payload) -> None:
    """Show the Home tab to the person who has opened it or gone to a page of it."""
    visitor, page = _visitor_and_page(body)
    if not visitor.user:
        return
    has_curator_page = page in ("", FIRST_PAGE) or page.partition("@")[0] in PAGES
    if has_curator_page and is_curator(context, visitor):
        await load_and_publish(context, visitor, page)
        return
    await context.refresh(visitor.team)
    view = home_view(context.engine.knowledge_of(visitor.team), page or FIRST_PAGE, context.strings)
    await publish_home(context, visitor.user, view)


def _visitor_and_page(body: Payload) -> tuple[Curator, str]:
    """Who opens the Home tab or goes to a page of it, and the page; an empty user if another tab was opened."""
    event = event_of(body)
    if not event:
        return Curator(team_id_of(body), user_id_of(body)), action_of(body)[1]
    is_home = (get_str(event, "tab") or "home") == "home"
    return Curator(team_id_of(body), get_str(event, "user") if is_home else ""), ""
