"""The repository: its files, its documents, its lock files, and which module imports which."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import click
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from bot.slack.strings import default_strings

ROOT = Path(__file__).parents[1]
LOCKS = ("requirements.txt", "tests/requirements.txt", "tests/audit/requirements.txt")
EXTRAS = ["postgres", "metrics", "curate"]
"""What requirements.txt holds beside the dependencies."""
DOCUMENTS = (
    *("README.md", "bot/README.md", "knowledge/README.md", "PRIVACY.md"),
    *(".github/CONTRIBUTING.md", ".github/SECURITY.md", "docs/deploy.md", "docs/knowledge.md", "docs/architecture.md"),
    *("docs/matching.md", "benchmarks/README.md"),
)
TOP = {
    *("bot", "knowledge", "tests", "Procfile", "pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "Makefile"),
    *("requirements.txt", ".env.example", ".python-version", ".gitignore", ".pre-commit-config.yaml", ".github", ".ci"),
    *("PRIVACY.md", "Dockerfile", ".dockerignore", "compose.yaml"),
}


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@cache
def tracked() -> tuple[str, ...]:
    """The committed files; skips where this isn't a git checkout."""
    try:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    return tuple(name for name in listed.split("\0") if name and (ROOT / name).is_file())


@cache
def pyproject() -> dict[str, object]:
    return tomllib.loads(read("pyproject.toml"))["project"]


# --- texts


def test_every_key_of_a_text_that_slack_code_reads_is_in_strings_yaml() -> None:
    known, unknown = default_strings(), []
    for path in sorted((ROOT / "bot" / "slack").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Subscript) and ast.unparse(node.value).rpartition(".")[2] == "strings"):
                continue
            keys = [child for child in ast.walk(node.slice) if _is_key(child)]
            patterns = [_pattern(key) for key in keys if not any(key in _parts(other) for other in keys)]
            unknown += [(path.name, node.lineno, p) for p in patterns if not any(re.fullmatch(p, key) for key in known)]
    assert unknown == []


def _is_key(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _parts(node: ast.AST) -> list[ast.AST]:
    """What an f-string is made of; nothing for another node."""
    return [child for child in ast.walk(node) if child is not node] if isinstance(node, ast.JoinedStr) else []


def _pattern(node: ast.AST) -> str:
    """The keys that an expression may stand for, as a regular expression."""
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    return "".join(re.escape(str(part.value)) if isinstance(part, ast.Constant) else r"\w+" for part in parts)


# --- files


def test_the_top_level_holds_what_it_must() -> None:
    assert sorted(name for name in TOP if not (ROOT / name).exists()) == []


def test_the_top_level_holds_little_else() -> None:
    assert {name.split("/")[0] for name in tracked()} - TOP <= {"docs", "benchmarks"}


def test_what_tools_write_here_is_ignored() -> None:
    tracked()  # skips outside git
    page = next(each.default for each in commands()["report"].params if each.name == "html")
    ran = subprocess.run(
        ["git", "check-ignore", str(page), "curated.patch", ".env", "build/x"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    assert len(ran.stdout.splitlines()) == 4


def test_programs_can_be_executed() -> None:
    assert os.access(ROOT / ".ci/run", os.X_OK)


def test_nothing_names_a_machine_or_a_registry() -> None:
    words = (
        "/wo" + "rk/",
        "/tm" + "p/",
        "/ro" + "ot/",
        "/ho" + "me/",
        "py" + "pi.org",
        "python" + "hosted",
        "npm" + "js.",
    )
    named = []
    for name in tracked():
        try:
            lines = read(name).splitlines()
        except UnicodeDecodeError:
            continue  # a picture
        named += [f"{name}:{number}: {word}" for number, line in enumerate(lines, 1) for word in words if word in line]
    assert named == []


# --- lock files


def pins(lock: str) -> dict[str, set[Version]]:
    """The versions of each package that a lock allows."""
    found: dict[str, set[Version]] = {}
    for name, version in re.findall(r"^([\w.-]+)==([\w.]+)", read(lock), re.MULTILINE):
        found.setdefault(canonicalize_name(name), set()).add(Version(version))
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_index(lock: str) -> None:
    text = read(lock)
    assert not re.search(r"://|--(extra-)?index-url|--find-links|--trusted-host| @ ", text)


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_has_hashes_for_everything(lock: str) -> None:
    entries = re.split(r"\n(?=\w)", read(lock).split("\n", 2)[2])
    assert [entry.split(" ")[0] for entry in entries if "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize(("lock", "extras"), [("requirements.txt", EXTRAS), ("tests/requirements.txt", None)])
def test_a_lock_follows_pyproject(lock: str, extras: list[str] | None) -> None:
    project = pyproject()
    chosen = (
        project["optional-dependencies"] if extras is None else {e: project["optional-dependencies"][e] for e in extras}
    )
    wanted = [
        Requirement(line) for line in [*project["dependencies"], *(line for each in chosen.values() for line in each)]
    ]
    held = pins(lock)
    missing = [
        str(want)
        for want in wanted
        if not all(v in want.specifier for v in held.get(canonicalize_name(want.name), {Version("0")}))
    ]
    assert missing == []


def test_the_two_locks_agree() -> None:
    base, tests = (pins(lock) for lock in LOCKS[:2])
    assert {name: versions for name, versions in base.items() if tests.get(name) != versions} == {}


def test_dependencies_are_few_and_each_has_a_reason() -> None:
    names = {Requirement(line).name for line in pyproject()["dependencies"]}
    reasons = read("bot/README.md")

    assert {"slack-bolt", "rapidfuzz", "PyYAML"} <= names
    assert len(names) <= 12
    assert sorted(name for name in names if f"| {name} |" not in reasons) == []


def test_javascript_is_pinned_exactly_and_names_no_registry() -> None:
    folders = {str(Path(name).parent) for name in tracked() if Path(name).name == "package.json"}
    assert "tests/e2e" in folders
    for folder in sorted(folders):
        package = json.loads(read(f"{folder}/package.json"))
        wanted = package.get("dependencies", {}) | package.get("devDependencies", {})
        lock = json.loads(read(f"{folder}/package-lock.json"))
        held = {name.removeprefix("node_modules/"): each for name, each in lock["packages"].items() if name}

        assert {name: held[name]["version"] for name in wanted} == wanted
        assert sorted(name for name, each in held.items() if "integrity" not in each or "resolved" in each) == []


def test_python_versions_agree() -> None:
    pinned = Version(read(".python-version").strip())
    assert f"{pinned}" in re.findall(r"Python :: (3\.\d+)", read("pyproject.toml"))


# --- documents


def code(document: str) -> str:
    """Whatever stands as code in a Markdown file."""
    text = read(document)
    fences = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return "\n".join(
        [*fences, *re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))]
    )


@cache
def commands() -> dict[str, click.Command]:
    from bot.cli import main

    return dict(main.commands)


@cache
def variables() -> frozenset[str]:
    """Every variable that the settings read, and that of the benchmarks."""
    from benchmarks.question_sets import DATA_VARIABLE
    from bot.settings import VARIABLES

    return frozenset((*VARIABLES, DATA_VARIABLE))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_that_a_document_names_exists(document: str) -> None:
    unknown = []
    for line in code(document).splitlines():
        for call in re.finditer(r"(?:python3? -m bot|\baskpy)\b(?!\.)(?: ([a-z]+(?:-[a-z]+)*))?([^|;#]*)", line):
            name, rest = call.groups()
            if "/askpy" in line[: call.end()] or name is None:
                continue
            if name not in commands():
                unknown.append(f"{name} (in: {line.strip()})")
                continue
            known = {
                option
                for parameter in commands()[name].params
                for option in (*parameter.opts, *parameter.secondary_opts)
            }
            unknown += [
                f"{name} {option}" for option in re.findall(r"(?<!\S)--[a-z][a-z-]*", rest) if option not in known
            ]
    assert unknown == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_make_target_that_a_document_names_exists(document: str) -> None:
    targets = set(re.findall(r"^\.PHONY: (.*)$", read("Makefile"), re.MULTILINE)[0].split())
    assert sorted(set(re.findall(r"\bmake ([a-z0-9]+)\b", code(document))) - targets) == []


@pytest.mark.parametrize("document", [*DOCUMENTS, ".env.example"])
def test_every_variable_that_a_document_names_exists(document: str) -> None:
    named = re.findall(r"\b(?:SLACK|ASKPY)_[A-Z_]+\b|\bDATABASE_URL\b", read(document))
    assert sorted(set(named) - variables()) == []


@pytest.mark.parametrize("document", ["README.md", ".env.example"])
def test_every_variable_that_does_something_is_explained(document: str) -> None:
    from bot.settings import VARIABLES

    source = "".join(read(name) for name in tracked() if re.match(r"bot/.*\.py$", name))
    used = {name for name, (field, _) in VARIABLES.items() if f".{field}" in source}
    assert sorted(name for name in used if name not in read(document)) == []


def test_every_command_is_in_the_readme() -> None:
    assert sorted(name for name in commands() if f"python -m bot {name}" not in read("README.md")) == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_between_documents_lead_somewhere(document: str) -> None:
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", read(document))
    assert [link for link in links if not (ROOT / document).parent.joinpath(link).exists()] == []


# --- imports


def test_the_packages_keep_to_their_contracts() -> None:
    """In a process of its own: the linter silences loggers that exist already, and later tests listen to some."""
    program = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True, no_logo=True))"
    ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout if ran.returncode else "") == (0, "")


@pytest.mark.parametrize("options", [(), ("--blocks",)])
def test_asking_loads_nothing_of_slack_or_sql(options: tuple[str, ...]) -> None:
    program = f"""
import sys
from bot.cli import main
main(["ask", "--json", *{options}, "what is flask?"], standalone_mode=False)
unwanted = {{"slack_bolt", "slack_sdk", "aiohttp", "sqlalchemy", "alembic", "psycopg", "rich"}}
print(*sorted(unwanted & set(sys.modules)), file=sys.stderr)
"""
    ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)

    assert json.loads(ran.stdout)["ids"] == ["flask"]
    assert ran.stderr.split() == []


def test_one_workspace_needs_nothing_of_what_many_need() -> None:
    """Neither an answer nor the building of `serve` imports what encrypts tokens."""
    program = """
import os, pathlib, sys
from bot.cli import main
from bot.serving import build
from bot.settings import Secret, Settings
from bot.slack.transport.client import SlackConfig
main(["ask", "--json", "what is flask?"], standalone_mode=False)
settings = Settings(database_url=Secret("sqlite://"), cache=pathlib.Path(os.environ["ASKPY_CACHE"]))
build(settings, SlackConfig(bot_token="xoxb-1", signing_secret="s")).store.close()
print(*sorted({"cryptography", "bot.keys"} & set(sys.modules)), file=sys.stderr)
"""
    ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert (json.loads(ran.stdout)["ids"], ran.stderr.split()) == (["flask"], [])


def test_importing_does_nothing() -> None:
    """Every module can be imported without a word, a file or a setting."""
    modules = [".".join(Path(name).with_suffix("").parts) for name in tracked() if re.match(r"bot/.*\.py$", name)]
    program = f"import importlib\nfor name in {modules!r}: importlib.import_module(name.removesuffix('.__init__'))"
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


def test_only_the_slack_package_speaks_to_a_network() -> None:
    """Nothing is sent anywhere but to Slack: no other module imports what could, the database's driver apart."""
    speaking = (
        r"socket|ssl|http|ftplib|smtplib|asyncio|urllib\.request|slack_sdk|slack_bolt|requests|httpx|aiohttp|urllib3"
    )
    found = importing(speaking)
    assert {name for name in found if not name.startswith("bot/slack/")} <= {
        "bot/doctor.py",
        "bot/serving.py",
        "bot/workers.py",
    }
    assert importing(r"socket|ssl|http|ftplib|smtplib|urllib\.request|requests|httpx|aiohttp|urllib3") == {
        name for name in found if re.match(r"bot/slack/transport/(?!outbox|notices|__init__)\w+\.py$", name)
    }
    assert "bot/slack/transport/client.py" in found


def importing(modules: str) -> set[str]:
    """The files of the bot that import one of the modules."""
    pattern = re.compile(rf"^\s*(?:import|from) (?:{modules})\b", re.MULTILINE)
    return {name for name in tracked() if re.match(r"bot/.*\.py$", name) and pattern.search(read(name))}


def test_what_tests_share_lies_in_support() -> None:
    """A test module imports no other, and nothing of the tests but `support`; nor does what tests share import a test."""
    ours = {Path(name).stem for name in tracked() if re.match(r"tests/.*\.py$", name)} | {"tests", "slack", "e2e"}
    found = [
        f"{name}: {module}"
        for name in tracked()
        if re.match(r"(tests|benchmarks)/.*\.py$", name)
        for module in re.findall(r"^\s*(?:import|from) (\w+)", read(name), re.MULTILINE)
        if module in ours and not name.startswith("tests/pictures/")
    ]
    assert found == []


def test_every_test_that_proves_something_exists() -> None:
    """SECURITY.md names its evidence by the names of tests."""
    named = set(re.findall(r"\btest_\w+(?!\w*\.py)\b", read(".github/SECURITY.md")))
    there = {test for name in tracked() if re.match(r"tests/.*test_\w+\.py$", name) for test in defined(name)}
    assert len(named) > 20
    assert sorted(name for name in named - there if not (ROOT / "tests" / f"{name}.py").exists()) == []


def defined(name: str) -> set[str]:
    return set(re.findall(r"^def (test_\w+)", read(name), re.MULTILINE))
