"""Which workspace a payload is about, and who may curate there: shared channels, and apps of a whole organisation."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.slack.payloads import ModalState, is_guest, team_id_of
from support.curation_samples import NOW
from support.curation_store import CurationEngine, CurationStore, SampleReloader
from support.slack_app import Door, MakeDoor
from support.slack_steps import buttons, on_message, posted
from support.slack_stub import BOT, TEAM, Stub

OTHER_TEAM, ORG = "T9OTHER", "E1ORG"
CURATOR = "U1"
ORDINARY_EVENT = {"type": "event_callback", "team_id": TEAM, "event": {"type": "app_mention", "team": TEAM}}
OURS = [{"enterprise_id": None, "team_id": TEAM, "user_id": BOT, "is_bot": True, "is_enterprise_install": False}]
OF_ORG = [{"enterprise_id": ORG, "team_id": None, "user_id": BOT, "is_bot": True, "is_enterprise_install": True}]


def user(team: str = TEAM) -> dict[str, Any]:
    return {"user": {"id": CURATOR, "team_id": team}}


def of_team(team: str) -> dict[str, Any]:
    return {"team": {"id": team, "domain": "example"}}


ORG_PRESS = {"type": "block_actions", "team": None, "enterprise": {"id": ORG}, "is_enterprise_install": True}

PAYLOADS: dict[str, tuple[dict[str, Any], str, str, bool]] = {
    # the payload, the bot's own team, the workspace, whether its person may be of another one
    "an ordinary event": (ORDINARY_EVENT | {"authorizations": OURS}, TEAM, TEAM, False),
    "an event without authorizations": (ORDINARY_EVENT, TEAM, TEAM, False),
    "an event before Slack has said who we are": (ORDINARY_EVENT, "", TEAM, False),
    "a shared channel, from the other side": (
        ORDINARY_EVENT | {"team_id": OTHER_TEAM, "context_team_id": TEAM, "authorizations": OURS}, TEAM, TEAM, True,
    ),
    "an event, the app in all the organisation": (ORDINARY_EVENT | {"authorizations": OF_ORG}, ORG, TEAM, False),
    "an event, authorized by the organisation's id": (
        ORDINARY_EVENT | {"authorizations": [OF_ORG[0] | {"team_id": ORG}]}, ORG, TEAM, False,
    ),
    "a press": ({"type": "block_actions", **of_team(TEAM), **user()}, TEAM, TEAM, False),
    "a press from the other side": ({"type": "block_actions", **of_team(TEAM), **user(OTHER_TEAM)}, TEAM, TEAM, True),
    "a press that names the other side alone": (
        {"type": "block_actions", **of_team(OTHER_TEAM), **user(OTHER_TEAM)}, TEAM, TEAM, True,
    ),
    "a press, the app in all the organisation": (ORG_PRESS | user(), ORG, TEAM, False),
    "the same, auth.test naming a workspace": (ORG_PRESS | user("T2"), TEAM, "T2", False),
    "a press in a view of the organisation": (
        ORG_PRESS | user() | {"view": {"type": "home", "team_id": ORG, "app_installed_team_id": ORG}}, ORG, TEAM, False,
    ),
    "a person without a team": (
        ORG_PRESS | {"user": {"id": CURATOR}, "view": {"type": "modal", "team_id": TEAM}}, ORG, TEAM, False,
    ),
    "a view opened in another workspace": (
        {"type": "view_submission", **of_team(OTHER_TEAM), **user(OTHER_TEAM)}
        | {"view": {"type": "modal", "team_id": OTHER_TEAM, "app_installed_team_id": TEAM}}, TEAM, TEAM, True,
    ),
    "a menu that is being filled": (ORG_PRESS | user() | {"type": "block_suggestion"}, ORG, TEAM, False),
    "nothing but the organisation": (ORG_PRESS | {"user": {"id": CURATOR, "team_id": ORG}}, TEAM, TEAM, False),
    "nothing at all": (ORG_PRESS | {"user": {"id": CURATOR}}, ORG, ORG, False),
    "a command": ({"command": "/askpy", "team_id": TEAM, "is_enterprise_install": "false"}, TEAM, TEAM, False),
    "a command from another workspace": ({"command": "/askpy", "team_id": OTHER_TEAM}, TEAM, TEAM, True),
    "a command, the app in all the organisation": (
        {"command": "/askpy", "team_id": "T2", "is_enterprise_install": "true"}, ORG, "T2", False,
    ),
    "fields of other types": ({"type": "block_actions", "team": "T1", "user": "U1", "view": None}, "", "", False),
}  # fmt: skip


@pytest.mark.parametrize("name", PAYLOADS)
def test_the_workspace_of_a_payload(name: str) -> None:
    body, home_team, team, guest = PAYLOADS[name]
    assert (team_id_of(body, home_team), is_guest(body, home_team)) == (team, guest)


# --- answers


def test_both_sides_of_a_shared_channel_get_our_answers(door: Door, stub: Stub) -> None:
    event = {"type": "app_mention", "user": "U7", "user_team": OTHER_TEAM, "team": OTHER_TEAM, "channel": "C1"}
    body = {"type": "event_callback", "team_id": OTHER_TEAM, "is_ext_shared_channel": True, "authorizations": OURS}
    for team in (OTHER_TEAM, TEAM):  # one delivery of the message names the sender's workspace, another one ours
        door.json(body | {"team_id": team, "event": event | {"ts": "5.5", "text": f"<@{BOT}> library"}})
    assert len(posted(stub)) == 1
    votes = buttons(posted(stub)[0])
    guest = {"user": {"id": "U7", "team_id": OTHER_TEAM}}
    door.press("vote:good", votes["vote:good"]["value"], **on_message(door), **guest)
    door.press("ask:1", "topic", **on_message(door), **guest)
    assert [(question.workspace, question.conversation) for question in door.engine.asked] == [
        (TEAM, f"{TEAM}:C1:5.5:U7"),
        (TEAM, f"{TEAM}:C1:9.1:U7"),
    ]
    assert door.store.votes.places == [(TEAM, "")]


def test_an_apps_answers_in_an_organisation_are_those_of_the_workspace(stub: Stub, make_door: MakeDoor) -> None:
    stub.fields["auth.test"] = {"team_id": ORG, "enterprise_id": ORG, "is_enterprise_install": True}
    door, org = make_door(stub), {"team": None, "is_enterprise_install": True, "enterprise": {"id": ORG}}
    event = {"type": "app_mention", "user": "U7", "channel": "C1", "ts": "5.5", "text": f"<@{BOT}> library"}
    door.json({"type": "event_callback", "team_id": TEAM, "authorizations": OF_ORG, "event": event})
    door.press("ask:1", "topic", **on_message(door), **user(), **org)
    view = {"id": "V1", "type": "modal", "team_id": ORG, "private_metadata": ModalState(("topic",)).to_metadata()}
    door.press("ask:1", "library", container={"type": "view", "view_id": "V1"}, view=view, **user(), **org)
    door.interact(
        type="message_action", callback_id="ask_message", message={"text": "step", "ts": "1.1"},
        channel={"id": "C1"}, **user(), **org,
    )  # fmt: skip
    door.command("list", is_enterprise_install="true", enterprise_id=ORG)
    assert [question.workspace for question in door.engine.asked] == [TEAM] * 5


def test_an_organisation_without_a_team_is_known_by_its_id(stub: Stub, make_door: MakeDoor) -> None:
    stub.fields["auth.test"] = {"team_id": None, "enterprise_id": ORG}
    assert make_door(stub).app.context.home_team == ORG


# --- who may curate


def curation_door(stub: Stub, make_door: MakeDoor, store: CurationStore, *curators: str) -> Door:
    reloader = SampleReloader(store)
    parts: dict[str, Any] = {"store": store, "engine": CurationEngine(reloader), "reloader": reloader}
    return make_door(stub, curators=curators, clock=lambda: NOW, **parts)


def sees_the_curators_page(stub: Stub) -> bool:
    return "go:curate" in json.dumps(stub.of("views.publish")[-1]["view"])


HOME_EVENT = {"type": "app_home_opened", "user": CURATOR, "tab": "home", "channel": "D1"}
FRONT = {"type": "home", "id": "V1", "team_id": ORG, "app_installed_team_id": ORG, "private_metadata": "front"}


@pytest.mark.parametrize("curator", [CURATOR, f"{TEAM}:{CURATOR}", f"{ORG}:{CURATOR}"])
def test_a_curators_home_stays_one_in_an_organisation(stub: Stub, make_door: MakeDoor, curator: str) -> None:
    stub.fields["auth.test"] = {"team_id": ORG, "enterprise_id": ORG}
    door = curation_door(stub, make_door, CurationStore(), curator)
    org = {"team": None, "is_enterprise_install": True, "container": {"type": "view", "view_id": "V1"}, "view": FRONT}
    door.json({"type": "event_callback", "team_id": TEAM, "authorizations": OF_ORG, "event": HOME_EVENT})
    assert sees_the_curators_page(stub)
    door.press("go:1", "front", **user(), **org)
    assert sees_the_curators_page(stub)
    door.press("ignore:1", "k1", **user(), **org)
    assert [(change.workspace, change.by) for change in door.store.changes.made] == [(TEAM, f"{TEAM}:{CURATOR}")]


def test_somebody_of_the_other_side_never_curates(stub: Stub, make_door: MakeDoor) -> None:
    """Even with a curator's id, or named as a curator of their own workspace."""
    door = curation_door(stub, make_door, CurationStore(), CURATOR, f"{OTHER_TEAM}:{CURATOR}")
    event = {"type": "event_callback", "authorizations": OURS, "event": HOME_EVENT}
    door.json(event | {"team_id": TEAM})
    assert sees_the_curators_page(stub)
    door.json(event | {"team_id": OTHER_TEAM})
    assert not sees_the_curators_page(stub)
    view = {"container": {"type": "view", "view_id": "V1"}, "view": FRONT}
    for team in (TEAM, OTHER_TEAM):
        door.press("ignore:1", "k1", **of_team(team), **user(OTHER_TEAM), **view)
        assert not sees_the_curators_page(stub)
    door.interact(type="block_suggestion", action_id="entry", block_id="entry", value="", **user(OTHER_TEAM))
    assert json.loads(door.answers["last"]) == {"options": []}
    door.command("trial on", user_id=CURATOR, team_id=OTHER_TEAM)
    assert door.store.changes.made == []
    assert not door.store.pilots.contains(TEAM, "C1")
