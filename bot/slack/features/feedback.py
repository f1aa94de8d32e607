"""Votes: whether an answer helped, and what was wrong with it."""

from __future__ import annotations

from bot.slack.blocks import paragraph_blocks
from bot.slack.blocks.footer import AnswerFooter, reason_blocks
from bot.slack.context import Context
from bot.slack.features.modals import show_page
from bot.slack.outgoing import OpenModal, UpdateModal, private_destination, send, text_message
from bot.slack.payloads import FeedbackValue, Payload, action_of, asker_of, channel_of, is_channel, workspace_of


async def vote(context: Context, body: Payload) -> None:
    """Count a vote, thank for it, and ask what was wrong with a bad answer. Of one person and answer the last vote counts."""
    value = FeedbackValue.from_value(action_of(body)[1])
    destination = private_destination(body, replaces_own=True)
    if value is None or destination is None:
        return
    asker = asker_of(body)
    saved = await context.run_db(_save, context, value, asker, channel_of(body))
    asks_reason = saved and value.vote == "bad" and not value.reason
    if isinstance(destination, (OpenModal, UpdateModal)):
        note = "" if saved else context.strings["vote_lost"]
        over = AnswerFooter(key="", answer_ref="", state="bad" if asks_reason else "voted", note=note)
        await show_page(context, destination, asker, over)
        return
    text = context.strings["what_was_wrong" if asks_reason else "feedback_thanks" if saved else "vote_lost"]
    blocks = reason_blocks(value.key, value.answer_ref, context.strings) if asks_reason else paragraph_blocks(text)
    await send(context, destination, text_message(text, blocks=blocks))


def _save(context: Context, value: FeedbackValue, asker: str, channel: str) -> bool:
    """Write a vote down, under a voter's name that can't be linked to another answer's; false if that wasn't possible."""
    workspace = workspace_of(asker)
    voter = context.hmac_id(f"{value.key}:{asker}")
    is_pilot = is_channel(channel) and context.store.pilots.contains(workspace, channel)
    return context.store.votes.add(
        value.key, voter, value.answer_ref, value.vote, value.reason, workspace, channel if is_pilot else ""
    )
