"""The tables as the migrations leave them, and how keys and texts are stored in them.

PRIVACY.md says of each column what it is for and how long it stays.
"""

from __future__ import annotations

from hashlib import sha256

from sqlalchemy import Column, Float, Index, Integer, MetaData, String, Table, Text

LONGEST_IDS = 4_000
"""Characters of a conversation's ids as the database keeps them."""
LONGEST_MISS = 1_000
"""Characters of a missed question that are kept."""
LONGEST_NAME = 200
"""Characters of an id: Slack's, an entry's, a group's."""
LONGEST_SUBJECT = 1_000
"""Characters of an answer reference: kind, group and ids."""


def digest(key: str) -> str:
    """The SHA-256 of a key, in hexadecimal: fixed length, and whoever knows the key can compute it again."""
    return sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def storable(text: str, limit: int | None = None) -> str:
    """The text, or its first `limit` characters, without NUL and lone surrogates, which a database may refuse."""
    return text.replace("\0", " ").encode("utf-8", "replace").decode()[:limit]


metadata = MetaData()

claims = Table(
    "askpy_claims",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("at", Float(53), nullable=False),
    Column("owner", String(64), nullable=False, server_default=""),
    # An earlier release, still running beside this one, writes neither: its claims are begun.
    Column("begun", String(64), nullable=False, server_default="begun"),
    Index("askpy_claims_at", "at"),
)

contexts = Table(
    "askpy_contexts",
    metadata,
    Column("conversation", String(64), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("ids", String(LONGEST_IDS), nullable=False),
    Column("grouped", String(LONGEST_NAME)),
    Column("at", Float(53), nullable=False),
    Column("person", String(64), nullable=False, server_default=""),
    Index("askpy_contexts_at", "at"),
    Index("askpy_contexts_person", "person"),
)

votes = Table(
    "askpy_votes",
    metadata,
    Column("answer", String(64), primary_key=True),
    Column("voter", String(64), primary_key=True),
    Column("subject", String(LONGEST_SUBJECT), nullable=False),
    Column("vote", String(10), nullable=False),
    Column("reason", String(20), nullable=False),
    Column("at", Float(53), nullable=False),
    Column("workspace", String(LONGEST_NAME), nullable=False, server_default=""),
    Column("channel", String(LONGEST_NAME), nullable=False, server_default=""),
    Index("askpy_votes_at", "at"),
    Index("askpy_votes_workspace", "workspace", "at"),
)

misses = Table(
    "askpy_misses",
    metadata,
    Column("workspace", String(LONGEST_NAME), primary_key=True),
    Column("key", String(64), primary_key=True),
    Column("text", String(LONGEST_MISS), nullable=False),
    Column("count", Integer, nullable=False),
    Column("best", String(LONGEST_NAME), nullable=False),
    Column("score", Float(53), nullable=False),
    Column("first", Float(53), nullable=False),
    Column("last", Float(53), nullable=False),
    Index("askpy_misses_last", "last"),
)

changes = Table(
    "askpy_changes",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("workspace", String(LONGEST_NAME), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("text", Text, nullable=False),
    Column("entry", String(LONGEST_NAME), nullable=False),
    Column("title", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("asks", Text, nullable=False),
    Column("batch", String(64), nullable=False),
    Column("by", String(LONGEST_NAME), nullable=False),
    Column("at", Float(53), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("place", Integer, nullable=False),
    Column("undone", Float(53)),
    Column("answer_format", String(20), nullable=False, server_default="plain"),
    Column("source_date", String(10), nullable=False, server_default=""),
    Column("source_url", Text, nullable=False, server_default=""),
    Index("askpy_changes_workspace", "workspace", "revision"),
    Index("askpy_changes_undone", "undone"),
)

taken = Table(  # what active changes settle: the primary key makes the database itself refuse a second one
    "askpy_taken",
    metadata,
    Column("workspace", String(LONGEST_NAME), primary_key=True),
    Column("name", String(80), primary_key=True),
    Column("change", String(64), nullable=False),
    Index("askpy_taken_change", "change"),
)

revisions = Table(
    "askpy_revisions",
    metadata,
    Column("workspace", String(LONGEST_NAME), primary_key=True),
    Column("number", Integer, nullable=False),
)

waiting = Table(
    "askpy_waiting",
    metadata,
    Column("workspace", String(LONGEST_NAME), primary_key=True),
    Column("key", String(64), primary_key=True),
    Column("user", String(LONGEST_NAME), primary_key=True),
    Column("at", Float(53), nullable=False),
    Index("askpy_waiting_at", "at"),
)

help_requests = Table(  # questions that were put to people
    "askpy_help_requests",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("workspace", String(LONGEST_NAME), nullable=False),
    Column("asker", String(LONGEST_NAME), nullable=False),
    Column("text", Text, nullable=False),
    Column("answer_ref", String(LONGEST_SUBJECT), nullable=False),
    Column("channel", String(LONGEST_NAME), nullable=False),
    Column("ts", String(40), nullable=False),
    Column("origin_channel", String(LONGEST_NAME), nullable=False),
    Column("origin_thread", String(40), nullable=False),
    Column("at", Float(53), nullable=False),
    Column("outcome", String(20), nullable=False),
    Column("answer", String(LONGEST_SUBJECT), nullable=False),
    Column("link", Text, nullable=False),
    Column("by", String(LONGEST_NAME), nullable=False),
    Column("settled_at", Float(53), nullable=False),
    Column("told_at", Float(53), nullable=False),
    Column("telling_at", Float(53), nullable=False),
    Column("shown_at", Float(53), nullable=False),
    Column("forgotten_at", Float(53), nullable=False),
    Index("askpy_help_requests_asker", "workspace", "asker"),
    Index("askpy_help_requests_at", "at"),
)

tallies = Table(
    "askpy_tallies",
    metadata,
    Column("day", String(10), primary_key=True),
    Column("workspace", String(LONGEST_NAME), primary_key=True),
    Column("channel", String(LONGEST_NAME), primary_key=True),
    Column("outcome", String(20), primary_key=True),
    Column("count", Integer, nullable=False),
)

trials = Table(
    "askpy_trials",
    metadata,
    Column("workspace", String(LONGEST_NAME), primary_key=True),
    Column("channel", String(LONGEST_NAME), primary_key=True),
    Column("since", Float(53), nullable=False),
    Column("by", String(LONGEST_NAME), nullable=False),
    Column("answered", Integer, nullable=False),
    Column("offered", Integer, nullable=False),
    Column("missed", Integer, nullable=False),
)

turns = Table(  # the messages that are in hand
    "askpy_turns",
    metadata,
    Column("owner", String(64), primary_key=True),
    Column("conversation", String(64), nullable=False),
    Column("position", Float(53), nullable=False),
    Column("process", String(64), nullable=False),
    Column("at", Float(53), nullable=False),
    Index("askpy_turns_conversation", "conversation"),
)

processes = Table(
    "askpy_processes",
    metadata,
    Column("process", String(64), primary_key=True),
    Column("at", Float(53), nullable=False),
)

installations = Table(  # workspaces, and organisations (E…), into which the app was installed by OAuth
    "askpy_installations",
    metadata,
    Column("team", String(LONGEST_NAME), primary_key=True),
    Column("name", String(LONGEST_NAME), nullable=False),
    Column("bot_token", Text, nullable=False),
    Column("refresh_token", Text, nullable=False),
    Column("expires_at", Float(53), nullable=False),
    Column("bot", String(LONGEST_NAME), nullable=False),
    Column("bot_user", String(LONGEST_NAME), nullable=False),
    Column("scopes", Text, nullable=False),
    Column("installer", String(LONGEST_NAME), nullable=False),
    Column("curators", Text, nullable=False),
    Column("at", Float(53), nullable=False),
    Column("revision", Integer, nullable=False),
)

oauth_states = Table(  # those that were used: none is used twice
    "askpy_oauth_states",
    metadata,
    Column("state", String(64), primary_key=True),
    Column("at", Float(53), nullable=False),
)

departed = Table(  # workspaces that have removed the app, until their words and ids are deleted
    "askpy_departed",
    metadata,
    Column("team", String(LONGEST_NAME), primary_key=True),
    Column("at", Float(53), nullable=False),
)

org_teams = Table(  # the workspaces of an organisation that has installed the app, as they were met
    "askpy_org_teams",
    metadata,
    Column("team", String(LONGEST_NAME), primary_key=True),
    Column("organisation", String(LONGEST_NAME), nullable=False),
    Index("askpy_org_teams_organisation", "organisation"),
)
