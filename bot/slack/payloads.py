"""Slack's payloads: validating and reading them, and the values of our own buttons and modals.

A field that is missing or has another type is read as empty. A button's value is lines of text, ids first and a person's words
last; a modal's private_metadata is JSON. Both hold all that is needed to handle them in any process, also after a restart; one
that can't be read counts as empty.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Literal, cast

from bot.model import PART_MARK, Reply
from bot.slack.blocks.limits import BUTTON_VALUE, METADATA, cut, size

Payload = Mapping[str, Any]

SLACKS_OWN = ("USLACKBOT", "USLACK")
"""Users as which Slack itself writes: Slackbot, and system notices."""
_USER_ID = re.compile(r"[UW][A-Z0-9]+")
MAX_NESTING = 6
"""Levels of elements that are read of a message's rich_text; Slack writes three."""

# --- fields


def get_dict(body: Payload, key: str) -> Payload:
    """The object under a key."""
    value = body.get(key)
    return value if isinstance(value, dict) else {}


def get_str(body: Payload, key: str) -> str:
    """The text under a key."""
    value = body.get(key)
    return value if isinstance(value, str) else ""


def join_key(*parts: str) -> str:
    """The parts with colons between them."""
    return ":".join(parts)


def short_hash(*parts: str) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of the parts, joined."""
    return sha256(":".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def seconds_of(ts: str) -> float:
    """A Slack ts as a number; now, if it isn't one."""
    return next(times_of(ts), time.time())


def times_of(*values: Any) -> Iterator[float]:
    """Those of Slack's times that are numbers."""
    for value in values:
        with suppress(ValueError, TypeError):
            yield float(value)


def event_of(body: Payload) -> Payload:
    """The event of an event_callback."""
    return get_dict(body, "event")


def action_of(body: Payload) -> tuple[Payload, str]:
    """The first action of a block_actions payload, and the value of its button or chosen option."""
    actions = body.get("actions")
    action = actions[0] if isinstance(actions, list) and actions and isinstance(actions[0], dict) else {}
    return action, get_str(action, "value") or get_str(get_dict(action, "selected_option"), "value")


def chosen_users_of(action: Payload) -> tuple[str, ...] | None:
    """The people who are chosen in a menu of people; None if it is no such menu."""
    users = action.get("selected_users")
    if not isinstance(users, list):
        return None
    return tuple(user for user in users if isinstance(user, str) and _USER_ID.fullmatch(user))


def state_values(state: Payload) -> tuple[str, ...]:
    """The values of one input in a view's state: its text, its chosen option, or its ticked options."""
    ticked = state.get("selected_options")
    if isinstance(ticked, list):
        return tuple(get_str(option, "value") for option in ticked if isinstance(option, dict))
    value = get_str(state, "value") or get_str(get_dict(state, "selected_option"), "value")
    return (value,) if value else ()


def team_id_of(body: Payload, home_team: str) -> str:
    """The workspace whose knowledge and records a payload is about: the only place that reads it, for all types of payload.

    A token of one workspace answers for that workspace, whoever asks: in a channel that is shared with another organisation, a
    person's `user.team_id`, and of an event also `team_id`, name theirs, and `authorizations` ours. A token of a whole
    organisation answers for the workspace that the person is in; there `team` is null, and a view's `team_id` may be the
    organisation's (E…), which is never returned if there is anything else.

    Args:
        home_team: whose the bot's token is, as auth.test says: a workspace or an organisation; "" until Slack has been asked.
    """
    authorization = authorization_of(body)
    if _is_workspace(authorized := get_str(authorization, "team_id")):
        return authorized
    if _is_workspace(home_team) and not _is_org_wide(body):
        return home_team
    view, event = get_dict(body, "view"), event_of(body)
    ids = (
        get_str(body, "context_team_id"),
        get_str(get_dict(body, "user"), "team_id"),
        get_str(view, "team_id"),
        get_str(view, "app_installed_team_id"),
        get_str(get_dict(body, "team"), "id"),
        get_str(body, "team_id"),
        get_str(event, "team"),
    )
    return next(filter(_is_workspace, ids), home_team)


def is_guest(body: Payload, home_team: str) -> bool:
    """Whether the person behind a payload may be of another workspace than `team_id_of`, in a channel that both share."""
    team, user_team = team_id_of(body, home_team), get_str(get_dict(body, "user"), "team_id")
    ids = [user_team, get_str(body, "team_id")]
    if not _is_org_wide(body):
        ids.append(get_str(get_dict(body, "team"), "id"))
    return any(_is_workspace(team_id) and team_id != team for team_id in ids)


def authorization_of(body: Payload) -> Payload:
    """The installation that an event was sent to; Slack names one, also where several have it."""
    authorizations = body.get("authorizations")
    first = authorizations[0] if isinstance(authorizations, list) and authorizations else {}
    return first if isinstance(first, dict) else {}


def _is_workspace(team_id: str) -> bool:
    """Whether an id is a workspace's, and not an organisation's (E…)."""
    return bool(team_id) and not team_id.startswith("E")


def _is_org_wide(body: Payload) -> bool:
    """Whether the app is installed in a whole organisation. A command is a form, with "true" as a text."""
    flags = (body.get("is_enterprise_install"), authorization_of(body).get("is_enterprise_install"))
    return any(flag in (True, "true") for flag in flags) or ("team" in body and body["team"] is None)


def user_id_of(body: Payload) -> str:
    """The member who used a button, a menu, a shortcut or a form."""
    return get_str(get_dict(body, "user"), "id")


def asker_of(body: Payload, home_team: str) -> str:
    """Workspace and member of an interaction, joined; `home_team` as for `team_id_of`.

    The workspace is ours also for a person of another one: a user id means one person in all that a token can see.
    """
    return join_key(team_id_of(body, home_team), user_id_of(body))


def workspace_of(asker: str) -> str:
    """The workspace of an asker's key."""
    return asker.partition(":")[0]


def channel_of(body: Payload) -> str:
    """The channel of an interaction."""
    return get_str(get_dict(body, "channel"), "id") or get_str(get_dict(body, "container"), "channel_id")


def thread_ts_of(body: Payload) -> str:
    """The thread of the message with the button."""
    return get_str(get_dict(body, "message"), "thread_ts") or get_str(get_dict(body, "container"), "thread_ts")


def message_ts_of(body: Payload) -> str:
    """The ts of the message with the button, else the id of the view."""
    return get_str(get_dict(body, "container"), "message_ts") or get_str(get_dict(body, "view"), "id")


def is_ephemeral(body: Payload) -> bool:
    """Whether the button was in an ephemeral message."""
    return bool(get_dict(body, "container").get("is_ephemeral") or get_dict(body, "message").get("is_ephemeral"))


def is_channel(channel: str) -> bool:
    """Whether an id is a channel's, and not a direct message's."""
    return bool(channel) and not channel.startswith("D")


def is_only_quoted(message: Payload, user: str) -> bool:
    """Whether a message mentions a user, and each of the mentions stands in code, a code block or a quote.

    By its rich_text blocks if they have one, else by its `text`, in which a quote's lines begin with "&gt;".
    """
    marks = [is_quoted for block in dicts_of(message.get("blocks")) for is_quoted in _mentions(block, user)]
    if marks:
        return all(marks)
    text, mark = get_str(message, "text"), re.compile(rf"<@{re.escape(user)}(?:\|[^<>]*)?>")
    return bool(user) and bool(mark.search(text)) and not mark.search(_QUOTED.sub(" ", text))


_QUOTED = re.compile(r"```.*?```|`[^`\n]+`|^[ \t]*&gt;&gt;&gt;.*|^[ \t]*&gt;[^\n]*", re.DOTALL | re.MULTILINE)
"""Code blocks, code, and quotes, as Slack writes them in `text`: three signs quote all that follows, one its line."""


def _mentions(element: Payload, user: str, depth: int = 0, is_quoted: bool = False) -> Iterator[bool]:
    """For each mention of a user in a rich_text element, whether it stands in code or a quote."""
    if element.get("type") == "user" and element.get("user_id") == user:
        yield is_quoted or bool(get_dict(element, "style").get("code"))
    is_quoted = is_quoted or element.get("type") in ("rich_text_quote", "rich_text_preformatted")
    if depth < MAX_NESTING:
        for inner in dicts_of(element.get("elements")):
            yield from _mentions(inner, user, depth + 1, is_quoted)


def dicts_of(value: Any) -> list[Payload]:
    """The objects in a list; none if it is no list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def saved_message_of(body: Payload, team: str, *, is_cut: bool) -> SavedMessage:
    """The message of a message shortcut, without its words.

    Slack names channels that not everybody may read "privategroup" and "directmessage", or after their members ("mpdm-…"), and
    gives direct messages ids that begin with D. A message in any but a public channel gets no address.

    Args:
        body: the payload.
        team: the workspace that it is about.
        is_cut: whether its words are longer than an answer may be.
    """
    message, channel, name = get_dict(body, "message"), channel_of(body), get_str(get_dict(body, "channel"), "name")
    ts, thread = get_str(message, "ts") or get_str(body, "message_ts"), get_str(message, "thread_ts")
    is_direct = channel.startswith("D") or name == "directmessage" or name.startswith("mpdm-")
    is_public = channel.startswith("C") and bool(name) and name != "privategroup" and not is_direct
    teams = [get_str(message, key) for key in ("team", "user_team", "source_team")]
    teams.append(get_str(get_dict(message, "user_profile"), "team"))
    warnings: list[MessageWarning] = []
    if not is_public:
        warnings.append("direct" if is_direct else "private")
    if any(_is_workspace(each) and each != team for each in teams):
        warnings.append("foreign")
    if any(each.get("is_share") or each.get("is_msg_unfurl") for each in dicts_of(message.get("attachments"))):
        warnings.append("forwarded")
    if is_cut:
        warnings.append("cut")
    day = datetime.fromtimestamp(seconds_of(ts), UTC).date().isoformat()
    url = message_url(body, team, channel, ts, thread) if is_public else ""
    author = "" if get_str(message, "bot_id") else get_str(message, "user")
    return SavedMessage(author, day, url, tuple(warnings))


def message_url(body: Payload, workspace: str, channel: str, ts: str, thread: str = "") -> str:
    """The address of a message of a workspace, whose domain is in the payload; empty if it has none, or another workspace's."""
    team = get_dict(body, "team")
    domain = get_str(team, "domain") if get_str(team, "id") == workspace else ""
    if not re.fullmatch(r"[A-Za-z0-9-]+", domain) or not re.fullmatch(r"\d+\.\d+", ts):
        return ""
    in_thread = f"?thread_ts={thread}&cid={channel}" if re.fullmatch(r"\d+\.\d+", thread) and thread != ts else ""
    return f"https://{domain}.slack.com/archives/{channel}/p{ts.replace('.', '')}{in_thread}"


# --- well-formed payloads

_OBJECTS = ("team", "user", "channel", "container", "view", "message", "enterprise", "previous_message", "event")
"""Fields that Bolt reads. Some of them may also be a bare id."""


def is_valid_payload(body: Any) -> bool:
    """Whether Bolt can read a payload: an event, an interaction, a command, or Slack's check of the URL.

    Bolt doesn't validate it, and raises on a malformed one.
    """
    if not isinstance(body, dict) or not all(_is_object_or_id(body.get(key)) for key in _OBJECTS):
        return False
    if not _is_list_of_objects(body.get("authorizations")):
        return False
    kind = body.get("type")
    if not isinstance(kind, str):
        return kind is None and (isinstance(body.get("command"), str) or "ssl_check" in body)
    match kind:
        case "event_callback":
            event = body.get("event")
            return isinstance(event, dict) and isinstance(event.get("type"), str) and _is_valid_event(event)
        case "block_actions":
            actions = body.get("actions")
            return isinstance(actions, list) and bool(actions) and all(map(_is_valid_action, actions))
        case "view_submission" | "view_closed":
            view = body.get("view")
            return isinstance(view, dict) and isinstance(view.get("type"), str) and _has_text(view, "callback_id")
        case "message_action" | "shortcut":
            return _has_text(body, "callback_id")
        case "block_suggestion":
            return _has_text(body, "action_id")
        case _:
            return "event" not in body


def _is_valid_event(event: dict[str, Any]) -> bool:
    return all(_is_object_or_id(event.get(key)) for key in _OBJECTS) and isinstance(
        event.get("subtype", ""), (str, type(None))
    )


def _is_valid_action(action: Any) -> bool:
    return isinstance(action, dict) and _has_text(action, "action_id") and isinstance(action.get("block_id", ""), str)


def _has_text(body: dict[str, Any], key: str) -> bool:
    return isinstance(body.get(key), str)


def _is_object_or_id(value: Any) -> bool:
    return value is None or isinstance(value, (str, dict))


def _is_list_of_objects(value: Any) -> bool:
    return value is None or (isinstance(value, list) and all(isinstance(item, dict) for item in value))


# --- button values

Vote = Literal["good", "bad"]
Reason = Literal["", "wrong", "outdated", "unclear", "missing"]
REASONS: tuple[Reason, ...] = ("wrong", "outdated", "unclear", "missing")

MAX_ANSWER_REF = 900
"""UTF-16 units of kind, group and ids; a longer list is identified by its group alone."""


def answer_ref(reply: Reply) -> str:
    """The reference of a reply, which holds only ids: "kind|group|id,id"."""
    name = reply.reference or f"{reply.kind}||{','.join(reply.ids)}"
    return name if size(name) <= MAX_ANSWER_REF else f"{name.rpartition('|')[0]}|"


@dataclass(frozen=True, slots=True)
class ParsedAnswerRef:
    """The parts of an answer's reference."""

    kind: str
    group: str
    ids: tuple[str, ...]


def parse_answer_ref(ref: str) -> ParsedAnswerRef:
    """The parts of an answer's reference; a part that is missing is empty."""
    kind, group, ids = [*ref.partition(PART_MARK)[0].split("|", 2), "", ""][:3]
    return ParsedAnswerRef(kind, group, tuple(name for name in ids.split(",") if name))


@dataclass(frozen=True, slots=True)
class AnswerRef:
    """The answer of a button: its reference, its question, and what the question was understood as in its conversation."""

    answer_ref: str
    question: str
    understood: str = ""

    def to_value(self) -> str:
        """As a button's value."""
        understood = f"\t{' '.join(self.understood.split())}" if self.understood else ""
        return cut(f"{self.answer_ref}{understood}\n{self.question}", BUTTON_VALUE)

    @classmethod
    def from_value(cls, value: str) -> AnswerRef:
        """From a button's value; a single line is a question."""
        first, divided, question = value.partition("\n")
        ref, _, understood = first.partition("\t")
        return cls(ref, question, understood) if divided else cls("", value)


@dataclass(frozen=True, slots=True)
class FeedbackValue:
    """A vote on one answer. `key` identifies the posted answer, `answer_ref` its content; `question` can be put to people.

    The question follows the key, of which a process of an earlier release stores a hash; at the end of the value it would store
    the words.
    """

    key: str
    answer_ref: str
    vote: Vote
    reason: Reason = ""
    question: str = ""

    def to_value(self) -> str:
        """As a button's value."""
        head, tail = f"{self.vote}\n{self.reason}\n{self.key}", f"\n{self.answer_ref}"
        question = cut(" ".join(self.question.split()), BUTTON_VALUE - size(head + tail) - 1)
        return f"{head}\t{question}{tail}" if question else head + tail

    @classmethod
    def from_value(cls, value: str) -> FeedbackValue | None:
        """From a button's value; None if it can't be read."""
        vote, reason, key, ref = (value.split("\n", 3) + [""] * 4)[:4]
        key, _, question = key.partition("\t")
        if vote not in ("good", "bad") or reason not in ("", *REASONS) or not key:
            return None
        return cls(key, ref, cast(Vote, vote), reason, question)


# --- private_metadata


@dataclass(frozen=True, slots=True)
class ModalState:
    """The state of an answer's modal: the questions so far, the last of which is shown; whether it has a search; and the channel
    and thread of the message on which the shortcut was used."""

    trail: tuple[str, ...] = ()
    search: bool = False
    channel: str = ""
    thread: str = ""

    @property
    def question(self) -> str:
        """The question that is shown; empty on the first page of a search."""
        return self.trail[-1] if self.trail else ""

    @property
    def opened_by_shortcut(self) -> bool:
        """Whether it was opened with the message shortcut: its first question is the text of another person's message."""
        return bool(self.channel or self.thread)

    def with_question(self, question: str) -> ModalState:
        """The state of the next page, for a question."""
        return self if question == self.question else replace(self, trail=(*self.trail, question))

    def back(self, pages: int) -> ModalState:
        """The state so many pages back, at most the first page."""
        return replace(self, trail=self.trail[: max(1, len(self.trail) - pages)])

    def to_metadata(self) -> str:
        """As private_metadata. If it is too long, the oldest questions are left out, then the end of a long one."""
        trail = list(self.trail)
        while True:
            text = json.dumps([trail, self.search, self.channel, self.thread], ensure_ascii=False)
            if size(text) <= METADATA or not trail:
                return text
            half = [cut(trail[0], size(trail[0]) // 2)] if size(trail[0]) > 1 else []
            trail = trail[1:] if len(trail) > 1 else half

    @classmethod
    def from_metadata(cls, metadata: str) -> ModalState:
        """From private_metadata."""
        try:
            values: Any = json.loads(metadata)
            trail, search, channel, thread = values
            return cls(tuple(str(question) for question in trail), bool(search), str(channel), str(thread))
        except (ValueError, TypeError):
            return cls()


@dataclass(frozen=True, slots=True)
class HelpFormState:
    """The state of the form that puts a question to people: where it was asked in public; empty if it was asked in private."""

    channel: str = ""
    thread: str = ""

    def to_metadata(self) -> str:
        """As private_metadata."""
        return json.dumps([self.channel, self.thread])

    @classmethod
    def from_metadata(cls, metadata: str) -> HelpFormState:
        """From private_metadata."""
        try:
            channel, thread = json.loads(metadata)
            return cls(str(channel), str(thread))
        except (ValueError, TypeError):
            return cls()


MessageWarning = Literal["private", "direct", "foreign", "forwarded", "cut"]
"""What a curator is warned of who makes an answer of a message: it is from a private channel or a direct message, by somebody of
another workspace, holds what was forwarded from elsewhere, or is longer than the form's input."""


@dataclass(frozen=True, slots=True)
class SavedMessage:
    """The message of which a curator makes an answer. It has no words of it.

    Attributes:
        author: the user id of who wrote it; empty if an app did.
        date: when, as an ISO date.
        url: its address, where everybody of the workspace may read it.
        warnings: what the curator is warned of.
    """

    author: str = ""
    date: str = ""
    url: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CuratorModalState:
    """The state of a curator's modal: the page of the Home tab behind it, the keys of its misses, the digest of the checked
    draft, the help request that saving it ends, and the message of which it is made."""

    page: str = ""
    keys: tuple[str, ...] = ()
    checked: str = ""
    help_request: str = ""
    message: SavedMessage | None = None

    @staticmethod
    def join_keys(keys: Iterable[str]) -> str:
        """Keys of misses as a button's value, one a line: as many as fit."""
        value = ""
        for key in keys:
            longer = f"{value}\n{key}" if value else key
            if size(longer) > BUTTON_VALUE:
                break
            value = longer
        return value

    def to_metadata(self) -> str:
        """As private_metadata; if it is too long, the last keys are left out."""
        keys, saved = list(self.keys), self.message
        message = [saved.author, saved.date, saved.url, *saved.warnings] if saved is not None else []
        more = [self.help_request, message] if self.help_request or message else []
        while size(text := json.dumps([self.page, self.checked, keys, *more], ensure_ascii=False)) > METADATA and keys:
            keys.pop()
        return text

    @classmethod
    def from_metadata(cls, metadata: str) -> CuratorModalState:
        """From private_metadata."""
        try:
            values: Any = json.loads(metadata)
            page, checked, keys, *more = values
            help_request, message = more or ("", [])
            saved = None
            if message:
                author, date, url, *warnings = map(str, message)
                saved = SavedMessage(author, date, url, tuple(warnings))
            return cls(str(page), tuple(str(key) for key in keys), str(checked), str(help_request), saved)
        except (ValueError, TypeError):
            return cls()
