"""What the pictures of "Ask a person", "Save as answer" and of answers with a date show: Mia asks, Lea is a curator."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from types import SimpleNamespace
from typing import Any, cast

from bot.curation.overlay import apply_changes
from bot.engine import Engine
from bot.model import Change, Complaint, HelpRequest, Knowledge, Miss, Question
from bot.reply import rebuild
from bot.slack.blocks import curation, paragraph_blocks
from bot.slack.blocks import help_requests as blocks
from bot.slack.blocks.curation import Dashboard, channel_element, fill
from bot.slack.blocks.footer import person_blocks, reason_blocks
from bot.slack.blocks.limits import Block
from bot.slack.blocks.rich_text import line_block
from bot.slack.context import Context
from bot.slack.features.curation.curator_home import refusal
from bot.slack.features.curation.edits import Curator
from bot.slack.features.curation.help_post import answer_view
from bot.slack.features.help_requests import post_message, told_message
from bot.slack.outgoing import footer_for, reply_message
from bot.slack.payloads import CuratorModalState, FeedbackValue, HelpFormState, SavedMessage, answer_ref
from bot.slack.permissions import WorkspaceCurators
from bot.slack.strings import Strings
from bot.understanding import Matcher
from tests.pictures.curators import DAY, NOW, TEAM

Scene = dict[str, Any]

MIA, LEA, PUBLIC, HELP = "U1", "U2", "C1", "C3"
MISSED, OFFERED = "Where do I get a parking permit?", "VPN in the office"
WRONG = "how do I connect my phone to the VPN?"
PERMIT = Change(
    id="1",
    workspace=TEAM,
    kind="entry",
    entry="parking-permit",
    title="Where do I get a parking permit?",
    answer="At the front desk, before ten. Bring the number of your car; the permit is **for one year**.",
    answer_format="typed",
    asks=("where do I get a parking permit", "parking permit", "who gives out parking permits"),
    source_date="2025-10-21",
    source_url="https://acme.slack.com/archives/C3/p1761036000000100",
    by=f"{TEAM}:{LEA}",
    at=NOW,
)
"""What Lea has made of a message in the help channel."""
ANSWER = f"topic||{PERMIT.entry}"
DATES: dict[str, dict[str, str]] = {
    "vpn": {"owner": "Network team", "reviewed": "2025-03-03", "review_by": "2025-11-01"},
    "offices": {"owner": "Network team", "reviewed": "2025-05-20", "review_by": "2025-11-20"},
}
VOTES = (Complaint("topic||laptop", "outdated", 3, NOW - DAY), Complaint("topic||vpn", "outdated", 1, NOW))
CARDS = {
    "card": ("library||celery", "What is Celery?"),
    "compared": ("compare||flask,fastapi", "Flask or FastAPI?"),
}
TODAY = datetime.fromtimestamp(NOW, UTC).date()
LINK = "https://acme.slack.com/archives/C3/p1763049000000100"
ON_A_PHONE = (
    "people-missed", "people-missed-classic", "people-offered", "people-reason", "people-reason-given",
    "people-post", "people-post-offers", "people-post-would",
    "people-settled-entry", "people-settled-knowledge", "people-settled-thread", "people-settled-not-ours",
    "people-thanks", "people-not-curator", "people-too-late",
    "people-told-in-thread", "people-told-knowledge", "people-told-direct", "people-told-here", "people-told-here-direct",
    "people-told-not-ours", "fresh-past", "fresh-slack", "fresh-due-phone",
)  # fmt: skip
MODALS = (
    "people-form", "people-form-direct", "people-posted", "people-not-member", "people-guest", "people-asked-before",
    "people-answered-before", "people-write", "people-means", "save-public", "save-private", "save-direct", "save-app",
    "save-nobody",
)  # fmt: skip


def scene(name: str, engine: Engine, strings: Strings) -> Scene:
    """What a picture shows: `blocks` or a `view`, its surface, and what Mia has asked above it."""
    group, _, kind = name.partition("-")
    context = _context(engine, strings)
    if kind in ("card", "compared"):
        return _dated_cards(kind, context)
    if group == "save":
        return _modal(_save_view(kind, context))
    if group == "fresh":
        return _fresh(kind, _context(_later(engine), strings))
    return _people(kind, context)


def _context(engine: Engine, strings: Strings) -> Context:
    """All that drawing needs of one."""
    curators = WorkspaceCurators(by_operator=(LEA,))
    fields = {"engine": engine, "strings": strings, "installation": None}
    calls = {"help_channel": lambda _: HELP, "curators_of": lambda _: curators}
    return cast(Context, SimpleNamespace(**fields, **calls))


@cache
def _later(engine: Engine) -> Engine:
    """The same once Lea has answered, with dates that are past."""
    known = engine.knowledge
    entries = tuple(replace(entry, **DATES.get(entry.id, {})) for entry in known.entries)  # type: ignore[arg-type]
    dated = replace(known, entries=entries, by_id={entry.id: entry for entry in entries})
    return Engine(Matcher.from_knowledge(apply_changes(dated, [PERMIT])))


def _request(text: str = MISSED, in_thread: bool = False, **more: Any) -> HelpRequest:
    where = {"origin_channel": PUBLIC, "origin_thread": "1.0"} if in_thread else {}
    fields: dict[str, Any] = {"answer_ref": "unknown||", "channel": HELP, "ts": "2.0", "at": NOW - DAY, **where, **more}
    return HelpRequest(id="1", workspace=TEAM, asker=MIA, text=text, **fields)


SETTLED: dict[str, dict[str, Any]] = {
    "entry": {"outcome": "entry", "by": LEA, "answer": ANSWER},
    "knowledge": {"outcome": "entry", "answer": ANSWER},
    "thread": {"outcome": "thread", "by": LEA, "link": LINK},
    "not-ours": {"outcome": "not_ours", "by": LEA},
}


def _modal(view: dict[str, Any]) -> Scene:
    return {"view": view, "surface": "modal"}


def _whisper(shown: list[Block]) -> Scene:
    return {"blocks": shown, "surface": "command"}


def _answer(context: Context, text: str, layout: Any = "cards") -> Scene:
    """The answer to a mention."""
    question = Question(text, "mention", workspace=TEAM)
    reply = context.engine.answer(question)
    message = reply_message(context, reply, footer_for(context, reply, question, "k"), "k")
    return {"blocks": message.render(layout), "surface": "channel", "asked": text}


def _people(kind: str, context: Context) -> Scene:
    strings = context.strings
    match kind.split("-"):
        case ["missed", *classic]:
            return _answer(context, MISSED, "classic" if classic else "cards")
        case ["offered"]:
            return _answer(context, OFFERED)
        case ["reason", *given]:
            vote = FeedbackValue("k", "topic||vpn", "bad", question=WRONG)
            thanks = [*paragraph_blocks(strings["feedback_thanks"]), *person_blocks(vote, strings)]
            return _whisper(thanks if given else reason_blocks(vote, strings))
        case ["post", *offer]:
            text = {"offers": OFFERED, "would": WRONG}.get("".join(offer), MISSED)
            ref = answer_ref(context.engine.answer(Question(text)))
            return _post(context, _request(text, answer_ref=ref))
        case ["settled", *how]:
            return _post(_context(_later(context.engine), strings), _request(**SETTLED["-".join(how)]))
        case ["told", *how]:
            return _told("-".join(how), _context(_later(context.engine), strings))
        case ["thanks"]:
            return _whisper([line_block(fill(strings["help_thanks"]))])
        case ["too", "late"]:
            request = _request(**SETTLED["thread"])
            return _whisper([line_block(blocks.already_settled(request, context.engine.knowledge, strings))])
        case ["not", "curator"]:
            why = refusal(context, Curator(TEAM, MIA))
            return _whisper([line_block((*why, *fill(f" {strings['help_in_thread']}")))])
        case _:
            return _modal(_people_view(kind, context))


def _post(context: Context, request: HelpRequest) -> Scene:
    return {"blocks": post_message(context, request).render("classic"), "surface": "channel"}


def _told(how: str, context: Context) -> Scene:
    """What Mia is told: in the thread where she asked, or by direct message."""
    request = {
        "in-thread": _request(in_thread=True, **SETTLED["entry"]),
        "knowledge": _request(in_thread=True, **SETTLED["knowledge"]),
        "direct": _request(**SETTLED["entry"]),
        "here": _request(in_thread=True, **SETTLED["thread"]),
        "here-direct": _request(**SETTLED["thread"]),
        "not-ours": _request(**SETTLED["not-ours"]),
    }[how]
    asked = MISSED if request.origin_channel else ""
    return {"blocks": told_message(context, request, "k").render("cards"), "surface": "channel", "asked": asked}


def _people_view(kind: str, context: Context) -> dict[str, Any]:
    strings, knowledge, channel = context.strings, context.engine.knowledge, channel_element(HELP)
    match kind:
        case "form" | "form-direct":
            state = HelpFormState(PUBLIC, "1.0") if kind == "form" else HelpFormState()
            return blocks.help_form(state, MISSED, HELP, MIA, 90, strings)
        case "write":
            return answer_view(_request(), strings)
        case "means":
            miss = Miss(workspace=TEAM, key="k", text=OFFERED, count=1, best="vpn", score=0.4, first=NOW, last=NOW)
            state = CuratorModalState(keys=("k",), help_request="1")
            return curation.meaning_form(state, [miss], state.keys, miss.best, knowledge, strings)
        case "posted" | "not-member":
            return blocks.note_view(fill(strings[f"person_{kind.replace('-', '_')}"], channel=channel), strings)
        case "guest":
            return blocks.note_view(fill(strings["person_guest"]), strings)
        case _:
            request = _request(**(SETTLED["thread"] if kind == "answered-before" else {}))
            return blocks.note_view(blocks.asked_before(request, knowledge, NOW, strings), strings)


def _save_view(kind: str, context: Context) -> dict[str, Any]:
    """The form for an answer that is made of a message, or what anybody else sees."""
    strings, date, url = context.strings, PERMIT.source_date, PERMIT.source_url
    if kind == "nobody":
        why = (*refusal(context, Curator(TEAM, MIA)), *fill(f" {strings['save_tell_them']}"))
        return curation.result_view(CuratorModalState(), why, strings, title="save_title")
    message = {
        "public": SavedMessage(MIA, date, url),
        "private": SavedMessage(MIA, date, "", ("private", "foreign", "cut")),
        "direct": SavedMessage(MIA, date, "", ("direct",)),
        "app": SavedMessage("", date, url),
    }[kind]
    answer = "You get it at the front desk, but come **before ten**. They want the number of your car."
    return curation.answer_form(CuratorModalState(message=message), "", answer, "", strings)


def _dated_cards(kind: str, context: Context) -> Scene:
    """Cards of the shipped pack past their date, whose source stands before it."""
    dates = {"reviewed": "2025-03-03", "review_by": "2025-11-01"}
    by_id = {name: replace(entry, **dates) for name, entry in context.engine.knowledge.by_id.items()}  # type: ignore[arg-type]
    reference, asked = CARDS[kind]
    reply = rebuild(reference, replace(context.engine.knowledge, by_id=by_id), TODAY)
    assert reply is not None
    footer = footer_for(context, reply, Question(asked, "mention", workspace=TEAM), "k")
    message = reply_message(context, reply, footer, "k")
    return {"blocks": message.render("cards"), "surface": "channel", "asked": asked}


def _fresh(kind: str, context: Context) -> Scene:
    match kind:
        case "past":
            return _answer(context, "How do I connect to the VPN?")
        case "slack":
            return _answer(context, MISSED)
        case _:
            view = curation.page(_dashboard(context.engine.knowledge), "reviews", context.strings)
            return {"view": view, "surface": "home"}


def _dashboard(knowledge: Knowledge) -> Dashboard:
    return Dashboard(knowledge=knowledge, now=NOW, complaints=VOTES)
