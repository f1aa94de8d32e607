"""Votes: whether an answer was helpful, and what was wrong with it."""

from __future__ import annotations

from bot.slack.blocks import paragraph_blocks
from bot.slack.blocks.footer import FooterState, person_blocks, reason_blocks
from bot.slack.context import Context
from bot.slack.features.modals import show_page
from bot.slack.outgoing import OpenModal, UpdateModal, private_destination, send, text_message
from bot.slack.payloads import FeedbackValue, Payload, action_of, asker_of, channel_of, is_channel, workspace_of


async def vote(context: Context, body: Payload) -> None:
    """Save a vote and thank for it, or ask what was wrong. Only a person's last vote per answer counts."""
    value = FeedbackValue.from_value(action_of(body)[1])
    destination = private_destination(body, replaces_own=True)
    if value is None or destination is None:
        return
    asker = asker_of(body, context.home_team)
    saved = await context.run_db(_save, context, value, asker, channel_of(body))
    asks_reason = saved and value.vote == "bad" and not value.reason
    if isinstance(destination, (OpenModal, UpdateModal)):
        note = "" if saved else context.strings["vote_lost"]
        footer_state = FooterState("asking_reason" if asks_reason else "voted", note)
        await show_page(context, destination, asker, footer_state)
        return
    text = context.strings["what_was_wrong" if asks_reason else "feedback_thanks" if saved else "vote_lost"]
    if asks_reason:
        blocks = reason_blocks(value, context.strings)
    else:
        blocks = [*paragraph_blocks(text), *(person_blocks(value, context.strings) if value.vote == "bad" else [])]
    await send(context, destination, text_message(text, blocks=blocks))


def _save(context: Context, value: FeedbackValue, asker: str, channel: str) -> bool:
    """Save a vote, with an id of the voter that is different for each answer; false if it can't be saved."""
    workspace = workspace_of(asker)
    name = f"{value.key}:{asker}"
    is_pilot = is_channel(channel) and context.store.pilots.contains(workspace, channel)
    return context.store.votes.add(
        value.key,
        context.hmac_id(name),
        value.answer_ref,
        value.vote,
        value.reason,
        workspace,
        channel if is_pilot else "",
        context.former_ids(name),
    )
