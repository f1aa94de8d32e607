"""Many workspaces over one pack: memory of one, a question's time beside one workspace's, and words that reach another.

Each workspace has edits with a word that nobody else has (a canary), and ids of its own. Their members ask by mention, direct
message, command and button: their own edits' phrasings, those of others, and the pack's. One process, the real handlers, engine,
reloader and a SQLite database; only the requests to Slack aren't sent. Then everything that came out is searched: answers, log
lines, /metrics, and a backup of the database.

`--near` prints what is found of an edit without an index of its own, instead.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import random
import re
import sqlite3
import statistics
import tempfile
import time
import tracemalloc
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import click
from slack_bolt.request.async_request import AsyncBoltRequest

from bot.curation.overlay import apply_changes, with_exact_phrases
from bot.curation.reloader import INDEX_FROM, PackReloader
from bot.engine import Engine
from bot.keys import SecretKeys, new_key
from bot.knowledge import load
from bot.model import Change, Question
from bot.serving import COLLECTOR_THRESHOLDS
from bot.settings import read_settings
from bot.slack.admission import AckThenRun
from bot.slack.app import SlackApp, build_app
from bot.slack.logs import Json
from bot.slack.metrics import Metrics
from bot.slack.transport.client import Request, Sent, SlackClient, SlackConfig
from bot.store import Store, StoredInstallation
from bot.store.tables import digest
from bot.text import slug
from bot.understanding import Matcher

ROOT = Path(__file__).parents[1]
MAX_MEMORY, MAX_RATIO = 200.0, 1.3
"""kB a workspace, and a question's time beside the same question where there is one workspace."""
BOT = "U0BOT"
THINGS = (
    "badge laptop desk chair phone parking locker jacket keyboard monitor ticket visa permit camera bicycle".split()
)
PLACES = "berlin madrid oslo dublin prague vienna lisbon warsaw athens geneva".split()
POOL = [f"how do i order the {thing} for {place}" for thing in THINGS for place in PLACES]
"""What edits are about: workspaces share phrasings, and each has an answer of its own."""
TRACE = re.compile(r"qanary[a-z]{4}|[TUCD]0W[0-9]{4}")
"""A word or an id that belongs to one workspace."""
FAILING = 0.002
"""Share of messages at which the engine raises an exception with the workspace's words in it."""
TOKEN = "xoxb-workspace-"  # noqa: S105  a beginning, to search for
KINDS = ("mention", "dm", "command", "press")


@dataclass(frozen=True)
class Workspace:
    """A workspace with what its curators added: answers by phrasing."""

    number: int
    asks: tuple[str, ...]

    @property
    def id(self) -> str:
        return f"T0W{self.number:04d}"

    @property
    def canary(self) -> str:
        return "qanary" + "".join(chr(ord("a") + self.number // 26**place % 26) for place in range(4))

    @property
    def token(self) -> str:
        """The token of its installation, which only its own requests may carry, and which is nowhere in clear."""
        return f"{TOKEN}{self.canary}"

    @property
    def changes(self) -> list[Change]:
        """New answers, and of every ten edits one more phrasing of an answer of the pack and one that is refused."""
        return [self._change(number, ask) for number, ask in enumerate(self.asks)]

    def _change(self, number: int, ask: str) -> Change:
        common: dict[str, Any] = {
            "id": f"{self.id}-{number}",
            "workspace": self.id,
            "by": f"{self.id}:U0W{self.number:04d}",
        }
        if number % 10 == 8:
            return Change(kind="not_ask", text=f"what is {self.canary} number {number}", **common)
        if number % 10 == 9:
            return Change(kind="ask", text=f"which one does {self.canary} use", entry="django", **common)
        title = f"{ask.removeprefix('how do i ').capitalize()} at {self.canary}"
        answer = f"Ask **{self.canary}** about it, on the second floor or by phone. {self.canary} needs two days. " * 2
        return Change(
            kind="entry", entry=slug(title, set(), "answer"), title=title, answer=answer, asks=(ask,), **common
        )

    @property
    def answered(self) -> list[str]:
        """The phrasings that have an answer of the workspace's own."""
        return [ask for number, ask in enumerate(self.asks) if number % 10 < 8]


@dataclass
class Seen:
    """What came out, and what is wrong with it: by where, how many traces of another workspace than the one concerned."""

    leaks: Counter[str] = field(default_factory=Counter)
    unanswered: int = 0
    answers: int = 0

    def search(self, where: str, text: str, owner: Workspace | None = None) -> None:
        """Count what belongs to another workspace than `owner`; without one, all that belongs to any."""
        own = () if owner is None else (owner.canary, f"{owner.number:04d}")
        self.leaks[f"tokens, {where}"] += text.count(TOKEN)
        self.leaks[where] += sum(trace not in own and trace[3:] not in own for trace in TRACE.findall(text))

    def search_line(self, where: str, text: str) -> None:
        """Count what belongs to another workspace than the first one that a line is about."""
        self.leaks[f"tokens, {where}"] += text.count(TOKEN)
        owners = {trace[3:] if trace[1:3] == "0W" else str(number_of(trace)).zfill(4) for trace in TRACE.findall(text)}
        self.leaks[where] += max(0, len(owners) - 1)


def number_of(canary: str) -> int:
    """The number of the workspace whose word this is."""
    return sum((ord(letter) - ord("a")) * 26**place for place, letter in enumerate(canary.removeprefix("qanary")))


def workspaces(number: int, edits: int, seed: int = 16) -> list[Workspace]:
    rng = random.Random(seed)
    return [Workspace(n, tuple(rng.sample(POOL, edits))) for n in range(number)]


class _Lines(logging.Handler):
    """Keeps log lines as they would be written."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        self.setFormatter(Json())

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


class Simulation:
    """The bot of one process, and what its workspaces do."""

    def __init__(self, folder: Path, pack: Path, cache: Path, index_from: int = INDEX_FROM) -> None:
        self.folder, self.rng, self.seen = folder, random.Random(16), Seen()
        self.owners: dict[str, str] = {}
        """By stored id: the workspace of what it was made of."""
        self.store = Store(f"sqlite:///{folder / 'askpy.db'}", hmac_id=self._hmac_id)
        if fault := self.store.prepare():
            raise click.ClickException(fault)
        self.reloader = PackReloader(pack, cache, self.store.changes, index_from=index_from)
        self.reloader.matcher().prepare()
        self.engine, self.metrics = Engine(self.reloader), Metrics()
        self.pack_asks = [ask for entry in self.reloader.knowledge().entries for ask in entry.asks]
        self.posts: list[Mapping[str, Any]] = []
        self.tokens: list[str] = []
        self.lines = _Lines()
        self.times: list[float] = []
        self._number = 0
        self.keys = SecretKeys(new_key())

    def _hmac_id(self, text: str) -> str:
        made = digest(text)
        self.owners[made] = text.partition(":")[0]
        return made

    def add(self, added: Sequence[Workspace]) -> None:
        for workspace in added:
            if self.store.changes.save(workspace.changes) is not None:
                raise click.ClickException("an edit is in another one's way")
            token, user = self.keys.encrypt(workspace.token), f"U0W{workspace.number:04d}"
            installed = StoredInstallation(
                team=workspace.id, bot_token=token, bot="B0BOT", bot_user=BOT, installer=user
            )
            self.store.installations.save(installed)

    def load(self, loaded: Sequence[Workspace]) -> None:
        """Apply the edits of each, as before its first question, and ask one."""
        for workspace in loaded:
            self.reloader.refresh(workspace.id)
            self.engine.answer(Question("how do i lern flsk and qwxyz", workspace=workspace.id))

    # --- messages

    async def run(self, asked: Sequence[Workspace], messages: int) -> None:
        """Send messages of these workspaces, one after the other, and search what comes out."""
        with self._app() as app:
            for _ in range(messages):
                await self._say(app, self.rng.choice(asked))
            await app.context.recorder.flush()
            await app.close(5)
        for line in self.lines.lines:
            self.seen.search_line("logs", line)
        self.lines.lines.clear()

    @contextmanager
    def _app(self) -> Iterator[SlackApp]:
        async def post_once(_: SlackClient, request: Request) -> Sent:
            self.posts.append({"url": request.url, **request.args})
            if request.method:
                self.tokens.append(request.token)
            return Sent()

        secrets = {"bot_token": "", "signing_secret": "none", "client_secret": "none"}  # nothing is sent or received
        config = SlackConfig(client_id="1.2", keys=self.keys, **secrets)
        logger = logging.getLogger()
        level, bot_level = logger.level, logging.getLogger("bot").level
        logger.addHandler(self.lines)
        logging.getLogger("bot").setLevel(logging.DEBUG)
        with mock.patch.object(SlackClient, "post_once", post_once):
            try:
                yield build_app(
                    self.engine,
                    self.store,
                    config,
                    lines=self.reloader.knowledge().voice.lines,
                    reloader=self.reloader,
                    metrics=self.metrics,
                    outbox_options={"pace": 0.0},
                )
            finally:
                logger.removeHandler(self.lines)
                logger.setLevel(level)
                logging.getLogger("bot").setLevel(bot_level)

    async def _say(self, app: SlackApp, workspace: Workspace) -> None:
        """One message, or a press of a button below the answer to it."""
        what = self.rng.choice(("own", "own", "others", "pack", "pack"))
        text = self.rng.choice({"own": workspace.answered, "others": POOL, "pack": self.pack_asks}[what])
        text = self.rng.choice(("{}", "{}", "hi, {} please")).format(text)
        kind = self.rng.choice(KINDS)
        began = time.perf_counter()
        fails = self.rng.random() < FAILING
        with _failing(f"{workspace.canary}: {text}") if fails else nullcontext():
            await self._deliver(app, self._payload(workspace, kind if kind != "press" else "dm", text))
        self.times.append(time.perf_counter() - began)
        posts, self.posts = self.posts, []
        answer = json.dumps(posts)
        if what == "own" and not fails:
            self.seen.unanswered += workspace.canary not in answer
        buttons = [each for post in posts for each in _buttons(post.get("blocks", ()))]
        if kind == "press" and buttons:
            await self._deliver(app, self._press(workspace, self.rng.choice(buttons)))
            answer += json.dumps(self.posts)
            self.posts.clear()
        self.seen.leaks["tokens, of another workspace"] += sum(token != workspace.token for token in self.tokens)
        self.tokens.clear()
        self.seen.answers += bool(posts)
        self.seen.search("answers", answer, workspace)

    async def _deliver(self, app: SlackApp, body: Mapping[str, Any]) -> None:
        response = await app.dispatch(AsyncBoltRequest(mode="socket_mode", body=dict(body)))
        if isinstance(response, AckThenRun):
            response.delivery.written(True)
        while len(app.context.tasks) > app.context.outbox.delayed:
            await asyncio.sleep(0)

    def _payload(self, workspace: Workspace, kind: str, text: str) -> dict[str, Any]:
        self._number += 1
        number, user = f"{workspace.number:04d}", f"U0W{workspace.number:04d}"
        if kind == "command":
            return {
                "command": "/askpy", "text": text, "team_id": workspace.id, "channel_id": f"C0W{number}", "user_id": user,
                "trigger_id": f"{self._number}.1.2", "response_url": f"https://hooks.slack.com/{self._number}",
                }  # fmt: skip
        event = {"user": user, "ts": f"{int(time.time())}.{self._number:06d}"}
        if kind == "mention":
            event |= {"type": "app_mention", "channel": f"C0W{number}", "text": f"<@{BOT}> {text}"}
        else:
            event |= {"type": "message", "channel_type": "im", "channel": f"D0W{number}", "text": text}
        installed = {"enterprise_id": None, "team_id": workspace.id, "user_id": BOT, "is_bot": True}
        return {
            "type": "event_callback", "team_id": workspace.id, "event_id": f"Ev{self._number}", "authorizations": [installed],
            "event": event,
        }  # fmt: skip

    def _press(self, workspace: Workspace, button: Mapping[str, Any]) -> dict[str, Any]:
        self._number += 1
        number, stamp = f"{workspace.number:04d}", f"{int(time.time())}.{self._number:06d}"
        return {
            "type": "block_actions", "team": {"id": workspace.id}, "enterprise": None, "is_enterprise_install": False,
            "user": {"id": f"U0W{number}", "team_id": workspace.id}, "trigger_id": f"{self._number}.1.3",
            "channel": {"id": f"D0W{number}"}, "response_url": f"https://hooks.slack.com/{self._number}",
            "container": {"type": "message", "message_ts": stamp, "channel_id": f"D0W{number}"},
            "message": {"ts": stamp, "text": "an answer", "user": BOT},
            "actions": [{**button, "block_id": "b", "action_ts": stamp}],
        }  # fmt: skip

    # --- what is left

    def search_rest(self, everybody: Sequence[Workspace]) -> None:
        """Search the metrics, and a backup of the database: whose a row is tells its workspace, or an id made of it."""
        self.seen.search("metrics", self.metrics.page()[2].decode())
        by_id = {workspace.id: workspace for workspace in everybody}
        backup = self.folder / "backup.db"
        with closing(sqlite3.connect(self.folder / "askpy.db")) as source, closing(sqlite3.connect(backup)) as copy:
            source.backup(copy)
            copy.row_factory = sqlite3.Row
            for (table,) in copy.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                for row in copy.execute(f"SELECT * FROM {table}"):  # noqa: S608  the database's own names
                    values = [str(value) for value in row]
                    names = set(row.keys())
                    owner = next((row[name] for name in ("workspace", "team") if name in names), None)
                    owner = owner or next((self.owners[value] for value in values if value in self.owners), "")
                    self.seen.search(f"backup, {table}", " ".join(values), by_id.get(owner))


def _failing(text: str) -> Any:
    """A context in which the engine fails, as a fault of ours would make it."""
    return mock.patch.object(Engine, "answer_turn", side_effect=ValueError(text))


def _buttons(blocks: Any) -> Iterator[dict[str, Any]]:
    """The buttons anywhere in some blocks."""
    if isinstance(blocks, list | tuple):
        for block in blocks:
            yield from _buttons(block)
    elif isinstance(blocks, dict):
        if blocks.get("type") == "button" and "value" in blocks:
            yield {key: blocks[key] for key in ("type", "action_id", "value")}
        for value in blocks.values():
            yield from _buttons(value)


# --- figures


def resident() -> float:
    """kB that this process has in memory."""
    return int(Path("/proc/self/statm").read_text("utf-8").split()[1]) * 4096 / 1000


def question_times(
    one: Simulation, many: Simulation, asked: Sequence[Workspace], questions: int
) -> tuple[list[float], list[float]]:
    """Seconds of the same questions to the bot of the first workspace alone and to that of many, in turn."""
    rng, alone, among = random.Random(7), list[float](), list[float]()
    texts = [rng.choice((rng.choice(many.pack_asks), rng.choice(POOL))) for _ in range(questions)]
    for text in texts:
        for simulation, workspace, times in ((one, asked[0], alone), (many, rng.choice(asked), among)):
            began = time.perf_counter()
            simulation.reloader.refresh(workspace.id)
            simulation.engine.answer(Question(text, workspace=workspace.id))
            times.append(time.perf_counter() - began)
    return alone, among


def percentiles(times: Sequence[float]) -> tuple[float, float]:
    """The median and the 99th percentile of seconds, in ms."""
    return statistics.median(times) * 1000, statistics.quantiles(times, n=100)[98] * 1000


def measure(folder: Path, pack: Path, cache: Path, number: int, edits: int, messages: int, questions: int) -> bool:
    """Print the figures; true if all are within their limits."""
    everybody = workspaces(number, edits)
    many, one = Simulation(_made(folder / "many"), pack, cache), Simulation(_made(folder / "one"), pack, cache, 1)
    with closing(many.store), closing(one.store):
        many.add(everybody)
        one.add(everybody[:1])
        one.load(everybody[:1])
        one.reloader.poll()  # alone, it has an index of its own
        many.load(everybody[:1])
        gc.collect()
        gc.freeze()  # as serve does
        gc.set_threshold(*COLLECTOR_THRESHOLDS)
        asyncio.run(one.run(everybody[:1], max(50, messages // 10)))
        before = resident()
        began = time.perf_counter()
        many.load(everybody[1:])
        first = (time.perf_counter() - began) / max(1, number - 1) * 1000
        gc.collect()
        memory = (resident() - before) / max(1, number - 1)
        alone, among = map(percentiles, question_times(one, many, everybody, questions))
        asyncio.run(many.run(everybody, messages))
        many.search_rest(everybody)
        messages_alone, messages_among = percentiles(one.times), percentiles(many.times)
        traced = traced_memory(many, everybody[: min(number, 50)])
        grown = (resident() - before) / max(1, number - 1)
    ratios = [mine / others for mine, others in zip(among, alone, strict=True)]
    leaks, unanswered = sum(many.seen.leaks.values()), many.seen.unanswered
    passed = max(memory, traced) <= MAX_MEMORY and ratios[0] <= MAX_RATIO and ratios[1] <= MAX_RATIO
    passed = passed and not leaks and not unanswered and many.seen.answers == messages
    print(
        f"{number:,} workspaces with {edits} edits each; {messages:,} messages, {many.seen.answers:,} of them answered"
    )
    print(f"a workspace: {memory:.0f} kB resident, {traced:.0f} kB by tracemalloc (at most {MAX_MEMORY:.0f}); applied and asked "
          f"once in {first:.1f} ms; {grown:.0f} kB with all that the messages left in memory")  # fmt: skip
    for what, ours, single in (("question", among, alone), ("message", messages_among, messages_alone)):
        print(
            f"a {what}: p50 {ours[0]:.2f} ms, p99 {ours[1]:.2f} ms; one workspace's {single[0]:.2f} and {single[1]:.2f}"
        )
    print(f"a question beside one workspace's: {ratios[0]:.2f} (p50), {ratios[1]:.2f} (p99), at most {MAX_RATIO}")
    print(f"traces of another workspace: {leaks} (at most 0) {dict(+many.seen.leaks) or ''}")
    print(f"own phrasings without their answer: {unanswered} (at most 0)")
    print("reached" if passed else "MISSED")
    return passed


def traced_memory(simulation: Simulation, loaded: Sequence[Workspace]) -> float:
    """kB of a workspace's overlay by tracemalloc: those of `loaded`, made anew by another reloader's code path."""
    for workspace in loaded:
        simulation.reloader.forget(workspace.id)
        simulation.store.changes.forget(workspace.id)
    gc.collect()
    tracemalloc.start()
    simulation.load(loaded)
    gc.collect()
    traced = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return traced / len(loaded) / 1000


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


# --- without an index


def near(pack: Path, cache: Path) -> None:
    """Print what is found of ten edits: by slips, by the same words in other order, by other words; and by other questions."""
    rows = [json.loads(line) for line in (ROOT / "benchmarks/questions/edits.jsonl").read_text("utf-8").splitlines()]
    changes = [
        Change(
            id=str(number), workspace="T1", kind="entry", entry=f"edit-{number}", title=row["title"], answer="Answer.",
            asks=tuple(row["asks"]),
        )
        for number, row in enumerate(rows)
    ]  # fmt: skip
    knowledge = load(pack, cache)
    base = Matcher.from_knowledge(knowledge, cache)
    edited = apply_changes(knowledge, changes)
    matchers = {
        "without": with_exact_phrases(base, edited, changes),
        "with an index of its own": Matcher.from_knowledge(edited, cache),
    }
    for name, matcher in matchers.items():
        print(name)
        for kind in ("slips", "same_words", "other_words", "others"):
            asked = [(number, text) for number, row in enumerate(rows) for text in row[kind]]
            findings = [(number, matcher.find(text)) for number, text in asked]
            answered = sum(found.kind != "unknown" and found.ids == (f"edit-{number}",) for number, found in findings)
            print(f"  {kind:12} {answered} of {len(asked)} get the edit's answer")
        taken = sum(
            (found := matcher.find(ask)).kind != "unknown" and any(name.startswith("edit-") for name in found.ids)
            for entry in knowledge.entries
            for ask in entry.asks
        )
        print(f"  {taken} of the pack's phrasings")


@click.command(help=__doc__)
@click.option("--workspaces", "number", default=1000, show_default=True)
@click.option("--edits", default=20, show_default=True)
@click.option("--messages", default=20_000, show_default=True)
@click.option("--questions", default=5_000, show_default=True, help="Asked in turn of one workspace's bot and of all.")
@click.option("--near", "only_near", is_flag=True)
def main(number: int, edits: int, messages: int, questions: int, only_near: bool) -> None:
    cache = read_settings().cache_folder
    with tempfile.TemporaryDirectory(prefix="askpy-workspaces-") as folder:
        if only_near:
            near(ROOT / "knowledge", cache or Path(folder))
        elif not measure(Path(folder), ROOT / "knowledge", cache or Path(folder), number, edits, messages, questions):
            raise SystemExit(1)


if __name__ == "__main__":
    main()
