"""From "Ask a person" to a merged patch, by clicks on the stand-in Slack's own page.

Two processes of the bot in Socket Mode over one PostgreSQL; each press and each form goes to the one whose turn it is.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.knowledge import load
from bot.model import Change, HelpRequest
from bot.store import Store
from support import postgres
from support.local_slack import ALICE, BOB, BOT, GENERAL, ROOT, TEAM, Bot, Json, LocalSlack, wait_until
from support.turns import Turns, turns

HERE = Path(__file__).parent
HELP, NAMES = "C02HELP", ("one", "other")
PIANO, EDITED = "is there a piano in the basement", "is there a piano in the basement, and may I play it"
TITLE, ANSWER = "Is there a piano?", "Yes, a **Bechstein**. Play it after six; the key hangs at the reception."
SAYS = "Yes, a Bechstein. Play it after six; the key hangs at the reception."
ASKS = (EDITED, "may I play the piano", "where is the key of the piano")
PROJECTOR = "may I borrow the projector for my wedding"
LASTS_AT_MOST = 120
"""Seconds after which the browser is ended, whatever the test waits for."""


class Page:
    """A browser on local-slack's page, where people click; it keeps a picture of each step."""

    def __init__(self, process: subprocess.Popen[str], pictures: Path) -> None:
        self._process, self._pictures, self._made = process, pictures, 0

    def __call__(self, step: str, *more: str) -> Any:
        """One step of help.mjs; what it has read."""
        assert self._process.stdin
        assert self._process.stdout
        print(json.dumps([step, *more]), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        assert line, f"the browser ended at {step} {more}"
        said = json.loads(line)
        assert "fault" not in said, f"{step} {more}: {said['fault']}"
        return said["seen"]

    def picture(self, name: str) -> None:
        self._made += 1
        path = self._pictures / f"help-{self._made}-{name}.png"
        self("picture", str(path.absolute()))
        assert path.stat().st_size > 10_000


@contextmanager
def browsing(slack: LocalSlack, browser: str, folder: Path) -> Iterator[Page]:
    """A page of this Slack, until the block ends."""
    pictures = Path(os.environ.get("ASKPY_TEST_PICTURES") or folder)
    environment = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ} | {"HOME": str(folder)}
    with (folder / "browser.log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            ["node", "help.mjs", slack.url, browser],
            cwd=HERE,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    watch = threading.Timer(LASTS_AT_MOST, process.kill)
    watch.start()
    try:
        with process:  # at its end the browser has no more steps to wait for
            yield Page(process, pictures)
    finally:
        watch.cancel()
    assert process.returncode == 0, (folder / "browser.log").read_text(encoding="utf-8")


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """A copy of the handbook in a repository of its own."""
    shutil.copytree(ROOT / "tests" / "packs" / "handbook", tmp_path / "repo" / "knowledge")
    _git(tmp_path / "repo", "init", "-q", "-b", "main")
    _commit(tmp_path / "repo", "the pack")
    return tmp_path / "repo" / "knowledge"


def _git(folder: Path, *command: str) -> str:
    who = ("-c", "user.name=Bob", "-c", "user.email=bob@example.org")
    return subprocess.run(["git", *who, *command], cwd=folder, capture_output=True, text=True, check=True).stdout


def _commit(folder: Path, message: str) -> None:
    _git(folder, "add", "-A")
    _git(folder, "commit", "-qm", message)


@dataclass
class Office:
    """Who works together: the people on their page, both processes of the bot, and what the test looks into."""

    page: Page
    slack: LocalSlack
    relay: Turns
    bots: list[Bot]
    store: Store
    stack: ExitStack

    def start(self) -> None:
        """Start both processes at once; they end with the test at the latest."""
        for bot in self.bots:
            bot.launch(self.slack)
            self.stack.callback(bot.process.stop)
        for bot, name in zip(self.bots, NAMES, strict=True):
            bot.process.wait_for(lambda name=name: name in self.relay.connected(), "its WebSocket", 60)

    def stop(self) -> None:
        assert [bot.process.stop() for bot in self.bots] == [0, 0]
        wait_until(lambda: not self.relay.connected(), "the relay to notice")

    def said(self, channel: str, *, thread: str = "", privately: bool = False) -> list[Json]:
        """The bot's messages in a channel, in the order in which they came: in a thread, or in the channel itself."""
        return [
            each
            for each in self.slack.messages(channel)
            if each["user"] == BOT
            and each.get("thread_ts", "") == thread
            and (each.get("subtype") == "ephemeral") == privately
        ]

    def request(self, text: str) -> HelpRequest:
        """The open request with these words."""
        (found,) = [each for each in self.store.help_requests.open_page(None) if each.text == text]
        return found

    def told(self, request: HelpRequest) -> HelpRequest:
        """The request as it is once its asker has been told."""

        def found() -> HelpRequest | None:
            now = self.store.help_requests.find(request.id)
            return now if now is not None and now.told_at else None

        ended = wait_until(found, "the telling")
        assert ended is not None
        return ended


@pytest.fixture
def office(browser: str, pack: Path, tmp_path: Path) -> Iterator[Office]:
    with ExitStack() as stack:
        url = stack.enter_context(postgres.running())
        slack = LocalSlack(tmp_path, "socket", 0, HELP)
        stack.callback(slack.process.stop)
        page = stack.enter_context(browsing(slack, browser, tmp_path))
        relay = stack.enter_context(turns(slack))
        settings = {"DATABASE_URL": url, "ASKPY_KNOWLEDGE": str(pack), "ASKPY_CURATORS": BOB, "ASKPY_CARDS": "classic"}
        bots = []
        for name in NAMES:
            (tmp_path / name).mkdir()
            more = {"SLACK_API_URL": relay.api_url(name), "ASKPY_HELP_CHANNEL": HELP}
            bots.append(Bot(tmp_path / name, "socket", **settings, **more))
        store = Store(url)
        stack.callback(store.close)
        made = Office(page, slack, relay, bots, store, stack)
        made.start()
        yield made


@pytest.mark.skipif(not postgres.is_installed(), reason=postgres.INSTALL)
def test_from_ask_a_person_to_a_merged_patch(office: Office, pack: Path, tmp_path: Path) -> None:
    alice_asks(office)
    change = bob_answers(office)
    alice_is_told(office)
    answered_here_counts_once(office)
    the_answer_goes_into_the_pack(office, change, pack, tmp_path)
    the_next_person_gets_it(office)

    assert office.page("faults") == []
    threads = [each["ts"] for each in office.slack.messages(GENERAL) if "thread_ts" not in each]
    said = [[json.dumps(each["blocks"]) for each in office.said(GENERAL, thread=each)] for each in threads]
    assert [len(each) for each in said] == [2, 2, 1], "an answer to each question, and one telling of both requests"
    assert "has answered your question." in said[0][1]
    assert " says that your question has been answered in " in said[1][1]
    assert len(office.said(HELP)) == 2
    assert {each["id"] for each in office.slack.control("state")["channels"]} == {GENERAL, HELP}, (
        "nobody got a direct message"
    )
    assert min(office.relay.given[name, "interactive"] for name in NAMES) == 5
    office.stop()
    for log in (bot.process.text for bot in office.bots):
        assert "answer_log" in log
        assert [word for word in ("Traceback", "the piano", "projector", "Bechstein", "xoxb") if word in log] == []


def alice_asks(office: Office) -> None:
    """Alice asks in #general what the pack doesn't answer, and puts it to people in other words."""
    page = office.page
    ask_a_person(page, PIANO, EDITED)
    page.picture("posted")
    page("press", "modal", "Close")
    request = office.request(EDITED)
    (asked,) = [each["ts"] for each in office.slack.messages(GENERAL) if each["user"] == ALICE]
    (post,) = office.said(HELP)
    assert (request.asker, request.channel, request.ts) == (ALICE, HELP, post["ts"])
    assert (request.origin_channel, request.origin_thread) == (GENERAL, asked)
    assert (request.outcome, request.told_at) == ("", 0)
    assert len(office.said(GENERAL, thread=asked)) == 1


def ask_a_person(page: Page, question: str, edited: str = "") -> None:
    """As Alice ask the bot in #general what it doesn't know, and put that to people."""
    page("be", "Alice Adler")
    page("channel", "general")
    page("mention", question)
    page("thread", question)
    page("read", "thread", "I don't have an answer to that.")
    page("press", "thread", "Ask a person")
    page("read", "modal", "I'll post it in #help in the name of @Alice Adler")
    assert page("typed", "Your question") == question
    if edited:
        page.picture("form")
        page("type", "Your question", edited)
    page("press", "modal", "Post")
    page("read", "modal", "Posted in #help.")


def bob_answers(office: Office) -> Change:
    """Bob, a curator, writes an answer from the post in #help."""
    page, request = office.page, office.request(EDITED)
    page("be", "Bob Berger")
    page("channel", "help")
    assert "@Alice Adler asks:" in page("read", "main", EDITED)
    page.picture("post")
    page("press", "main", "Answer")
    page("read", "modal", "New answer")
    assert [page("typed", label) for label in ("Title", "Answer", "How people ask it")] == [EDITED, "", EDITED]
    page("type", "Title", TITLE)
    page("type", "Answer", ANSWER)
    page("type", "How people ask it", "⏎".join(ASKS))
    page("press", "modal", "Check")
    page("read", "modal", "No other answer would change.")
    page.picture("checked")
    assert office.store.changes.active(TEAM) == ()
    page("press", "modal", "Save")
    page("read", "modal", "Saved and live now.")
    page.picture("saved")
    page("press", "modal", "Close")
    page("read", "main", f"Answered by @Bob Berger, and from now on by me: “{TITLE}”")
    page.picture("answered")
    (change,) = office.store.changes.active(TEAM)
    assert (change.title, change.answer, change.asks) == (TITLE, ANSWER, ASKS)
    ended = office.told(request)
    assert (ended.outcome, ended.by, ended.answer) == ("entry", BOB, f"topic||{change.entry}")
    return change


def alice_is_told(office: Office) -> None:
    """Alice sees the answer in the thread where she asked, once."""
    page = office.page
    page("be", "Alice Adler")
    page("channel", "general")
    page("thread", PIANO)
    assert SAYS in page("read", "thread", "@Alice Adler: @Bob Berger has answered your question.")
    page.picture("told")
    assert page("count", "thread", SAYS) == 1


def answered_here_counts_once(office: Office) -> None:
    """Another question's button is pressed by Bob, twice at once, and then by Alice, on a page that hears of nothing."""
    page = office.page
    ask_a_person(page, PROJECTOR)
    page("press", "modal", "Close")
    request = office.request(PROJECTOR)
    page("be", "Bob Berger")
    page("channel", "help")
    page("read", "main", PROJECTOR)
    page("hold")
    page("pressTwice", "main", "Answered here")
    wait_until(lambda: len(office.said(HELP, privately=True)) == 2, "an answer to each press")
    page("be", "Alice Adler")
    page("press", "main", "Answered here")
    wait_until(lambda: len(office.said(HELP, privately=True)) == 3, "an answer to the third press")
    page("release")
    page("read", "main", "Answered in this thread, says @Bob Berger.")
    page.picture("answered-here")
    private = [json.dumps(each["blocks"]) for each in office.said(HELP, privately=True)]
    assert sum("Thank you. I'm telling whoever asked." in each for each in private) == 1
    assert sum("Answered in this thread, says " in each for each in private) == 2
    assert [each["ephemeral_to"] for each in office.said(HELP, privately=True)] == [BOB, BOB, ALICE]
    ended = office.told(request)
    assert (ended.outcome, ended.by) == ("thread", BOB)

    page("channel", "general")
    page("thread", PROJECTOR)
    page(
        "read", "thread", "@Alice Adler: @Bob Berger says that your question has been answered in #help. Read it there"
    )
    page.picture("told-where")
    page("follow", "Read it there")
    page("read", "main", PROJECTOR)
    assert page("title") == "# help"


def the_answer_goes_into_the_pack(office: Office, change: Change, pack: Path, folder: Path) -> None:
    """Bob makes a branch of the exported patch, which is merged; both processes begin anew with the pack."""
    clone = folder / "clone"
    patch, notes = export(office, folder)
    assert "1 change exported." in notes
    (folder / "help.patch").write_text(patch, encoding="utf-8")
    _git(folder, "clone", "-q", str(pack.parent), str(clone))
    _git(clone, "switch", "-qc", "piano")
    _git(clone, "apply", str(folder / "help.patch"))
    _commit(clone, "An answer: is there a piano?")
    assert _git(clone, "diff", "--numstat", "main").split()[1] == "0", "lines were only added"
    _git(clone, "push", "-q", "origin", "piano")
    office.stop()
    _git(pack.parent, "merge", "-q", "--no-ff", "-m", "Merge: a piano", "piano")
    office.start()
    patch, notes = export(office, folder)
    assert (patch, notes.splitlines()[-1]) == ("", "Nothing is left to export.")
    assert load(pack).by_id[change.entry].asks == ASKS


def export(office: Office, folder: Path) -> tuple[str, str]:
    """What `export` writes to stdout and to stderr, with the settings of a process."""
    names = ("DATABASE_URL", "ASKPY_KNOWLEDGE")
    settings = {name: office.bots[0].settings[name] for name in names}
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(ROOT)} | settings
    command = [sys.executable, "-m", "bot", "export"]
    ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return ran.stdout, ran.stderr


def the_next_person_gets_it(office: Office) -> None:
    """Bob asks in #general, and has the answer at once."""
    page = office.page
    page("channel", "general")
    page("be", "Bob Berger")
    page("mention", ASKS[1])
    page("thread", ASKS[1])
    page("read", "thread", SAYS)
    page.picture("merged")
