"""The Home tab: curators get their pages of it, everybody else the topics to ask about."""

from __future__ import annotations

from bot.slack.blocks.curation import PAGES
from bot.slack.blocks.views import FIRST_PAGE, home_view
from bot.slack.context import Context
from bot.slack.features.curation.curator_home import is_curator, load_and_publish
from bot.slack.features.curation.edits import Curator
from bot.slack.outgoing import publish_home
from bot.slack.payloads import Payload, action_of, event_of, get_str


async def show_home(context: Context, body: Payload) -> None:
    """Show the Home tab to the person who has opened it or gone to a page of it."""
    event, visitor, (_, page) = event_of(body), Curator.from_body(body, context.home_team), action_of(body)
    is_other_tab = bool(event) and (get_str(event, "tab") or "home") != "home"
    if is_other_tab or not visitor.user:
        return
    has_curator_page = page in ("", FIRST_PAGE) or page.partition("@")[0] in PAGES
    if has_curator_page and is_curator(context, visitor):
        await load_and_publish(context, visitor, page)
        return
    await context.refresh(visitor.team)
    view = home_view(context.engine.knowledge_of(visitor.team), page or FIRST_PAGE, context.strings)
    await publish_home(context, visitor.user, view)
