"""The curators' view of the Home tab: their pages, and the results of their edits."""

from __future__ import annotations

from bot.slack.blocks import curation as blocks
from bot.slack.blocks.curation import PAGES, Dashboard, ResultNote, fill, user_element, user_elements
from bot.slack.blocks.limits import Block
from bot.slack.blocks.rich_text import line_block
from bot.slack.blocks.views import FIRST_PAGE, View, home_view
from bot.slack.context import Context
from bot.slack.features.curation.edits import Curator, load_dashboard
from bot.slack.outgoing import publish_home
from bot.slack.payloads import join_key


def is_curator(context: Context, curator: Curator) -> bool:
    """Whether this person may curate."""
    return context.is_curator(curator.team, curator.user, is_guest=curator.is_guest)


def refusal(context: Context, curator: Curator) -> tuple[Block, ...]:
    """The sentence for somebody who may not curate: only curators can do this, and who they are. As rich_text elements."""
    curators, strings = context.curators_of(curator.team), context.strings
    if curator.is_guest or not curators.all:
        return fill(refusal_text(context, curator))
    if not curators.installer:
        return fill(strings["curate_only_operator"], names=user_elements(curators.all, strings))
    installer, *others = curators.all
    return fill(
        strings["curate_only_named" if others else "curate_only_installer"],
        installer=user_element(installer, strings),
        names=user_elements(others, strings),
    )


def refusal_text(context: Context, curator: Curator) -> str:
    """The same without names, for a place that shows none."""
    if context.installation is None:
        return context.strings["curate_only"]
    return context.strings["curate_only_guest" if curator.is_guest else "curate_only_installed"]


async def load_and_publish(context: Context, curator: Curator, page: str, note: ResultNote | None = None) -> None:
    """Show a curator's Home tab as it is now."""
    dashboard = await context.run_db(load_dashboard, context, curator.team)
    await publish(context, curator, dashboard, page, note)


async def publish(
    context: Context, curator: Curator, dashboard: Dashboard, page: str, note: ResultNote | None = None
) -> None:
    """Show a curator's Home tab; if Slack refuses its native chart, or to choose somebody who has left, without that.

    The view is rendered in a worker: a thousand edits take 40 ms. A curator's views are published one after another, so that the
    newest one stays.
    """

    def fallback() -> dict[str, object]:
        return {"user_id": curator.user, "view": _view(context, curator, dashboard, page, note, is_fallback=True)}

    position = context.conversations.join(join_key("home", curator.key), order=0.0)
    try:
        await position.wait()
        view = await context.run_in_worker(_view, context, curator, dashboard, page, note)
        await publish_home(context, curator.user, view, fallback)
    finally:
        position.leave()


async def publish_refusal(context: Context, curator: Curator) -> None:
    """Show the Home tab that everybody sees, with the sentence that only curators can do this."""
    sentence = line_block(refusal(context, curator))
    await context.refresh(curator.team)
    view = home_view(context.engine.knowledge_of(curator.team), FIRST_PAGE, context.strings)
    view |= {"blocks": [sentence, *view["blocks"]]}
    await publish_home(context, curator.user, view)


def _view(
    context: Context,
    curator: Curator,
    dashboard: Dashboard,
    page: str,
    note: ResultNote | None,
    *,
    is_fallback: bool = False,
) -> View:
    if page.partition("@")[0] in PAGES:
        native = context.layout == "cards" and not is_fallback
        return blocks.page(dashboard, page, context.strings, note, native)
    first_page = home_view(dashboard.knowledge, FIRST_PAGE, context.strings)
    has_chosen = not is_fallback
    return blocks.home_page(first_page, dashboard, context.strings, note, viewer=curator.user, has_chosen=has_chosen)
