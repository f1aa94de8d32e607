"""The Home tab as everybody sees it. What curators see of it beside that is in `features.curation`."""

from __future__ import annotations

from bot.slack.blocks.views import FRONT, home_view
from bot.slack.context import Context
from bot.slack.outgoing import publish_home


async def show_home(context: Context, workspace: str, user: str, page: str = FRONT) -> None:
    """Show a page of the Home tab to a member of a workspace: what to ask, and all there is to look around in."""
    if not user:
        return
    await context.refresh(workspace)
    await publish_home(context, user, home_view(context.engine.knowledge_of(workspace), page, context.strings))
