"""One of every kind of message and view that the app sends, rendered from a pack as for real, so that Slack can validate them.

Where people's or curators' words would be, there are phrasings of the pack.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from typing import Any, get_args

from bot.engine import Engine
from bot.model import (
    Change,
    Complaint,
    HelpRequest,
    Kind,
    Knowledge,
    Library,
    Miss,
    PilotChannel,
    Question,
    Reply,
    Tally,
)
from bot.reply.wording import choice_of
from bot.slack.app import SlackApp, build_app
from bot.slack.blocks import Layout, curation, paragraph_blocks, quote_block, shared_by_block
from bot.slack.blocks import help_requests as help_blocks
from bot.slack.blocks.curation import OUTCOMES, PAGES, Dashboard, ResultNote, channel_element, fill
from bot.slack.blocks.footer import person_blocks, reason_blocks, unanswered_blocks
from bot.slack.blocks.rich_text import line_block
from bot.slack.blocks.views import FIRST_PAGE, GROUPS_PAGE, TOPICS_PAGE, View, home_view, modal_view, search_blocks
from bot.slack.context import Context
from bot.slack.features.commands import run_command
from bot.slack.features.curation.help_post import answer_view
from bot.slack.features.help_requests import post_message, told_message
from bot.slack.features.modals import modal_message, pages_back
from bot.slack.outgoing import (
    OutgoingMessage,
    footer_for,
    further_messages,
    reply_message,
    rest_in_one_message,
    text_message,
    views_of,
)
from bot.slack.payloads import (
    AnswerRef,
    CuratorModalState,
    FeedbackValue,
    HelpFormState,
    MessageWarning,
    ModalState,
    SavedMessage,
    answer_ref,
)
from bot.slack.permissions import WorkspaceCurators
from bot.slack.transport.client import SlackConfig
from bot.store import Store
from bot.understanding import Matcher

MAX_ENTRIES = 300
"""Entries, and pairs of cards, that the largest answer of its kind is looked for among: each takes some milliseconds."""
MAX_WORDS = 60
"""Words of the pack that are asked for alone, until one gets suggestions in place of an answer."""
MAX_MISSES = 12
"""Phrasings in the curators' samples: enough for a second row of check boxes."""
UNKNOWN = "qzxv wvkq zzjq"
"""A question that no pack knows."""
USER, OTHER, CHANNEL, KEY = "U00000000", "U00000001", "C00000000", "sample"
"""What stands for two people, a channel and a message."""
DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Sample:
    """One kind of message or view: its name, and for each layout or state the layout's name and blocks.validate's arguments."""

    name: str
    variants: tuple[tuple[str, dict[str, Any]], ...]


async def samples(knowledge: Knowledge, layout: Layout, config: SlackConfig, cache: Path | None = None) -> list[Sample]:
    """A sample of every kind that this pack has. `cache`: the folder that its index is loaded from and saved in."""
    with closing(Store("sqlite://")) as store:
        engine = Engine(Matcher.from_knowledge(knowledge, cache))
        app = build_app(
            engine,
            store,
            config,
            lines=knowledge.voice.lines,
            layout=layout,
            curators=(f"T0:{USER}",),
            help_channels=(f"T0:{CHANNEL}",),
        )
        try:
            store.prepare()
            return [
                *_replies(app.context),
                *await _other_messages(app.context),
                *_help_messages(app.context),
                *_modals(app.context),
                *_help_views(app.context),
                *_home(app.context),
            ]
        finally:
            _close(app)


def _close(app: SlackApp) -> None:
    for executor in (app.context.workers, app.context.database):
        executor.shutdown()


def _message(context: Context, name: str, *messages: OutgoingMessage) -> Sample:
    """Messages of one kind, in each layout in which they are sent."""
    variants: dict[str, tuple[str, dict[str, Any]]] = {}
    layouts: tuple[Layout, ...] = ("cards", "classic", "links") if context.layout == "cards" else ("classic", "links")
    for message in messages:
        for layout in layouts:
            payload = json.dumps({"text": message.text, "blocks": message.render(layout)})
            variants.setdefault(payload, (layout, {"message": payload}))
    return Sample(name, tuple(variants.values()))


def _view(name: str, *views: View) -> Sample:
    return Sample(name, tuple(("", {"view": json.dumps(view)}) for view in views))


# --- messages


def _replies(context: Context) -> Iterator[Sample]:
    """The largest reply of each kind: where they are posted, where they are private, and in a modal."""
    for name, question, reply in _sample_replies(context):
        asked = Question(question, "mention", conversation="T0:C0:1.0:U0", workspace="T0")
        messages = [
            reply_message(
                context, reply, footer_for(context, reply, asked, KEY, mode), KEY, note=context.strings["on_trial"]
            )
            for mode in ("", "share")
        ]
        yield _message(context, f"the reply {name}", *messages)
        state = ModalState((question, question), channel=CHANNEL, thread="1.0")
        view, links = views_of(context, modal_message(context, reply, state, f"T0:{USER}"), state, pages_back(state))
        yield _view(f"the modal with the reply {name}", view, *([links()] if links is not None else []))
        if reply.further:
            parts = [message for _, message in further_messages(context, reply, KEY)]
            yield _message(context, f"the further parts of the reply {name}", *parts)
            rest = views_of(context, rest_in_one_message(context, reply, KEY), state, 0)[0]
            yield _view(f"the modal with further parts of the reply {name}", rest)


def _sample_replies(context: Context) -> Iterator[tuple[str, str, Reply]]:
    """The name of each kind of reply that the pack has, a question for it, and the largest of those replies."""
    engine, knowledge = context.engine, context.engine.knowledge
    for kind, references in _references(knowledge).items():
        replies = [reply for reference in references if (reply := engine.rebuild_reply(reference)) is not None]
        if replies:
            yield kind, _phrasing(knowledge), max(replies, key=lambda reply: len(str(reply.parts)))
    for name, texts in {
        "help": ("help",),
        "smalltalk": ("hello", "thanks"),
        "unknown": (UNKNOWN,),
        "unknown, with suggestions": _words(knowledge),
    }.items():
        answers = ((text, engine.answer(Question(text, "mention"))) for text in texts)
        found = next((answer for answer in answers if _is(name, answer[1])), None)
        if found is not None:
            yield name, *found


def _is(name: str, reply: Reply) -> bool:
    kind, _, suggestions = name.partition(", ")
    return reply.kind == kind and bool(reply.ids) == bool(suggestions)


def _references(knowledge: Knowledge) -> dict[Kind, list[str]]:
    """References of replies by kind."""
    references: dict[Kind, list[str]] = {
        "topic": [],
        "step": [],
        "library": [],
        "compare": [],
        "list": [],
        "recommend": [],
    }
    for entry in knowledge.entries[:MAX_ENTRIES]:
        references[entry.kind].append(f"{entry.kind}||{entry.id}")
    cards = [entry.id for entry in knowledge.entries if isinstance(entry, Library)]
    for pair, _ in zip(combinations(cards, 2), range(MAX_ENTRIES), strict=False):
        references["compare"].append(f"compare||{','.join(pair)}")
    for group in knowledge.groups:
        ids = [card.id for card in knowledge.members(group)]
        references["list"].append(f"list|{group.id}|{','.join(ids)}")
        references["recommend"].append(f"recommend|{group.id}|{','.join(ids[:4])}")
    return references


def _words(knowledge: Knowledge) -> list[str]:
    """Words of the titles: one alone says too little for an answer, and may get suggestions."""
    titles = " ".join(entry.title for entry in knowledge.entries).split()
    return list(dict.fromkeys(word.strip("?!.,:;()“”") for word in titles if len(word) > 3))[:MAX_WORDS]


def _phrasing(knowledge: Knowledge) -> str:
    """A question of the pack's own; UNKNOWN if the pack is empty."""
    return choice_of(knowledge.entries[0]).ask if knowledge.entries else UNKNOWN


async def _other_messages(context: Context) -> list[Sample]:
    """What is sent besides replies to questions."""
    strings, phrasing = context.strings, _phrasing(context.engine.knowledge)
    reply = context.engine.answer(Question(phrasing))
    ref = AnswerRef(answer_ref(reply), phrasing)
    status = await run_command(context, "status", f"T0:{USER}", CHANNEL)
    explanation = context.engine.explain(Question(phrasing), ref.answer_ref)
    voted = FeedbackValue(KEY, ref.answer_ref, "bad", question=phrasing)
    wrong, noted = strings["what_was_wrong"], strings["none_noted"]
    noted_blocks = [*paragraph_blocks(noted), *unanswered_blocks(ref, strings, can_ask_people=True)]
    told = {"above": (quote_block(phrasing),), "note": strings["told_note"]}
    shared = reply_message(context, reply, None, KEY, below=(shared_by_block(USER, strings),))
    return [
        _message(context, "/askpy status", reply_message(context, status, None, KEY)),
        _message(context, "“Why this answer?”", reply_message(context, explanation, None, KEY)),
        _message(context, "a shared answer", shared),
        _message(context, "“Tell me”, once there is an answer", reply_message(context, reply, None, KEY, **told)),  # type: ignore[arg-type]
        _message(context, "what was wrong?", text_message(wrong, KEY, reason_blocks(voted, strings))),
        _message(context, "“None of these”", text_message(noted, KEY, noted_blocks)),
        _message(context, "a sentence", text_message(strings["busy"], KEY)),
    ]


def _help_requests(knowledge: Knowledge) -> list[HelpRequest]:
    """A question that is put to people, asked in private and in public, open and ended in each way."""
    answer = next((f"{entry.kind}||{entry.id}" for entry in knowledge.entries), "")
    nearest = ",".join(entry.id for entry in knowledge.entries[: help_blocks.MAX_NAMED])
    asked = HelpRequest(
        id=KEY, workspace="T0", asker=USER, text=_phrasing(knowledge), channel=CHANNEL, ts="1.0", at=time.time()
    )  # fmt: skip
    link = f"https://example.slack.com/archives/{CHANNEL}/p10"
    states = [
        asked,
        replace(asked, answer_ref=answer),
        replace(asked, answer_ref=f"unknown||{nearest}"),
        replace(asked, outcome="entry", by=OTHER, answer=answer),
        replace(asked, outcome="entry", answer=answer),
        replace(asked, outcome="thread", by=OTHER, link=link),
        replace(asked, outcome="not_ours", by=OTHER),
    ]
    return [*states, *(replace(state, origin_channel=CHANNEL, origin_thread="1.0") for state in states)]


def _help_messages(context: Context) -> list[Sample]:
    """What is sent when a question is put to people: the post, what the asker is told, and what who pressed a button is told."""
    strings, knowledge = context.strings, context.engine.knowledge
    requests = _help_requests(knowledge)
    ended = [request for request in requests if request.outcome]
    sentences = [fill(strings[key]) for key in ("help_thanks", "help_gone", "help_lost")]
    sentences += [help_blocks.settled_message(request, knowledge, strings) for request in ended]
    said = [text_message(help_blocks.text_without_names(each, strings), KEY, [line_block(each)]) for each in sentences]
    vote = FeedbackValue(KEY, "", "bad", question=_phrasing(knowledge))
    thanks = strings["feedback_thanks"]
    thanks_blocks = [*paragraph_blocks(thanks), *person_blocks(vote, strings)]
    return [
        _message(context, "a question for people", *(post_message(context, request) for request in requests)),
        _message(context, "the answer to it", *(told_message(context, request, KEY) for request in ended)),
        _message(context, "a press of its buttons", *said),
        _message(context, "thanks for a vote", text_message(thanks, KEY, thanks_blocks)),
    ]


# --- views


def _help_views(context: Context) -> Iterator[Sample]:
    """The form that puts a question to people, its results, and the curators' forms that such a question and a message open."""
    strings, knowledge, now = context.strings, context.engine.knowledge, time.time()
    requests, days = _help_requests(knowledge), context.store.retention_days
    forms = [
        help_blocks.help_form(state, requests[0].text, CHANNEL, USER, days, strings)
        for state in (HelpFormState(), HelpFormState(CHANNEL, "1.0"))
    ]
    yield _view("the form “Ask a person”", *forms)
    channel = channel_element(CHANNEL)
    results = [fill(strings[key], channel=channel) for key in ("person_posting", "person_posted", "person_not_member")]
    results += [help_blocks.asked_before(request, knowledge, now, strings) for request in requests]
    yield _view("the result of “Ask a person”", *(help_blocks.note_view(result, strings) for result in results))
    yield _view("the form that answers it", answer_view(requests[0], strings))
    today = datetime.fromtimestamp(now, UTC).date().isoformat()
    messages = [
        SavedMessage(USER, today, "https://example.slack.com/"),
        SavedMessage("", today, "", get_args(MessageWarning)),
    ]
    states = [CuratorModalState(help_request=KEY, message=message) for message in messages]
    saved = [curation.answer_form(state, "", strings["home_intro"], "", strings) for state in states]
    yield _view("the form “Save as answer”", *saved)


def _modals(context: Context) -> Iterator[Sample]:
    """The search, and the curators' forms."""
    strings, knowledge = context.strings, context.engine.knowledge
    misses, state = _misses(knowledge), CuratorModalState("misses@0")
    yield _view("the search", modal_view(ModalState(search=True), search_blocks(knowledge, strings), strings))
    answered = ModalState((_phrasing(knowledge), _phrasing(knowledge)), search=True)
    reply = context.engine.answer(Question(answered.question, "home"))
    message = modal_message(context, reply, answered, f"T0:{USER}")
    yield _view("a search's answer", modal_view(answered, message.render("links"), strings, back=pages_back(answered)))
    if misses:
        keys, best = tuple(miss.key for miss in misses), misses[0].best
        forms = [
            curation.meaning_form(
                CuratorModalState("misses@0", keys[:most]), misses[:most], keys[:1], best, knowledge, strings
            )
            for most in (1, len(misses))
        ]
        yield _view("the form “This means …”", *forms)
    lines = "\n".join(miss.text for miss in misses)
    empty = curation.answer_form(state, "", "", lines, strings)
    review = curation.draft_review([strings["not_saved_oops"]], (), strings)
    checked = CuratorModalState("misses@0", checked=KEY)
    filled = curation.answer_form(checked, _phrasing(knowledge), strings["home_intro"], lines, strings, review)
    yield _view("the form “New answer”", empty, curation.checking_view(empty, strings), filled)
    result = curation.result_view(state, fill(strings["saved_nothing"]), strings, KEY)
    yield _view("the result of an edit", result)


def _home(context: Context) -> Iterator[Sample]:
    """The Home tab's pages, for everybody and for curators."""
    strings, knowledge = context.strings, context.engine.knowledge
    front = home_view(knowledge, FIRST_PAGE, strings)
    yield _view("the Home tab", front)
    pages = {
        "groups": [GROUPS_PAGE],
        "topics": [TOPICS_PAGE],
        "a group": [f"group:{group.id}" for group in knowledge.groups],
        "steps": [f"steps:{entry.id}" for entry in knowledge.entries if knowledge.steps(entry.id)],
    }
    for name, ids in pages.items():
        views = [view for page in ids if (view := home_view(knowledge, page, strings)) != front]
        if views:
            yield _view(f"the Home tab's page of {name}", max(views, key=lambda view: len(str(view))))
    dashboard = _dashboard(knowledge)
    note = ResultNote(fill(strings["saved_nothing"]), KEY, CHANNEL)
    yield _view("a curator's Home tab", curation.home_page(front, dashboard, strings, note))
    # Nobody is chosen in the menu: Slack may validate that they are people of the workspace.
    installed = replace(
        dashboard, curators=WorkspaceCurators(installer=USER, by_installer=(OTHER,), by_operator=(USER, OTHER))
    )
    first_page = curation.home_page(front, installed, strings, note, viewer=USER, has_chosen=False)
    yield _view("the Home tab of whoever installed the app", first_page)
    natives = (True, False) if context.layout == "cards" else (False,)
    for page in PAGES:
        views = [curation.page(dashboard, page, strings, note, native) for native in natives]
        yield _view(f"the curators' page {page}", *(view for n, view in enumerate(views) if view not in views[:n]))


def _misses(knowledge: Knowledge) -> tuple[Miss, ...]:
    """Phrasings of the pack as if they had been missed."""
    now, entries = time.time(), knowledge.entries[:MAX_MISSES]
    return tuple(
        Miss(
            workspace="T0", key=f"k{number}", text=choice_of(entry).ask, count=number, best=entry.id, score=0.4,
            first=now - DAY, last=now,
        )
        for number, entry in enumerate(entries, 1)
    )  # fmt: skip


def _dashboard(knowledge: Knowledge) -> Dashboard:
    """A dashboard with something in every section."""
    now, misses = time.time(), _misses(knowledge)
    by = f"T0:{USER}"
    edits = [
        Change(id=miss.key, workspace="T0", kind="ask", text=miss.text, entry=miss.best, batch=miss.key, by=by, at=now)
        for miss in misses
    ]
    return Dashboard(
        knowledge=knowledge,
        now=now,
        miss_groups=tuple((miss,) for miss in misses),
        tallies=tuple(
            Tally(datetime.fromtimestamp(now, UTC).date().isoformat(), outcome, "", 3) for outcome in OUTCOMES
        ),
        complaints=tuple(Complaint(f"{entry.kind}||{entry.id}", "outdated", 1, now) for entry in knowledge.entries[:3]),
        history=tuple(edits),
        pilots=(PilotChannel(channel=CHANNEL, since=now - DAY, answered=3, offered=2, missed=1, good=2, bad=1),),
    )
