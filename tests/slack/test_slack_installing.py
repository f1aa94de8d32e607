"""Installing into many workspaces: the flow, whose token is used, rotation, and removing."""

from __future__ import annotations

import asyncio
import html
import http.client
import itertools
import json
import logging
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slack_sdk.errors import SlackApiError

from bot.keys import SecretKeys, new_key
from bot.slack import installations
from bot.slack.installations import (
    FAILURES,
    INSTALL,
    MAX_CALLBACKS,
    ROTATE_BEFORE,
    InstalledTeams,
    _States,
    team_candidates,
)
from bot.slack.manifest import REDIRECT
from bot.slack.transport.client import SlackConfig
from bot.slack.transport.notices import Notices
from bot.store import Store, StoredInstallation
from bot.store.installations import PURGE_AFTER, STATE_LASTS
from support.slack_app import PATIENCE, SECRET, Door, MakeDoor
from support.slack_steps import posted
from support.slack_stub import Fault, Stub
from support.stores import Clock

KEY = new_key()


class OAuthStub(Stub):
    """Slack, which gives each code a workspace's token: the code "T1" is for the workspace T1, "E1" for an organisation."""

    def __init__(self) -> None:
        super().__init__()
        self.given = 0
        self.expires_in = 0

    def success(self, method: str) -> dict[str, object]:
        if method != "oauth.v2.access":
            return super().success(method)
        args = self.calls[-1].args
        self.given += 1
        code = str(args.get("code") or "T1")
        is_org = code.startswith("E")
        answer: dict[str, object] = {
            "ok": True,
            "access_token": f"xoxb-{code}-{self.given}",
            "token_type": "bot",
            "scope": "app_mentions:read,chat:write,commands,im:history",
            "bot_user_id": f"UBOT{code}",
            "app_id": "A1",
            "team": None if is_org else {"id": code, "name": f"Team <{code}>"},
            "enterprise": {"id": code, "name": f"Org {code}"} if is_org else None,
            "is_enterprise_install": is_org,
            "authed_user": {"id": f"U0INSTALLER{code}"},
        }
        if self.expires_in:
            answer |= {"refresh_token": f"xoxe-{self.given}", "expires_in": self.expires_in}
        return answer


@pytest.fixture
def oauth() -> Iterator[OAuthStub]:
    stub = OAuthStub()
    yield stub
    stub.close()


def config_of(stub: Stub, key: str = KEY) -> SlackConfig:
    return SlackConfig(
        bot_token="",
        signing_secret=SECRET,
        api_url=stub.url,
        client_id="1.2",
        client_secret="hush",
        keys=SecretKeys(key),
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path}/s.db")
    yield store
    store.close()


@pytest.fixture
def door(oauth: OAuthStub, store: Store, make_door: MakeDoor) -> Door:
    return make_door(oauth, store=store, config=config_of(oauth))


def get(door: Door, path: str, cookie: str = "") -> tuple[int, str, dict[str, str]]:
    """Status, body and headers of a browser's request."""
    connection = http.client.HTTPConnection("127.0.0.1", door.port, timeout=PATIENCE)
    try:
        connection.request("GET", path, headers={"Cookie": cookie} if cookie else {})
        response = connection.getresponse()
        return response.status, response.read().decode(), {name.lower(): value for name, value in response.getheaders()}
    finally:
        connection.close()


def begin(door: Door) -> tuple[str, str]:
    """Open the page; the state of its link to Slack, and the browser's cookie."""
    status, page, headers = get(door, INSTALL)
    assert status == 200
    link = re.findall(r'href="([^"]+)"', page)[0].replace("&amp;", "&")
    query = parse_qs(urlsplit(link).query)
    assert (urlsplit(link).path, query["client_id"]) == ("/oauth/v2/authorize", ["1.2"])
    assert query["scope"] == ["app_mentions:read,chat:write,commands,im:history"]
    return query["state"][0], headers["set-cookie"].partition(";")[0]


def come_back(door: Door, code: str, state: str, cookie: str) -> tuple[int, str]:
    status, page, _ = get(door, f"{REDIRECT}?{urlencode({'code': code, 'state': state})}", cookie)
    return status, page


def install(door: Door, code: str) -> str:
    """Install into a workspace by two clicks; the page."""
    status, page = come_back(door, code, *begin(door))
    assert status == 200, page
    return page


def mention(door: Door, team: str, text: str = "topic", **more: object) -> int:
    event = {
        "type": "app_mention",
        "user": "U1",
        "channel": f"C{team}",
        "ts": door.ts(),
        "text": f"<@UBOT{team}> {text}",
    }
    authorization = {"team_id": team, "enterprise_id": None, "is_enterprise_install": False}
    body = {"type": "event_callback", "team_id": team, "authorizations": [authorization], "event": event}
    return door.json(body | more)


def tokens(stub: Stub) -> list[str]:
    """Those with which messages were posted."""
    return [call.token for call in stub.calls if call.method == "chat.postMessage"]


# --- installing


def test_two_workspaces_are_installed_and_answered_side_by_side(door: Door, oauth: OAuthStub, store: Store) -> None:
    assert "Team &lt;T1&gt;" in install(door, "T1")
    install(door, "T2")
    for team in ("T1", "T2", "T1"):
        assert mention(door, team) == 200
    assert tokens(oauth) == ["xoxb-T1-1", "xoxb-T2-2", "xoxb-T1-1"]
    assert [post["channel"] for post in posted(oauth)] == ["CT1", "CT2", "CT1"]
    assert [question.text for question in door.engine.asked] == ["topic"] * 3
    assert [question.workspace for question in door.engine.asked] == ["T1", "T2", "T1"]
    assert [(each.team, each.installer) for each in store.installations.all()] == [
        ("T1", "U0INSTALLERT1"),
        ("T2", "U0INSTALLERT2"),
    ]


def test_tokens_are_encrypted_in_the_database(door: Door, tmp_path: Path, oauth: OAuthStub) -> None:
    oauth.expires_in = 43_200
    install(door, "T1")
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("s.db*"))
    assert b"U0INSTALLERT1" in stored
    assert [secret for secret in (b"xoxb-T1", b"xoxe-", b"hush", KEY.encode()) if secret in stored] == []


def test_a_workspace_that_is_not_installed_gets_nothing_and_its_delivery_is_taken(
    door: Door, oauth: OAuthStub, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    assert mention(door, "T1") == 200
    assert door.command("topic", team_id="T1") == 200
    assert (posted(oauth), oauth.of("hook")) == ([], [])
    assert "1 payload from a workspace in which the app isn't installed" in caplog.text


@pytest.mark.parametrize(
    ("change", "status", "reason"),
    [
        (lambda state, cookie: (state, ""), 400, "invalid_browser"),
        (lambda state, cookie: (state, cookie.replace(state, "0" * len(state))), 400, "invalid_browser"),
        (lambda state, cookie: (f"{state[:-1]}x", f"{cookie[:-1]}x"), 401, "invalid_state"),
        (lambda state, cookie: ("", cookie), 400, "invalid_browser"),
    ],
)
def test_a_state_belongs_to_its_browser(
    change: Callable[[str, str], tuple[str, str]], status: int, reason: str, door: Door, store: Store
) -> None:
    state, cookie = change(*begin(door))
    got, page = come_back(door, "T1", state, cookie)
    assert (got, html.escape(FAILURES[reason]) in page) == (status, True), page
    assert store.installations.all() == []


def test_no_state_is_used_twice(door: Door, oauth: OAuthStub) -> None:
    state, cookie = begin(door)
    assert [come_back(door, "T1", state, cookie)[0] for _ in range(2)] == [200, 401]
    results: list[int] = []
    state, cookie = begin(door)
    threads = [
        threading.Thread(target=lambda: results.append(come_back(door, "T1", state, cookie)[0]))
        for _ in range(MAX_CALLBACKS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [200, *[401] * (MAX_CALLBACKS - 1)]
    assert oauth.given == 2


def test_a_state_is_good_for_ten_minutes(store: Store) -> None:
    clock = Clock()

    async def run_db(work: Callable[..., object], *args: object) -> object:
        return work(*args)

    async def is_good(after: float) -> bool:
        states = _States(store, SecretKeys(KEY), run_db, clock)
        state = await states.async_issue()
        clock.now += after
        return await states.async_consume(state)

    assert [asyncio.run(is_good(after)) for after in (STATE_LASTS, STATE_LASTS + 1, -1)] == [True, False, False]


def test_who_does_not_allow_it_and_codes_that_slack_refuses(door: Door, oauth: OAuthStub, store: Store) -> None:
    assert html.escape(FAILURES["access_denied"]) in get(door, f"{REDIRECT}?error=access_denied")[1]
    assert get(door, f"{REDIRECT}?error=%3Cscript%3E")[1].count("<script>") == 0
    assert (
        "(invalid_team_for_non_distributed_app)"
        in get(door, f"{REDIRECT}?error=invalid_team_for_non_distributed_app")[1]
    )
    oauth.fail("oauth.v2.access", Fault(error="invalid_code"))
    status, page = come_back(door, "T1", *begin(door))
    assert (status, html.escape(FAILURES["invalid_code"]) in page) == (401, True)
    oauth.fail("oauth.v2.access", Fault(reset=True))
    assert come_back(door, "T1", *begin(door))[0] == 502
    assert store.installations.all() == []


def test_the_pages_carry_nothing_of_others(door: Door) -> None:
    for path in (INSTALL, REDIRECT):
        _, page, headers = get(door, path)
        assert "default-src 'none'" in headers["content-security-policy"]
        assert re.findall(r"(?:src|href)=[\"'](https?://(?!127\.0\.0\.1)[^\"']+)", page) == []


def test_other_methods_are_refused_and_without_the_settings_there_is_no_page(
    door: Door, make_door: MakeDoor, stub: Stub
) -> None:
    assert door.request(b"", method="POST", path=INSTALL) == 405
    assert get(make_door(stub), INSTALL)[0] == 404


# --- whose payload it is


def test_an_organisation_has_one_token_and_each_of_its_workspaces_its_own_answers(door: Door, oauth: OAuthStub) -> None:
    install(door, "E1")
    authorization = {"team_id": None, "enterprise_id": "E1", "is_enterprise_install": True}
    for team in ("T5", "T6"):
        authorization = {"team_id": team, "enterprise_id": "E1", "is_enterprise_install": True}
        assert mention(door, team, authorizations=[authorization], is_enterprise_install=True) == 200
    assert tokens(oauth) == ["xoxb-E1-1"] * 2
    assert [question.workspace for question in door.engine.asked] == ["T5", "T6"]
    assert sorted(door.store.installations.teams_of("E1")) == ["T5", "T6"]


def test_a_shared_channel_is_answered_by_the_workspace_that_is_authorized(door: Door, oauth: OAuthStub) -> None:
    for team in ("T1", "T2"):
        install(door, team)
    assert mention(door, "T1", team_id="T2") == 200
    assert tokens(oauth) == ["xoxb-T1-1"]
    assert door.engine.asked[-1].workspace == "T1"
    press = {"type": "block_actions", "user": {"id": "U9", "team_id": "T2"}, "team": {"id": "T1"}, "api_app_id": "A1"}
    assert next(filter(None, team_candidates(press))) == "T1"


# --- rotation


def test_a_token_that_expires_is_renewed_once_in_all_processes(
    oauth: OAuthStub, store: Store, make_door: MakeDoor, tmp_path: Path
) -> None:
    oauth.expires_in = ROTATE_BEFORE // 2
    beside = Store(f"sqlite:///{tmp_path}/s.db")
    doors = [make_door(oauth, store=each, config=config_of(oauth)) for each in (store, beside)]
    install(doors[0], "T1")
    oauth.expires_in = 43_200
    threads = [threading.Thread(target=mention, args=(door, "T1")) for door in doors for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert oauth.given == 2
    assert mention(doors[1], "T1") == 200
    assert tokens(oauth)[-1] == "xoxb-T1-2"
    assert set(tokens(oauth)) <= {"xoxb-T1-1", "xoxb-T1-2"}
    beside.close()


def test_a_renewal_that_fails_is_said_and_tried_again(
    door: Door, oauth: OAuthStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    oauth.expires_in = ROTATE_BEFORE // 2
    install(door, "T1")
    oauth.fail("oauth.v2.access", Fault(error="invalid_refresh_token"))
    assert mention(door, "T1") == 200
    assert tokens(oauth) == ["xoxb-T1-1"]  # it is good for another hour
    assert any("can't be renewed (invalid_refresh_token)" in note for note in door.app.context.client.notices.present)
    oauth.expires_in = 43_200
    assert mention(door, "T1") == 200
    assert tokens(oauth)[-1] == "xoxb-T1-1"  # once a minute
    monkeypatch.setattr(installations, "ROTATION_LEASE", 0.001)
    assert mention(door, "T1") == 200
    assert tokens(oauth)[-1] == "xoxb-T1-2"


def test_a_key_that_is_rotated_loses_no_token_and_one_that_is_missing_is_said(
    door: Door, oauth: OAuthStub, make_door: MakeDoor, store: Store
) -> None:
    install(door, "T1")
    new = new_key()
    after = make_door(oauth, store=store, config=config_of(oauth, f"{new},{KEY}"))
    assert mention(after, "T1") == 200
    without = make_door(oauth, store=store, config=config_of(oauth, new))
    assert mention(without, "T1") == 200
    assert tokens(oauth) == ["xoxb-T1-1"]
    assert without.app.context.client.notices.present == (
        "A stored token can't be decrypted: its key is missing in ASKPY_SECRET_KEY; add it behind a comma, and doctor names the "
        "workspaces",
    )


# --- removing


@pytest.mark.parametrize(
    "event", [{"type": "app_uninstalled"}, {"type": "tokens_revoked", "tokens": {"bot": ["UBOTT1"]}}]
)
def test_a_workspace_that_removes_the_app_has_no_token_from_then_on(
    event: dict[str, object], door: Door, oauth: OAuthStub, store: Store, tmp_path: Path
) -> None:
    for team in ("T1", "T2"):
        install(door, team)
    authorization = {"team_id": "T1", "enterprise_id": None, "is_enterprise_install": False}
    body = {
        "type": "event_callback",
        "team_id": "T1",
        "authorizations": [authorization],
        "event_time": int(time.time()),
    }
    assert door.json(body | {"event": event}) == 200
    assert [mention(door, team) for team in ("T1", "T2")] == [200, 200]
    assert tokens(oauth) == ["xoxb-T2-2"]
    assert [each.team for each in store.installations.all()] == ["T2"]
    assert door.request(b"", method="GET", path="/healthz") == 200


def test_an_event_from_before_a_new_installation_removes_nothing(door: Door, oauth: OAuthStub) -> None:
    install(door, "T1")
    authorization = {"team_id": "T1", "enterprise_id": None, "is_enterprise_install": False}
    body = {
        "type": "event_callback",
        "team_id": "T1",
        "authorizations": [authorization],
        "event_time": int(time.time()) - 60,
    }
    assert door.json(body | {"event": {"type": "app_uninstalled"}}) == 200
    assert mention(door, "T1") == 200
    assert tokens(oauth) == ["xoxb-T1-1"]


def test_who_installs_again_is_answered_with_the_new_token(door: Door, oauth: OAuthStub) -> None:
    for _ in range(2):
        install(door, "T1")
        assert mention(door, "T1") == 200
        assert door.json({"type": "event_callback", "team_id": "T1", "event": {"type": "app_uninstalled"}}) == 200
    assert tokens(oauth) == ["xoxb-T1-1", "xoxb-T1-2"]


def test_a_token_that_slack_refuses_is_said_and_the_others_go_on(door: Door, oauth: OAuthStub) -> None:
    for team in ("T1", "T2"):
        install(door, team)
    oauth.fail("chat.postMessage", Fault(error="token_revoked"))
    assert [mention(door, team) for team in ("T1", "T2")] == [200, 200]
    assert door.request(b"", method="GET", path="/healthz") == 200
    assert any(
        "token of an installed workspace (token_revoked)" in note for note in door.app.context.client.notices.present
    )
    assert tokens(oauth)[-1] == "xoxb-T2-2"


def test_an_installation_shows_no_token(store: Store) -> None:
    stored = StoredInstallation(team="T1", bot_token=SecretKeys(KEY).encrypt("xoxb-1"))
    store.installations.save(stored)
    assert "xoxb" not in repr(store.installations.find("T1"))


def test_less_than_the_app_needs_changes_nothing(door: Door, oauth: OAuthStub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever installs can change the scopes in the link to Slack, and so get an answer without a bot's token."""
    install(door, "T1")
    given = oauth.success
    for change in ({"access_token": None}, {"scope": "chat:write"}, {"bot_user_id": None}):
        monkeypatch.setattr(
            oauth,
            "success",
            lambda method, change=change: given(method) | (change if method == "oauth.v2.access" else {}),
        )
        status, page = come_back(door, "T1", *begin(door))
        assert (status, html.escape(FAILURES["incomplete"]) in page) == (400, True)
    monkeypatch.setattr(oauth, "success", given)
    assert mention(door, "T1") == 200
    assert tokens(oauth) == ["xoxb-T1-1"]
    assert door.request(b"", method="GET", path="/healthz") == 200


def test_a_workspace_that_leaves_does_not_take_its_organisation_along(
    door: Door, oauth: OAuthStub, store: Store
) -> None:
    """Slack sends both events, and may send each again."""
    for team in ("E1", "T1"):
        install(door, team)
    authorization = {"team_id": "T1", "enterprise_id": "E1", "is_enterprise_install": False}
    body = {
        "type": "event_callback",
        "team_id": "T1",
        "authorizations": [authorization],
        "event_time": int(time.time()),
    }
    for event in ({"type": "tokens_revoked", "tokens": {"bot": ["UBOTT1"]}}, {"type": "app_uninstalled"}):
        assert door.json(body | {"event": event}) == 200
    assert [each.team for each in store.installations.all()] == ["E1"]


def test_a_guest_of_an_organisation_is_no_member_of_it(door: Door, oauth: OAuthStub, store: Store) -> None:
    install(door, "E1")
    press = {
        "type": "block_actions",
        "team": None,
        "enterprise": {"id": "E1"},
        "is_enterprise_install": True,
        "user": {"id": "U9", "team_id": "TGUEST"},
        "actions": [{"action_id": "ask:1", "value": "topic", "action_ts": "1.1"}],
        "channel": {"id": "C1"},
        "container": {"type": "message", "message_ts": "1.0", "channel_id": "C1"},
        "message": {"ts": "1.0"},
    }
    assert door.form(payload=json.dumps(press)) == 200
    assert (posted(oauth), store.installations.teams_of("E1")) == ([], [])
    authorization = {"team_id": "T5", "enterprise_id": "E1", "is_enterprise_install": True}
    assert mention(door, "T5", authorizations=[authorization], is_enterprise_install=True) == 200
    assert door.form(payload=json.dumps(press | {"user": {"id": "U5", "team_id": "T5"}})) == 200
    assert [question.workspace for question in door.engine.asked] == ["T5", "T5"]


def test_without_the_database_slack_is_told_to_come_again(door: Door, oauth: OAuthStub, store: Store) -> None:
    install(door, "T1")
    assert mention(door, "T1") == 200
    database = store.database
    database.run_or_default = lambda work, default, reads=False: default  # type: ignore[method-assign]
    assert mention(door, "T9") == 503
    assert mention(door, "T1") == 200  # what is known goes on


def test_few_come_back_at_once(door: Door, oauth: OAuthStub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installations, "MAX_CALLBACKS", 0)
    status, page = come_back(door, "T1", *begin(door))
    assert (status, html.escape(FAILURES["busy"]) in page, oauth.given) == (503, True, 0)


def test_a_state_of_any_letters_is_refused(door: Door) -> None:
    state = urlencode({"state": "a.b.\u00e9"}).removeprefix("state=")
    assert get(door, f"{REDIRECT}?code=T1&state={state}", f"slack-app-oauth-state={state}")[0] in (400, 401)


# --- any order of all of it, by two processes

SEQUENCES, LONGEST = 500, 12
LIFE = 43_200.0
STEPS = ("install", "uninstall", "revoke", "ask", "wait", "purge", "replay", "late")


class SlackModel:
    """What Slack knows: which tokens are good, and which refresh token may be exchanged."""

    def __init__(self) -> None:
        self.good: dict[str, float] = {}
        self.refresh = ""
        self.number = 0

    def give(self, now: float) -> dict[str, object]:
        self.number += 1
        token, self.refresh = f"xoxb-{self.number}", f"xoxe-{self.number}"
        self.good[token] = now + LIFE
        return {"access_token": token, "refresh_token": self.refresh, "expires_in": LIFE}

    def web(self, token: str) -> SlackModel:
        return self

    async def oauth_v2_access(self, **args: str) -> dict[str, object]:
        if args["refresh_token"] != self.refresh:
            raise SlackApiError("refused", {"ok": False, "error": "invalid_refresh_token"})
        return self.give(self.now())


class Workspace:
    """One workspace in two processes, beside what Slack knows of it."""

    def __init__(self, team: str, stores: list[Store], clock: Clock) -> None:
        self.team, self.stores, self.clock = team, stores, clock
        self.keys, self.slack = SecretKeys(KEY), SlackModel()
        self.slack.now = clock
        client = SimpleNamespace(web=self.slack.web, config=config_of(SimpleNamespace(url="")), notices=Notices(clock))

        async def run_db(work: Callable[..., object], *args: object) -> object:
            return work(*args)

        self.teams = [InstalledTeams(store, self.keys, client, run_db, clock) for store in stores]
        self.states = _States(stores[0], self.keys, run_db, clock)
        self.used: list[str] = []
        self.is_installed, self.removed_at = False, 0.0

    async def step(self, name: str, process: int) -> None:
        await getattr(self, name)(process)
        found = await self.teams[1 - process].of_team(self.team)
        assert (found is not None) == self.is_installed, name
        assert found is None or self.slack.good.get(found.token, 0) > self.clock.now, "a token that Slack doesn't know"

    async def install(self, process: int) -> None:
        state = await self.states.async_issue()
        assert await self.states.async_consume(state)
        self.used.append(state)
        answer, store = self.slack.give(self.clock.now), self.stores[process]
        bot, refresh = (self.keys.encrypt(str(answer[name])) for name in ("access_token", "refresh_token"))
        store.installations.save(
            StoredInstallation(
                team=self.team, bot_token=bot, refresh_token=refresh, expires_at=self.clock.now + LIFE, installer="U1"
            )
        )
        store.misses.add(self.team, f"a question of {self.team}", "", 0.1)
        self.is_installed = True

    async def uninstall(self, process: int) -> None:
        self.slack.good, self.slack.refresh = {}, ""
        await self.teams[process].remove(self.team, self.clock.now)
        self.removed_at = self.clock.now if self.is_installed else self.removed_at
        self.is_installed = False

    revoke = uninstall

    async def late(self, process: int) -> None:
        """An event of an earlier removal arrives late."""
        await self.teams[process].remove(self.team, self.clock.now - 7 * 24 * 3600)

    async def ask(self, process: int) -> None:
        await asyncio.gather(*(teams.of_team(self.team) for teams in self.teams))

    async def wait(self, process: int) -> None:
        self.clock.now += LIFE - ROTATE_BEFORE / 2

    async def purge(self, process: int) -> None:
        self.clock.now += PURGE_AFTER + 1
        self.stores[process].purge()
        left = [miss.text for miss in self.stores[1 - process].misses.all(self.team)]
        assert bool(left) <= (self.is_installed or not self.removed_at), left

    async def replay(self, process: int) -> None:
        for state in self.used:
            assert not await self.states.async_consume(state)


@pytest.fixture(scope="module")
def two_stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[list[Store], Clock]]:
    clock = Clock()
    path = tmp_path_factory.mktemp("installing") / "s.db"
    stores = [Store(f"sqlite:///{path}", clock, retention_days=3650) for _ in range(2)]
    yield stores, clock
    for store in stores:
        store.close()


_numbers = itertools.count()


@settings(max_examples=SEQUENCES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 1)), min_size=1, max_size=LONGEST))
def test_in_any_order_no_stale_token_is_used_and_nothing_is_left(
    two_stores: tuple[list[Store], Clock], steps: list[tuple[str, int]]
) -> None:
    stores, clock = two_stores
    workspace = Workspace(f"T{next(_numbers)}", stores, clock)

    async def run() -> None:
        for name, process in [*steps, ("uninstall", 0), ("purge", 1), ("replay", 0)]:
            await workspace.step(name, process)

    asyncio.run(run())
