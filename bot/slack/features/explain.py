"""The button "Why this answer?"."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from bot.model import Facts, Part, Question, Reply, VoiceKey
from bot.slack.blocks import context_block, render_blocks
from bot.slack.context import Context
from bot.slack.outgoing import OutgoingMessage, UpdateModal, private_destination, reply_text, send
from bot.slack.payloads import (
    AnswerRef,
    Payload,
    action_of,
    answer_ref,
    asker_of,
    parse_answer_ref,
    short_hash,
    workspace_of,
)

ROWS_WITH_WORDS: tuple[VoiceKey, ...] = ("why_understood", "why_corrected", "why_out_of_scope", "why_unknown_words")
"""Labels of the evidence's rows that quote a person."""


async def explain(context: Context, body: Payload) -> None:
    """Explain privately why an answer was given: in its modal, or in an ephemeral message."""
    destination = private_destination(body)
    if destination is None:
        return
    action, value = action_of(body)
    ref, asker = AnswerRef.from_value(value), asker_of(body, context.home_team)
    question = Question(ref.question, "command", workspace=workspace_of(asker))
    await context.refresh(question.workspace)
    reply = await context.compute(
        asker, partial(context.engine.explain, question, ref.answer_ref, ref.understood), question.text
    )
    blocks = render_blocks(reply, "classic", context.strings)
    if ref.answer_ref and parse_answer_ref(ref.answer_ref) != parse_answer_ref(answer_ref(reply)):
        blocks.append(context_block(context.strings["why_alone"]))
    key = f"why:{short_hash(value, str(action.get('action_ts')))}"
    if isinstance(destination, UpdateModal):
        destination = replace(destination, back=0)
    await send(context, destination, OutgoingMessage(text=_text(context, reply), render=lambda _: blocks, key=key))


def _text(context: Context, reply: Reply) -> str:
    """The evidence as the argument `text`, without quoting a person."""
    lines = context.engine.knowledge.voice.lines
    labels = {lines.get(key) for key in ROWS_WITH_WORDS}

    def without_words(part: Part) -> Part:
        if not isinstance(part, Facts):
            return part
        rows = ((label, context.strings["your_question"] if label in labels else value) for label, value in part.rows)
        return Facts(tuple(rows))

    return reply_text(replace(reply, parts=tuple(map(without_words, reply.parts))))
