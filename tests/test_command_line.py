"""The command line: answers on stdout, sentences on stderr, exit codes, and never a traceback."""

from __future__ import annotations

import ast
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from bot import __main__ as start
from bot import program
from bot.cli import main
from bot.keys import SecretKeyError, SecretKeys
from bot.model import Question
from bot.reply import plain_text
from bot.store import Store, StoredInstallation
from bot.store.rotation import encrypt_anew
from bot.text import find_control_character
from support.shipped import ROOT, engine

PACK = {
    "pack.yaml": "name: Demo\n",
    "answers.yaml": (
        "- id: opening-hours\n"
        "  title: When are you open?\n"
        "  asks: [when are you open, opening hours]\n"
        "  answer: Weekdays from nine to “five”.\n"
        "- id: parking\n"
        "  title: Where can I park?\n"
        "  asks: [where can i park, parking space, is there a car park]\n"
        "  answer: Behind the house.\n"
    ),
}
"""Small, so that it answers in a moment."""


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pack")
    for name, content in PACK.items():
        (folder / name).write_text(content, encoding="utf-8")
    return folder


@pytest.fixture
def run(pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a command in an empty folder, with the small pack unless another is named: its exit code, stdout, stderr."""

    def ran(*arguments: str, typed: bytes = b"", **variables: str) -> tuple[int, str, str]:
        with monkeypatch.context() as patch:
            patch.chdir(tmp_path)
            for name, value in ({"ASKPY_KNOWLEDGE": str(pack)} | variables).items():
                patch.setenv(name, value)
            with loggers_as_before():
                result = CliRunner().invoke(main, arguments, input=typed)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception  # a person would see a traceback
        return result.exit_code, result.stdout, result.stderr

    return ran


@contextmanager
def loggers_as_before() -> Iterator[None]:
    """Takes back what `serve` does to the log, before it finds that a setting is missing."""
    root, ours = logging.getLogger(), logging.getLogger("bot")
    handlers, levels = root.handlers[:], (root.level, ours.level)
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(levels[0])
        ours.setLevel(levels[1])


@pytest.fixture
def started(pack: Path, tmp_path: Path) -> Iterator[Any]:
    """Starts the same as a process of its own, for what only a process can show."""
    running: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str, **variables: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", "bot", *arguments],
            cwd=tmp_path,
            env=os.environ | {"ASKPY_KNOWLEDGE": str(pack), "PYTHONPATH": str(ROOT)} | variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            stream.close()  # type: ignore[union-attr]


def records(out: str) -> list[dict[str, Any]]:
    """One JSON object a line, whatever counts as the end of a line elsewhere."""
    assert not out or out.endswith("\n")
    return [json.loads(line) for line in out.splitlines()]


# --- faults: a sentence, a code, no traceback

OAUTH = {"SLACK_CLIENT_ID": "1.2", "SLACK_CLIENT_SECRET": "x", "ASKPY_SECRET_KEY": "k" * 40}
"""The settings of many workspaces."""
FAULTS = {
    "an unknown command": ("nosuch", {}, 2, "No such command 'nosuch'"),
    "no question": ("ask", {}, 2, "Missing argument"),
    "no candidates": ("ask --json --top 0 hours", {}, 2, "--top"),
    "a number that is none": ("ask --json --top many hours", {}, 2, "--top"),
    "no such pack": ("ask hours", {"ASKPY_KNOWLEDGE": "nowhere"}, 2, "pack.yaml:1: not found in nowhere; name the folder"),
    "no such file of questions": ("eval nowhere.jsonl", {}, 2, "nowhere.jsonl can't be read: No such file or directory."),
    "a folder of questions": ("eval .", {}, 2, "can't be read"),
    "not a port": ("ask hours", {"PORT": "many"}, 2, "PORT: "),
    "no port at all": ("ask hours", {"PORT": "70000"}, 2, "PORT: "),
    "cards of another kind": ("ask hours", {"ASKPY_CARDS": "fancy"}, 2, "ASKPY_CARDS: "),
    "two bad settings at once": ("ask hours", {"ASKPY_RETENTION_DAYS": "0", "ASKPY_LOG_LEVEL": "loud"}, 2, "ASKPY_LOG_LEVEL: "),
    "serve without credentials": ("serve", {}, 2, "SLACK_BOT_TOKEN"),
    "serve without credentials, Socket Mode": ("serve --socket", {}, 2, "SLACK_APP_TOKEN"),
    "serve without credentials, HTTP": ("serve --http", {}, 2, "SLACK_SIGNING_SECRET"),
    "many workspaces without a secret": ("serve", {"SLACK_CLIENT_ID": "1.2"}, 2, "SLACK_CLIENT_SECRET: not set"),
    "many workspaces without a key": ("serve", {"SLACK_CLIENT_ID": "1.2"}, 2, "ASKPY_SECRET_KEY: not set, which many workspaces "
                                      "need; `python -m bot keys new` makes one"),
    "many workspaces without an id": ("serve", {"SLACK_CLIENT_SECRET": "x"}, 2, "SLACK_CLIENT_ID: not set"),
    "many workspaces by Socket Mode": ("serve --socket", OAUTH, 2, "--socket: Socket Mode is for one workspace"),
    "many workspaces by its token": ("serve", OAUTH | {"SLACK_APP_TOKEN": "xapp-1"}, 2, "SLACK_APP_TOKEN: Socket Mode"),
    "many workspaces and a curator of none": ("serve", OAUTH | {"ASKPY_CURATORS": "U1,T1:U2,U3"}, 2, "ASKPY_CURATORS: U1, U3 are "
                                              "of no workspace; with many workspaces write its workspace before each, T…:U…"),
    "many workspaces and a help channel of none": ("serve", OAUTH | {"ASKPY_HELP_CHANNEL": "C1,T1:C2"}, 2, "ASKPY_HELP_CHANNEL: "
                                                   "C1 is of no workspace; with many workspaces write its workspace before"),
    "a rotation of no key": ("keys rotate", {}, 2, "ASKPY_SECRET_KEY isn't set; `python -m bot keys new` makes a key."),
    "a key that is too short": ("keys rotate", {"ASKPY_SECRET_KEY": "short"}, 2, "32 characters"),
    "a redirect to nowhere": ("manifest --oauth", {}, 2, "--url"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_a_sentence_and_a_code(fault: str, run: Any) -> None:
    line, variables, code, sentence = FAULTS[fault]
    exit_code, out, err = run(*line.split(), **variables)
    assert (exit_code, out) == (code, "")
    assert sentence in err


def test_a_process_says_the_same_and_ends_with_the_code(started: Any) -> None:
    process = started("ask", "hours", PORT="many")
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (2, b"")
    assert err.startswith(b"These settings can't be used")
    assert b"Traceback" not in err


def test_every_bad_setting_is_named(run: Any) -> None:
    _, _, err = run("ask", "hours", ASKPY_RETENTION_DAYS="0", ASKPY_LOG_LEVEL="loud", PORT="x")
    assert [name for name in ("ASKPY_RETENTION_DAYS", "ASKPY_LOG_LEVEL", "PORT") if f"{name}: " not in err] == []


BAD_LINES = {
    "no JSON": b"hours\n",
    "no gold": b'{"q": "hours"}\n',
    "not an object": b"[1, 2]\n",
    "a question that is no text": b'{"q": 3, "gold": ["parking"]}\n',
    "not UTF-8": b'{"q": "caf\xe9", "gold": ["parking"]}\n',
}


@pytest.mark.parametrize("slip", BAD_LINES)
def test_a_bad_line_of_questions_is_named(slip: str, run: Any, tmp_path: Path) -> None:
    (tmp_path / "own.jsonl").write_bytes(b'{"q": "hours", "gold": ["opening-hours"]}\n\n' + BAD_LINES[slip])
    code, out, err = run("eval", "own.jsonl")
    assert (code, out) == (2, "")
    assert err.startswith("own.jsonl")


def test_a_pack_that_cant_be_loaded_names_every_fault(run: Any, tmp_path: Path) -> None:
    (tmp_path / "pack.yaml").write_text("name: Demo\nabuot: x\n", encoding="utf-8")
    (tmp_path / "a.yaml").write_text("- id: a\n  title: A\n  asks: [a]\n  anser: x\n", encoding="utf-8")
    code, out, err = run("ask", "hours", ASKPY_KNOWLEDGE=".")
    assert (code, out) == (2, "")
    assert [
        line
        for line in ("a.yaml:4: a: 'anser'", "pack.yaml:2: 'abuot'", "a.yaml:1: a: answer is missing")
        if line not in err
    ] == []


def test_check_prints_every_fault_and_exits_1(run: Any, tmp_path: Path) -> None:
    (tmp_path / "pack.yaml").write_text("name: Demo\nabuot: x\n", encoding="utf-8")
    (tmp_path / "a.yaml").write_text("- id: a\n  title: A\n  asks: [a]\n  answer: x\n  anser: x\n", encoding="utf-8")
    code, out, err = run("check", ".")
    assert (code, err) == (1, "")
    assert [line.split(":")[:2] for line in out.splitlines()][:2] == [["a.yaml", "5"], ["pack.yaml", "2"]]


def test_check_of_nothing_is_a_fault(run: Any) -> None:
    code, out, err = run("check", "nowhere")
    assert (code, err) == (1, "")
    assert out.startswith("pack.yaml:1: not found in nowhere")


def test_secrets_are_never_shown(run: Any) -> None:
    variables = {
        "SLACK_BOT_TOKEN": "xoxb-hush",
        "SLACK_SIGNING_SECRET": "hush-hush",
        "DATABASE_URL": "postgres://u:hush@h/d",
    }
    _, out, err = run("ask", "hours", PORT="x", **variables)
    assert "hush" not in out + err


# --- ask


def test_one_answer_as_json(run: Any) -> None:
    code, out, err = run("ask", "--json", "Opening", "hours?")
    (record,) = records(out)
    confidence = record.pop("confidence")
    text = "When are you open?\n\nWeekdays from nine to “five”."
    assert (code, err) == (0, "")
    assert record == {"question": "Opening hours?", "kind": "topic", "ids": ["opening-hours"], "text": text}
    assert list(records(out)[0]) == ["question", "kind", "ids", "confidence", "text"]
    assert isinstance(confidence, float)
    assert round(confidence, 6) == confidence


def test_one_answer_in_the_terminal(run: Any) -> None:
    assert run("ask", "opening hours") == (0, "When are you open?\n\nWeekdays from nine to “five”.\n", "")


def test_candidates_are_the_engines_best(run: Any) -> None:
    for top, number in (("1", 1), ("5", 2)):
        (record,) = records(run("ask", "--json", "--top", top, "opening hours")[1])
        scores = [candidate["score"] for candidate in record["candidates"]]
        assert [set(candidate) for candidate in record["candidates"]] == [{"id", "score"}] * number
        assert (record["candidates"][0]["id"], scores) == ("opening-hours", sorted(scores, reverse=True))


def test_blocks_come_when_asked_for(run: Any) -> None:
    (record,) = records(run("ask", "--json", "--blocks", "opening hours")[1])
    assert list(record) == ["question", "kind", "ids", "confidence", "text", "blocks"]
    assert record["blocks"][0]["type"] == "header"


LINES: dict[str, tuple[bytes, list[str]]] = {
    "nothing": (b"", []),
    "one line": (b"opening hours\n", ["opening hours"]),
    "no final line feed": (b"opening hours\nparking space", ["opening hours", "parking space"]),
    "a blank line": (b"opening hours\n\n  \nparking space\n", ["opening hours", "", "  ", "parking space"]),
    "only a line feed": (b"\n", [""]),
    "broken UTF-8": (b"opening \xff\xfe hours\n\xc3\n", ["opening \ufffd\ufffd hours", "\ufffd"]),
    "carriage returns": (b"opening hours\r\nparking\rspace\r\n", ["opening hours\r", "parking\rspace\r"]),
    "what only looks like a line's end": (
        "opening\u2028hours\nparking\u2029space\x85\x0b\x0c\x1c\n".encode(),
        ["opening\u2028hours", "parking\u2029space\x85\x0b\x0c\x1c"],
    ),
    "a null character": (b"opening\x00hours\n", ["opening\x00hours"]),
    "a very long line": (b"opening hours " * 20_000 + b"\nparking space\n", ["opening hours " * 20_000, "parking space"]),
    "escape sequences": ("opening \x1b[2J\x9b2J\x7f\u202ehours\n".encode(), ["opening \x1b[2J\x9b2J\x7f\u202ehours"]),
    "not in the BMP": ("opening hours 🕘\n".encode(), ["opening hours 🕘"]),
}  # fmt: skip


@pytest.mark.parametrize("name", LINES)
def test_every_line_gets_one_answer_in_order(name: str, run: Any) -> None:
    typed, questions = LINES[name]
    code, out, err = run("ask", "--json", "-", typed=typed)
    assert (code, err) == (0, "")
    assert [record["question"] for record in records(out)] == questions
    assert find_control_character(out) is None  # nothing that steers a terminal
    assert [set(record) for record in records(out)] == [{"question", "kind", "ids", "confidence", "text"}] * len(
        questions
    )


def test_carriage_returns_and_odd_separators_change_no_answer(run: Any) -> None:
    typed = "opening hours\r\nopening\u2028hours\nopening\x00 hours\n\nparking space\r\n".encode()
    answers = [record["ids"] for record in records(run("ask", "--json", "-", typed=typed)[1])]
    assert answers == [["opening-hours"], ["opening-hours"], ["opening-hours"], [], ["parking"]]


MENTIONS = {
    b"<@U012AB> opening hours": ("topic", ["opening-hours"]),
    b"<@U012AB|askpy>: opening hours": ("topic", ["opening-hours"]),
    b"opening hours <@W1> ?": ("topic", ["opening-hours"]),
    b"<@U012AB>": ("help", []),
    b"  <@U012AB>  <@U2> ": ("help", []),
    b"": ("help", []),
    b"?!": ("help", []),
}


def test_mentions_are_ignored_and_one_alone_gets_help(run: Any) -> None:
    answers = records(run("ask", "--json", "-", typed=b"\n".join(MENTIONS) + b"\n")[1])
    assert [(answer["kind"], answer["ids"]) for answer in answers] == list(MENTIONS.values())


def test_answers_come_line_by_line(started: Any) -> None:
    """Whoever pipes can read each answer before writing the next question."""
    process = started("ask", "--json", "-")
    for question, wanted in (
        ("opening hours", "opening-hours"),
        ("parking space", "parking"),
        ("opening hours", "opening-hours"),
    ):
        process.stdin.write(question.encode() + b"\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["ids"] == [wanted]
    process.stdin.close()
    assert (process.wait(60), process.stdout.read()) == (0, b"")


def test_a_reader_that_leaves_is_no_fault(started: Any) -> None:
    process = started("ask", "--json", "-")
    process.stdout.close()
    _, err = process.communicate(b"opening hours\n" * 200, timeout=60)
    assert (process.returncode, err) == (0, b"")


LONG_ANSWER = (
    "Weekdays from nine to five, " + "and on request at any other time of the day, " * 9 + "without exception."
)


def test_a_pipe_gets_unbroken_lines(run: Any, tmp_path: Path) -> None:
    (tmp_path / "pack.yaml").write_text("name: Demo\n", encoding="utf-8")
    entry = f"- id: a\n  title: When are you open?\n  asks: [opening hours]\n  answer: {LONG_ANSWER}\n"
    (tmp_path / "a.yaml").write_text(entry, encoding="utf-8")
    for typed in (b"", b"opening hours\n"):
        command = ("chat",) if typed else ("ask", "opening hours")
        out = run(*command, typed=typed, ASKPY_KNOWLEDGE=".", COLUMNS="40")[1]
        assert LONG_ANSWER in out.splitlines()


@pytest.mark.parametrize("command", [("ask", "opening hours"), ("ask", "--json", "opening hours"), ("chat",)])
def test_a_narrow_encoding_is_no_fault(command: tuple[str, ...], started: Any) -> None:
    process = started(*command, PYTHONIOENCODING="ascii")
    out, err = process.communicate(b"opening hours\n", timeout=60)
    assert (process.returncode, b"Traceback" in err, b"When are you open?" in out) == (0, False, True)


def test_nothing_is_remembered_from_line_to_line(run: Any) -> None:
    """The same question gets the same answer, whatever stood before it."""
    typed = b"opening hours\nwhat about it\nparking space\nwhat about it\n"
    answers = [(r["kind"], r["ids"], r["text"]) for r in records(run("ask", "--json", "-", typed=typed)[1])]
    assert answers[1] == answers[3]


def test_asking_opens_no_database_and_writes_nothing_here(run: Any, tmp_path: Path) -> None:
    code, _, _ = run(
        "ask", "opening hours", DATABASE_URL=f"sqlite:///{tmp_path}/own.db", XDG_DATA_HOME=str(tmp_path / "data")
    )
    assert (code, list(tmp_path.iterdir())) == (0, [])


# --- chat


def test_piped_lines_are_a_conversation(run: Any) -> None:
    code, out, err = run("chat", typed=b"opening hours\nparking space\n")
    assert code == 0
    assert out.split("\n\n") == [
        *("When are you open?", "Weekdays from nine to “five”."),
        *("Where can I park?", "Behind the house.", ""),
    ]
    assert err.startswith("No Slack credential is set")


def test_an_empty_line_prints_nothing(run: Any) -> None:
    with_breaks = run("chat", typed=b"\nopening hours\n\n \nparking space\n\n")
    assert with_breaks[:2] == run("chat", typed=b"opening hours\nparking space\n")[:2]


def test_a_conversation_as_json(run: Any) -> None:
    code, out, _ = run("chat", "--json", typed=b"opening hours\n\nparking space\r\n")
    assert code == 0
    assert [(r["question"], r["ids"]) for r in records(out)] == [
        ("opening hours", ["opening-hours"]),
        ("parking space\r", ["parking"]),
    ]


def test_a_conversation_of_nothing_ends_calmly(run: Any) -> None:
    assert run("chat")[:2] == (0, "")
    assert run("chat", "--json")[:2] == (0, "")


def test_without_a_command_and_credentials_it_chats(run: Any) -> None:
    code, out, err = run(typed=b"opening hours\n")
    assert (code, out.splitlines()[0]) == (0, "When are you open?")
    assert err.splitlines() == [err.strip()]


def test_a_pipe_gets_no_colour_codes(run: Any) -> None:
    wanted = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    said = [
        run("chat", typed=b"opening hours\n", **wanted),
        run("ask", "opening hours", **wanted),
        run("why", "opening hours", **wanted),
    ]
    assert [out for _, out, _ in said if "\x1b" in out or not out] == []


def test_a_prompt_answers_line_by_line(started: Any) -> None:
    process = started("chat")
    process.stdin.write(b"opening hours\n")
    process.stdin.flush()
    assert process.stdout.readline() == b"When are you open?\n"


# --- the other commands


def test_help_and_version_exit_0(run: Any) -> None:
    assert [run(option)[0] for option in ("--help", "--version")] == [0, 0]


FIGURES = ("topic opening-hours", "1.000000", "talk:greeting")


def test_why_speaks_in_titles_and_on_request_in_figures(run: Any) -> None:
    code, out, err = run("why", "opening", "hours?")
    assert (code, err) == (0, "")
    in_words = ("Understood: opening hours", "Answer: When are you open?", "How sure: sure", "word for word")
    assert [said for said in in_words if said not in out] == []
    assert [figure for figure in FIGURES if figure in out] == []
    verbose = run("why", "--verbose", "opening", "hours?")[1]
    assert [figure for figure in FIGURES if figure not in verbose] == []


QUESTIONS = [
    {"q": "opening hours", "kind": "topic", "gold": ["opening-hours"], "style": "clean"},
    {"q": "parking space", "kind": "topic", "gold": ["opening-hours"], "style": "clean"},
    {"q": "zzz zzz", "kind": "unknown", "gold": ["unknown"], "style": "clean"},
]


def test_eval_counts_and_its_minimum_decides_the_code(run: Any, tmp_path: Path) -> None:
    (tmp_path / "own.jsonl").write_text("".join(json.dumps(each) + "\n" for each in QUESTIONS), encoding="utf-8")
    code, out, _ = run("eval", "own.jsonl", "--verbose")
    covered = next(line for line in out.splitlines() if line.startswith("covered")).split()
    assert (code, covered) == (0, ["covered", "2", "50.0", "0.0", "0.0", "50.0"])
    assert out.splitlines()[:2] == [
        "Of 2 questions that the pack covers, 1 got the right answer, 0 the right one among the suggestions, "
        "0 nothing that helps, 1 a wrong answer.",
        "Of 1 that it doesn't cover, 0 were answered all the same.",
    ]
    assert ("'parking space'" in out, "AUROC" in out) == (True, True)
    assert "AUROC" not in run("eval", "own.jsonl")[1]
    assert [run("eval", "own.jsonl", "--min", least)[0] for least in ("50", "51")] == [0, 1]


def test_eval_names_the_ids_that_the_pack_does_not_have(run: Any, tmp_path: Path) -> None:
    labels = [
        {"q": "opening hours", "gold": ["opening-hour", "list:anything", "unknown"]},
        {"q": "parking space", "gold": ["parking"], "lenient": ["zzz"], "members": ["opening-hours"]},
        {"q": "parking space or hours", "gold": ["compare:parking,openin-hours"], "ids": ["parking", "openin-hours"]},
    ]
    (tmp_path / "own.jsonl").write_text("".join(json.dumps(each) + "\n" for each in labels), encoding="utf-8")
    code, out, err = run("eval", "own.jsonl")
    assert (code, err.splitlines()) == (
        0,
        [
            "own.jsonl:1: gold 'opening-hour' is not in the pack; did you mean 'opening-hours'?",
            "own.jsonl:2: lenient 'zzz' is not in the pack",
            "own.jsonl:3: gold 'openin-hours' is not in the pack; did you mean 'opening-hours'?",
            "own.jsonl:3: ids 'openin-hours' is not in the pack; did you mean 'opening-hours'?",
        ],
    )
    assert out.splitlines()[-1].startswith("3 lines name an id that the pack doesn't have; ")
    (tmp_path / "own.jsonl").write_text('{"q": "x", "gold": ["a"]}\n' * 30, encoding="utf-8")
    assert len(run("eval", "own.jsonl")[2].splitlines()) == 20


def test_eval_asks_a_talk_as_one_conversation_and_counts_what_follows(run: Any, tmp_path: Path) -> None:
    """ "Tell me more" alone means nothing; what is asked by itself between two turns changes nothing."""
    turns = [
        {"q": "opening hours", "gold": ["opening-hours"], "talk": "a"},
        {"q": "tell me more", "gold": ["unknown"]},
        {"q": "tell me more", "gold": ["opening-hours"], "talk": "a"},
        {"q": "tell me more", "gold": ["unknown"], "talk": "b"},
    ]
    (tmp_path / "talks.jsonl").write_text("".join(json.dumps(each) + "\n" for each in turns), encoding="utf-8")
    code, out, _ = run("eval", "talks.jsonl", "--verbose")
    rows = {line.split()[0]: line.split()[1:3] for line in out.splitlines() if line}
    assert (code, rows["covered"], rows["follow-up"], rows["out-of-scope"]) == (
        0,
        ["2", "100.0"],
        ["1", "100.0"],
        ["2", "100.0"],
    )


def test_the_manifest_is_json(run: Any) -> None:
    code, out, err = run("manifest", "--url", "https://bot.example.org")
    assert (code, err) == (0, "")
    assert json.loads(out)["settings"]["event_subscriptions"]["request_url"] == "https://bot.example.org/slack/events"


# --- the pack by an option

READS_A_PACK = {
    "ask": ("ask opening hours", "When are you open?"),
    "chat": ("chat", "When are you open?"),
    "no command": ("", "When are you open?"),
    "check": ("check", "2 entries, no faults"),
    "why": ("why opening hours", "When are you open?"),
    "manifest": ("manifest", "Demo"),
    "doctor": ("doctor", "fine   knowledge pack Demo, 2 entries, {pack}"),
    "eval": ("eval own.jsonl", "1 got the right answer"),
}


@pytest.mark.parametrize("name", READS_A_PACK)
def test_an_option_names_the_pack_and_wins(name: str, run: Any, pack: Path, tmp_path: Path) -> None:
    words, expected = READS_A_PACK[name]
    (tmp_path / "own.jsonl").write_text('{"q": "opening hours", "gold": ["opening-hours"]}\n', encoding="utf-8")
    for arguments in {("--knowledge", str(pack), *words.split()), (*words.split(), "--knowledge", str(pack))}:
        out = run(*arguments, typed=b"opening hours\n", ASKPY_KNOWLEDGE="nowhere", DATABASE_URL="sqlite://")[1]
        assert expected.format(pack=pack) in out


def test_every_command_that_reads_the_pack_takes_the_option() -> None:
    takes = {name for name, command in main.commands.items() if any(p.name == "knowledge" for p in command.params)}
    assert set(main.commands) - takes == {"import", "keys", "forget-workspace"}


# --- many workspaces


def installed(url: str, keys: str, *teams: str) -> Store:
    """A store on this database, with installations whose tokens are encrypted by the first of these keys."""
    store, known = Store(url), SecretKeys(keys)
    for team in teams:
        tokens = {"bot_token": known.encrypt(f"xoxb-{team}"), "refresh_token": known.encrypt(f"xoxe-{team}")}
        store.installations.save(StoredInstallation(team=team, name=f"Team {team}", **tokens))
    return store


def tokens(store: Store, keys: str) -> dict[str, tuple[str, str]]:
    known = SecretKeys(keys)
    return {
        each.team: (known.decrypt(each.bot_token), known.decrypt(each.refresh_token))
        for each in store.installations.all()
    }


OLD, NEW = "a" * 40, "b" * 40
ROTATED = (
    "In half an hour, when no conversation is remembered under its ids any more, take the old key out of ASKPY_SECRET_KEY and "
    "restart the bot. A backup from before needs the old key: keep it as long as the backup.\n"
)


def test_a_new_key_can_be_used_and_is_another_each_time(run: Any) -> None:
    made = [run("keys", "new") for _ in range(2)]
    assert [(code, err) for code, _, err in made] == [(0, "")] * 2
    first, second = (SecretKeys(out) for _, out, _ in made)
    assert first.decrypt(first.encrypt("x")) == "x"
    with pytest.raises(SecretKeyError):
        second.decrypt(first.encrypt("x"))


def test_without_the_package_that_encrypts_a_sentence_says_so(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bot.keys", None)
    for command in ("new", "rotate"):
        code, out, err = run("keys", command, ASKPY_SECRET_KEY=NEW)
        assert (code, out, "pip install cryptography." in err, err.count("\n")) == (2, "", True, 1)


def test_keys_are_rotated_and_what_to_do_next_is_said(run: Any, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/s.db"
    store = installed(url, OLD, "E1", "T1")
    for _ in range(2):  # a second time, as after an interruption
        code, out, err = run("keys", "rotate", DATABASE_URL=url, ASKPY_SECRET_KEY=f"{NEW}, {OLD}")
        assert (code, out) == (0, f"2 installations encrypted with the first key of ASKPY_SECRET_KEY.\n{ROTATED}")
        assert "xox" not in out + err
    assert tokens(store, NEW) == {team: (f"xoxb-{team}", f"xoxe-{team}") for team in ("E1", "T1")}
    code, out, _ = run("keys", "rotate", DATABASE_URL=url, ASKPY_SECRET_KEY=NEW)
    assert (code, out.splitlines()[1]) == (0, "ASKPY_SECRET_KEY holds that key alone: nothing is left to do.")
    store.close()


def test_a_token_that_no_key_decrypts_is_named_and_the_others_are_done(run: Any, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/s.db"
    installed(url, "c" * 40, "T2").close()
    store = installed(url, OLD, "T1", "T3")
    code, out, err = run("keys", "rotate", DATABASE_URL=url, ASKPY_SECRET_KEY=f"{NEW},{OLD}")
    assert (code, out) == (1, "2 installations encrypted with the first key of ASKPY_SECRET_KEY.\n")
    assert "T2 (Team T2): no key of ASKPY_SECRET_KEY decrypts its tokens." in err
    store.installations.remove("T2")
    assert tokens(store, NEW).keys() == {"T1", "T3"}
    store.close()


def test_a_rotation_that_is_interrupted_leaves_every_token_readable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = installed(f"sqlite:///{tmp_path}/s.db", OLD, "T1", "T2")
    known, anew = SecretKeys(f"{NEW},{OLD}"), store.installations.encrypt_anew

    def interrupt(before: StoredInstallation, *pair: str) -> bool:
        if before.team == "T2":
            raise KeyboardInterrupt
        return anew(before, *pair)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(store.installations, "encrypt_anew", interrupt)
        encrypt_anew(store.installations, known)
    assert tokens(store, f"{NEW},{OLD}") == {team: (f"xoxb-{team}", f"xoxe-{team}") for team in ("T1", "T2")}
    assert encrypt_anew(store.installations, known).done == 2
    assert tokens(store, NEW).keys() == {"T1", "T2"}
    store.close()


def test_a_token_that_the_running_bot_replaces_meanwhile_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever of the two saves first: Slack gives the bot its new tokens once, and takes the old ones back."""
    store = installed(f"sqlite:///{tmp_path}/s.db", OLD, "T1", "T2", "T3")
    known, anew = SecretKeys(f"{NEW},{OLD}"), store.installations.encrypt_anew
    read = {each.team: each for each in store.installations.all()}

    def replace(team: str) -> bool:
        pair = known.encrypt("xoxb-newer"), known.encrypt("xoxe-newer")
        return store.installations.replace_tokens(read[team], *pair, 1.0)

    def meanwhile(before: StoredInstallation, *pair: str) -> bool:
        if before.team == "T1" and before.revision == 1:
            assert replace("T1")
        if before.team == "T3" and before.bot_token == read["T3"].bot_token:  # removed, and installed again
            store.installations.remove("T3")
            store.installations.save(StoredInstallation(team="T3", bot_token=known.encrypt("xoxb-again")))
        return anew(before, *pair)

    monkeypatch.setattr(store.installations, "encrypt_anew", meanwhile)
    assert encrypt_anew(store.installations, known).done == 3
    assert replace("T2")  # the bot has read it before, and asked Slack meanwhile
    new = SecretKeys(NEW)
    assert [new.decrypt(each.bot_token) for each in store.installations.all()] == [
        "xoxb-newer",
        "xoxb-newer",
        "xoxb-again",
    ]
    assert [replace(team) for team in ("T1", "T2", "T3")] == [False] * 3
    store.close()


def test_a_workspace_is_forgotten_and_what_that_was_is_said(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, waited = f"sqlite:///{tmp_path}/s.db", []
    store = installed(url, OLD, "T1", "T2")

    def answer(seconds: float) -> None:
        waited.append(seconds)
        store.misses.add("T1", "what was in hand", "", 0.1)

    for team in ("T1", "T2"):
        store.misses.add(team, "who is it", "", 0.1)
    monkeypatch.setattr("bot.cli.time", SimpleNamespace(sleep=answer))
    code, out, _ = run("forget-workspace", "T1", DATABASE_URL=url)
    assert (code, waited) == (0, [20])
    assert out.splitlines()[:-1] == [
        "Deleted of T1:",
        "  installations, with their tokens: 1",
        "  questions without an answer: 2",
    ]
    assert [each.team for each in store.installations.all()] == ["T2"]
    assert [len(store.misses.all(team)) for team in ("T1", "T2")] == [0, 1]
    for unknown in ("T1", "t2", "T"):
        code, out, err = run("forget-workspace", unknown, DATABASE_URL=url)
        assert (code, out, f"Nothing is stored of {unknown};" in err) == (1, "", True)
    assert len(waited) == 1
    store.close()


def test_an_organisation_is_forgotten_with_the_workspaces_that_were_met(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.cli.time", SimpleNamespace(sleep=lambda _: None))
    url = f"sqlite:///{tmp_path}/s.db"
    store = installed(url, OLD, "E1", "T2")
    for team in ("T1", "T2"):
        store.installations.note_member(team, "E1")
        store.misses.add(team, "who is it", "", 0.1)
    assert "T1 belongs to E1, which has the app installed" in run("forget-workspace", "T1", DATABASE_URL=url)[2]
    store.misses.add("T1", "who is it", "", 0.1)
    code, out, err = run("forget-workspace", "E1", DATABASE_URL=url)
    assert (code, out.splitlines()[0]) == (0, "Deleted of E1, with T1:")
    assert "T2 has an installation of its own, and stays: python -m bot forget-workspace T2" in err
    assert [len(store.misses.all(team)) for team in ("T1", "T2")] == [0, 1]
    store.close()


# --- the start


def test_a_python_that_is_too_old_is_told_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 8, 10, "final", 0))
    with pytest.raises(SystemExit) as ended:
        start.run()
    assert ended.value.code == 2
    assert capsys.readouterr().err == f"AskPy needs Python 3.11 or newer; this is 3.8, {sys.executable}.\n"


@pytest.mark.parametrize("name", ["__init__.py", "__main__.py"])
def test_what_runs_before_that_check_is_plain_old_python(name: str) -> None:
    source = (ROOT / "bot" / name).read_text(encoding="utf-8")
    tree = ast.parse(source, feature_version=(3, 6))
    imported = {
        node.module if isinstance(node, ast.ImportFrom) else alias.name
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert imported <= {"bot", *sys.stdlib_module_names}


def test_without_its_packages_it_says_how_to_install_them(tmp_path: Path) -> None:
    """-S: without site-packages."""
    command = [sys.executable, "-S", "-m", "bot", "ask", "hours"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr.count("\n")) == (2, "", 1)
    assert [said for said in ("No module named 'click'", "make run", "uv tool install") if said not in ran.stderr] == []


def test_an_import_that_fails_in_the_bot_itself_is_no_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bot.cli", None)
    with pytest.raises(ModuleNotFoundError):
        start.run()


CALLS = {
    "/opt/tools/bin/askpy": "askpy",
    "C:\\tools\\askpy.exe": "askpy",
    "/srv/askpy/bot/__main__.py": "python -m bot",
    "-m": "python -m bot",
}


@pytest.mark.parametrize("argument", CALLS)
def test_sentences_name_the_command_that_was_called(argument: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [argument])
    assert program() == CALLS[argument]


def test_settings_from_a_file_are_read_and_real_ones_win(started: Any, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("ASKPY_KNOWLEDGE=nowhere\nPORT=70000\n", encoding="utf-8")
    _, err = started("ask", "opening hours").communicate(timeout=60)
    assert b"PORT: " in err
    assert b"When are you open?" in started("ask", "opening hours", PORT="0").communicate(timeout=60)[0]


# --- the shipped pack


def test_the_shipped_pack_answers_from_a_checkout(started: Any) -> None:
    """What the first minute shows, and the same as by the engine."""
    questions = ["is python frontend?", "whats tornaod", "flask or django", "<@U1>"]
    process = started("ask", "--json", "-", ASKPY_KNOWLEDGE=str(ROOT / "knowledge"))
    out, _ = process.communicate("\n".join(questions).encode(), timeout=60)
    replies = [engine().answer(Question(question)) for question in questions]
    assert [(r["kind"], tuple(r["ids"]), r["text"]) for r in records(out.decode())] == [
        (r.kind, r.ids, plain_text(r)) for r in replies
    ]
    assert [r.ids for r in replies] == [("is-python-frontend",), ("tornado",), ("flask", "django"), ()]
