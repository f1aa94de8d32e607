"""Votes: whether an answer helped, and what was wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

from bot.slack.answering.letter import Letter
from bot.slack.answering.modals import Modals
from bot.slack.answering.partners import Records
from bot.slack.answering.sending import Sending
from bot.slack.blocks import escape, prose
from bot.slack.chores import is_channel
from bot.slack.foot import Foot, asking_why
from bot.slack.hear import Opened, Replaced, Voted, workspace_of
from bot.slack.words import Words


@dataclass(frozen=True, slots=True)
class Votes:
    """Counts votes. `seal` makes a voter unreadable."""

    records: Records
    words: Words
    sending: Sending
    modals: Modals
    seal: Callable[[str], str]

    def vote(self, voted: Voted | None) -> None:
        """Count a vote, thank for it, and ask what was wrong. The last one of a person counts."""
        if voted is None:
            return
        ballot = voted.ballot
        voter = self.seal(f"{ballot.key}:{voted.asker}")
        workspace = workspace_of(voted.asker)
        on_trial = is_channel(voted.channel) and self.records.in_trial(workspace, voted.channel)
        channel = voted.channel if on_trial else ""
        kept = self.records.vote(ballot.key, voter, ballot.subject, ballot.vote, ballot.reason, workspace, channel)
        bad = kept and ballot.vote == "bad" and not ballot.reason
        if isinstance(voted.place, (Opened, Replaced)):
            lost = "" if kept else self.words["vote_lost"]
            self.modals.show(
                voted.place, voted.asker, Foot(key="", subject="", state="bad" if bad else "voted", note=lost)
            )
            return
        told = self.words["what_was_wrong" if bad else "feedback_thanks" if kept else "vote_lost"]
        blocks = asking_why(ballot.key, ballot.subject, self.words) if bad else prose(told)
        self.sending.send(voted.place, Letter(text=escape(told), draw=lambda _: blocks, key=f"vote:{uuid4()}"))
