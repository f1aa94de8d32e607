"""The edges: closed streams, no home, files that can't be read, damaged caches, slips on the command line. Never a traceback."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from bot import file_cache, settings
from bot.cli import main
from bot.evaluation.evaluate import read_questions
from bot.knowledge import load, pack_cache
from bot.model import AskPyError
from bot.retrieval import serialize
from bot.retrieval.index import Index
from bot.understanding import Matcher
from bot.understanding.targets import code_digest
from support.shipped import ROOT

PACK = {
    "pack.yaml": "name: Demo\n",
    "answers.yaml": "- id: parking\n  title: Where can I park?\n  asks: [parking space]\n  answer: Behind the house.\n",
    "more/pets.yaml": "- id: dogs\n  title: May I bring a dog?\n  asks: [bring my dog]\n  answer: On Fridays.\n",
}


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    return _write(tmp_path / "pack")


def _write(folder: Path) -> Path:
    for name, content in PACK.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    return folder


@pytest.fixture
def run(pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a command with the small pack: its exit code, stdout and stderr."""

    def ran(*arguments: str, **variables: str) -> tuple[int, str, str]:
        with monkeypatch.context() as patch:
            for name, value in (
                {"ASKPY_KNOWLEDGE": str(pack), "ASKPY_CACHE": str(tmp_path / "cache")} | variables
            ).items():
                patch.setenv(name, value)
            result = CliRunner().invoke(main, arguments)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception  # a person would see a traceback
        return result.exit_code, result.stdout, result.stderr

    return ran


def process(pack: Path, *arguments: str, **options: Any) -> subprocess.Popen[str]:
    """A process of its own, for what only a process can show."""
    return subprocess.Popen(
        [sys.executable, "-m", "bot", *arguments],
        cwd=pack,
        env=os.environ | {"ASKPY_KNOWLEDGE": str(pack), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


# --- sentences instead of tracebacks


@pytest.mark.parametrize("command", [("ask", "--json", "-"), ("chat",)])
def test_a_process_whose_standard_input_is_closed_says_so(command: tuple[str, ...], pack: Path) -> None:
    closing = ["sh", "-c", 'exec "$@" <&-', "sh", sys.executable, "-m", "bot", *command]
    variables = os.environ | {"ASKPY_KNOWLEDGE": str(pack), "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(closing, cwd=pack, env=variables, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith("Standard input is closed.")


@pytest.mark.parametrize("command", [("ask", "--json", "-"), ("ask", "-"), ("chat",), ("chat", "--json"), ()])
def test_a_closed_standard_input_is_a_sentence(
    command: tuple[str, ...], pack: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ASKPY_KNOWLEDGE", str(pack))
    monkeypatch.setattr(sys, "stdin", None)  # as Python has it in a process where it is closed
    with pytest.raises(SystemExit) as ended:
        main(command)
    out, err = capsys.readouterr()
    assert (ended.value.code, out) == (2, "")
    assert err.startswith("Standard input is closed.")


def test_a_standard_input_that_cant_be_read_is_a_sentence(pack: Path) -> None:
    with (pack / "typed").open("wb") as only_written:
        ran = process(pack, "ask", "--json", "-", stdin=only_written)
        out, err = ran.communicate(timeout=60)
    assert (ran.returncode, out, err.startswith("Standard input can't be read: ")) == (2, "", True)


def test_without_a_home_the_variable_to_set_is_named(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    code, out, err = run("ask", "parking space", ASKPY_CACHE="")
    assert (code, out, err.split(":")[0]) == (2, "", "ASKPY_CACHE")
    with pytest.raises(AskPyError, match="DATABASE_URL"):
        _ = settings.Settings().database
    assert run("ask", "parking space")[0] == 0


@pytest.mark.parametrize("name", ["pack.yaml", "answers.yaml"])
def test_a_file_that_cant_be_read_is_named(name: str, run: Any, pack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Path.open

    def refused(self: Path, *arguments: Any, **options: Any) -> Any:
        if self == pack / name:
            raise PermissionError(13, "Permission denied", str(self))
        return opened(self, *arguments, **options)

    for method in ("read_bytes", "read_text"):
        monkeypatch.setattr(Path, method, _through(refused, method))
    code, out, err = run("ask", "parking space")
    assert (code, out) == (2, "")
    assert f"{name}:1: can't be read (Permission denied)" in err


def _through(opened: Any, method: str) -> Any:
    def read(self: Path, encoding: str | None = None) -> Any:
        with opened(self, "rb") if method == "read_bytes" else opened(self, encoding=encoding) as file:
            return file.read()

    return read


@pytest.mark.parametrize("inside", ["", "more"])
def test_a_folder_that_cant_be_listed_is_named(
    inside: str, run: Any, pack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scanned = os.scandir

    def refused(folder: Any = ".") -> Any:
        if Path(folder) == pack / inside:
            raise PermissionError(13, "Permission denied", str(folder))
        return scanned(folder)

    monkeypatch.setattr(os, "scandir", refused)
    code, out, err = run("ask", "parking space")
    assert (code, out) == (2, "")
    assert f"{pack / inside} can't be read (Permission denied)" in err


LABELS = {
    '{"q": "hours", "gold": [null]}': 'gold is an id or a list of ids; use "unknown" where nothing may be answered.',
    '{"q": "hours", "gold": []}': "gold is an id or a list of ids",
    '{"q": "hours", "gold": null}': "gold is an id or a list of ids",
    '{"q": "hours", "gold": ""}': "gold is an id or a list of ids",
    '{"q": "hours", "gold": {"parking": 1}}': "gold is an id or a list of ids",
    '{"q": "hours", "gold": 3}': "gold is an id or a list of ids",
    '{"q": "hours", "gold": "parking", "lenient": null}': "lenient is a list of ids",
    '{"q": "hours"}': "not a labelled question",
    '"hours"': "not a labelled question",
    "hours": "not JSON",
    "[" * 100_000: "not JSON",
}


@pytest.mark.parametrize("line", LABELS, ids=lambda line: line[:40])
def test_a_label_of_another_form_is_told_the_form(line: str, run: Any, tmp_path: Path) -> None:
    file = tmp_path / "own.jsonl"
    file.write_text('{"q": "hours", "gold": "parking"}\n' + line + "\n", encoding="utf-8")
    code, out, err = run("eval", str(file))
    assert (code, out) == (2, "")
    assert err.startswith(f"{file}:2: {LABELS[line]}")


@pytest.mark.parametrize("content", ["", "\n\n  \n"])
def test_a_file_without_questions_is_a_sentence(content: str, run: Any, tmp_path: Path) -> None:
    (tmp_path / "own.jsonl").write_text(content, encoding="utf-8")
    code, out, err = run("eval", str(tmp_path / "own.jsonl"))
    assert (code, out, "holds no labelled question" in err) == (2, "", True)


def test_a_gold_may_be_one_id_or_several(tmp_path: Path) -> None:
    (tmp_path / "own.jsonl").write_text('{"q": "a", "gold": "b"}\n{"q": "a", "gold": ["b", "c"]}\n', encoding="utf-8")
    assert [one.gold for one in read_questions(tmp_path / "own.jsonl")] == [("b",), ("b", "c")]


# --- caches


def _wrong_types(content: bytes) -> bytes:
    fields = json.loads(content.partition(b"\n")[2])
    return json.dumps(fields | {"name": 5, "entries": [None]}).encode()


DAMAGE = {
    "nothing": lambda _: b"",
    "the first half": lambda content: content[: len(content) // 2],
    "one byte": lambda content: content[:-40] + bytes([content[-40] ^ 1]) + content[-39:],
    "other bytes": lambda _: os.urandom(2_000),
    "other JSON": lambda _: b"[]",
    "deep JSON": lambda _: b"[" * 200_000,
    "another check sum": lambda content: b"00000000" + content[8:],
    "no end of its head": lambda content: content.replace(b"\n", b" "),
}


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder that has the small pack and its index."""
    folder = tmp_path_factory.mktemp("healthy")
    _write(folder / "pack")
    Matcher.from_knowledge(load(folder / "pack", folder / "cache"), folder / "cache")
    return folder / "cache"


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_cache_is_built_anew(damage: str, pack: Path, tmp_path: Path, healthy: Path) -> None:
    cache = shutil.copytree(healthy, tmp_path / "cache")
    fresh = load(pack)
    whole = {path.name: path.read_bytes() for path in cache.iterdir()}
    assert sorted(name[:5] for name in whole) == ["index", "pack-"]

    for path in list(cache.iterdir()):
        path.write_bytes(DAMAGE[damage](path.read_bytes()))
    knowledge = load(pack, cache)
    matcher = Matcher.from_knowledge(knowledge, cache)

    assert knowledge == fresh
    assert matcher.knowledge.fingerprint == fresh.fingerprint
    kept = next(cache.glob("pack-*"))
    assert kept.read_bytes() == whole[kept.name]
    assert serialize.load(next(cache.glob("index-*"))) is not None


@pytest.mark.parametrize("change", ["wrong types", "another pack", "a folder"])
def test_a_foreign_pack_in_the_cache_is_not_believed(change: str, pack: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    fresh = load(pack, cache)
    path = next(cache.glob("pack-*"))
    if change == "wrong types":
        path.write_bytes(_wrong_types(path.read_bytes()))
    elif change == "a folder":
        path.unlink()
        path.mkdir()
    else:
        (pack / "more/pets.yaml").unlink()
        other = load(pack)
        (pack / "more/pets.yaml").write_text(PACK["more/pets.yaml"], encoding="utf-8")
        pack_cache.save(other, path)
    assert load(pack, cache) == fresh
    assert list(cache.glob("*.part")) == []


def test_a_write_that_fails_leaves_nothing_behind(pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    cache = tmp_path / "cache"
    monkeypatch.setattr(np, "savez", full)
    monkeypatch.setattr(Path, "replace", full)
    Matcher.from_knowledge(load(pack, cache), cache)
    assert list(cache.iterdir()) == []


def test_every_thread_writes_beside_under_a_name_of_its_own(
    pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved: list[str] = []
    monkeypatch.setattr(Path, "replace", lambda self, target: moved.append(self.name.removeprefix(target.name)))
    Matcher.from_knowledge(load(pack, tmp_path / "cache"), tmp_path / "cache")
    assert moved == [f".{os.getpid()}-{threading.get_ident()}.part"] * 2


WAITS = """
import sys, pathlib
from bot import file_cache
from bot.retrieval.serialize import load_or_build

def waiting(seconds):
    print("waiting", flush=True)
    sys.stdin.readline()

file_cache.sleep = waiting
load_or_build(pathlib.Path(sys.argv[1]), lambda: sys.exit("built a second time"))
"""


def test_processes_that_start_together_build_once(tmp_path: Path) -> None:
    path = tmp_path / "index-one.bin"
    second = [sys.executable, "-c", WAITS, str(path)]
    with subprocess.Popen(second, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        with file_cache.build_lock(path):
            process_waits = process.stdout.readline() if process.stdout else ""
            serialize.save(Index.build([("parking", 0)], 1), path)
        process.communicate("\n" * 1_000, timeout=60)
    assert (process_waits, process.returncode) == ("waiting\n", 0)
    assert list(tmp_path.iterdir()) == [path]


def test_threads_that_want_one_index_build_it_once(tmp_path: Path) -> None:
    built: list[int] = []

    def build() -> Index:
        built.append(threading.get_ident())
        return Index.build([("parking", 0)], 1)

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: serialize.load_or_build(tmp_path / "index-one.bin", build), range(8)))
    assert (len(built), {index.texts for index in found}) == (1, {("parking",)})


def _no_lock(*_: Any) -> None:
    raise OSError(37, "No locks available")


@pytest.mark.parametrize("why", ["no fcntl", "no locks", "a folder that can't be written", "another holds it for long"])
def test_without_a_lock_an_index_is_built_all_the_same(
    why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "cache"
    if why == "no fcntl":
        monkeypatch.setattr(file_cache, "fcntl", None)
    elif why == "no locks":
        monkeypatch.setattr(file_cache.fcntl, "flock", _no_lock)
    elif why == "a folder that can't be written":
        folder.write_bytes(b"")
    monkeypatch.setattr(file_cache, "LOCK_TIMEOUT", 0)
    path = folder / "index-one.bin"
    with file_cache.build_lock(path) if why == "another holds it for long" else nullcontext():
        index = serialize.load_or_build(path, lambda: Index.build([("parking", 0)], 1))
    assert index.texts == ("parking",)
    if folder.is_dir():
        assert list(folder.iterdir()) == [path]
        assert serialize.load(path) is not None


def test_a_build_that_fails_gives_the_lock_to_the_next(tmp_path: Path) -> None:
    def fails() -> Index:
        with pytest.raises(BlockingIOError):
            file_cache.fcntl.flock(of_the_next, file_cache.fcntl.LOCK_EX | file_cache.fcntl.LOCK_NB)
        raise ValueError("no such pack")

    lock = tmp_path / "lock-index-one.bin"
    with lock.open("wb") as of_the_next:
        with pytest.raises(ValueError, match="no such pack"):
            serialize.load_or_build(tmp_path / "index-one.bin", fails)
        file_cache.fcntl.flock(of_the_next, file_cache.fcntl.LOCK_EX | file_cache.fcntl.LOCK_NB)
    assert list(tmp_path.iterdir()) == []


def test_what_was_used_last_stays(tmp_path: Path) -> None:
    names = [f"index-{number}.npz" for number in range(4)]
    for at, name in enumerate(names):
        file_cache.write_atomic(tmp_path / name, lambda file: file.write(b"x"), limit=9)
        os.utime(tmp_path / name, (at, at))
    (tmp_path / "index-9.npz.1-1.part").touch()  # of a process that was killed
    os.utime(tmp_path / "index-9.npz.1-1.part", (0, 0))
    (tmp_path / "pack-0.json").touch()
    file_cache.touch(tmp_path / names[0])
    file_cache.write_atomic(tmp_path / "index-4.npz", lambda file: file.write(b"x"), limit=3)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "index-0.npz",
        "index-3.npz",
        "index-4.npz",
        "pack-0.json",
    ]


@pytest.mark.parametrize("name", ["words.txt", "model.py", "text.py", "english.py"])
def test_an_index_depends_on_code_and_data(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = code_digest.__wrapped__()
    read = Path.read_bytes

    def changed(self: Path) -> bytes:
        content = read(self)
        return content[:-1] + bytes([content[-1] ^ 1]) if self.name == name else content

    monkeypatch.setattr(Path, "read_bytes", changed)
    assert code_digest.__wrapped__() != before


# --- the command line

USAGE = {
    "ask --josn flask": "--josn",
    "ask -x": "-x",
    "ask --top 3 parking": "--top adds to the JSON",
    "ask --blocks parking": "--blocks adds to the JSON",
    "chat --blocks": "--blocks adds to the JSON",
}


@pytest.mark.parametrize("line", USAGE)
def test_a_slip_in_an_option_is_a_usage_error(line: str, run: Any) -> None:
    code, out, err = run(*line.split())
    assert (code, out, USAGE[line] in err) == (2, "", True)


def test_a_question_may_begin_with_dashes(run: Any) -> None:
    code, out, _ = run("ask", "--json", "--", "--parking", "space")
    assert (code, json.loads(out)["question"], json.loads(out)["ids"]) == (0, "--parking space", ["parking"])


def test_an_interrupt_ends_quietly(pack: Path) -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs begin without one
    try:
        ran = process(pack, "ask", "--json", "-", stdin=subprocess.PIPE)
    finally:
        signal.signal(signal.SIGINT, before)
    assert ran.stdin is not None
    assert ran.stdout is not None
    ran.stdin.write("parking space\n")
    ran.stdin.flush()
    assert json.loads(ran.stdout.readline())["ids"] == ["parking"]
    ran.send_signal(signal.SIGINT)
    assert (ran.wait(60), *ran.communicate()) == (130, "", "")


SETTINGS = {
    ("ASKPY_CURATORS", "U123,bob"): "ASKPY_CURATORS: 'bob' is not a person's id: it can be U… or T…:U…",
    ("ASKPY_HELP_CHANNEL", "#help"): "ASKPY_HELP_CHANNEL: '#help' is not a channel's id: it can be C… or T…:C…",
    (
        "ASKPY_HELP_CHANNEL",
        "C1,T1:C2,C3",
    ): "ASKPY_HELP_CHANNEL: two channels without a workspace; questions are put to",
    ("ASKPY_HELP_CHANNEL", "T1:C1,T1:C2"): "ASKPY_HELP_CHANNEL: two channels of T1;",
    ("ASKPY_CURATORS", "T1:U2:U3"): "Slack shows it in a profile's menu",
    ("PORT", "abc"): "PORT: 'abc' is not a whole number from 0 to 65535.",
    ("PORT", "-1"): "a whole number from 0 to 65535",
    ("PORT", "65536"): "a whole number from 0 to 65535",
    ("PORT", "1.5"): "a whole number from 0 to 65535",
    ("ASKPY_RETENTION_DAYS", "abc"): "ASKPY_RETENTION_DAYS: 'abc' is not a whole number from 1 to 36500.",
    ("ASKPY_RETENTION_DAYS", "0"): "a whole number from 1 to 36500",
}


@pytest.mark.parametrize(("name", "value"), SETTINGS)
def test_a_setting_that_cant_be_used_is_told_what_it_can_be(name: str, value: str, run: Any) -> None:
    code, out, err = run("ask", "parking space", **{name: value})
    assert (code, out, SETTINGS[name, value] in err) == (2, "", True)


ENVIRONMENTS = {
    b"PORT=1\nthis is no setting\n": 2,
    b"PORT=1\n\n# fine\n\nPORT=2 = 3\n'PORT\n": 6,
    b'PORT="1\n': 1,
}


@pytest.mark.parametrize("content", ENVIRONMENTS)
def test_a_line_of_the_env_file_that_cant_be_read_is_named(content: bytes, tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(content)
    with pytest.raises(AskPyError, match=rf"\.env, line {ENVIRONMENTS[content]}: not of the form NAME=value"):
        settings.read_env_file(tmp_path / ".env")


def test_a_process_says_it_without_a_log_line(pack: Path) -> None:
    (pack / ".env").write_text("this is no setting\n", encoding="utf-8")
    ran = process(pack, "ask", "parking space")
    out, err = ran.communicate(timeout=60)
    assert (ran.returncode, out, len(err.splitlines())) == (2, "", 1)
    assert err.startswith("The file .env, line 1: ")


def test_an_env_file_is_read_as_usual(tmp_path: Path) -> None:
    content = "\ufeff# a note\nexport PORT=3000 # here\n\nASKPY_CARDS='classic'\nDATABASE_URL=\"a b\"\nEMPTY=\nBARE\n"
    (tmp_path / ".env").write_text(content, encoding="utf-8")
    wanted = {"PORT": "3000", "ASKPY_CARDS": "classic", "DATABASE_URL": "a b", "EMPTY": "", "BARE": None}
    assert settings.read_env_file(tmp_path / ".env") == wanted
    assert [settings.read_env_file(tmp_path / "none"), settings.read_env_file(tmp_path)] == [{}, {}]
    (tmp_path / ".env").write_bytes(b"PORT=\xff\n")
    with pytest.raises(AskPyError, match="Save it as UTF-8"):
        settings.read_env_file(tmp_path / ".env")
