"""Registers a handler for every event, command, shortcut, button, modal and menu of the app.

A middleware responds to Slack instead of a listener: Bolt acknowledges an event before its listener runs, so that nothing could
be refused, and checks for other listeners' acknowledgements only every ten milliseconds.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from slack_bolt import BoltResponse
from slack_bolt.async_app import AsyncApp
from slack_bolt.error import BoltUnhandledRequestError

from bot.slack.admission import Overloaded
from bot.slack.context import Context, FollowUpWork, FormResponse, Handler
from bot.slack.features import (
    curation,
    explain,
    feedback,
    help_requests,
    home,
    messages,
    modals,
    notifications,
    sharing,
    show_rest,
)
from bot.slack.logs import format_without_message
from bot.slack.payloads import Payload, asker_of, event_of, get_dict, get_str, join_key, team_id_of
from bot.slack.transport.client import Refused
from bot.store import StoreError

ANYTHING = re.compile(".*", re.DOTALL)

logger = logging.getLogger(__name__)

Middleware = Callable[..., Awaitable[BoltResponse]]


def register(bolt: AsyncApp, context: Context) -> None:
    """Register all of them on the app, and after them a no-op for whatever else Slack sends: without a listener it gets a 404."""

    def on_event(name: Any, middleware: Middleware) -> None:
        bolt.event(name, middleware=[middleware])(_unused)

    def on_action(name: str, handler: Handler) -> None:
        bolt.action(re.compile(rf"^{name}(:|$)"), middleware=[in_background(context, handler)])(_unused)

    on_event("app_mention", messages.answer_middleware(context, messages.read_mention, "ok"))
    on_event("message", messages.answer_middleware(context, messages.read_direct_message, "ok"))
    on_event("app_home_opened", in_background(context, home.show_home))
    on_event(re.compile("^(tokens_revoked|app_uninstalled)$"), _removed(context))
    bolt.command("/askpy", middleware=[messages.answer_middleware(context, messages.read_command)])(_unused)
    bolt.shortcut("ask_message", middleware=[messages.answer_middleware(context, messages.read_shortcut)])(_unused)
    ask_button = messages.answer_middleware(context, messages.read_ask_button)
    bolt.action(re.compile("^ask(:|$)"), middleware=[ask_button])(_unused)
    for name, handler in ACTIONS.items():
        on_action(name, handler)
    bolt.view_submission("search", middleware=[_search(context)])(_unused)
    bolt.view_submission(re.compile("^(means|write)$"), middleware=[_form(context, curation.submit)])(_unused)
    bolt.view_submission("person", middleware=[_form(context, help_requests.submit_form)])(_unused)
    bolt.shortcut("save_answer", middleware=[in_background(context, curation.save_message)])(_unused)
    bolt.options("entry", middleware=[_suggestions(context)])(_unused)
    bolt.event(ANYTHING)(_unused)
    for kind in (bolt.command, bolt.action, bolt.shortcut, bolt.view_submission, bolt.view_closed, bolt.options):
        kind(ANYTHING, middleware=[_acknowledge])(_unused)
    bolt.error(_on_error(context))


ACTIONS: dict[str, Handler] = {
    "why": explain.explain,
    "vote": feedback.vote,
    "rest": show_rest.show_rest,
    "share": sharing.share,
    "reply": sharing.reply_in_thread,
    "tell": notifications.subscribe,
    "none": notifications.none_of_these,
    "person": help_requests.open_form,
    "search": modals.open_search,
    "back": modals.go_back,
    "go": home.show_home,
    "means": curation.open_meaning_form,
    "write": curation.open_answer_form,
    "not_ours": curation.mark_out_of_scope,
    "ignore": curation.ignore,
    "still_right": curation.confirm,
    "undo": curation.undo,
    "public": curation.make_public,
    "trial": curation.make_pilot,
    "curators": curation.name_curators,
    "help_write": curation.write_answer,
    "help_done": curation.answered_here,
    "help_means": curation.choose_meaning,
    "help_not_ours": curation.not_ours,
}
"""Handlers of buttons and menus, by the part of their action_id before the colon."""


def in_background(context: Context, handler: Handler) -> Middleware:
    """A middleware that acknowledges at once and runs the handler as a task."""

    async def middleware(body: dict[str, Any]) -> BoltResponse:
        try:
            local = await context.of_body(body)
        except StoreError:
            return BoltResponse(status=503)
        if local is not None:
            context.tasks.start(run_handler(local, handler, body))
        return BoltResponse(status=200)

    return middleware


async def run_handler(context: Context, handler: Handler, body: dict[str, Any]) -> None:
    """Run the handler of one interaction, within the limits. If it raises, log the traceback and apologise to the person."""
    bot_user, slot = context.identity.user, None
    try:
        slot = context.interactions.acquire(_person(body, context.home_team))
        await handler(context, body)
    except Overloaded:
        if not await curation.say_in_modal(context, body, "busy"):
            await messages.say_busy(context, messages.destination_of(body, bot_user))
    except Exception as error:
        logger.error("A press failed\n%s", format_without_message(error))
        await messages.apologise(context, messages.destination_of(body, bot_user))
    finally:
        if slot is not None:
            slot.release()


async def token_revoked(context: Context, body: Payload) -> None:
    """The app was uninstalled or its token revoked, and nothing can be posted any more; unless that was in another workspace."""
    event = event_of(body)
    if team_id_of(body, context.home_team) != context.home_team:
        return
    if get_str(event, "type") != "app_uninstalled" and not get_dict(event, "tokens").get("bot"):
        return
    context.client.health.note(Refused("token_revoked"), "")


def _removed(context: Context) -> Middleware:
    """Handles the removal of the app. Where it is installed by OAuth, before the acknowledgement: Slack doesn't tell it again."""
    in_one_workspace = in_background(context, token_revoked)

    async def middleware(body: dict[str, Any]) -> BoltResponse:
        if context.teams is None:
            return await in_one_workspace(body=body)
        try:
            await context.teams.remove_by(body)
        except StoreError:
            return BoltResponse(status=503)
        return BoltResponse(status=200)

    return middleware


def _person(body: Payload, home_team: str) -> str:
    """Workspace and member, of an event or an interaction."""
    event = event_of(body)
    return join_key(team_id_of(body, home_team), get_str(event, "user")) if event else asker_of(body, home_team)


def _search(context: Context) -> Middleware:
    """Acknowledges a search with its answer, so that it is shown in the same modal."""

    async def middleware(body: dict[str, Any]) -> BoltResponse:
        local = await context.of_body(body)
        return BoltResponse(status=200, body=await modals.submit_search(local, body) if local is not None else "")

    return middleware


def _form(
    context: Context, submit: Callable[[Context, Payload], Awaitable[tuple[FormResponse, FollowUpWork | None]]]
) -> Middleware:
    """Acknowledges a form with its result, and starts the follow-up work, if there is any."""

    async def middleware(body: dict[str, Any]) -> BoltResponse:
        local = await context.of_body(body)
        if local is None:
            return BoltResponse(status=200)
        response, follow_up = await submit(local, body)
        if follow_up is not None:
            context.tasks.start(follow_up())
        return BoltResponse(status=200, body=response)

    return middleware


def _suggestions(context: Context) -> Middleware:
    async def middleware(body: dict[str, Any]) -> BoltResponse:
        local = await context.of_body(body)
        return BoltResponse(status=200, body=await curation.suggest(local, body) if local is not None else "")

    return middleware


async def _acknowledge() -> BoltResponse:
    return BoltResponse(status=200)


async def _unused() -> None:
    """Never called: the middleware has responded. Bolt requires a listener."""


def _on_error(context: Context) -> Callable[..., Awaitable[BoltResponse | None]]:
    async def on_error(error: Exception, body: dict[str, Any]) -> BoltResponse | None:
        """Log where an exception was raised, and apologise without showing it."""
        if isinstance(error, BoltUnhandledRequestError):
            return BoltResponse(status=404, body="")
        logger.error("A listener failed\n%s", format_without_message(error))
        local = None
        with suppress(StoreError):
            local = await context.of_body(body)
        if local is not None:
            await messages.apologise(local, messages.destination_of(body, local.identity.user))
        return None

    return on_error
