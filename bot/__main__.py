"""The command line: joins the parts. The rims are imported by the commands that need them, so that `ask` stays quick."""

from __future__ import annotations

import datetime as dt
import io
import json
import shlex
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot import __version__
from bot.engine import Engine, ProcessMemory
from bot.knowledge import load
from bot.match import Matcher
from bot.model import AskPyError, Change, Question, Reply
from bot.reply import plain
from bot.settings import Settings, read_settings

if TYPE_CHECKING:
    from bot.store import Store
    from bot.tools.report.figures import Records


class _Group(click.Group):
    """The one place where our own errors become a sentence on stderr and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):  # whatever the locale says; a character it lacks is no fault
                stream.reconfigure(encoding="utf-8", errors="replace")
        try:
            return super().invoke(ctx)
        except AskPyError as error:
            click.echo(str(error), err=True)
            ctx.exit(2)
        except (KeyboardInterrupt, click.Abort):
            ctx.exit(130)  # as shells count an interrupt; whoever pressed Ctrl-C knows
        except BrokenPipeError:
            # Whoever read our output has gone: nothing is left to say, and Python must not complain at exit either.
            sys.stdout = None
            ctx.exit(0)


@click.group(cls=_Group, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="askpy")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Answers a team's questions from curated knowledge, in Slack and in the terminal.

    Without a command: serves Slack where a Slack credential is set, else chats here.
    """
    if ctx.invoked_subcommand is not None:
        return
    if read_settings().has_slack:
        ctx.invoke(serve)
    else:
        ctx.invoke(chat)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line instead of drawn replies.")
@click.option("--blocks", is_flag=True, help="With --json: add the Block Kit that Slack would get.")
def chat(as_json: bool, blocks: bool) -> None:
    """A conversation in the terminal. An empty line starts a new one."""
    _needs_json(as_json, blocks=blocks)
    from bot import terminal  # Rich is not for --json

    settings = read_settings()
    engine = _engine(settings, memory=ProcessMemory())
    if as_json:
        for text, conversation in terminal.conversations(_lines()):
            reply = engine.answer(Question(text, conversation=conversation))
            _say(_record(text, reply, blocks=_blocks(reply, settings) if blocks else None))
        return
    terminal.chat(engine, _lines(), connected=settings.has_slack)


@main.command()
@click.option(
    "--json", "as_json", is_flag=True, help="Print a JSON object; with `-`, one for each line of standard input."
)
@click.option("--blocks", is_flag=True, help="With --json: add the Block Kit that Slack would get.")
@click.option("--top", type=click.IntRange(1, 1000), help="With --json: add the engine's N best entries.")
@click.argument("words", nargs=-1, required=True, metavar="WORDS... | -")
def ask(as_json: bool, blocks: bool, top: int | None, words: tuple[str, ...]) -> None:
    """One answer; nothing is remembered or recorded. A question that begins with a dash comes after `--`."""
    _needs_json(as_json, blocks=blocks, top=top is not None)
    settings = read_settings()
    engine = _engine(settings)
    questions = _lines() if words == ("-",) else iter([" ".join(words)])
    for text in questions:
        reply = engine.answer(Question(text))
        if as_json:
            drawn = _blocks(reply, settings) if blocks else None
            _say(_record(text, reply, blocks=drawn, candidates=engine.best(text, top) if top else None))
        else:
            from bot import terminal  # Rich is not for --json

            terminal.console().print(terminal.draw(reply))


@main.command()
@click.option("--socket", "mode", flag_value="socket", help="Socket Mode (the default with SLACK_APP_TOKEN).")
@click.option("--http", "mode", flag_value="http", help="HTTP on PORT.")
def serve(mode: str | None = None) -> None:
    """Run the Slack app."""
    from bot import serving

    settings = read_settings()
    serving.serve(settings, mode)


@main.command()
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option("--all", "everything", is_flag=True, help="Every piece of advice, not the first few of each kind.")
def check(path: Path | None, everything: bool) -> None:
    """Lint a knowledge pack: every fault at once, then advice; exit 1 if there is any fault."""
    settings = read_settings()
    if path is not None and path.is_file():
        raise AskPyError(f"{path} is a file; name its folder: python -m bot check {shlex.quote(str(path.parent))}")
    _verdict(path if path is not None else settings.pack, settings, everything=everything)


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--min", "least", type=click.FloatRange(0, 100), help="Exit 1 if fewer per cent of the covered questions are right."
)
@click.option("--verbose", is_flag=True, help="List every question that isn't right.")
def eval(file: Path, least: float | None, verbose: bool) -> None:
    """Run labelled questions: right, offered, abstained and wrong by slice."""
    from bot.tools import evaluate, tables

    questions = evaluate.read_questions(file)
    engine = _engine(read_settings(), memory=ProcessMemory())
    unheard = evaluate.unheard_of(questions, engine.knowledge.by_id)
    for told in [f"{file}:{line}: {each}" for line, found in unheard.items() for each in found][:MOST_NOTICES]:
        click.echo(told, err=True)
    with tables.progress(len(questions)) as advance:
        judged = evaluate.run(questions, engine.answer, advance)
    tables.print_evaluation(judged, verbose=verbose)
    if unheard:
        several = len(unheard) > 1
        lines = f"{len(unheard)} line{'s' * several} name{'s' * (not several)} an id that the pack doesn't have"
        click.echo(f"{lines}; no answer is right by it.")
    right = tables.share_right(judged)
    if least is not None and right < least:
        click.echo(f"{right:.1f} % of the covered questions are right; --min asks for {least:.1f} %.", err=True)
        raise SystemExit(1)


@main.command()
@click.argument("question", nargs=-1, required=True)
def why(question: tuple[str, ...]) -> None:
    """The evidence behind an answer."""
    from bot import terminal

    terminal.console().print(terminal.draw(_engine(read_settings()).explain(Question(" ".join(question)), raw=True)))


@main.command()
@click.argument("old")
@click.argument("new")
@click.option("--questions", type=click.Path(path_type=Path), help="Questions to ask as well, labelled or one a line.")
def diff(old: str, new: str, questions: Path | None) -> None:
    """Every answer that differs between two packs, and whose words do: folders, or git revisions of the pack's folder."""
    from contextlib import ExitStack

    from bot.knowledge import PackError
    from bot.tools import compare, revisions, tables

    settings = read_settings()
    pack = next((Path(name) for name in (new, old) if Path(name).is_dir()), settings.pack)
    with ExitStack() as stack:
        states = []
        for name in (old, new):
            found = stack.enter_context(revisions.checked_out(name, pack))
            try:
                knowledge = load(found.folder, settings.cache_folder)
            except PackError as error:
                raise PackError(Path(found.name), error.faults) from None
            states.append(compare.state(found.folder, Matcher.of(knowledge, settings.cache_folder)))
        asked = compare.lines(states[0], states[1], pack.resolve().parent / compare.DIALOGUES, questions)
        changed = compare.changes(states[0], states[1], asked, tables.tracked)
    tables.print_changes(changed, asked, compare.reworded(*states))


@main.command()
@click.option("--workspace", metavar="T...", help="Whose changes; needed where several workspaces have some.")
@click.option(
    "--pack", type=click.Path(path_type=Path), help="The pack to compare with, instead of the configured one."
)
@click.option("--output", type=click.Path(path_type=Path), help="Write the patch here instead of printing it.")
def export(workspace: str | None, pack: Path | None, output: Path | None) -> None:
    """Curated changes as a patch against the pack's YAML, for `git apply` or `patch -p1`.

    Nothing is printed where nothing is left. Exit 1 if a change can't be exported.
    """
    from bot.tools.exchange.export import export as exported
    from bot.tools.exchange.export import told

    settings = read_settings()
    with _store(settings) as store:
        chosen = _workspace(workspace, store.changes.workspaces())
        changes = store.changes.active(chosen) if chosen else ()
    found = exported(pack if pack is not None else settings.pack, changes)
    if output is None:
        click.echo(found.patch.encode(), nl=False)
    elif found.patch:
        _write(output, found.patch)
    for line in told(found, output):
        click.echo(line, err=True)
    if found.faults:
        raise SystemExit(1)


@main.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--into", type=click.Path(path_type=Path), help="The new pack's folder; without it, one named after the file."
)
@click.option("--name", default="", help="The new pack's name; without it, the file's title or name.")
def import_(file: Path, into: Path | None, name: str) -> None:
    """Turn a FAQ (CSV, TSV or Markdown) into a knowledge pack, and check it. Nothing is overwritten."""
    from bot.tools.exchange.take import take

    taken = take(file, into, name)
    for note in taken.notes:
        click.echo(note, err=True)
    click.echo(f"{taken.entries} {'entry' if taken.entries == 1 else 'entries'} written to {taken.folder}.")
    _verdict(taken.folder, read_settings())
    click.echo(f'Try it: ASKPY_KNOWLEDGE={shlex.quote(str(taken.folder))} python -m bot ask "..."', err=True)


@main.command()
@click.option("--days", type=click.IntRange(1, 366), default=7, show_default=True, help="How many, today among them.")
@click.option("--workspace", metavar="T...", help="One workspace, with what was missed there; else all of them summed.")
@click.option(
    "--html",
    type=click.Path(path_type=Path),
    default=Path("askpy-report.html"),
    show_default=True,
    help="The page's file.",
)
@click.option("--no-html", is_flag=True, help="Print only.")
def report(days: int, workspace: str | None, html: Path, no_html: bool) -> None:
    """The week: answered, offered and missed by day, what was missed most, votes, trials, changes; and a page of it."""
    from bot.tools.report.figures import figures
    from bot.tools.report.page import page
    from bot.tools.report.printed import print_report

    settings = read_settings()
    now = dt.datetime.now(dt.UTC)
    with _store(settings) as store:
        known = sorted({*store.tallies.workspaces(), *store.changes.workspaces()})
        if workspace is not None and known and workspace not in known:
            raise AskPyError(f"Nothing is known of the workspace {workspace}; there are: {', '.join(known)}.")
        chosen = known if workspace is None else [workspace]
        changes = store.changes.active(chosen[0]) if len(chosen) == 1 else ()
        name, titles = _names(settings, changes)
        found = figures(_records(store, chosen, changes, days), chosen, name, titles, now.timestamp(), days)
    print_report(found)
    if not no_html:
        made = (
            f"Made by AskPy {__version__} from {store.database.label}, {now:%Y-%m-%d %H:%M} UTC. Days are days in UTC."
        )
        _write(html, page(found, made))
        click.echo(f"The page is {html}.", err=True)


@main.command()
@click.option("--url", help="The public address of the bot, for HTTP; without it, Socket Mode.")
def manifest(url: str | None) -> None:
    """Print the Slack app manifest."""
    from bot.slack.manifest import manifest as built

    settings = read_settings()
    knowledge = load(settings.pack, settings.cache_folder)
    click.echo(json.dumps(built(url, knowledge.name, knowledge.about), indent=2))


@main.command()
def doctor() -> None:
    """Check configuration, credentials, database and pack, and print the fix for each fault."""
    from bot import doctor as looking
    from bot.settings import usable_settings

    if not looking.doctor(*usable_settings()):
        raise SystemExit(1)


# --- joining

MOST_NOTICES = 20
"""Ids that a pack doesn't have, named one by one; with more, it is another pack's file."""


@contextmanager
def _store(settings: Settings) -> Iterator[Store]:
    """The store, for commands that only read: what is wrong with the database is said, and no half is taken for the whole."""
    from bot.store import Store

    store = Store(settings.database, retention_days=settings.retention_days)
    try:
        fault = store.probe(reads=True)
        if fault:
            raise AskPyError(f"The database can't be read: {fault}. Check DATABASE_URL; `doctor` tells more.")
        unset = "; DATABASE_URL isn't set" if settings.database_url is None else ""
        click.echo(f"Reading {store.database.safe_url}{unset}.", err=True)
        yield store
        if store.database.failures:
            raise AskPyError(
                f"The database went away meanwhile ({store.database.unavailable_reason}), and half is worse than nothing. "
                "Try again."
            )
    finally:
        store.close()


def _records(store: Store, workspaces: Sequence[str], changes: tuple[Change, ...], days: int) -> Records:
    """What the report is computed from; of several workspaces, only what is summed."""
    from bot.tools.report.figures import MISSES_READ, Records

    if len(workspaces) != 1:
        return Records(store.tallies.week(None, 2 * days))
    workspace = workspaces[0]
    return Records(
        tallies=store.tallies.week(workspace, 2 * days),
        misses=store.misses.all(workspace, MISSES_READ),
        complaints=store.votes.complaints(workspace, days),
        pilots=store.pilots.all(workspace),
        changes=changes,
    )


def _names(settings: Settings, changes: Sequence[Change]) -> tuple[str, dict[str, str]]:
    """The pack's name and what an answer is called by its id, new ones too; what is known without a pack that loads."""
    from bot.curation.changes import apply_changes
    from bot.knowledge import PackError

    try:
        knowledge = apply_changes(load(settings.pack, settings.cache_folder), changes)
    except PackError:
        return "AskPy", {}
    groups = {f"{kind}:{group.id}": group.title for group in knowledge.groups for kind in ("list", "pick")}
    talk = {f"talk:{name}": f"small talk, {name.replace('_', ' ')}" for name in knowledge.voice.small_talk}
    return knowledge.name, {**groups, **talk, **{entry.id: entry.label for entry in knowledge.entries}}


def _verdict(folder: Path, settings: Settings, *, everything: bool = False) -> None:
    """Print what the lint says of a pack; exit 1 if it has a fault."""
    from bot.tools.review import review

    found = review(folder, settings.cache_folder)
    for line in found.lines(folder, everything=everything):
        click.echo(line)
    if found.blamed:
        raise SystemExit(1)


def _workspace(wanted: str | None, known: Sequence[str]) -> str:
    """The workspace that is meant; empty where none has any changes."""
    if wanted is None and len(known) > 1:
        raise AskPyError(f"Several workspaces have changes: {', '.join(known)}. Name one with --workspace.")
    if wanted is not None and known and wanted not in known:
        raise AskPyError(f"The workspace {wanted} has no changes; these have: {', '.join(known)}.")
    return wanted or (known[0] if known else "")


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise AskPyError(f"{path} can't be written: {error.strerror or error}. Name another file.") from None


def _engine(settings: Settings, memory: ProcessMemory | None = None) -> Engine:
    return Engine(Matcher.of(load(settings.pack, settings.cache_folder), settings.cache_folder), memory)


def _needs_json(as_json: bool, **given: bool) -> None:
    """A usage error for an option that only adds to JSON."""
    for name, is_given in given.items():
        if is_given and not as_json:
            raise click.UsageError(f"--{name} adds to the JSON of an answer; give --json as well.")


def _lines() -> Iterator[str]:
    """Lines of standard input, up to each line feed; broken UTF-8 is replaced, never refused."""
    if sys.stdin is None:
        raise AskPyError("Standard input is closed. Pipe in questions, one a line, or use: ask QUESTION.")
    return _decoded(sys.stdin.buffer)


def _decoded(stream: Iterable[bytes]) -> Iterator[str]:
    try:
        for line in stream:
            yield line.decode("utf-8", errors="replace").removesuffix("\n")
    except OSError as error:
        raise AskPyError(f"Standard input can't be read: {error.strerror or error}.") from None


def _record(text: str, reply: Reply, *, blocks: Any = None, candidates: Any = None) -> dict[str, Any]:
    """The contract's JSON of one answer."""
    record: dict[str, Any] = {
        "question": text,
        "kind": reply.kind,
        "ids": list(reply.ids),
        "confidence": round(reply.confidence, 6),
        "text": plain(reply),
    }
    if blocks is not None:
        record["blocks"] = blocks
    if candidates is not None:
        record["candidates"] = [{"id": name, "score": round(score, 6)} for name, score in candidates]
    return record


def _blocks(reply: Reply, settings: Settings) -> Any:
    from bot.slack.blocks import render_blocks

    return render_blocks(reply, "classic" if settings.cards == "classic" else "cards")


_LINE_ENDS = "\x85\u2028\u2029"


def _say(record: dict[str, Any]) -> None:
    line = json.dumps(record, ensure_ascii=False)
    for mark in _LINE_ENDS:  # one line stays one line for readers that break at these as well
        line = line.replace(mark, f"\\u{ord(mark):04x}")
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(prog_name="python -m bot")
