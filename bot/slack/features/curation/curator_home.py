"""The curators' view of the Home tab: their pages, and the results of their edits."""

from __future__ import annotations

from bot.slack.blocks import context_block
from bot.slack.blocks import curation as blocks
from bot.slack.blocks.curation import PAGES, Dashboard, ResultNote
from bot.slack.blocks.views import FIRST_PAGE, View, home_view
from bot.slack.context import Context
from bot.slack.features.curation.edits import Curator, load_dashboard
from bot.slack.outgoing import publish_home
from bot.slack.payloads import join_key


def is_curator(context: Context, curator: Curator) -> bool:
    """Whether this person may curate."""
    return not curator.is_guest and context.curators.contains(curator.team, curator.user)


async def load_and_publish(context: Context, curator: Curator, page: str, note: ResultNote | None = None) -> None:
    """Show a curator's Home tab as it is now."""
    dashboard = await context.run_db(load_dashboard, context, curator.team)
    await publish(context, curator, dashboard, page, note)


async def publish(
    context: Context, curator: Curator, dashboard: Dashboard, page: str, note: ResultNote | None = None
) -> None:
    """Show a curator's Home tab; if Slack refuses its native chart, without that.

    The view is rendered in a worker: a thousand edits take 40 ms. A curator's views are published one after another, so that the
    newest one stays.
    """

    def fallback() -> dict[str, object]:
        return {"user_id": curator.user, "view": _view(context, dashboard, page, note, native=False)}

    position = context.conversations.join(join_key("home", curator.key), order=0.0)
    try:
        await position.wait()
        view = await context.run_in_worker(_view, context, dashboard, page, note, context.layout == "cards")
        await publish_home(context, curator.user, view, fallback)
    finally:
        position.leave()


async def publish_refusal(context: Context, curator: Curator) -> None:
    """Show the Home tab that everybody sees, with the sentence that only curators can do this."""
    await context.refresh(curator.team)
    view = home_view(context.engine.knowledge_of(curator.team), FIRST_PAGE, context.strings)
    view |= {"blocks": [context_block(context.strings["curate_only"]), *view["blocks"]]}
    await publish_home(context, curator.user, view)


def _view(context: Context, dashboard: Dashboard, page: str, note: ResultNote | None, native: bool) -> View:
    if page.partition("@")[0] in PAGES:
        return blocks.page(dashboard, page, context.strings, note, native)
    first_page = home_view(dashboard.knowledge, FIRST_PAGE, context.strings)
    return blocks.home_page(first_page, dashboard, context.strings, note)
