"""Who curates where the app was installed by OAuth: whoever installed it, and whom they name on their Home tab."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from bot.slack.context import Context
from bot.slack.features import curation, home
from bot.slack.features.commands import help_line, run_command
from bot.slack.payloads import CuratorModalState
from bot.slack.register import ACTIONS
from bot.slack.strings import default_strings
from bot.store import Store, StoredInstallation
from support.block_lint import view_faults
from support.curation_samples import NOW
from support.curation_store import CurationEngine, CurationStore, SamplePreviewer, SampleReloader, full_store
from support.curator_room import Json, buttons, text, value
from support.slack_app import Door, MakeDoor
from support.slack_stub import BOT, TEAM, Fault, Stub

STRINGS = default_strings()
ORG, OTHER_TEAM = "E1ORG", "T9OTHER"
INSTALLER, NAMED, OPERATORS, NOBODY = "U1", "U2", "U4", "U9"
INSTALLATION = StoredInstallation(team=TEAM, bot_token="-", bot_user=BOT, installer=INSTALLER, curators=NAMED)


@dataclass
class Installed:
    """The bot where the app was installed; the installation is read for each thing that somebody does, as the app does it."""

    stub: Stub
    door: Door
    store: Any
    team: str = TEAM

    def context(self) -> Context:
        return replace(self.door.app.context, installation=self.store.installations.find(self.team))

    def do(self, handler: Callable[..., Any], body: Json) -> Any:
        result = self.door.thread.run(handler(self.context(), body))
        self.door.rest()
        return result

    def open(self, user: str = INSTALLER, team: str = TEAM) -> Json:
        event = {"type": "app_home_opened", "user": user, "tab": "home"}
        self.do(home.show_home, {"type": "event_callback", "team_id": team, "event": event})
        return self.home()

    def home(self) -> Json:
        view: Json = self.stub.of("views.publish")[-1]["view"]
        assert view_faults(view) == []
        return view

    def press(self, action_id: str, view: Json, user: str = INSTALLER, team: str = TEAM, **action: Any) -> Json:
        """What the Home tab of whoever pressed it is then."""
        name = action_id.partition(":")[0]
        action = {"action_id": action_id, "block_id": "b", "action_ts": self.door.ts()} | action
        who = {"team": {"id": team}, "user": {"id": user, "team_id": team}, "trigger_id": f"3.{self.door.ts()}"}
        body = {"type": "block_actions", "actions": [action], "view": view | {"id": "V1"}} | who
        self.do(ACTIONS[name], body)
        assert self.stub.of("views.publish")[-1]["user_id"] == user
        return self.home()

    def name(self, *users: str, by: str = INSTALLER, **more: Any) -> Json:
        view = {"type": "home", "private_metadata": "front"}
        return self.press("curators:pick", view, by, type="multi_users_select", selected_users=list(users), **more)


@pytest.fixture
def make_installed(stub: Stub, make_door: MakeDoor) -> Callable[..., Installed]:
    def make(store: CurationStore | None = None, installation: StoredInstallation = INSTALLATION) -> Installed:
        store = store or CurationStore()
        store.installations.by_team[installation.team] = installation
        reloader = SampleReloader(store)
        door = make_door(
            stub, store=store, engine=CurationEngine(reloader), reloader=reloader, clock=lambda: NOW,
            preview_factory=SamplePreviewer(store), curators=(f"{TEAM}:{OPERATORS}", "T8:U8"), ack_delay=0.0,
        )  # fmt: skip
        return Installed(stub, door, store, installation.team)

    return make


@pytest.fixture
def installed(make_installed: Callable[..., Installed]) -> Installed:
    return make_installed()


def curates(view: Json) -> bool:
    return "go:curate" in buttons(view)


def menu(view: Json) -> Json:
    return buttons(view)["curators:pick"]


def test_whoever_installed_it_curates_and_so_do_those_who_are_named(installed: Installed) -> None:
    shown = {user: installed.open(user) for user in (INSTALLER, NAMED, OPERATORS, NOBODY, "U8")}
    assert {user: curates(view) for user, view in shown.items()} == {
        INSTALLER: True, NAMED: True, OPERATORS: True, NOBODY: False, "U8": False,
    }  # fmt: skip


def test_only_whoever_installed_it_sees_who_curates(installed: Installed) -> None:
    seen = installed.open()
    assert menu(seen)["initial_users"] == [NAMED]
    assert STRINGS["curators_who"] in text(seen)
    assert "Named by whoever runs me, which can't be changed here: <@U4>." in text(seen)
    for user in (NAMED, OPERATORS, NOBODY):
        assert "curators:pick" not in buttons(installed.open(user))
        assert INSTALLER not in json.dumps(installed.home())
    assert "U8" not in json.dumps(installed.stub.of("views.publish"))  # the operator's name for another workspace


def test_who_is_named_curates_from_then_on_and_who_is_not_no_more(installed: Installed) -> None:
    seen = installed.name("U5", "U6")
    assert "Saved. Who may curate here, because you have named them: <@U5>, <@U6>." in text(seen)
    assert menu(seen)["initial_users"] == ["U5", "U6"]
    assert [curates(installed.open(user)) for user in ("U5", "U6", NAMED)] == [True, True, False]
    seen = installed.name()
    assert STRINGS["curators_saved_nobody"] in text(seen)
    assert "initial_users" not in menu(seen)
    assert [curates(installed.open(user)) for user in ("U5", INSTALLER, OPERATORS)] == [False, True, True]


def test_somebody_who_is_no_curator_any_more_may_do_nothing_from_the_next_press_on(
    make_installed: Callable[..., Installed],
) -> None:
    """Whatever they have open still: the installation is read for each press."""
    installed = make_installed(full_store())
    installed.open(NAMED)
    overview = installed.press("go:1", installed.home(), NAMED, value="misses")
    assert value(overview, "ignore:1")
    installed.name()
    made = list(installed.store.changes.made)
    for action in ("ignore:1", "not_ours:1", "means:1", "write:1", "undo:1", "public:1", "trial:pick"):
        refused = installed.press(action, overview, NAMED, value="k1")
        assert text(refused).startswith("Only curators can do this: <@U1>, who installed me here")
        assert not curates(refused)
    assert not curates(installed.press("go:1", overview, NAMED, value="misses"))
    form = {"type": "modal", "id": "V1", "callback_id": "means", "private_metadata": CuratorModalState().to_metadata()}
    who = {"team": {"id": TEAM}, "user": {"id": NAMED, "team_id": TEAM}}
    fields = {"state": {"values": {"picked:0": {}}}}
    response, _ = installed.do(curation.submit, {"type": "view_submission", "view": form | fields, **who})
    assert response["errors"] == {"picked:0": STRINGS["curate_only_installed"]}
    assert installed.do(curation.suggest, {"type": "block_suggestion", "value": "", **who}) == {"options": []}
    assert (installed.store.changes.made, installed.stub.of("views.open")) == (made, [])


@pytest.mark.parametrize("user", [NAMED, OPERATORS])
def test_other_curators_can_name_nobody(installed: Installed, user: str) -> None:
    seen = installed.name(user, "U5", by=user)
    assert "Only <@U1>, who installed me here, can change who curates." in text(seen)
    assert installed.store.installations.by_team[TEAM].curators == NAMED


def test_nobody_else_can_name_anybody(installed: Installed) -> None:
    assert text(installed.name(NOBODY, by=NOBODY)).startswith("Only curators can do this: <@U1>, who installed me")
    assert installed.store.installations.by_team[TEAM].curators == NAMED


def test_neither_bots_of_ours_and_slacks_nor_whoever_installed_it_are_named(installed: Installed) -> None:
    installed.name(INSTALLER, BOT, "USLACKBOT", "W5", "W5", "C1", "U6,U7", "u6")
    assert installed.store.installations.by_team[TEAM].curators == "W5"


def test_as_many_are_named_as_the_menu_takes(installed: Installed) -> None:
    seen = installed.name(*(f"U{number}X" for number in range(150)))
    assert len(installed.store.installations.by_team[TEAM].curators.split(",")) == menu(seen)["max_selected_items"]
    assert "and 80 more" in text(seen)


def test_a_menu_that_is_none_changes_nothing(installed: Installed) -> None:
    for action in ({"value": "U5"}, {"selected_users": "U5"}, {"selected_users": None}):
        installed.press("curators", {"type": "home", "private_metadata": "front"}, **action)
    assert installed.store.installations.by_team[TEAM].curators == NAMED


def test_while_the_database_is_away_nobody_is_named_and_that_is_said(installed: Installed) -> None:
    before = installed.open()
    installed.store.away = True
    seen = installed.name("U5")
    assert f"Nothing was saved. {STRINGS['database_away']}" in text(seen)
    assert menu(seen)["initial_users"] == [NAMED]
    installed.store.away = False
    assert [curates(installed.open(user)) for user in ("U5", NAMED)] == [False, True]
    assert before["blocks"][-2]["block_id"].startswith("curators:")


def test_the_last_choice_is_saved_last(installed: Installed) -> None:
    """Each press names all who are chosen then; the later one has arrived first."""
    door, context = installed.door, installed.context()
    who = {"team": {"id": TEAM}, "user": {"id": INSTALLER, "team_id": TEAM}, "view": {"type": "home"}}

    def body(ts: str, *users: str) -> Json:
        action = {"action_id": "curators:pick", "action_ts": ts, "selected_users": list(users)}
        return {"type": "block_actions", "actions": [action], **who}

    async def both() -> None:
        context.tasks.start(curation.name_curators(context, body("5.2", "U5", "U6")))
        context.tasks.start(curation.name_curators(context, body("5.1", "U5")))

    held = context.conversations.join(f"curators:{TEAM}:{INSTALLER}", 0.0)
    door.thread.run(held.wait())
    door.thread.run(both())
    door.thread.call(held.leave)
    door.rest()
    assert installed.store.installations.by_team[TEAM].curators == "U5,U6"


def test_a_person_who_has_left_does_not_take_the_home_away(installed: Installed, stub: Stub) -> None:
    """Slack may refuse to choose them in the menu; then they are named beside it."""
    stub.faults["views.publish"].append(Fault(error="invalid_arguments"))
    seen = installed.open()
    assert curates(seen)
    assert "initial_users" not in menu(seen)
    assert "Named until now: <@U2>. Whom you choose above takes their place." in text(seen)


def test_without_others_whoever_installed_it_is_named(stub: Stub, make_installed: Callable[..., Installed]) -> None:
    stub.fields["auth.test"] = {"team_id": "T7"}
    alone = replace(INSTALLATION, team="T7", curators="")
    installed = make_installed(installation=alone)
    stranger = installed.press("ignore:1", {"type": "home"}, NOBODY, "T7", value="k1")
    assert text(stranger).startswith("Only <@U1>, who installed me here, can do this.")


def test_a_modal_says_who_curates(installed: Installed, stub: Stub) -> None:
    modal = {"type": "modal", "callback_id": "means", "private_metadata": CuratorModalState("misses@0").to_metadata()}
    installed.press("undo:1", modal, NOBODY, value="b1")
    said = text(stub.of("views.update")[-1]["view"])
    assert said == ("Only curators can do this: <@U1>, who installed me here and can name you, too; and <@U2>, <@U4>.")


def test_nobody_of_another_workspace_curates_or_learns_who_does(installed: Installed) -> None:
    guest = {"user": {"id": INSTALLER, "team_id": OTHER_TEAM}, "team": {"id": TEAM}}
    action = {"action_id": "curators:pick", "selected_users": ["U5"], "action_ts": "5.1"}
    body = {"type": "block_actions", "actions": [action], "view": {"type": "home"}, **guest}
    installed.do(curation.name_curators, body)
    assert installed.store.installations.by_team[TEAM].curators == NAMED
    assert text(installed.home()).startswith(STRINGS["curate_only_guest"])
    assert NAMED not in json.dumps(installed.home())


def test_commands_go_by_the_same(installed: Installed) -> None:
    async def trial(user: str, is_guest: bool = False) -> bool:
        context = installed.context()
        await run_command(context, "trial on", f"{TEAM}:{user}", f"C{user}{is_guest}", is_guest=is_guest)
        helped = STRINGS["chores_curators"] in help_line(context, f"{TEAM}:{user}", is_guest=is_guest)
        is_pilot = context.store.pilots.contains(TEAM, f"C{user}{is_guest}")
        assert helped == is_pilot
        return is_pilot

    run = installed.door.thread.run
    assert [run(trial(user)) for user in (INSTALLER, NAMED, OPERATORS, NOBODY)] == [True, True, True, False]
    assert not run(trial(INSTALLER, is_guest=True))
    installed.name()
    installed.store.pilots.channels.clear()
    assert [run(trial(user)) for user in (INSTALLER, NAMED)] == [True, False]


def test_in_an_organisation_they_curate_in_each_of_its_workspaces(
    stub: Stub, make_installed: Callable[..., Installed]
) -> None:
    stub.fields["auth.test"] = {"team_id": ORG, "enterprise_id": ORG, "is_enterprise_install": True}
    installed = make_installed(installation=replace(INSTALLATION, team=ORG))
    for team in (TEAM, OTHER_TEAM):
        assert [curates(installed.open(user, team)) for user in (INSTALLER, NAMED, NOBODY)] == [True, True, False]
    assert [curates(installed.open(OPERATORS, team)) for team in (TEAM, OTHER_TEAM)] == [True, False]
    seen = installed.name("U5")
    assert menu(seen)["initial_users"] == ["U5"]
    assert [curates(installed.open("U5", team)) for team in (TEAM, OTHER_TEAM)] == [True, True]


def test_another_workspaces_installation_names_nobody_here(installed: Installed) -> None:
    """Neither its curators nor whoever installed it there: the same ids may be other people's."""
    other = replace(INSTALLATION, team=OTHER_TEAM, installer="U7", curators="U5")
    installed.store.installations.by_team[OTHER_TEAM] = other
    assert [curates(installed.open(user)) for user in ("U5", "U7")] == [False, False]
    assert "U7" not in json.dumps(installed.open())


def test_without_an_installation_the_menu_is_nowhere(installed: Installed) -> None:
    installed.team = "T-none"
    assert curates(installed.open(OPERATORS))
    assert "curators:pick" not in buttons(installed.home())
    assert not curates(installed.open(INSTALLER))
    seen = installed.name("U5", by=OPERATORS)
    assert curates(seen)
    assert installed.store.installations.by_team[TEAM].curators == NAMED
    assert text(installed.press("ignore:1", seen, NOBODY, value="k1")).startswith("Only curators can do this: <@U4>.")


def test_it_is_the_same_over_a_real_database(stub: Stub, make_door: MakeDoor, tmp_path: Path) -> None:
    """Two processes over one database: whom one has saved curates in the other at once."""
    with closing(Store(f"sqlite:///{tmp_path}/a.db")) as one, closing(Store(f"sqlite:///{tmp_path}/a.db")) as other:
        assert (one.prepare(), other.prepare()) == ("", "")
        one.installations.save(INSTALLATION)
        here, there = (Installed(stub, make_door(stub, store=store), store) for store in (one, other))
        assert curates(there.open(NAMED))
        here.name("U5")
        assert [curates(there.open(user)) for user in ("U5", NAMED)] == [True, False]
        one.installations.remove(TEAM)
        assert not curates(there.open("U5"))
