"""All of AskPy in this process, but the network: signed payloads go in by the WSGI front, requests to Slack come out here."""

from __future__ import annotations

import hashlib
import hmac
import io
import logging
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "slack")]

from slack_stub import BOT, BOT_ID, TEAM  # noqa: E402  it lies beside the other stand-ins

from bot.desk import Desk  # noqa: E402
from bot.knowledge import load  # noqa: E402
from bot.match import Matcher  # noqa: E402
from bot.slack.access import Access, Me  # noqa: E402
from bot.slack.app import build_app  # noqa: E402
from bot.slack.http import wsgi  # noqa: E402
from bot.slack.post import Outbox, Outcome, Request, Sent  # noqa: E402
from bot.store import Store  # noqa: E402

SECRET = "a signing secret"
JSON, FORM = "application/json", "application/x-www-form-urlencoded"


class AtOnce(Executor):
    """Runs what is submitted, at once and here."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


class Complaints(logging.Handler):
    """Counts what is logged as a warning or worse, and keeps the first few of each sort."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.count: Counter[str] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        self.count[record.getMessage()[-2000:]] += 1


class Inside:
    """The app; `deliver` stands for Slack, which takes everything unless told otherwise."""

    def __init__(self, folder: Path, deliver: Callable[[Request], Outcome] = lambda _: Sent()) -> None:
        self.complaints = Complaints()
        logging.getLogger().addHandler(self.complaints)
        cache = Path(os.environ.get("ASKPY_CACHE") or folder / "cache")
        knowledge = load(ROOT / "knowledge", cache)
        self.store = Store(f"sqlite:///{folder / 'askpy.db'}")
        self.desk = Desk(Matcher.of(knowledge, cache), self.store)
        access = Access(bot_token="xoxb-inside", app_token="", signing_secret=SECRET, api_url="http://127.0.0.1:9/api/")
        outbox = Outbox(senders=AtOnce(), backoff=(0.0,), pace=0.0)
        self.app = build_app(
            self.desk, self.store, access, lines=knowledge.voice.lines, executor=AtOnce(), outbox=outbox
        )
        outbox.deliver = deliver
        self.app.identity._me = Me(user=BOT, bot=BOT_ID, team=TEAM)
        self.front = wsgi(self.app)
        self.asks = sorted({ask for entry in knowledge.entries for ask in entry.asks})

    def post(self, raw: bytes, kind: str = JSON, **over: str) -> int:
        """Deliver a body, signed; `over` replaces parts of the environment. Returns the status."""
        stamp = str(int(time.time()))
        digest = hmac.new(SECRET.encode(), f"v0:{stamp}:".encode() + raw, hashlib.sha256).hexdigest()
        environ: dict[str, Any] = {
            "REQUEST_METHOD": "POST", "PATH_INFO": "/slack/events", "QUERY_STRING": "", "SERVER_PROTOCOL": "HTTP/1.1",
            "CONTENT_TYPE": kind, "CONTENT_LENGTH": str(len(raw)), "wsgi.input": io.BytesIO(raw),
            "HTTP_X_SLACK_REQUEST_TIMESTAMP": stamp, "HTTP_X_SLACK_SIGNATURE": f"v0={digest}",
        } | over  # fmt: skip
        status: list[str] = []
        body = self.front(environ, lambda line, _: status.append(line))  # type: ignore[arg-type,return-value,func-returns-value]
        b"".join(body)
        return int(status[0].split()[0])


# --- what people write


RARE = "äöüßéñçøłžđ漢字かな한글العربيةעבריתไทย🙂👍🏽\u200b\u202e\x00\ufeff`*_~<>&@#:|()[]{}\"'\\/"


def questions(asks: list[str], seed: int) -> Iterator[str]:
    """Without an end: the pack's own phrasings, the same with slips, words thrown together, and rubbish."""
    dice = random.Random(seed)
    words = sorted({word for ask in asks for word in ask.split()})
    english = (ROOT / "bot" / "match" / "data" / "words.txt").read_text(encoding="utf-8").split()
    while True:
        match dice.randrange(10):
            case 0 | 1 | 2:
                yield dice.choice(asks)
            case 3 | 4 | 5:
                yield slipped(dice, dice.choice(asks))
            case 6:
                yield " ".join(dice.choices(words, k=dice.randint(1, 9)))
            case 7:
                yield " ".join(dice.choices(english, k=dice.randint(1, 14)))
            case 8:
                yield f"{dice.choice(asks)} {dice.choice(['and', 'or', '?', 'but'])} {slipped(dice, dice.choice(asks))}"
            case _:
                yield rubbish(dice, dice.choice((3, 30, 300)))


def slipped(dice: random.Random, text: str) -> str:
    """The text with a slip or three of the finger."""
    letters = list(text)
    for _ in range(dice.randint(1, 3)):
        at = dice.randrange(len(letters)) if letters else 0
        match dice.randrange(4):
            case 0 if letters:
                del letters[at]
            case 1 if letters:
                letters.insert(at, letters[at])
            case 2 if len(letters) > 1:
                other = at - 1
                letters[at], letters[other] = letters[other], letters[at]
            case _:
                letters.insert(at, dice.choice("abcdefghijklmnopqrstuvwxyz "))
    return "".join(letters)


def rubbish(dice: random.Random, length: int) -> str:
    """Any characters at all, those that Unicode leaves alone included."""
    made = []
    for _ in range(dice.randint(0, length)):
        made.append(dice.choice((dice.choice(RARE), chr(dice.randrange(32, 127)), chr(dice.randrange(0x11_0000)))))
    return "".join(made)
