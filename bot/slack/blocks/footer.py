"""The footer of an answer: the buttons to explain, to vote and to share, and what to do without an answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from bot.slack.blocks.elements import actions_blocks, button, context_block, plain_text_object
from bot.slack.blocks.limits import BUTTON_LABEL, Block
from bot.slack.blocks.render import Layout
from bot.slack.payloads import REASONS, AnswerRef, FeedbackValue, Vote
from bot.slack.strings import Strings

ShareMode = Literal["", "share", "reply"]
"""How a private answer can be shared: not at all, in the channel, or in the message's thread."""
FeedbackState = Literal["open", "asking_reason", "voted"]
"""What is shown of the vote: the buttons, the question for the reason of a complaint, or thanks."""


@dataclass(frozen=True, slots=True)
class FooterState:
    """What a button has changed in a footer: the state of the vote, and a note about what was done."""

    state: FeedbackState = "open"
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerFooter:
    """The footer of one answer.

    Attributes:
        key: identifies the posted answer in votes.
        answer_ref: the answer by ids.
        why: the question that "Why this answer?" explains; empty if others than the asker would see it.
        understood: what that question was understood as in its conversation, for the same button.
        shared: the answer that a share button posts.
        share_mode: which share button there is.
        state: what is shown of the vote.
        note: a line about what was done.
        unanswered: "missed" if there is no answer, "offered" if there are only suggestions.
        can_ask_people: whether an unanswered or wrongly answered question can be put to people.
    """

    key: str
    answer_ref: str
    why: str = ""
    understood: str = ""
    shared: AnswerRef | None = None
    share_mode: ShareMode = ""
    state: FeedbackState = "open"
    note: str = ""
    unanswered: Literal["", "offered", "missed"] = ""
    can_ask_people: bool = False

    @property
    def question_for_people(self) -> str:
        """The question that can be put to people; empty if it can't."""
        return self.why if self.can_ask_people else ""


def footer_blocks(footer: AnswerFooter | None, layout: Layout, strings: Strings) -> list[Block]:
    """The blocks below an answer; none without a footer."""
    if footer is None:
        return []
    has_native_feedback = layout == "cards" and footer.state == "open"
    buttons = []
    if footer.share_mode and footer.shared is not None:
        value = {"value": footer.shared.to_value()}
        buttons.append(button(strings[footer.share_mode], footer.share_mode, value))
    if footer.state == "open" and not has_native_feedback:
        buttons += [_vote_button(footer, "good", strings), _vote_button(footer, "bad", strings)]
    if footer.why:
        buttons.append(
            button(
                strings["why"], "why", {"value": AnswerRef(footer.answer_ref, footer.why, footer.understood).to_value()}
            )
        )
    return [
        *([context_block(footer.note)] if footer.note else []),
        *(_reason_blocks_of(footer, strings) if footer.state == "asking_reason" else []),
        *([context_block(strings["feedback_thanks"])] if footer.state == "voted" else []),
        *_unanswered_blocks(footer, strings),
        *actions_blocks(buttons),
        *([_native_feedback(footer, strings)] if has_native_feedback else []),
    ]


def unanswered_blocks(
    ref: AnswerRef, strings: Strings, *, can_reject: bool = False, can_ask_people: bool = False
) -> list[Block]:
    """The buttons of an unanswered question: to reject what was offered, to put the question to people, and to subscribe to its
    answer. Where nothing was offered, people are what helps most."""
    value = {"value": ref.to_value()}
    person = value if can_reject else value | {"style": "primary"}
    return actions_blocks(
        [
            *([button(strings["none"], "none", value)] if can_reject else []),
            *([button(strings["person"], "person", person)] if can_ask_people else []),
            button(strings["tell"], "tell", value),
        ]
    )


def reason_blocks(vote: FeedbackValue, strings: Strings) -> list[Block]:
    """Asks what was wrong with the answer that got this vote, with a button for each reason, and the one that puts the question
    to people, if the vote has it."""
    buttons = [_reason_button(replace(vote, vote="bad", reason=reason), strings) for reason in REASONS]
    instead = [context_block(strings["person_instead"])] if vote.question else []
    return [context_block(strings["what_was_wrong"]), *actions_blocks(buttons), *instead, *person_blocks(vote, strings)]


def person_blocks(vote: FeedbackValue, strings: Strings) -> list[Block]:
    """The button that puts the question of a voted answer to people; none if the vote doesn't have it."""
    ref = AnswerRef(vote.answer_ref, vote.question)
    return actions_blocks([button(strings["person"], "person", {"value": ref.to_value()})]) if vote.question else []


def _reason_blocks_of(footer: AnswerFooter, strings: Strings) -> list[Block]:
    """The same in the answer's own footer, where an unanswered question has that button anyway."""
    question = "" if footer.unanswered else footer.question_for_people
    return reason_blocks(FeedbackValue(footer.key, footer.answer_ref, "bad", question=question), strings)


def _unanswered_blocks(footer: AnswerFooter, strings: Strings) -> list[Block]:
    """Buttons for an unanswered question. They carry the question, so they are shown only where "why" may be shown."""
    if not footer.unanswered or not footer.why:
        return []
    ref, can_reject = AnswerRef(footer.answer_ref, footer.why), footer.unanswered == "offered"
    return unanswered_blocks(ref, strings, can_reject=can_reject, can_ask_people=footer.can_ask_people)


def _reason_button(vote: FeedbackValue, strings: Strings) -> Block:
    return button(strings[f"reason_{vote.reason}"], f"vote:{vote.reason}", {"value": vote.to_value()})


_VOTE_STRINGS: dict[Vote, str] = {"good": "helpful", "bad": "not_helpful"}


def _vote_button(footer: AnswerFooter, vote: Vote, strings: Strings) -> Block:
    name = _VOTE_STRINGS[vote]
    return button(
        strings[name],
        f"vote:{vote}",
        {
            "value": _vote_value(footer, vote),
            "accessibility_label": strings[f"{name}_label"][:BUTTON_LABEL],
        },
    )


def _vote_value(footer: AnswerFooter, vote: Vote) -> str:
    """The value of a vote's button; only a bad one may lead to people, and needs the question."""
    question = footer.question_for_people if vote == "bad" else ""
    return FeedbackValue(footer.key, footer.answer_ref, vote, question=question).to_value()


def _native_feedback(footer: AnswerFooter, strings: Strings) -> Block:
    """Slack's own pair of feedback buttons, for posted messages."""
    element = {
        "type": "feedback_buttons",
        "action_id": "vote",
        "positive_button": _native_vote(footer, "good", strings),
        "negative_button": _native_vote(footer, "bad", strings),
    }
    return {"type": "context_actions", "elements": [element]}


def _native_vote(footer: AnswerFooter, vote: Vote, strings: Strings) -> Block:
    name = _VOTE_STRINGS[vote]
    return {
        "text": plain_text_object(strings[name], BUTTON_LABEL),
        "value": _vote_value(footer, vote),
        "accessibility_label": strings[f"{name}_label"][:BUTTON_LABEL],
    }
