"""The subcommands of `/askpy`: status, forget me, trial on, trial off. Only these exact words are commands; any other text is a
question. "trial" is the public word for a pilot channel."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Literal

from bot import __version__
from bot.model import Evidence, Facts, Heading, Part, Reply, Text
from bot.slack.context import Context
from bot.slack.features.help_requests import delete_posts_of
from bot.slack.payloads import is_channel, workspace_of

Command = Literal["status", "forget me", "trial on", "trial off"]
COMMANDS: tuple[Command, ...] = ("status", "forget me", "trial on", "trial off")


def command_of(text: str) -> Command | None:
    """The command that the text after `/askpy` is; None for a question."""
    normalized = " ".join(text.casefold().split())
    return next((command for command in COMMANDS if command == normalized), None)


def help_line(context: Context, asker: str, *, is_guest: bool = False) -> str:
    """A line with the commands that this person can use."""
    line = context.strings["chores"]
    return f"{line} {context.strings['chores_curators']}" if _is_curator(context, asker, is_guest) else line


async def run_command(context: Context, command: Command, asker: str, channel: str, *, is_guest: bool = False) -> Reply:
    """Run a command that was typed in a channel; the reply says what was done. `is_guest`: by a person of another workspace."""
    is_curator = _is_curator(context, asker, is_guest)
    match command:
        case "status":
            parts = await context.run_db(_status, context, asker, channel, is_curator)
        case "forget me":
            parts = await context.run_db(_forget, context, asker)
            context.tasks.start(delete_posts_of(context, workspace_of(asker)))
        case "trial on" | "trial off":
            key = await context.run_db(_set_pilot, context, asker, channel, command == "trial on", is_curator)
            parts = (Text(context.strings[key]),)
    return Reply(kind="help", ids=(), parts=parts, evidence=Evidence(understood=""))


def _status(context: Context, asker: str, channel: str, is_curator: bool) -> tuple[Part, ...]:
    return tuple(_status_parts(context, asker, channel, is_curator))


def _status_parts(context: Context, asker: str, channel: str, is_curator: bool) -> Iterator[Part]:
    """Version, pack, the week's figures, the database, this channel; for curators also what is wrong with the changed pack."""
    strings, store, reloader = context.strings, context.store, context.reloader
    workspace = asker.partition(":")[0]
    week = store.tallies.week(workspace)
    rows = [(strings["status_version"], __version__)]
    if reloader is not None:
        loaded_at = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(reloader.loaded_at))
        rows += [(strings["status_knowledge"], reloader.version), (strings["status_loaded"], loaded_at)]
    rows += [(strings["status_entries"], str(len(context.engine.knowledge_of(workspace).entries)))]
    rows += [
        (strings[f"status_{outcome}"], str(sum(tally.count for tally in week if tally.outcome == outcome)))
        for outcome in ("answered", "offered", "missed")
    ]
    database = "status_trouble" if store.probe() else "status_lost" if store.database.loss else "status_fine"
    rows += [(strings["status_database"], strings[database])]
    if is_channel(channel):
        is_pilot = store.pilots.contains(workspace, channel)
        rows += [(strings["status_channel"], strings["status_trial" if is_pilot else "status_public"])]
    yield Heading(strings["status_title"])
    yield Facts(tuple(rows))
    if reloader is not None and reloader.faults and is_curator:
        yield Text("\n".join((strings["status_faults"], *(f"- {fault}" for fault in reloader.faults))))


def _forget(context: Context, asker: str) -> tuple[Part, ...]:
    strings = context.strings
    if context.store.probe():
        return (Text(strings["forget_lost"]),)
    workspace, _, user = asker.partition(":")
    removed = context.store.forget(workspace, user)
    count = [Facts(((strings["forgot_count"], str(removed)),))] if removed else []
    return (Text(strings["forgot" if removed else "forgot_nothing"]), *count, Text(strings["forgot_rest"]))


def _set_pilot(context: Context, asker: str, channel: str, on: bool, is_curator: bool) -> str:
    """Make a channel a pilot channel, or public again; returns the key of the sentence with the result."""
    if not is_curator:
        return "trial_curators"
    if not is_channel(channel):
        return "trial_where"
    if not context.store.pilots.set(asker.partition(":")[0], channel, on, asker):
        return "trial_lost"
    return "trial_begun" if on else "trial_ended"


def _is_curator(context: Context, asker: str, is_guest: bool) -> bool:
    workspace, _, user = asker.partition(":")
    return context.is_curator(workspace, user, is_guest=is_guest)
