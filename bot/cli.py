"""The command line. Each command imports the front end that it needs, so that `ask` starts quickly."""

from __future__ import annotations

import datetime as dt
import io
import json
import shlex
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot import __version__, program
from bot.engine import Engine, ProcessMemory
from bot.knowledge import load
from bot.model import AskPyError, Change, Knowledge, Question, Reply
from bot.reply import markdown_text, plain_text, without_show_rest
from bot.settings import NO_CRYPTOGRAPHY, Settings, SettingsError, hide_secrets, read_settings, require_installing
from bot.text import printable
from bot.understanding import Matcher

if TYPE_CHECKING:
    from bot.keys import SecretKeys
    from bot.report.figures import ReportData
    from bot.slack.blocks import Layout
    from bot.store import Store


class _Group(click.Group):
    """Turns our own errors into a sentence on stderr and exit code 2, for all commands."""

    def invoke(self, ctx: click.Context) -> Any:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):  # whatever the locale says; a character it lacks is no fault
                stream.reconfigure(encoding="utf-8", errors="replace")
        try:
            return super().invoke(ctx)
        except AskPyError as error:
            from bot.terminal import echo

            echo(hide_secrets(str(error)), err=True)
            ctx.exit(2)
        except (KeyboardInterrupt, click.Abort):
            ctx.exit(130)  # the exit code of shells for an interrupt
        except BrokenPipeError:
            # Nobody reads our output any more, and Python must not complain about that at exit.
            sys.stdout = None
            ctx.exit(0)


def _remember_pack(ctx: click.Context, _: click.Parameter, folder: Path | None) -> None:
    """Keep the folder for `_settings`. It may be given before the command or after it; the last one counts."""
    if folder is not None:
        ctx.meta[_PACK] = folder


MAX_WORKERS = 64
"""Far more than help: SQLite has one writer, and each process takes six of PostgreSQL's connections."""
_PACK = "bot.knowledge"
"""Key of `Context.meta`: the folder that --knowledge names."""

knowledge_option = click.option(
    "--knowledge",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    expose_value=False,
    callback=_remember_pack,
    help="The knowledge pack, whatever ASKPY_KNOWLEDGE says.",
)
"""For each command that reads the pack, and for AskPy without a command."""


def _settings() -> Settings:
    """The settings, with the pack that --knowledge names."""
    return _with_pack(read_settings())


def _with_pack(settings: Settings) -> Settings:
    folder = click.get_current_context().meta.get(_PACK)
    return settings if folder is None else replace(settings, knowledge=folder)


@click.group(cls=_Group, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="askpy")
@knowledge_option
@click.pass_context
def main(ctx: click.Context) -> None:
    """Answers a team's questions from curated knowledge, in Slack and in the terminal.

    Without a command: serves Slack where a Slack credential is set, else chats here.
    """
    if ctx.invoked_subcommand is not None:
        return
    if _settings().has_slack:
        ctx.invoke(serve)
    else:
        ctx.invoke(chat)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print each reply as a JSON object on one line.")
@click.option("--blocks", is_flag=True, help="With --json: add the Block Kit that Slack would get.")
@click.option("--markdown", is_flag=True, help="With --json: add the whole answer as Markdown.")
@knowledge_option
def chat(as_json: bool, blocks: bool, markdown: bool) -> None:
    """A conversation in the terminal. An empty line starts a new one."""
    _require_json(as_json, blocks=blocks, markdown=markdown)
    from bot import terminal  # Rich is not for --json

    settings = _settings()
    engine = _engine(settings, memory=ProcessMemory())
    if as_json:
        for text, conversation in terminal.conversations(_stdin_lines()):
            reply = engine.answer(Question(text, conversation=conversation))
            layout = _layout(settings) if blocks else None
            _print_json(_reply_json(text, reply, layout=layout, markdown=markdown))
        return
    terminal.chat(engine, _stdin_lines(), connected=settings.has_slack)


@main.command()
@click.option(
    "--json", "as_json", is_flag=True, help="Print a JSON object; with `-`, one for each line of standard input."
)
@click.option("--blocks", is_flag=True, help="With --json: add the Block Kit that Slack would get.")
@click.option("--top", type=click.IntRange(1, 1000), help="With --json: add the engine's N best entries.")
@click.option("--markdown", is_flag=True, help="With --json: add the whole answer as Markdown.")
@click.argument("words", nargs=-1, required=True, metavar="WORDS... | -")
@knowledge_option
def ask(as_json: bool, blocks: bool, top: int | None, markdown: bool, words: tuple[str, ...]) -> None:
    """One answer; nothing is remembered or recorded. A question that begins with a dash comes after `--`."""
    _require_json(as_json, blocks=blocks, top=top is not None, markdown=markdown)
    settings = _settings()
    engine = _engine(settings)
    questions = _stdin_lines() if words == ("-",) else iter([" ".join(words)])
    for text in questions:
        reply = engine.answer(Question(text))
        if as_json:
            layout = _layout(settings) if blocks else None
            candidates = engine.best(text, top) if top else None
            _print_json(_reply_json(text, reply, layout=layout, markdown=markdown, candidates=candidates))
        else:
            from bot import terminal  # Rich is not for --json

            terminal.show(terminal.console(), reply)


@main.command()
@click.option("--socket", "mode", flag_value="socket", help="Socket Mode (the default with SLACK_APP_TOKEN).")
@click.option("--http", "mode", flag_value="http", help="HTTP on PORT.")
@click.option(
    "--workers",
    "count",
    metavar="N",
    type=click.IntRange(1, MAX_WORKERS),
    default=1,
    show_default=True,
    help="Processes that share PORT and the database.",
)
@click.option("--worker", "inherited", hidden=True, help="For the processes that --workers starts.")
@knowledge_option
def serve(mode: str | None = None, count: int = 1, inherited: str | None = None) -> None:
    """Run the Slack app."""
    from bot.slack.logs import log_failure

    settings = _settings()
    with log_failure(settings):
        require_installing(settings, mode)
        if count > 1:
            from bot import workers

            if workers.can_share(settings, mode):
                workers.run(settings, count)
                return
        from bot import serving

        serving.serve(settings, mode, inherited)


@main.command()
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option("--all", "show_all", is_flag=True, help="Every piece of advice, not the first few of each kind.")
@knowledge_option
def check(path: Path | None, show_all: bool) -> None:
    """Lint a knowledge pack: every fault at once, then advice; exit 1 if there is any fault."""
    settings = _settings()
    if path is not None and path.is_file():
        raise AskPyError(f"{path} is a file; name its folder: {program()} check {shlex.quote(str(path.parent))}")
    _print_check(path if path is not None else settings.pack, settings, show_all=show_all)


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--min", "least", type=click.FloatRange(0, 100), help="Exit 1 if fewer per cent of the covered questions are right."
)
@click.option("--verbose", is_flag=True, help="List every question that isn't right, with figures.")
@knowledge_option
def eval(file: Path, least: float | None, verbose: bool) -> None:
    """Ask labelled questions and count right, offered, abstained and wrong answers, by category."""
    from bot.evaluation import evaluate, output
    from bot.terminal import echo

    questions = evaluate.read_questions(file)
    engine = _engine(_settings(), memory=ProcessMemory())
    unknown = evaluate.unknown_ids(questions, engine.knowledge.by_id)
    for line in [f"{file}:{n}: {fault}" for n, faults in unknown.items() for fault in faults][:MAX_NOTICES]:
        echo(line, err=True)
    with output.progress_bar(len(questions)) as advance:
        judged = evaluate.ask_all(questions, engine.answer, advance)
    output.print_evaluation(judged, verbose=verbose)
    if unknown:
        several = len(unknown) > 1
        lines = f"{len(unknown)} line{'s' * several} name{'s' * (not several)} an id that the pack doesn't have"
        echo(f"{lines}; no answer is right by it.")
    right = evaluate.per_cent_right(judged)
    if least is not None and right < least:
        echo(f"{right:.1f} % of the covered questions are right; --min asks for {least:.1f} %.", err=True)
        raise SystemExit(1)


@main.command()
@click.argument("question", nargs=-1, required=True)
@click.option("--verbose", is_flag=True, help="With ids, scores and thresholds.")
@knowledge_option
def why(question: tuple[str, ...], verbose: bool) -> None:
    """Why an answer is what it is: what was understood, and what it is close to."""
    from bot import terminal

    explanation = _engine(_settings()).explain(Question(" ".join(question)), raw=verbose)
    terminal.show(terminal.console(), explanation)


@main.command()
@click.argument("old")
@click.argument("new")
@click.option("--questions", type=click.Path(path_type=Path), help="Questions to ask as well, labelled or one a line.")
@click.option("--verbose", is_flag=True, help="With kinds and ids of the answers, in place of titles.")
@knowledge_option
def diff(old: str, new: str, questions: Path | None, verbose: bool) -> None:
    """Compare two packs: questions whose answer changes, and entries whose text changes.

    OLD and NEW are folders, or git revisions of the pack's folder.
    """
    from contextlib import ExitStack

    from bot.evaluation import compare, git_checkout, output
    from bot.knowledge import PackError, read_files

    settings = _settings()
    pack = next((Path(name) for name in (new, old) if Path(name).is_dir()), settings.pack)
    with ExitStack() as stack:
        states = []
        for name in (old, new):
            checkout = stack.enter_context(git_checkout.check_out(name, pack))
            files = read_files(checkout.folder)
            try:
                knowledge = load(files, settings.cache_folder)
            except PackError as error:
                raise PackError(Path(checkout.name), error.faults) from None
            states.append(compare.pack_state(files, Matcher.from_knowledge(knowledge, settings.cache_folder)))
        dialogues = compare.dialogues_of(pack)
        asked = compare.texts_to_ask(states[0], states[1], dialogues, questions)
        changes = compare.answer_changes(states[0], states[1], asked, output.track)
    packs = states[0].knowledge, states[1].knowledge
    output.print_changes(changes, asked, compare.text_changes(*states), packs, verbose=verbose)


@main.command()
@click.option("--workspace", metavar="T...", help="Whose changes; needed where several workspaces have some.")
@click.option("--output", type=click.Path(path_type=Path), help="Write the patch here instead of printing it.")
@knowledge_option
def export(workspace: str | None, output: Path | None) -> None:
    """Curated changes as a patch against the pack's YAML, for `git apply` or `patch -p1`.

    Nothing is printed where nothing is left. Exit 1 if a change can't be exported.
    """
    from bot.exchange.export import export_changes
    from bot.terminal import echo

    settings = _settings()
    with _open_store(settings) as store:
        chosen = _choose_workspace(workspace, store.changes.workspaces())
        changes = store.changes.active(chosen) if chosen else ()
    result = export_changes(settings.pack, changes)
    if output is None:
        click.echo(result.patch.encode(), nl=False)
    elif result.patch:
        _write_file(output, result.patch)
    for line in result.messages(output):
        echo(line, err=True)
    if result.faults:
        raise SystemExit(1)


@main.command("import")
@click.argument("files", nargs=-1, required=True, metavar="FILES...", type=click.Path(path_type=Path))
@click.option(
    "--into", type=click.Path(path_type=Path), help="The pack's folder; without it, one named after the first file."
)
@click.option(
    "--update", "is_update", is_flag=True, help="The files were imported into this pack before: bring it up to date."
)
@click.option("--name", default="", help="The new pack's name; without it, the first file's title or name.")
@click.option(
    "--encoding", default="", metavar="NAME", help="The encoding of text files, if it isn't recognized (cp1252)."
)
def import_(files: tuple[Path, ...], into: Path | None, is_update: bool, name: str, encoding: str) -> None:
    """Turn FAQs into a knowledge pack, and check it.

    FILES are CSV, TSV, Excel (.xlsx) and Markdown files, or folders of them. A folder that has files is never overwritten;
    --update writes what changed in FILES into the pack that an earlier import made, and takes nothing out of it.
    """
    from bot.exchange.import_faq import import_faqs
    from bot.terminal import echo

    result = import_faqs(files, into, name, encoding=encoding, is_update=is_update)
    for note in result.notes:
        echo(note, err=True)
    if result.update is None:
        echo(f"{result.entries} {'entry' if result.entries == 1 else 'entries'} written to {result.folder}.")
    else:
        echo("\n".join((f"{result.folder}: {next(lines := result.update.lines())}", *lines)))
    _print_check(result.folder, _settings())
    echo(result.summary)
    echo(f'Try it: {program()} ask --knowledge {shlex.quote(str(result.folder))} "..."', err=True)


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
@knowledge_option
def report(days: int, workspace: str | None, html: Path, no_html: bool) -> None:
    """The week: answered, offered and missed by day, what was missed most, votes, trials, changes; and a page of it."""
    from bot.report.figures import compute_figures
    from bot.report.page import render_page
    from bot.report.printed import print_report
    from bot.terminal import echo

    settings = _settings()
    now = dt.datetime.now(dt.UTC)
    with _open_store(settings) as store:
        known = sorted({*store.tallies.workspaces(), *store.changes.workspaces()})
        if workspace is not None and known and workspace not in known:
            raise AskPyError(f"Nothing is known of the workspace {workspace}; there are: {', '.join(known)}.")
        chosen = known if workspace is None else [workspace]
        changes = store.changes.active(chosen[0]) if len(chosen) == 1 else ()
        knowledge = _edited_pack(settings, changes)
        name, titles = _pack_names(knowledge)
        data = _report_data(store, chosen, changes, days, now.timestamp())
        figures = compute_figures(data, chosen, name, titles, now.timestamp(), days, knowledge)
    print_report(figures)
    if not no_html:
        footer = (
            f"Made by AskPy {__version__} from {store.database.label}, {now:%Y-%m-%d %H:%M} UTC. Days are days in UTC."
        )
        _write_file(html, render_page(figures, footer))
        echo(f"The page is {html}.", err=True)


@main.command()
@click.option("--url", help="The public address of the bot, for HTTP; without it, Socket Mode.")
@click.option(
    "--oauth", is_flag=True, help="With --url: for installing into many workspaces, as where SLACK_CLIENT_ID is set."
)
@knowledge_option
def manifest(url: str | None, oauth: bool) -> None:
    """Print the Slack app manifest."""
    from bot.slack.manifest import manifest as built

    if oauth and url is None:
        raise click.UsageError("--oauth needs the address that Slack sends people back to; give --url as well.")
    settings = _settings()
    knowledge = load(settings.pack, settings.cache_folder)
    is_oauth = oauth or (url is not None and settings.installs)
    if url is None and settings.slack_app_token is None and (settings.slack_signing_secret or settings.installs):
        oauth_too = " and --oauth" if settings.installs else ""
        hint = f"This is for Socket Mode, and your settings are for HTTP: give --url{oauth_too}, or the app loses its address."
        click.echo(hint, err=True)
    click.echo(json.dumps(built(url, knowledge.name, knowledge.about, oauth=is_oauth), indent=2))


@main.group()
def keys() -> None:
    """The keys of ASKPY_SECRET_KEY, with which the tokens of many workspaces are encrypted."""


@keys.command("new")
def keys_new() -> None:
    """Print a new key."""
    try:
        from bot.keys import new_key
    except ModuleNotFoundError:
        raise AskPyError(f"Keys can't be used here: {NO_CRYPTOGRAPHY}.") from None
    click.echo(new_key())


@keys.command("rotate")
def keys_rotate() -> None:
    """Encrypt all stored tokens with the first key of ASKPY_SECRET_KEY.

    First put the new key in front of the older ones, a comma between, and restart the bot: every process of it has to know that
    key. Then this may run beside it, and be interrupted and run again. Exit 1 if no key decrypts some workspace's tokens.
    """
    from bot.terminal import echo

    settings = read_settings()
    known = _secret_keys(settings)
    from bot.store.rotation import encrypt_anew

    with _open_store(settings, writes=True) as store:
        rotation = encrypt_anew(store.installations, known)
        store.database.scrub()
    number = f"{rotation.done} {'installation' if rotation.done == 1 else 'installations'}"
    echo(f"{number} encrypted with the first key of ASKPY_SECRET_KEY.")
    for each in rotation.failed:
        echo(
            f"{each.team} ({printable(each.name)}): no key of ASKPY_SECRET_KEY decrypts its tokens. Put the one that does behind "
            "the others and run this again, or install the app there anew.",
            err=True,
        )
    if rotation.failed:
        raise SystemExit(1)
    if len(known.hmac_ids("")) == 1:
        echo("ASKPY_SECRET_KEY holds that key alone: nothing is left to do.")
        return
    echo(
        "In half an hour, when no conversation is remembered under its ids any more, take the old key out of ASKPY_SECRET_KEY "
        "and restart the bot. A backup from before needs the old key: keep it as long as the backup."
    )


@main.command("forget-workspace")
@click.argument("team", metavar="T...|E...")
def forget_workspace(team: str) -> None:
    """Delete all that is stored of a workspace or an organisation, its tokens first. Asks nothing.

    An organisation goes with those of its workspaces that have used the bot. Exit 1 if nothing is stored of it.
    """
    from bot.terminal import echo

    with _open_store(read_settings(), writes=True) as store:
        result = store.forget_workspace(team)
        if result.was_installed:
            echo(f"The tokens are deleted. Waiting {IN_HAND} seconds for what is just being answered.", err=True)
            time.sleep(IN_HAND)
            result.add_all(store.forget_workspace(team))
    if result.organisation:
        echo(
            f"{team} belongs to {result.organisation}, which has the app installed: it can use the bot again at once.",
            err=True,
        )
    for other in result.served:
        echo(f"{other} has an installation of its own, and stays: {program()} forget-workspace {other}", err=True)
    if not result.rows:
        echo(f"Nothing is stored of {team}; an id is written as Slack writes it, T… or E… in capitals.", err=True)
        raise SystemExit(1)
    others = f", with {', '.join(result.teams[1:])}" if len(result.teams) > 1 else ""
    echo(f"Deleted of {team}{others}:")
    for name, number in result.counts.items():
        echo(f"  {name}: {number}")
    echo(
        "Which messages were answered, and where conversations stand, is kept as digests that name no workspace, "
        "for 24 hours and for 30 minutes."
    )


@main.command()
@click.option(
    "--blocks", is_flag=True, help="Ask Slack, too, whether it takes every kind of reply, modal and Home tab."
)
@knowledge_option
def doctor(blocks: bool) -> None:
    """Check configuration, credentials, database and pack, and print the fix for each fault."""
    from bot.doctor import run_checks
    from bot.settings import usable_settings

    settings, faults = usable_settings()
    if not run_checks(_with_pack(settings), faults, blocks=blocks):
        raise SystemExit(1)


# --- shared by the commands

IN_HAND = 20
"""Seconds after which nothing more is written of a message that was in hand: longer than Slack is waited for."""
MAX_NOTICES = 20
"""Ids that the pack doesn't have which are printed one by one; with more, the file belongs to another pack."""


def _secret_keys(settings: Settings) -> SecretKeys:
    """The keys of ASKPY_SECRET_KEY. Raises AskPyError if there are none, or the package that encrypts isn't installed."""
    if settings.secret_key is None:
        raise SettingsError(f"ASKPY_SECRET_KEY isn't set; `{program()} keys new` makes a key.")
    try:
        from bot.keys import SecretKeys
    except ModuleNotFoundError:
        raise AskPyError(f"Keys can't be used here: {NO_CRYPTOGRAPHY}.") from None
    return SecretKeys(settings.secret_key.get_secret_value())


@contextmanager
def _open_store(settings: Settings, *, writes: bool = False) -> Iterator[Store]:
    """The store. Raises AskPyError if the database can't be used, before or during the block; `writes`: not only to read."""
    from bot.store import Store
    from bot.terminal import echo

    store = Store(settings.database, retention_days=settings.retention_days)
    try:
        fault = store.probe(reads=not writes)
        if fault:
            use = "written" if writes else "read"
            raise AskPyError(f"The database can't be {use}: {fault}. Check DATABASE_URL; `doctor` tells more.")
        unset = "; DATABASE_URL isn't set" if settings.database_url is None else ""
        echo(f"{'Writing to' if writes else 'Reading'} {store.database.safe_url}{unset}.", err=True)
        yield store
        if store.database.failures:
            raise AskPyError(
                f"The database went away meanwhile ({store.database.unavailable_reason}), and half is worse than nothing. "
                "Try again."
            )
    finally:
        store.close()


def _report_data(
    store: Store, workspaces: Sequence[str], changes: tuple[Change, ...], days: int, now: float
) -> ReportData:
    """The data of the report; of several workspaces together, only the sums."""
    from bot.report.figures import DAY, MAX_MISSES, ReportData

    if len(workspaces) != 1:
        return ReportData(store.tallies.week(None, 2 * days))
    workspace = workspaces[0]
    return ReportData(
        tallies=store.tallies.week(workspace, 2 * days),
        misses=store.misses.all(workspace, MAX_MISSES),
        complaints=store.votes.complaints(workspace, days),
        pilots=store.pilots.all(workspace),
        changes=changes,
        help_requests=store.help_requests.since(workspace, now - days * DAY),
    )


def _edited_pack(settings: Settings, changes: Sequence[Change]) -> Knowledge | None:
    """The pack with curators' changes; None if it can't be loaded."""
    from bot.curation.overlay import apply_changes
    from bot.knowledge import PackError

    try:
        return apply_changes(load(settings.pack, settings.cache_folder), changes)
    except PackError:
        return None


def _pack_names(knowledge: Knowledge | None) -> tuple[str, dict[str, str]]:
    """A pack's name and each answer's title by its id; no titles without a pack."""
    if knowledge is None:
        return "AskPy", {}
    groups = {f"{kind}:{group.id}": group.title for group in knowledge.groups for kind in ("list", "pick")}
    talk = {f"talk:{name}": f"small talk, {name.replace('_', ' ')}" for name in knowledge.voice.small_talk}
    return knowledge.name, {**groups, **talk, **{entry.id: entry.label for entry in knowledge.entries}}


def _print_check(folder: Path, settings: Settings, *, show_all: bool = False) -> None:
    """Print what `check` finds in a pack; exit 1 if it has a fault."""
    from bot.curation.check import check_pack
    from bot.evaluation.output import track
    from bot.terminal import echo

    result = check_pack(folder, settings.cache_folder, track)
    for line in result.lines(folder, show_all=show_all):
        echo(line)
    if result.has_faults:
        raise SystemExit(1)


def _choose_workspace(name: str | None, known: Sequence[str]) -> str:
    """The workspace with this name, or the only one with changes; empty where none has any. Raises AskPyError."""
    if name is None and len(known) > 1:
        raise AskPyError(f"Several workspaces have changes: {', '.join(known)}. Name one with --workspace.")
    if name is not None and known and name not in known:
        raise AskPyError(f"The workspace {name} has no changes; these have: {', '.join(known)}.")
    return name or (known[0] if known else "")


def _write_file(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise AskPyError(f"{path} can't be written: {error.strerror or error}. Name another file.") from None


def _engine(settings: Settings, memory: ProcessMemory | None = None) -> Engine:
    return Engine(Matcher.from_knowledge(load(settings.pack, settings.cache_folder), settings.cache_folder), memory)


def _require_json(as_json: bool, **options: bool) -> None:
    """Raise a usage error if an option that only adds to JSON is given without --json."""
    for name, is_given in options.items():
        if is_given and not as_json:
            raise click.UsageError(f"--{name} adds to the JSON of an answer; give --json as well.")


def _stdin_lines() -> Iterator[str]:
    """Lines of standard input, divided by line feeds alone; invalid UTF-8 is replaced."""
    if sys.stdin is None:
        raise AskPyError("Standard input is closed. Pipe in questions, one a line, or use: ask QUESTION.")
    return _decoded(sys.stdin.buffer)


def _decoded(stream: Iterable[bytes]) -> Iterator[str]:
    try:
        for line in stream:
            yield line.decode("utf-8", errors="replace").removesuffix("\n")
    except OSError as error:
        raise AskPyError(f"Standard input can't be read: {error.strerror or error}.") from None


def _reply_json(
    text: str, reply: Reply, *, layout: Layout | None = None, markdown: bool = False, candidates: Any = None
) -> dict[str, Any]:
    """The JSON object of one answer; with a `layout`, with the blocks that Slack would get."""
    record: dict[str, Any] = {
        "question": text,
        "kind": reply.kind,
        "ids": list(reply.ids),
        "confidence": round(reply.confidence, 6),
        "text": plain_text(reply),
    }
    if markdown:
        record["markdown"] = markdown_text(reply)
    if layout is not None:
        messages = _messages(reply, layout)
        record["blocks"] = messages[0]["blocks"]
        if len(messages) > 1:
            record["messages"] = messages
    if candidates is not None:
        record["candidates"] = [{"id": name, "score": round(score, 6)} for name, score in candidates]
    return record


def _layout(settings: Settings) -> Layout:
    return "classic" if settings.cards == "classic" else "cards"


def _messages(reply: Reply, layout: Layout) -> list[dict[str, Any]]:
    """The messages of a reply as Slack would get them: one for each part of a long answer."""
    from bot.slack.blocks import render_blocks

    replies = [reply, *(replace(reply, parts=without_show_rest(parts), further=()) for parts in reply.further)]
    return [{"text": plain_text(each), "blocks": render_blocks(each, layout)} for each in replies]


_ESCAPED = {code: f"\\u{code:04x}" for code in (*range(0x7F, 0xA0), 0x2028, 0x2029, 0x202D, 0x202E)}
"""Characters that JSON leaves as they are, and that may steer a terminal; some readers divide lines at U+2028 and U+2029."""


def _print_json(record: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(record, ensure_ascii=False).translate(_ESCAPED) + "\n")
    sys.stdout.flush()
