"""What curators work with, in memory: a store with misses and edits, a small pack with the edits in it, and previews."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from bot.curation.overlay import apply_changes
from bot.curation.preview import Moved, Preview
from bot.model import AskPyError, Change, Complaint, Knowledge, Miss, PilotChannel, Tally
from bot.store import StoredInstallation, StoreError
from bot.text import normalize_phrase
from support.curation_samples import CHANGES, COMPLAINTS, DAY, MISSES, NOW, PILOT, WEEK
from support.slack_samples import (
    SampleDatabase,
    SampleEngine,
    SampleMisses,
    SamplePilots,
    SampleStore,
    SampleTallies,
    SampleVotes,
    knowledge,
)


@dataclass
class CurationMisses(SampleMisses):
    """Misses that curators read."""

    def all(self, workspace: str, limit: int = 300) -> tuple[Miss, ...]:
        own = [miss for miss in self.by_key.values() if miss.workspace == workspace]
        return () if self.database.away else tuple(sorted(own, key=lambda miss: -miss.count)[:limit])


@dataclass
class CurationVotes(SampleVotes):
    """Votes, and the complaints that curators read."""

    bad: list[Complaint] = field(default_factory=list)

    def complaints(self, workspace: str, days: int = 30) -> tuple[Complaint, ...]:
        return () if self.database.away else tuple(self.bad)


@dataclass
class CurationTallies(SampleTallies):
    """Outcomes, and the week that curators read."""

    days: list[Tally] = field(default_factory=list)

    def week(self, workspace: str, days: int = 7) -> tuple[Tally, ...]:
        return () if self.database.away else tuple(self.days)


@dataclass
class CurationPilots(SamplePilots):
    """Pilot channels, each with the same figures."""

    def all(self, workspace: str) -> tuple[PilotChannel, ...]:
        own = [] if self.database.away else sorted(channel for team, channel in self.channels if team == workspace)
        return tuple(replace(PILOT, channel=channel) for channel in own)


@dataclass
class SampleChanges:
    """Edits in their order. `locked`: they can be read, and not written."""

    database: SampleDatabase
    made: list[Change] = field(default_factory=list)
    number: int = 0
    locked: bool = False

    def save(self, changes: Sequence[Change]) -> Change | None:
        if self.database.away or self.locked:
            raise AskPyError("The database is away.")
        for change in changes:
            for before in self.active(change.workspace):
                same = set(map(normalize_phrase, change.phrasings)) & set(map(normalize_phrase, before.phrasings))
                both = change.kind == before.kind in ("entry", "review") and change.entry == before.entry
                if same or (both and (change.kind == "entry" or change.text == before.text)):
                    return before
        self.made += changes
        self.number += 1
        return None

    def undo(self, workspace: str, batch: str) -> bool:
        if self.database.away:
            return False
        kept = [change for change in self.made if (change.workspace, change.batch) != (workspace, batch)]
        won = len(kept) < len(self.made)
        self.made, self.number = kept, self.number + won
        return won

    def active(self, workspace: str) -> tuple[Change, ...]:
        return () if self.database.away else tuple(change for change in self.made if change.workspace == workspace)

    def history(self, workspace: str, limit: int = 20) -> tuple[Change, ...]:
        active = self.active(workspace)
        latest = list(dict.fromkeys(change.batch for change in reversed(active)))[:limit]
        return tuple(change for batch in latest for change in active if change.batch == batch)

    def revision(self, workspace: str, max_age: float = 0.0) -> int:
        return -1 if self.database.away else self.number


@dataclass
class SampleInstallations:
    """Installations. `read` lists whose were read, in order; while the database is away, they are as they were read last."""

    database: SampleDatabase
    by_team: dict[str, StoredInstallation] = field(default_factory=dict)
    read: list[str] = field(default_factory=list)

    def find(self, team: str) -> StoredInstallation | None:
        self.read.append(team)
        return self.by_team.get(team)

    def set_curators(self, team: str, curators: str) -> bool:
        if self.database.away:
            raise StoreError("The database is away.")
        if team in self.by_team:
            self.by_team[team] = replace(self.by_team[team], curators=curators)
        return team in self.by_team


class CurationStore(SampleStore):
    """A store with everything that curators read and write."""

    def __init__(self, misses: Sequence[Miss] = MISSES) -> None:
        super().__init__()
        self.misses: CurationMisses = CurationMisses(self.database, {miss.key: miss for miss in misses})
        self.votes: CurationVotes = CurationVotes(self.database)
        self.tallies: CurationTallies = CurationTallies(self.database)
        self.pilots: CurationPilots = CurationPilots(self.database)
        self.changes = SampleChanges(self.database)
        self.installations = SampleInstallations(self.database)


def full_store() -> CurationStore:
    """A store with something of everything."""
    store = CurationStore()
    store.votes.bad += COMPLAINTS
    store.tallies.days += WEEK
    store.pilots.channels.add(("T0TEAM", "C7"))
    store.changes.made += CHANGES
    store.changes.number = 5
    return store


@dataclass
class SampleReloader:
    """A small pack with the store's changes in it, as they were at the last refresh."""

    store: CurationStore
    base: Knowledge = field(default_factory=knowledge)
    faults: tuple[str, ...] = ()
    version: str = "1"
    loaded_at: float = NOW - DAY
    current: dict[str, Knowledge] = field(default_factory=dict)

    def refresh(self, workspace: str) -> None:
        self.current[workspace] = apply_changes(self.base, self.store.changes.active(workspace))

    def knowledge(self, workspace: str = "") -> Knowledge:
        return self.current.get(workspace, self.base)


class CurationEngine(SampleEngine):
    """Gives sample replies, and the reloader's knowledge."""

    def __init__(self, reloader: SampleReloader) -> None:
        super().__init__()
        self._reloader = reloader

    @property
    def knowledge(self) -> Knowledge:
        return self._reloader.knowledge()

    def knowledge_of(self, workspace: str) -> Knowledge:
        known = self._reloader.knowledge(workspace)
        return replace(known, fingerprint=f"{workspace} {sorted(self.learned)} {known.fingerprint}")


@dataclass
class SamplePreviewer:
    """What an edit would do, as the test says. Remembers the drafts, and how many edits the workspace had before each."""

    store: CurationStore
    faults: tuple[str, ...] = ()
    moved: tuple[Moved, ...] = ()
    boom: bool = False
    drafts: list[tuple[Change, ...]] = field(default_factory=list)
    before: list[int] = field(default_factory=list)

    def __call__(self, workspace: str) -> Callable[[Sequence[Change]], Preview]:
        before = len(self.store.changes.active(workspace))

        def preview(changes: Sequence[Change]) -> Preview:
            self.drafts.append(tuple(changes))
            self.before.append(before)
            if self.boom:
                raise RuntimeError("boom")
            return Preview(self.faults, self.moved, 10)

        return preview
