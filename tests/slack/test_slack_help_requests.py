"""Questions that are put to people: two processes over one database and a real pack. Each press counts once, the asker is told
once, and what was posted can be deleted again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from bot.model import HelpRequest
from bot.slack.blocks.help_requests import is_same_answer
from bot.slack.features import help_requests
from bot.slack.features.curation import forms
from bot.slack.features.help_requests import MAX_OPEN, RETRY_DELETION_AFTER
from bot.slack.payloads import CuratorModalState
from bot.slack.strings import default_strings
from bot.store import AGAIN_AFTER, COUNTED_FOR, DAY, POSTING_LASTS, RETENTION_DAYS, TELLING_LASTS, StoreError
from support.block_lint import faults
from support.curator_room import CURATOR, NOBODY, OTHER, Json, Process, text, value
from support.slack_app import MakeDoor
from support.slack_steps import buttons, dumped, on_message, shortcut, vote
from support.slack_stub import TEAM, Fault, Stub, limited
from support.stores import Clock, everything, rows

STRINGS = default_strings()
HELP, ASKER, PIANO = "C0HELP", "U7", "is there a piano in the basement"
POST = "1700000009.000100"
"""The `ts` that the stand-in gives every message; a test asks for one thing at a time."""


@dataclass
class People:
    """Two processes of the bot, and who works with them."""

    stub: Stub
    one: Process
    other: Process
    clock: Clock
    database: str

    @property
    def posts(self) -> list[Json]:
        """What was posted in the help channel."""
        return [each for each in self.stub.of("chat.postMessage") if each["channel"] == HELP]

    @property
    def requests(self) -> list[HelpRequest]:
        """What stands in the database."""
        columns = ", ".join(HelpRequest.__slots__)
        found = rows(self.database, f"select {columns} from askpy_help_requests order by at")
        return [HelpRequest(**dict(zip(HelpRequest.__slots__, row, strict=True))) for row in found]

    @property
    def told(self) -> list[Json]:
        """What the asker was sent besides, by direct message or in a thread: not the answers to their questions."""
        return [each for each in self.stub.of("chat.postMessage") if each["channel"] in (ASKER, "C5")]

    @property
    def said(self) -> str:
        """What was said last to who pressed a button."""
        return text(self.stub.of("hook")[-1]["blocks"])

    def miss(self, question: str = PIANO, channel: str = "C1") -> Json:
        """Ask in a channel what the pack doesn't answer; the reply."""
        return self.one.told(question, channel, ASKER)

    def form(self, value: str, process: Process | None = None, by: str = ASKER, **where: Any) -> Json:
        """Press "Ask a person"; what it opens."""
        process = process or self.one
        where = where or on_message(process.door, "D1", private=True)
        process.door.press("person", value, **{"user": {"id": by, "team_id": TEAM}} | where)
        return [call.args["view"] for call in self.stub.calls if call.method in ("views.open", "views.push")][-1]

    def ask(self, question: str = PIANO, in_public: bool = False) -> Json:
        """Put a question to people; the post."""
        value = buttons(self.miss(question))["person"]["value"]
        where = on_message(self.one.door, "C5", thread="5.5") if in_public else {}
        shown = self.one.submit(self.form(value, **where), ASKER)
        assert text(shown) == f"Posted in <#{HELP}>."
        return self.posts[-1]

    def press(self, name: str, post: Json, process: Process, user: str = OTHER, **body: Any) -> None:
        """Press a button of the post."""
        where = on_message(process.door, HELP) | {"team": {"id": TEAM, "domain": "acme"}}
        where["container"] |= {"message_ts": POST}
        where |= body
        process.door.press(name, buttons(post)[name]["value"], user={"id": user, "team_id": TEAM}, **where)

    def save(self, view: Json, process: Process, user: str = CURATOR, **filled: Any) -> Json:
        """Submit a curator's form twice: it is checked, then saved."""
        return process.submit(process.submit(view, user, **filled), user)

    def look(self) -> None:
        """The checks of both processes, twice."""
        for process in (self.one, self.other) * 2:
            process.door.look()


def unfinished(people: People) -> list[HelpRequest]:
    """Of which somebody has to be told, or something shown or deleted."""
    store = people.one.store.help_requests
    return [*store.unfinished_page(None), *store.forgotten_page(None)]


@pytest.fixture
def people(stub: Stub, make_door: MakeDoor, database: str) -> Iterator[People]:
    stub.fields["chat.postMessage"] = {"ts": POST}
    clock = Clock()
    pair = [Process(stub, make_door, database, help_channels=(HELP,), clock=clock) for _ in range(2)]
    for each in pair:
        each.store._clock = each.store.help_requests._clock = clock
    yield People(stub, *pair, clock, database)
    for each in pair:
        each.store.close()


# --- asking


def test_only_where_there_is_a_channel_people_can_be_asked(people: People, stub: Stub, make_door: MakeDoor) -> None:
    assert "person" in buttons(people.miss())
    assert "person" in buttons(people.miss("dog"))
    assert "person" not in buttons(people.miss("what are the rules for working from home?"))
    people.one.door.command(PIANO)
    assert "person" in buttons(stub.of("hook")[-1])
    assert "person" not in buttons(shortcut(people.one.door, PIANO))
    without = make_door(stub, curators=(CURATOR,))
    without.mention("unknown")
    assert "person" not in buttons(stub.of("chat.postMessage")[-1])


def test_the_form_says_what_is_posted_where_and_as_whose(people: People) -> None:
    value = buttons(people.miss())["person"]["value"]
    form = people.form(value)
    assert form["blocks"][0]["element"]["initial_value"] == PIANO
    assert text(form["blocks"][1:]) == (
        f"I'll post it in <#{HELP}> in the name of <@{ASKER}>, with what I would have offered. "
        "I don't say where you asked me.\n"
        "Once it is answered, I'll send you a direct message.\n"
        "I delete the post after 90 days, or as soon as you use /askpy forget me."
    )
    public = people.form(value, **on_message(people.one.door, "C5", thread="5.5"))
    assert STRINGS["person_told_there"] in text(public)
    assert people.posts == []


def test_the_post_has_the_question_as_it_was_edited_and_not_where_it_was_asked(people: People) -> None:
    value = buttons(people.miss())["person"]["value"]
    form = people.form(value, **on_message(people.one.door, "C5", thread="5.5"))
    shown = people.one.submit(form, ASKER, question="Is there a *grand* piano, <!channel>?\nOr a drum?")
    assert text(shown) == f"Posted in <#{HELP}>."
    (post,) = people.posts
    assert text(post["blocks"][:3]) == (
        f"<@{ASKER}> asks:\nIs there a *grand* piano, <!channel>? Or a drum?\n{STRINGS['help_nothing']}"
    )
    assert list(buttons(post)) == ["help_done", "help_write", "help_means", "help_not_ours"]
    assert faults(post["blocks"]) == []
    assert "piano" not in post["text"]
    assert not {"C5", "5.5", "C1"} & set(dumped(post).replace('"', " ").split())


def test_the_form_has_the_question_as_people_read_it(people: People) -> None:
    """And not as Slack writes it, with escapes, ids and addresses."""
    value = buttons(people.miss("is the R&amp;D piano &lt;grand&gt; near <@U5|bob> <https://x.org/a|the site>"))[
        "person"
    ]["value"]
    element = people.form(value)["blocks"][0]["element"]
    assert element["initial_value"] == "is the R&D piano <grand> near the site"


def test_the_form_proposes_nothing_that_looks_like_an_address_a_number_or_a_key(people: People) -> None:
    post = people.miss("why is there no piano for bob@example.com at 4111111111111111")
    element = people.form(buttons(post)["person"]["value"])["blocks"][0]["element"]
    assert not {"bob@example.com", "4111111111111111"} & set(element["initial_value"].split())


@pytest.mark.parametrize("typed", ["foo@example.com", "+49 170 1234567"])
def test_a_question_of_which_nothing_may_be_kept_isnt_posted(people: People, typed: str) -> None:
    form = people.form(buttons(people.miss())["person"]["value"])
    assert people.one.submit(form, ASKER, question=typed)["errors"] == {"question": STRINGS["person_redacted"]}
    assert people.posts == []


def test_the_post_says_what_the_bot_would_have_offered(people: People) -> None:
    value = buttons(people.miss("rules"))["person"]["value"]
    people.one.submit(people.form(value), ASKER)
    offered = "“What are the rules for working from home?”, “Can I use my own devices on the office network?”"
    assert text(people.posts[0]["blocks"][2:3]) == f"I would have offered: {offered}"


def test_an_empty_question_isnt_posted_and_what_was_typed_stays(people: People) -> None:
    form = people.form(buttons(people.miss())["person"]["value"])
    assert people.one.submit(form, ASKER, question=" … ")["errors"] == {"question": STRINGS["search_empty"]}
    assert people.posts == []


def test_the_same_question_is_posted_once(people: People) -> None:
    """Submitted twice, from two forms, in two processes."""
    value = buttons(people.miss())["person"]["value"]
    forms = people.form(value), people.form(value, people.other)
    assert text(people.one.submit(forms[0], ASKER)) == f"Posted in <#{HELP}>."
    for form, process in ((forms[0], people.one), (forms[1], people.other)):
        said = text(process.submit(form, ASKER, question=f"{PIANO.upper()}?"))
        assert said.startswith(f"You asked this in <#{HELP}> on 14 Nov.")
    assert len(people.posts) == 1
    people.press("help_done", people.posts[0], people.other)
    said = text(people.one.submit(forms[0], ASKER))
    assert said == f"You asked this on 14 Nov, and it was answered in <#{HELP}>. {STRINGS['told_link']}"
    assert len(people.posts) == 1
    assert text(people.one.submit(people.form(value, by="U8"), "U8")) == f"Posted in <#{HELP}>."


def test_a_process_that_dies_while_it_posts_keeps_nobody_from_asking_again(people: People) -> None:
    people.stub.fail("chat.postMessage", Fault(), Fault(body=b"<html>no answer</html>"))
    value = buttons(people.miss())["person"]["value"]
    request = people.one.store.help_requests
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(request), "remove_attempt", lambda *_: None)  # it died before it could
        people.one.submit(people.form(value), ASKER)
    people.clock.now += 1
    assert text(people.one.submit(people.form(value), ASKER)) == f"It is just being posted in <#{HELP}>."
    people.clock.now += POSTING_LASTS + 1
    assert text(people.one.submit(people.form(value), ASKER)) == f"Posted in <#{HELP}>."


def test_the_later_of_two_attempts_counts_with_where_it_was_asked(people: People) -> None:
    """The first one got no word from Slack, and was made in public; its message is deleted should it arrive after all."""
    value = buttons(people.miss())["person"]["value"]
    people.stub.fields["chat.postMessage"] = {"ts": None}
    people.one.submit(people.form(value, **on_message(people.one.door, "C5", thread="5.5")), ASKER)
    (first,) = people.requests
    people.clock.now += POSTING_LASTS + 1
    people.stub.fields["chat.postMessage"] = {"ts": POST}
    people.one.submit(people.form(value), ASKER)
    (second,) = people.requests
    assert (second.id, second.origin_channel, second.ts) == (first.id, "", POST)
    assert not people.one.store.help_requests.set_post(first, "9.9")
    people.one.store.help_requests.remove_attempt(first)
    assert people.requests == [second]


def test_what_was_answered_can_be_asked_again_the_next_day(people: People) -> None:
    """Somebody may have pressed by mistake."""
    people.press("help_done", people.ask(), people.one)
    form = people.form(buttons(people.miss())["person"]["value"])
    people.clock.now += AGAIN_AFTER - 1
    assert "it was answered in" in text(people.one.submit(form, ASKER))
    people.clock.now += 1
    assert text(people.one.submit(form, ASKER)) == f"Posted in <#{HELP}>."
    assert len(people.posts) == 2


def test_attempts_that_were_never_posted_and_old_questions_dont_count(people: People) -> None:
    people.stub.fields["chat.postMessage"] = {"ts": None}
    for word in ("piano", "drum", "harp", "tuba", "flute"):
        people.ask(f"is there a {word} in the basement")
    count = people.one.store.help_requests.count_open
    assert count(TEAM, ASKER) == MAX_OPEN
    people.clock.now += POSTING_LASTS + 1
    assert count(TEAM, ASKER) == 0
    people.stub.fields["chat.postMessage"] = {"ts": POST}
    people.ask("is there a violin in the basement")
    assert count(TEAM, ASKER) == 1
    people.clock.now += COUNTED_FOR
    assert count(TEAM, ASKER) == 0


def test_one_person_doesnt_flood_the_channel(people: People) -> None:
    """Also not by forms that were open before."""
    value = buttons(people.miss("is there an oboe in the attic"))["person"]["value"]
    form = people.form(value)
    for word in ("piano", "drum", "harp", "tuba", "flute"):
        people.ask(f"is there a {word} in the basement")
    refused = STRINGS["person_many"].replace("{count}", str(MAX_OPEN))
    assert people.one.submit(form, ASKER)["errors"] == {"question": refused}
    assert text(people.form(value)) == refused
    assert len(people.posts) == MAX_OPEN


def test_what_the_pack_answers_by_now_is_said_before_it_is_put_to_people(people: People) -> None:
    value = buttons(people.miss())["person"]["value"]
    people.other.submit(people.other.modal("means:1", OTHER), OTHER, entry="home-office")
    form = people.form(value)
    assert text(form["blocks"][:1]) == (
        "I can answer that by now: “What are the rules for working from home?”. Ask me again, or post your question all the same."
    )
    assert text(people.one.submit(form, ASKER)) == f"Posted in <#{HELP}>."


def test_who_gets_the_same_answer_again_is_told_that_it_is_the_answer(people: People, stub: Stub) -> None:
    post = people.miss("what are the rules for working from home?")
    bad = buttons(post)["vote:bad"]["value"]
    vote(people.one.door, bad, ASKER, "vote:bad", **on_message(people.one.door))
    people.one.submit(people.form(buttons(stub.of("hook")[-1])["person"]["value"]), ASKER)
    people.press("help_means", people.posts[-1], people.one, CURATOR)
    people.one.submit(people.one.views("views.open")[-1], entry="home-office")
    people.look()
    (told,) = people.told
    assert f"<@{CURATOR}> has looked at your question, and says that this is the answer." in text(told["blocks"])


@pytest.mark.parametrize(
    ("code", "key"),
    [
        ("not_in_channel", "person_not_member"),
        ("channel_not_found", "person_not_member"),
        ("is_archived", "person_archived"),
        ("restricted_action", "person_refused"),
    ],
)
def test_what_slack_refuses_is_told_and_the_operator_gets_the_remedy(people: People, code: str, key: str) -> None:
    value = buttons(people.miss())["person"]["value"]
    people.stub.unreachable[HELP] = Fault(error=code)
    shown = people.one.submit(people.form(value), ASKER)
    assert text(shown) == STRINGS[key].replace("{channel}", f"<#{HELP}>")
    assert f"ASKPY_HELP_CHANNEL ({code})" in people.one.door.app.notes
    del people.stub.unreachable[HELP]
    assert text(people.other.submit(people.form(value), ASKER)) == f"Posted in <#{HELP}>."


def test_without_the_database_nobody_is_asked(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    value = buttons(people.miss())["person"]["value"]
    form = people.form(value)

    def away(*_: object) -> None:
        raise StoreError("away")

    monkeypatch.setattr(people.one.store.help_requests, "add", away)
    assert text(people.one.submit(form, ASKER)) == STRINGS["person_lost"]
    assert people.posts == []


def test_a_guest_cannot_ask_the_people_of_this_workspace(people: People) -> None:
    value = buttons(people.miss())["person"]["value"]
    where = on_message(people.one.door, "C5") | {"user": {"id": ASKER, "team_id": "T0OTHER"}}
    assert text(people.form(value, **where)) == STRINGS["person_guest"]
    assert people.posts == []


def test_a_button_of_before_the_channel_was_taken_out_says_so(people: People, stub: Stub, make_door: MakeDoor) -> None:
    value = buttons(people.miss())["person"]["value"]
    without = make_door(stub)
    without.press("person", value, **on_message(without, "D1"))
    assert text(stub.of("views.open")[-1]["view"]) == STRINGS["person_off"]


def test_a_bad_vote_leads_to_people_too(people: People, stub: Stub) -> None:
    question = "what are the rules for working from home?"
    post = people.miss(question)
    bad = buttons(post)["vote:bad"]["value"]
    assert question not in buttons(post)["vote:good"]["value"]
    vote(people.one.door, bad, ASKER, "vote:bad", **on_message(people.one.door))
    prompt = stub.of("hook")[-1]
    reasons = [name for name in buttons(prompt) if name.startswith("vote:")]
    assert (len(reasons), "person" in buttons(prompt)) == (4, True)
    private = on_message(people.one.door, private=True)
    vote(people.one.door, buttons(prompt)["vote:wrong"]["value"], ASKER, "vote:wrong", **private)
    thanks = stub.of("hook")[-1]
    assert STRINGS["feedback_thanks"] in text(thanks["blocks"])
    people.one.submit(people.form(buttons(thanks)["person"]["value"]), ASKER)
    assert text(people.posts[0]["blocks"][1:3]) == (
        f"{question}\nI would have answered with: “What are the rules for working from home?”"
    )
    people.look()
    assert people.told == []  # it has that answer, which wasn't the right one


# --- the post's buttons


@pytest.mark.parametrize("in_public", [True, False])
def test_answered_here_is_told_once_where_it_was_asked(people: People, in_public: bool) -> None:
    post = people.ask(in_public=in_public)
    people.press("help_done", post, people.one)
    assert people.said == STRINGS["help_thanks"]
    for process in (people.other, people.one):
        people.press("help_done", post, process, NOBODY)
        assert people.said == f"{STRINGS['help_already']} Answered in this thread, says <@{OTHER}>."
    people.look()
    (told,) = people.told
    sentence = f"<@{OTHER}> says that your question has been answered in <#{HELP}>. {STRINGS['told_link']}"
    link = f"https://acme.slack.com/archives/{HELP}/p{POST.replace('.', '')}"
    assert link in dumped(told["blocks"])
    assert link in told["text"]
    if in_public:
        assert (told["channel"], told["thread_ts"]) == ("C5", "5.5")
        assert text(told["blocks"]) == f"<@{ASKER}>: {sentence}"
    else:
        assert (told["channel"], "thread_ts" in told) == (ASKER, False)
        assert text(told["blocks"]) == f"{PIANO}\n{sentence}"
    assert "piano" not in told["text"]
    updated = people.stub.of("chat.update")[0]
    assert (updated["channel"], updated["ts"], list(buttons(updated))) == (HELP, POST, ["help_write"])
    assert text(updated["blocks"]).endswith(f"Answered in this thread, says <@{OTHER}>.\nAnswer")


def test_where_the_bot_may_not_post_any_more_the_asker_gets_a_direct_message(people: People) -> None:
    post = people.ask(in_public=True)
    people.stub.unreachable["C5"] = Fault(error="not_in_channel")
    people.press("help_done", post, people.one)
    people.look()
    assert [each["channel"] for each in people.told] == ["C5", ASKER]


def test_two_people_who_press_at_once_count_as_one(people: People) -> None:
    post = people.ask()
    request = people.one.store.help_requests
    assert [request.settle(buttons(post)["help_done"]["value"], "thread", user) for user in ("U2", "U3")] == [
        True,
        False,
    ]
    people.press("help_done", post, people.other, "U4")
    assert people.said == f"{STRINGS['help_already']} Answered in this thread, says <@U2>."


def test_a_curators_answer_is_told_and_the_next_person_gets_it(people: People) -> None:
    post = people.ask()
    people.press("help_write", post, people.one, CURATOR)
    form = people.one.views("views.open")[-1]
    told_whom, *inputs = form["blocks"]
    assert text([told_whom]) == STRINGS["help_saving"]
    values = {block["block_id"]: block["element"].get("initial_value") for block in inputs}
    assert values == {"title": PIANO, "answer": None, "asks": PIANO}
    filled = {"title": "Is there a piano?", "answer": "In the *basement*, yes.", "asks": f"{PIANO}\nwhere's the piano"}
    saved = people.save(form, people.one, **filled)
    assert text(saved) == f"Saved and live now. “Is there a piano?”: a new answer\n{STRINGS['help_telling']}\nUndo"
    people.look()
    (told,) = people.told
    assert text(told["blocks"][:2]) == f"{PIANO}\n<@{CURATOR}> has answered your question."
    assert "In the basement, yes." in text(told["blocks"])
    assert "In the basement, yes." in told["text"]
    assert text(people.stub.of("chat.update")[0]["blocks"]).endswith(
        f"Answered by <@{CURATOR}>, and from now on by me: “Is there a piano?”"
    )
    assert "In the basement, yes." in people.other.told("wheres the piano", "C2", "U8")["text"]


def test_an_answer_that_is_taken_back_is_so_in_the_post_too(people: People) -> None:
    post = people.ask()
    people.press("help_write", post, people.one, CURATOR)
    form = people.one.views("views.open")[-1]
    saved = people.save(form, people.one, title="Is there a piano?", answer="Yes.", asks=PIANO)
    people.one.press("undo", value(saved, "undo"), saved | {"type": "modal"}, CURATOR)
    assert people.one.store.changes.active(TEAM) == ()
    update = people.stub.of("chat.update")[-1]
    assert text(update["blocks"]).endswith(f"Answered by <@{CURATOR}>; that answer was taken back since.")
    people.look()
    assert len(people.told) == 1


def test_this_means_is_told_with_the_answer(people: People) -> None:
    post = people.ask(in_public=True)
    people.press("help_means", post, people.other, CURATOR)
    form = people.other.views("views.open")[-1]
    assert STRINGS["help_saving"] in text(form)
    shown = people.other.submit(form, entry="home-office")
    assert "Saved and live now." in text(shown)
    people.look()
    (told,) = people.told
    assert text(told["blocks"][:1]) == f"<@{ASKER}>: <@{CURATOR}> has answered your question."
    assert "working from home" in told["text"]
    assert PIANO not in json.dumps(told)  # what was asked there may have been other words
    assert people.one.found(PIANO) == ("home-office",)


@pytest.mark.parametrize("form", ["help_write", "help_means"])
def test_the_curator_has_answered_also_where_another_process_is_quicker(
    people: People, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its check sees the saved edit before the process that has saved it gets on with its work."""

    async def late(*_: object) -> None: ...

    post = people.ask()
    people.press(form, post, people.one, CURATOR)
    shown = people.one.views("views.open")[-1]
    filled = {"title": "Is there a piano?", "answer": "In the basement.", "asks": PIANO}
    if form == "help_write":
        shown = people.one.submit(shown, **filled)
    monkeypatch.setattr(forms, "_after_answer", late)
    monkeypatch.setattr(forms, "_after_meaning", late)
    people.one.submit(shown, **({} if form == "help_write" else {"entry": "home-office"}))
    people.look()
    (told,) = people.told
    assert f"<@{CURATOR}> has answered your question." in text(told["blocks"])


def test_what_was_answered_in_the_thread_a_curator_can_still_write_down(people: People) -> None:
    post = people.ask()
    people.press("help_done", post, people.one)
    people.press("help_write", post, people.other, CURATOR)
    people.save(people.other.views("views.open")[-1], people.other, title="A piano?", answer="Yes.", asks=PIANO)
    people.look()
    assert len(people.told) == 1
    assert "Yes." in people.other.told(PIANO, "C2", "U8")["text"]
    people.press("help_means", post, people.one, CURATOR)
    assert people.said.startswith(STRINGS["help_already"])


def test_not_ours_asks_first(people: People) -> None:
    confirm = {name: element.get("confirm") for name, element in buttons(people.ask()).items()}
    assert [name for name, dialog in confirm.items() if dialog] == ["help_not_ours"]


def test_not_ours_is_told_kindly(people: People) -> None:
    post = people.ask()
    people.press("help_not_ours", post, people.one, CURATOR)
    people.look()
    (told,) = people.told
    assert text(told["blocks"]).endswith(f"<@{CURATOR}> says that your question isn't one for <#{HELP}> or for me.")
    assert [change.kind for change in people.other.store.changes.active(TEAM)] == ["not_ask"]


@pytest.mark.parametrize("name", ["help_write", "help_means", "help_not_ours"])
def test_only_curators_may_do_more_than_say_that_it_was_answered(people: People, name: str) -> None:
    post = people.ask()
    people.press(name, post, people.one, NOBODY)
    assert people.said == (
        "Only curators can do this: <@U1>, <@U2>. Whoever runs me can name others in ASKPY_CURATORS. "
        "You can answer in the thread, then press “Answered here”."
    )
    assert people.one.store.changes.active(TEAM) == ()
    people.press("help_done", post, people.one, NOBODY)
    assert people.said == STRINGS["help_thanks"]


def test_an_answer_that_comes_by_another_way_ends_the_request(people: People) -> None:
    """A curator says on the Home tab what the question means."""
    post = people.ask()
    people.look()
    assert people.told == []
    people.other.submit(people.other.modal("means:1", OTHER), OTHER, entry="home-office")
    people.look()
    (told,) = people.told
    assert STRINGS["told_knowledge"] in text(told["blocks"])
    assert "working from home" in told["text"]
    people.press("help_done", post, people.one)
    assert people.said.startswith(f"{STRINGS['help_already']} I can answer this now: ")


def test_who_couldnt_be_told_is_told_later_and_by_another_process(people: People) -> None:
    post = people.ask()
    people.stub.unreachable[ASKER] = limited(0.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bot.slack.transport.outbox.MAX_ATTEMPTS", 1)
        people.press("help_done", post, people.one)
    del people.stub.unreachable[ASKER]
    before = len(people.told)
    people.other.door.look()
    people.look()
    assert len(people.told) == before + 1


def test_a_process_that_dies_while_it_tells_leads_to_no_second_telling(people: People) -> None:
    post = people.ask()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(people.one.store.help_requests), "end_telling", lambda *_, **__: None)
        people.press("help_done", post, people.one)
    people.look()
    people.clock.now += TELLING_LASTS + 1
    people.look()
    assert len(people.told) == 1
    assert unfinished(people) == []


def test_a_post_of_which_no_word_came_is_known_by_its_first_press(people: People) -> None:
    people.stub.fields["chat.postMessage"] = {"ts": None}
    post = people.ask()
    people.press("help_done", post, people.one)
    assert [each["ts"] for each in people.stub.of("chat.update")] == [POST]
    assert len(people.told) == 1


def test_while_the_database_cant_be_reached_a_press_says_so(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    post = people.ask()

    def away(*_: object, **__: object) -> None:
        raise StoreError("away")

    monkeypatch.setattr(people.one.store.help_requests, "find", away)
    people.press("help_done", post, people.one)
    assert people.said == STRINGS["help_lost"]
    monkeypatch.undo()
    monkeypatch.setattr(people.one.store.help_requests, "settle", away)
    people.press("help_done", post, people.one)
    assert people.said == STRINGS["help_lost"]


def test_the_post_of_a_process_that_died_is_brought_up_to_date_by_a_check(people: People) -> None:
    post = people.ask()
    assert people.one.store.help_requests.settle(buttons(post)["help_done"]["value"], "thread", OTHER)
    people.other.door.look()
    assert [list(buttons(update)) for update in people.stub.of("chat.update")] == [["help_write"]]
    assert len(people.told) == 1


def test_a_refused_token_leaves_nothing_undone(people: People) -> None:
    post = people.ask()
    people.stub.unreachable[ASKER] = people.stub.unreachable[HELP] = Fault(error="invalid_auth")
    people.press("help_done", post, people.one)
    people.one.door.command("forget me", user_id="U9")
    people.stub.unreachable.clear()
    before = len(people.told)
    people.look()
    assert len(people.told) == before + 1
    people.stub.unreachable[HELP] = Fault(error="invalid_auth")
    people.one.door.command("forget me", user_id=ASKER)
    assert len(unfinished(people)) == 1
    people.stub.unreachable.clear()
    people.look()
    assert unfinished(people) == []


@pytest.mark.parametrize("error", ["internal_error", "service_unavailable"])
def test_a_passing_fault_of_slacks_leaves_nothing_undone(people: People, error: str) -> None:
    post = people.ask()
    people.stub.unreachable[ASKER] = people.stub.unreachable[HELP] = Fault(error=error)
    people.press("help_done", post, people.one)
    people.stub.unreachable.clear()
    before = len(people.told)
    people.look()
    assert len(people.told) == before + 1


def test_after_an_outage_of_hours_the_asker_is_told(people: People) -> None:
    """Though one process holds the telling while the other looks at it."""
    post = people.ask()
    people.stub.unreachable[ASKER] = Fault(error="service_unavailable")
    people.press("help_done", post, people.one)
    before = len(people.told)
    for _ in range(3):
        people.clock.now += TELLING_LASTS
        people.look()
    people.stub.unreachable.clear()
    (request,) = people.requests
    assert people.one.store.help_requests.begin_telling(request)
    people.other.door.look()
    people.one.store.help_requests.end_telling(request, is_told=False)
    failed = len(people.told)
    assert failed > before
    people.look()
    assert len(people.told) == failed + 1


def test_a_post_that_couldnt_be_brought_up_to_date_is_later(people: People) -> None:
    post = people.ask()
    people.stub.unreachable[HELP] = Fault(error="service_unavailable")
    people.press("help_done", post, people.one)
    people.stub.unreachable.clear()
    updates = len(people.stub.of("chat.update"))
    people.look()
    assert len(people.stub.of("chat.update")) == updates + 1
    assert (len(people.told), unfinished(people)) == (1, [])


def test_an_error_in_showing_it_tells_nobody_twice(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("boom")

    post = people.ask()
    monkeypatch.setattr(help_requests, "post_message", broken)
    people.press("help_done", post, people.one)
    people.look()
    assert len(people.told) == 1


def test_an_end_that_couldnt_be_saved_is_tried_at_the_next_check(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    people.ask()
    people.look()

    def away(*_: object, **__: object) -> None:
        raise StoreError("away")

    for process in (people.one, people.other):
        monkeypatch.setattr(process.store.help_requests, "settle", away)
    people.other.submit(people.other.modal("means:1", OTHER), OTHER, entry="home-office")
    people.look()
    assert people.told == []
    monkeypatch.undo()
    people.look()
    assert len(people.told) == 1


def test_a_post_of_which_nothing_is_known_is_deleted_when_it_is_pressed(people: People) -> None:
    """Its row is gone, or another attempt's post is in its place."""
    post = people.ask()
    for ts, sentence in (("1.1", "help_stray"), (POST, "help_thanks")):
        people.press("help_done", post, people.one, container={"type": "message", "message_ts": ts, "channel_id": HELP})
        people.stub.wait("chat.update" if ts == POST else "chat.delete")
        assert people.said == STRINGS[sentence]
    assert people.stub.of("chat.delete") == [{"channel": HELP, "ts": "1.1"}]
    people.one.store.forget(TEAM, ASKER)
    (left,) = unfinished(people)
    people.one.store.help_requests.remove(left)
    people.press("help_done", post, people.other)
    assert people.said == STRINGS["help_gone"]
    assert people.stub.of("chat.delete")[1:] == [{"channel": HELP, "ts": POST}]


def test_an_open_question_isnt_put_again_when_a_forgotten_one_goes(people: People) -> None:
    people.ask()
    people.one.store.forget(TEAM, ASKER)
    people.ask()
    people.look()
    form = people.form(buttons(people.miss())["person"]["value"])
    assert text(people.one.submit(form, ASKER)).startswith(f"You asked this in <#{HELP}> on")
    assert len(people.posts) == 2


def test_of_what_is_told_the_post_is_rewritten_once(people: People) -> None:
    """Though the checks of both processes come upon it before that is written down."""
    post = people.ask()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(people.one.store.help_requests), "end_telling", lambda *_, **__: None)
        people.press("help_done", post, people.one)
        people.look()
    assert len(people.stub.of("chat.update")) == 1


def test_what_a_curator_ignored_can_still_be_said_not_to_be_ours(people: People) -> None:
    post = people.ask()
    home = people.other.go("misses", OTHER)
    people.other.press("ignore:1", value(home, "ignore:1"), home, OTHER)
    people.press("help_not_ours", post, people.one, CURATOR)
    assert people.said == f"{STRINGS['help_thanks']} {STRINGS['help_ignored']}"
    people.look()
    assert len(people.told) == 1


def test_a_list_that_has_grown_is_no_other_answer() -> None:
    assert is_same_answer("list|backend|flask,django", "list|backend|flask")
    assert not is_same_answer("list|backend|flask", "list|frontend|flask")
    assert not is_same_answer("topic||a", "topic||b")
    assert not is_same_answer("unknown||", "topic||b")


def test_the_button_of_another_installation_does_nothing(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """A value is no proof: it can stand in anybody's message."""
    post = people.ask()

    async def of_team(_: object, team: str) -> None:
        assert team == TEAM

    monkeypatch.setattr(type(people.one.door.app.context), "of_team", of_team)
    people.press("help_done", post, people.one)
    assert people.said == STRINGS["help_gone"]
    monkeypatch.undo()
    assert [request.outcome for request in people.requests] == [""]


def test_the_address_isnt_made_of_another_companys_domain(people: People) -> None:
    post = people.ask()
    guest = {"user": {"id": "U5", "team_id": "T0OTHER"}, "team": {"id": "T0OTHER", "domain": "other"}}
    people.press("help_done", post, people.one, **guest)
    (told,) = people.told
    assert "slack.com" not in dumped(told)


PRESSES = ("help_done", "help_not_ours", "help_write", "help_means")
"""Those that end a request."""


@pytest.mark.parametrize("name", PRESSES)
def test_every_press_counts_once_in_two_processes_and_after_a_restart(
    people: People, stub: Stub, make_door: MakeDoor, database: str, name: str
) -> None:
    """The question is put twice, each button pressed twice in each of two processes and in one that is started later; both forms
    were open before the first of them was saved."""
    value_of_person = buttons(people.miss())["person"]["value"]
    form = people.form(value_of_person)
    for process in (people.one, people.other) * 2:
        process.submit(form, ASKER)
    (post,) = people.posts
    opened = []
    for process in (people.one, people.other):
        people.press(name, post, process, CURATOR)
        opened += process.views("views.open")[-1:] if name in ("help_write", "help_means") else []
    filled = (
        {"title": "A piano?", "answer": "Yes.", "asks": PIANO} if name == "help_write" else {"entry": "home-office"}
    )
    later = Process(stub, make_door, database, help_channels=(HELP,), clock=people.clock)
    for process, view in zip((people.one, people.other, later), [*opened, *opened[:1]], strict=False):
        for _ in range(2):
            shown = process.submit(view, CURATOR, **filled)
            if name == "help_write":
                process.submit(shown, CURATOR)
    for process in (people.one, people.other, later) * 2:
        people.press(name, post, process, CURATOR)
        assert people.said.startswith(STRINGS["help_already"])
        process.submit(form, ASKER)
        process.door.look()
    assert (len(people.posts), len(people.told)) == (1, 1)
    assert len(later.store.changes.active(TEAM)) == (name != "help_done")
    later.store.close()


# --- it goes again


def test_forget_me_deletes_the_post_once(people: People) -> None:
    post = people.ask()
    people.one.door.command("forget me", user_id=ASKER)
    people.look()
    assert people.stub.of("chat.delete") == [{"channel": HELP, "ts": POST}]
    assert unfinished(people) == []
    people.press("help_done", post, people.one)
    assert people.said == STRINGS["help_gone"]
    assert people.told == []


def test_who_asks_again_after_that_is_forgotten_again(people: People) -> None:
    for number in (1, 2):
        people.stub.fields["chat.postMessage"] = {"ts": f"1700000009.00010{number}"}
        people.ask()
        people.one.door.command("forget me", user_id=ASKER)
        assert len(people.stub.of("chat.delete")) == number
        assert people.requests == []


def test_while_a_forgotten_post_waits_the_question_can_be_put_anew(people: People) -> None:
    people.ask()
    people.one.store.forget(TEAM, ASKER)
    people.ask()
    assert len(people.posts) == 2
    people.look()
    assert [request.asker for request in people.requests] == [ASKER]


def test_a_post_of_which_no_word_came_is_deleted_at_its_first_press(people: People) -> None:
    people.stub.fields["chat.postMessage"] = {"ts": None}
    post = people.ask()
    people.one.door.command("forget me", user_id=ASKER)
    assert people.stub.of("chat.delete") == []
    people.press("help_done", post, people.other)
    assert people.said == STRINGS["help_gone"]
    assert people.stub.of("chat.delete") == [{"channel": HELP, "ts": POST}]
    assert people.requests == []


def test_a_post_that_couldnt_be_deleted_is_deleted_later(people: People) -> None:
    people.ask()
    people.stub.unreachable[HELP] = Fault(status=503)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bot.slack.transport.outbox.MAX_ATTEMPTS", 1)
        people.one.door.command("forget me", user_id=ASKER)
    (left,) = unfinished(people)
    assert (left.asker, left.text, left.origin_channel, left.by) == ("", "", "", "")
    del people.stub.unreachable[HELP]
    people.other.door.look()
    assert unfinished(people) == []


@pytest.mark.parametrize("error", ["is_archived", "cant_delete_message"])
def test_a_refused_deletion_is_tried_again_every_hour(people: People, error: str) -> None:
    people.ask()
    people.stub.unreachable[HELP] = Fault(error=error)
    people.one.door.command("forget me", user_id=ASKER)
    people.look()
    assert len(people.stub.of("chat.delete")) == 1
    people.clock.now += RETRY_DELETION_AFTER
    people.look()
    assert len(people.stub.of("chat.delete")) == 2
    people.stub.unreachable[HELP] = Fault(error="message_not_found")
    people.clock.now += RETRY_DELETION_AFTER
    people.look()
    assert people.requests == []


def test_who_is_forgotten_while_it_is_posted_has_no_post(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    form = people.form(buttons(people.miss())["person"]["value"])
    store, client = people.one.store, people.one.door.app.context.outbox
    send = client.send

    async def forgotten_meanwhile(request: Any) -> Any:
        result = await send(request)
        if request.args.get("channel") == HELP and request.method == "chat.postMessage":
            store.forget(TEAM, ASKER)
        return result

    monkeypatch.setattr(client, "send", forgotten_meanwhile)
    people.one.submit(form, ASKER)
    assert people.stub.of("chat.delete") == [{"channel": HELP, "ts": POST}]


def test_after_the_retention_time_the_post_goes(people: People) -> None:
    people.ask()
    people.clock.now += (RETENTION_DAYS - 1) * DAY
    people.one.store.purge()
    people.look()
    assert people.stub.of("chat.delete") == []
    people.clock.now += DAY
    people.one.store.purge()
    people.look()
    assert people.stub.of("chat.delete") == [{"channel": HELP, "ts": POST}]


# --- "Save as answer"


def save_message(people: People, by: str = CURATOR, channel: Json | None = None, **message: Any) -> Json:
    """Use "Save as answer" on a message; the modal that it opens."""
    message = {
        "type": "message",
        "user": "U5",
        "ts": "1699999999.000200",
        "text": "The piano is in the basement.",
    } | message
    people.one.door.interact(
        type="message_action",
        callback_id="save_answer",
        message=message,
        channel=channel or {"id": "C5", "name": "music"},
        team={"id": TEAM, "domain": "acme"},
        user={"id": by, "team_id": TEAM},
    )
    return people.one.views("views.open")[-1]


def test_a_message_becomes_an_answer_with_its_source(people: People) -> None:
    form = save_message(people)
    assert text(form["blocks"][:2]) == (
        f"These are the words of <@U5>. {STRINGS['save_reword']}\n"
        f"{STRINGS['save_credit'].replace('{source}', 'Slack, 14 November 2023')}"
    )
    assert {
        block["block_id"]: block["element"].get("initial_value") for block in form["blocks"] if "element" in block
    } == {
        "title": None,
        "answer": "The piano is in the basement.",
        "asks": None,
    }
    assert STRINGS["help_saving"] not in text(form)
    checked = people.one.submit(form, title="Where is the piano?", asks=f"{PIANO}\nwhere's the piano")
    assert text(checked).count(STRINGS["save_reword"]) == 1
    people.one.submit(checked)
    (change,) = people.one.store.changes.active(TEAM)
    assert (change.source_date, change.source_url) == (
        "2023-11-14",
        "https://acme.slack.com/archives/C5/p1699999999000200",
    )
    post = people.other.told("where's the piano")
    assert "From Slack, 14 November 2023" in post["text"]
    assert change.source_url in dumped(post["blocks"])


def test_of_a_message_nothing_is_stored_before_a_curator_saves_it(people: People, database: str) -> None:
    save_message(people)
    save_message(people, NOBODY)
    assert [value for _, value in everything(database) if "basement" in value or "U5" in value] == []


@pytest.mark.parametrize(
    ("channel", "key"),
    [
        ({"id": "C5", "name": "privategroup"}, "save_private"),
        ({"id": "G5", "name": "secret"}, "save_private"),
        ({"id": "C5"}, "save_private"),
        ({"id": "D5", "name": "directmessage"}, "save_direct"),
        ({"id": "G5", "name": "mpdm-ann--bob-1"}, "save_direct"),
    ],
)
def test_what_not_everybody_may_read_has_a_warning_and_no_address(people: People, channel: Json, key: str) -> None:
    form = save_message(people, channel=channel)
    assert STRINGS[key] in text(form)
    state = CuratorModalState.from_metadata(form["private_metadata"])
    assert state.message is not None
    assert (state.message.url, state.message.date) == ("", "2023-11-14")


@pytest.mark.parametrize("field", ["team", "user_team", "source_team"])
def test_the_words_of_another_companys_people_have_a_warning(people: People, field: str) -> None:
    assert STRINGS["save_foreign"] not in text(save_message(people, **{field: TEAM}))
    assert STRINGS["save_foreign"] in text(save_message(people, **{field: "T0OTHER"}))


def test_a_message_that_is_too_long_is_cut_and_says_so(people: People) -> None:
    form = save_message(people, text="word " * 2000)
    assert STRINGS["save_cut"] in text(form)


def test_a_reply_in_the_help_channel_ends_the_request(people: People) -> None:
    people.ask()
    reply = {"thread_ts": POST, "ts": "1700000010.000100"}
    form = save_message(people, channel={"id": HELP, "name": "help"}, **reply)
    assert STRINGS["help_saving"] in text(form)
    values = {
        block["block_id"]: block["element"].get("initial_value") for block in form["blocks"] if "element" in block
    }
    assert values == {"title": PIANO, "answer": "The piano is in the basement.", "asks": PIANO}
    people.save(form, people.one)
    people.look()
    (told,) = people.told
    assert "The piano is in the basement." in told["text"]
    (change,) = people.one.store.changes.active(TEAM)
    link = f"https://acme.slack.com/archives/{HELP}/p1700000010000100?thread_ts={POST}&cid={HELP}"
    assert change.source_url == link


def test_a_message_beside_a_request_has_nothing_to_do_with_it(people: People) -> None:
    """Slack gave no word of its post, so that its `ts` is as empty as the thread of a message at the top of the channel."""
    people.stub.fields["chat.postMessage"] = {"ts": None}
    people.ask()
    form = save_message(people, channel={"id": HELP, "name": "help"})
    values = {
        block["block_id"]: block["element"].get("initial_value") for block in form["blocks"] if "element" in block
    }
    assert (values["title"], values["asks"]) == (None, None)
    assert CuratorModalState.from_metadata(form["private_metadata"]).help_request == ""


def test_forwarded_words_have_a_warning(people: People) -> None:
    attachment = {"is_share": True, "author_id": "U6", "channel_id": "G0PRIV", "text": "The drum is there, too."}
    form = save_message(people, attachments=[attachment])
    assert STRINGS["save_forwarded"] in text(form)


def test_our_own_post_is_the_question_and_no_answer(people: People) -> None:
    post = people.ask()
    message = {"ts": POST, "user": "U0BOT", "text": post["text"], "blocks": post["blocks"]}
    form = save_message(people, channel={"id": HELP, "name": "help"}, **message)
    values = {
        block["block_id"]: block["element"].get("initial_value") for block in form["blocks"] if "element" in block
    }
    assert values == {"title": PIANO, "answer": None, "asks": PIANO}


def test_anybody_else_is_told_who_curates(people: People) -> None:
    view = save_message(people, NOBODY)
    assert text(view).startswith("Only curators can do this: <@U1>, <@U2>.")
    assert "piano" not in json.dumps(view)


def test_a_message_without_words_says_so(people: People) -> None:
    for without in ({"text": ""}, {"text": ":+1:"}, {"text": "", "files": [{"name": "plan.png"}]}):
        assert text(save_message(people, **without)) == STRINGS["no_words"]


def test_an_apps_message_is_nobodys_words(people: People) -> None:
    assert STRINGS["save_of_app"] in text(save_message(people, bot_id="B1"))
