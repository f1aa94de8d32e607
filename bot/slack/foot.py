"""What stands under an answer: why it is what it is, whether it helped, and ways to pass it on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from bot.slack.blocks import Layout, aside, button, plain_text, rows
from bot.slack.limits import BUTTON_LABEL, Block
from bot.slack.values import REASONS, Asked, Ballot, Reason, Vote
from bot.slack.words import Words

Passing = Literal["", "share", "reply"]
"""How an answer can be passed on."""
State = Literal["open", "bad", "voted"]
"""What is known of the vote where it can be shown: nothing, that it was bad, all of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Foot:
    """What is needed to go on from an answer; all of it travels in the buttons.

    `key` names the answer among votes. `again` names it for sharing; `why` is empty where the question is nobody's
    business. `unmet`: there is no answer, or only offers. `note` says what has just been done.
    """

    key: str
    subject: str
    why: str = ""
    again: Asked | None = None
    passing: Passing = ""
    state: State = "open"
    note: str = ""
    unmet: Literal["", "offered", "missed"] = ""


def under(foot: Foot | None, layout: Layout, words: Words) -> list[Block]:
    """The rows under an answer; none where there is nothing to go on from."""
    if foot is None:
        return []
    pressed = [_passing(foot.passing, foot.again, words)] if foot.passing and foot.again is not None else []
    native = layout == "cards" and foot.state == "open"
    if foot.state == "open" and not native:
        pressed += [_vote(foot, "good", words), _vote(foot, "bad", words)]
    if foot.why:
        pressed.append(button(words["why"], "why", {"value": Asked(foot.subject, foot.why).write()}))
    return [
        *([aside(foot.note)] if foot.note else []),
        *(asking_why(foot.key, foot.subject, words) if foot.state == "bad" else []),
        *([aside(words["feedback_thanks"])] if foot.state == "voted" else []),
        *_unmet(foot, words),
        *rows(pressed),
        *([_feedback(foot, words)] if native else []),
    ]


def telling(asked: Asked, words: Words) -> Iterator[Block]:
    """The way to hear of the answer as soon as there is one."""
    return rows([button(words["tell"], "tell", {"value": asked.write()})])


def _unmet(foot: Foot, words: Words) -> Iterator[Block]:
    """What can be done where there is no answer yet. It tells of the question, like "why"."""
    if not foot.unmet or not foot.why:
        return
    asked = Asked(foot.subject, foot.why)
    if foot.unmet == "offered":
        yield from rows(
            [
                button(words["none"], "none", {"value": asked.write()}),
                button(words["tell"], "tell", {"value": asked.write()}),
            ]
        )
    else:
        yield from telling(asked, words)


def asking_why(key: str, subject: str, words: Words) -> list[Block]:
    """What was wrong with an answer, as buttons."""
    return [aside(words["what_was_wrong"]), *rows([_reason(key, subject, reason, words) for reason in REASONS])]


def _reason(key: str, subject: str, reason: Reason, words: Words) -> Block:
    value = Ballot(key, subject, "bad", reason).write()
    return button(words[f"reason_{reason}"], f"vote:{reason}", {"value": value})


def _passing(how: str, again: Asked, words: Words) -> Block:
    return button(words[how], how, {"value": again.write()})


def _vote(foot: Foot, vote: Vote, words: Words) -> Block:
    value = Ballot(foot.key, foot.subject, vote).write()
    label = words[f"{_NAMES[vote]}_label"][:BUTTON_LABEL]
    return button(words[_NAMES[vote]], f"vote:{vote}", {"value": value, "accessibility_label": label})


def _feedback(foot: Foot, words: Words) -> Block:
    """Slack's own pair of buttons, for posted messages."""
    pair = {
        "type": "feedback_buttons",
        "action_id": "vote",
        **{
            place: {
                "text": plain_text(words[_NAMES[vote]], BUTTON_LABEL),
                "value": Ballot(foot.key, foot.subject, vote).write(),
                "accessibility_label": words[f"{_NAMES[vote]}_label"][:BUTTON_LABEL],
            }
            for place, vote in _PAIR
        },
    }
    return {"type": "context_actions", "elements": [pair]}


_NAMES: dict[Vote, str] = {"good": "helpful", "bad": "not_helpful"}
_PAIR: tuple[tuple[str, Vote], ...] = (("positive_button", "good"), ("negative_button", "bad"))
