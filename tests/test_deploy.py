"""What is handed out is in order: the wheel, the unit, the container, and the workflows that check and release."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import threading
import tomllib
import zipfile
from fnmatch import fnmatch
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.cli import main
from bot.settings import VARIABLES

ROOT = Path(__file__).parents[1]
UNIT = (ROOT / "docs" / "askpy.service").read_text(encoding="utf-8")
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
GUIDE = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
COMPOSE_TEXT = (ROOT / "compose.yaml").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load(COMPOSE_TEXT)
GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
FORMS = sorted(path for path in (GITHUB / "ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml")
DIGEST = r"[\w.-]+:\d+\.[\w.-]+@sha256:[0-9a-f]{64}"
"""An image by version and digest."""


def run(*command: object, cwd: Path = ROOT, **variables: str) -> tuple[int, str]:
    """The exit code, and the output with the errors."""
    ran = subprocess.run(
        [*map(str, command)],
        cwd=cwd,
        env=os.environ | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return ran.returncode, ran.stdout


# --- the wheel and the source archive


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT, tmp_path_factory.mktemp("dist"))


def build(source: Path, folder: Path) -> Path:
    """The folder with a wheel and a source archive, built offline by the hatchling that is locked."""
    code, output = run(
        sys.executable, "-m", "hatchling", "build", "--directory", folder, cwd=source, SOURCE_DATE_EPOCH="1700000000"
    )
    assert code == 0, output
    return folder


def wheel_in(folder: Path) -> Path:
    (wheel,) = folder.glob("*.whl")
    return wheel


def test_the_wheel_carries_the_bot_its_pack_and_its_licence(dist: Path) -> None:
    with zipfile.ZipFile(wheel_in(dist)) as archive:
        carried = set(archive.namelist())
    pack = {f"bot/pack/{file.name}" for file in (ROOT / "knowledge").glob("*.yaml")}
    kinds = {".py", ".yaml", ".npz", ".npy", ".json", ".txt"}
    bot = {str(file.relative_to(ROOT)) for file in (ROOT / "bot").rglob("*") if file.suffix in kinds}

    assert sorted((pack | bot) - carried) == []
    assert sorted(name for name in carried if not name.startswith(("bot/", "askpy-"))) == []
    assert any(name.endswith("/licenses/LICENSE") for name in carried)


def test_the_source_archive_builds_the_same_wheel(dist: Path, tmp_path: Path) -> None:
    (archive,) = dist.glob("*.tar.gz")
    with tarfile.open(archive) as source:
        source.extractall(tmp_path, filter="data")
    again = build(tmp_path / archive.name.removesuffix(".tar.gz"), tmp_path / "again")

    assert wheel_in(again).read_bytes() == wheel_in(dist).read_bytes()
    assert next(again.glob("*.tar.gz")).read_bytes() == archive.read_bytes()


def test_the_wheel_answers_in_an_environment_without_the_checkout(dist: Path, tmp_path: Path) -> None:
    """In another folder, too. The environment has the wheel; only the packages that it depends on are those of the tests."""
    environment, empty, own = tmp_path / "environment", tmp_path / "empty", tmp_path / "own"
    python = environment / "bin" / "python"
    assert run(sys.executable, "-m", "venv", "--without-pip", environment) == (0, "")
    install = ["install", "--quiet", "--no-deps", "--no-index", "--disable-pip-version-check", wheel_in(dist)]
    assert run(sys.executable, "-m", "pip", "--python", python, *install) == (0, "")
    (site,) = environment.glob("lib/python3.*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    empty.mkdir()
    own.mkdir()
    (own / "pack.yaml").write_text("name: Own\n", encoding="utf-8")
    entry = "- id: hours\n  title: When are you open?\n  asks: [opening hours]\n  answer: From nine to five.\n"
    (own / "answers.yaml").write_text(entry, encoding="utf-8")

    def askpy(*arguments: object, line: int = 0) -> tuple[int, str]:
        code, output = run(environment / "bin" / "askpy", *arguments, cwd=empty)
        return code, output.splitlines()[line]

    whence = "import bot, importlib.util as i; print(bot.__file__, i.find_spec('benchmarks'))"
    assert run(python, "-c", whence, cwd=empty) == (0, f"{site}/bot/__init__.py None\n")
    assert askpy("ask", "what's Tornado?") == (
        0,
        "Tornado (Backend · scalable, non-blocking web server and framework)",
    )
    assert askpy("ask", "--knowledge", own, "opening hours") == (0, "When are you open?")
    assert askpy("check", line=-1) == (0, f"{site}/bot/pack: 47 entries, no faults, no advice")
    assert askpy("check", own / "pack.yaml") == (2, f"{own}/pack.yaml is a file; name its folder: askpy check {own}")
    store = f"from bot.store import Store; store = Store('sqlite:///{own}/s.db')"
    migrate = f"{store}; print(store.prepare() or store.probe() or 'fine')"
    assert run(python, "-c", migrate, cwd=empty) == (0, "fine\n")
    assert list(empty.iterdir()) == []


@pytest.mark.parametrize(
    ("tag", "changelog", "code", "output"),
    [
        ("v1.2.3", "## [Unreleased]\n\n- no\n\n## [1.2.3]\n\n- yes\n\n## [1.2.2]\n\n- no\n", 0, ""),
        ("v1.2.4", "## [1.2.4]\n\n- no\n", 2, "The tag is 'v1.2.4', and bot/__init__.py says 1.2.3."),
        (
            "v1.2.3",
            "## [Unreleased]\n\n- no\n\n## [1.2.3]\n\n## [1.2.2]\n\n- no\n",
            2,
            "CHANGELOG.md has nothing under [1.2.3].",
        ),
        ("v1.2.3$(touch x)", "", 2, "The tag is 'v1.2.3$(touch x)', and bot/__init__.py says 1.2.3."),
        ("v1.2.3$(X)", "## [1.2.3]\n\n- yes\n", 2, "The tag is 'v1.2.3$(X)', and bot/__init__.py says 1.2.3."),
        ("v1.2.3$(shell touch x)", "", 2, "The tag is 'v1.2.3$(shell touch x)', and bot/__init__.py says 1.2.3."),
    ],
)
def test_a_release_is_what_its_tag_says(tag: str, changelog: str, code: int, output: str, tmp_path: Path) -> None:
    """By the line of the workflow."""
    (tmp_path / "bot").mkdir()
    (tmp_path / "bot" / "__init__.py").write_text('__version__ = "1.2.3"\n', encoding="utf-8")
    (tmp_path / "CHANGELOG.md").write_text(changelog, encoding="utf-8")
    shutil.copy(ROOT / "Makefile", tmp_path)
    (step,) = (step for step in steps_of("release.yml", "build") if "make notes" in step.get("run", ""))
    variables = {name: str(value).replace("${{ github.ref_name }}", tag) for name, value in step.get("env", {}).items()}
    line = next(line for line in step["run"].splitlines() if "make notes" in line)
    found = run("bash", "-e", "-c", line, cwd=tmp_path, GITHUB_REF_NAME=tag, **variables)

    assert (found[0], found[1].partition("\n")[0]) == (code, output)
    assert not (tmp_path / "x").exists()
    if not code:
        assert (tmp_path / "build" / "notes.md").read_text(encoding="utf-8").split() == ["-", "yes"]


# --- systemd


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze isn't installed here")
def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / "askpy.service"
    unit.write_text(UNIT.replace("/opt/askpy/.venv/bin/python", sys.executable), encoding="utf-8")
    assert run("systemd-analyze", "verify", unit) == (0, "")


# --- the container


def instructions(dockerfile: str) -> list[tuple[str, str]]:
    """The instructions with their arguments, without comments and continued lines."""
    lines = re.sub(r"^#.*\n", "", dockerfile, flags=re.MULTILINE).replace("\\\n", " ").splitlines()
    return [(name, rest.strip()) for line in lines if line.strip() for name, _, rest in [line.partition(" ")]]


INSTRUCTIONS = instructions(DOCKERFILE)
STAGE = INSTRUCTIONS[max(place for place, (name, _) in enumerate(INSTRUCTIONS) if name == "FROM") :]
"""The stage that becomes the image."""
FROM_HERE = {rest.split()[0] for name, rest in INSTRUCTIONS if name == "COPY" and not rest.startswith("--from")}


def the(name: str) -> str:
    (argument,) = (rest for each, rest in STAGE if each == name)
    return argument


def test_the_image_is_built_on_one_that_cannot_change() -> None:
    bases = [rest.split()[0] for name, rest in INSTRUCTIONS if name == "FROM"]
    assert len(bases) > 1
    assert len(set(bases)) == 1
    assert bases[0].startswith("python:3.")
    assert re.fullmatch(DIGEST, bases[0])


def test_the_image_runs_without_rights_and_says_how_it_is() -> None:
    user, group = the("USER").split(":")
    assert user == group
    assert int(user) >= 10_000
    assert f"useradd --uid {user} --gid {group}" in the("RUN")
    assert [
        name for name, _ in STAGE[[name for name, _ in STAGE].index("USER") :] if name in {"RUN", "COPY", "ADD"}
    ] == []
    assert json.loads(the("CMD")) == ["python", "-m", "bot", "serve"]
    assert the("STOPSIGNAL") == "SIGTERM"


def test_the_health_check_asks_the_bot_and_no_proxy() -> None:
    statuses, paths = [200, 503], []

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_response(statuses[len(paths) - 1])
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    python, *arguments = json.loads(the("HEALTHCHECK").partition(" CMD ")[2])
    assert python == "python"
    with HTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        variables = {"PORT": str(server.server_port), "HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": ""}
        variables |= {name.lower(): value for name, value in variables.items() if name != "PORT"}
        codes = [run(sys.executable, *arguments, **variables)[0] for _ in statuses]
        server.shutdown()
    codes.append(run(sys.executable, *arguments, **variables)[0])  # nobody listens

    assert (codes, paths) == ([0, 1, 1], ["/healthz", "/healthz"])


def test_the_image_has_what_was_locked_and_what_is_named() -> None:
    installs = [rest for name, rest in INSTRUCTIONS if name == "RUN" and "pip" in rest and "install" in rest]
    assert len(installs) == 1
    assert "--require-hashes --requirement requirements.txt" in installs[0]
    assert {"requirements.txt", "bot", "knowledge"} == FROM_HERE
    assert [name for name in FROM_HERE if not (ROOT / name).exists()] == []


def test_nothing_else_is_sent_to_the_build() -> None:
    lines = [
        line for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if not line.startswith("#")
    ]
    assert lines[0] == "*"
    assert {line[1:] for line in lines if line.startswith("!")} == FROM_HERE
    for name in ("bot/slack/__pycache__", "knowledge/.env", "bot/text.pyc"):
        assert any(fnmatch(name, line) for line in lines[1:]), name


def test_what_is_written_goes_to_the_volume() -> None:
    """The rest of the image may be read-only."""
    variables = dict(re.findall(r"(\w+)=(\S+)", the("ENV")))
    volume = the("VOLUME")
    assert variables["DATABASE_URL"] == f"sqlite:///{volume}/askpy.db"
    assert variables["ASKPY_CACHE"].startswith(f"{volume}/")
    assert variables["PYTHONDONTWRITEBYTECODE"] == "1"
    assert variables["PORT"] == the("EXPOSE")


@pytest.mark.parametrize("service", COMPOSE["services"])
def test_a_service_has_no_rights_that_it_does_not_need(service: str) -> None:
    found = COMPOSE["services"][service]
    assert found["read_only"] is True
    assert found["cap_drop"] == ["ALL"]
    assert found["security_opt"] == ["no-new-privileges:true"]
    assert found["restart"] == "unless-stopped"
    assert int(re.fullmatch(r"(\d+)s", found["stop_grace_period"])[1]) > 10
    assert sorted({"privileged", "cap_add", "devices", "pid", "ipc", "network_mode", "userns_mode"} & set(found)) == []
    assert "build" in found or re.fullmatch(DIGEST, found["image"])


def test_nobody_in_compose_yaml_is_root() -> None:
    """The bot is who the image says. PostgreSQL's image would start as root, and could not become its user without rights."""
    bot, database = COMPOSE["services"]["bot"], COMPOSE["services"]["database"]
    assert "user" not in bot
    user, group = database["user"].split(":")
    assert min(int(user), int(group)) > 0
    assert f"/var/run/postgresql:uid={user},gid={group},mode=0775" in database["tmpfs"]


def test_the_bot_in_compose_yaml_is_bounded_and_is_not_process_1() -> None:
    """As process 1 it would have to collect what the processes that build an index leave behind."""
    bot = COMPOSE["services"]["bot"]
    assert bot["init"] is True
    assert (bot["mem_limit"], bot["pids_limit"]) == ("1g", 200)


def test_the_guide_says_what_docker_does_after_a_fault_that_a_person_has_to_mend() -> None:
    """systemd's unit ends there; Docker's policies know no exit codes."""
    assert "RestartPreventExitStatus=2" in UNIT
    paragraphs = [text for text in GUIDE.split("\n\n") if "`unless-stopped`" in text]
    assert [text for text in paragraphs if "exit code 2" in text] == paragraphs != []


def test_the_guide_says_which_certificates_a_file_has_to_hold() -> None:
    """OpenSSL reads it in place of its own file."""
    assert "`cat /etc/ssl/certs/ca-certificates.crt company-ca.pem >ca.pem`" in GUIDE
    assert [line for line in GUIDE.splitlines() if "proxy signs" in line and "the usual ones" not in line] == []


def test_the_guide_says_which_file_does_nothing_for_a_proxy() -> None:
    """What compose and docker read from a file is the environment."""
    assert "in a `.env` that AskPy reads itself they do nothing" in GUIDE
    assert COMPOSE["services"]["bot"]["env_file"] == ".env"
    assert "--env-file .env" in GUIDE


def test_the_guide_says_where_the_job_container_goes() -> None:
    """What the job runs is what the guide says, and the other way round."""
    commands = "\n".join(step.get("run", "") for step in steps_of("ci.yml", "container"))
    assert "lets it serve in front of a stand-in for Slack until its health check is content" in GUIDE
    assert re.search(r"docker run --detach (?:.*\\\n)+.*--health-interval 2s askpy$", commands, re.MULTILINE)
    assert "support.slack_stub" in commands
    assert "healthy 0" in commands
    assert "docker compose up --detach --wait --wait-timeout 120 database" in commands
    assert "but not its bot" in GUIDE


def test_the_database_is_reached_by_the_bot_alone() -> None:
    bot, database = COMPOSE["services"]["bot"], COMPOSE["services"]["database"]
    assert bot["depends_on"] == {"database": {"condition": "service_healthy"}}
    assert "pg_isready" in database["healthcheck"]["test"]
    assert "ports" not in database
    assert database["networks"] == ["inside"]
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    assert [port for port in bot["ports"] if not re.fullmatch(r"127\.0\.0\.1:\d+:3000", port)] == []
    assert bot["environment"]["PORT"] == "3000"
    assert "/data" in {volume.partition(":")[2] for volume in bot["volumes"]}


def test_no_password_stands_in_compose_yaml() -> None:
    secrets = re.findall(r"\w*PASSWORD: (.*)", COMPOSE_TEXT)
    assert len(secrets) == 2
    assert {value.partition(":")[0] for value in secrets} == {"${POSTGRES_PASSWORD"}
    assert not re.search(r"://\w+:", COMPOSE_TEXT)


@pytest.mark.parametrize(
    ("paper", "needed"),
    [
        (UNIT, {"DATABASE_URL", "ASKPY_CACHE", "ASKPY_LOG_FORMAT"}),
        (DOCKERFILE, {"DATABASE_URL", "ASKPY_CACHE", "ASKPY_LOG_FORMAT", "PORT"}),
        (COMPOSE_TEXT, {"DATABASE_URL", "PORT"}),
    ],
    ids=["askpy.service", "Dockerfile", "compose.yaml"],
)
def test_their_variables_are_known(paper: str, needed: set[str]) -> None:
    named = set(re.findall(r"\b([A-Z_]{4,})[=:]", paper))
    ours = {name for name in named if name.startswith(("ASKPY_", "SLACK_")) or name in VARIABLES}
    assert needed <= ours
    assert sorted(ours - set(VARIABLES)) == []


def test_what_is_started_exists() -> None:
    assert "-m bot serve" in UNIT
    assert "serve" in main.commands
    assert (ROOT / "Procfile").read_text(encoding="utf-8").splitlines() == [
        "web: python -m bot serve --http",
        "worker: python -m bot serve --socket",
    ]


def test_no_server_but_our_own_is_handed_out() -> None:
    assert re.findall(r"\bbot\.serving\b|\bgunicorn\b|\bwaitress\b|\bWSGI\b", GUIDE) == []


# --- GitHub: zizmor, in `make check`, looks for what is known to be dangerous


def workflow(path: Path) -> dict[Any, Any]:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def steps_of(name: str, job: str) -> list[dict[str, Any]]:
    return list(workflow(GITHUB / "workflows" / name)["jobs"][job]["steps"])


def test_a_push_does_not_cancel_the_weekly_run() -> None:
    concurrency = workflow(GITHUB / "workflows" / "ci.yml")["concurrency"]
    assert concurrency["cancel-in-progress"] is True
    assert {"${{ github.event_name }}", "${{ github.ref }}"} <= set(re.findall(r"\$\{\{.*?\}\}", concurrency["group"]))


def test_every_action_is_pinned_by_its_commit() -> None:
    lines = [line for path in WORKFLOWS for line in path.read_text(encoding="utf-8").splitlines() if "uses:" in line]
    pins = [re.fullmatch(r"\s*- uses: ([\w./-]+)@([0-9a-f]{40}) # (v\d+\.\d+\.\d+)", line) for line in lines]
    assert [line for line, pin in zip(lines, pins, strict=True) if pin is None] == []
    versions = {pin.groups() for pin in pins if pin}
    assert len({name for name, _, _ in versions}) == len(versions) > 3


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_read_and_ends(path: Path) -> None:
    found = workflow(path)
    assert found["permissions"] == {"contents": "read"}
    assert [name for name, job in found["jobs"].items() if "timeout-minutes" not in job] == []
    targets = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)[0].split()
    assert sorted(set(re.findall(r"\bmake (\w+)", path.read_text(encoding="utf-8"))) - set(targets)) == []


def test_what_may_write_runs_no_code_of_ours() -> None:
    jobs = [job for path in WORKFLOWS for job in workflow(path)["jobs"].values() if "permissions" in job]
    assert [job["permissions"] for job in jobs] == [{"contents": "write", "id-token": "write", "attestations": "write"}]
    assert [step for step in jobs[0]["steps"] if re.search(r"checkout|python|make|pip", str(step))] == []


def test_every_python_that_is_named_is_tried() -> None:
    jobs = workflow(GITHUB / "workflows" / "ci.yml")["jobs"]
    tried = {*jobs["other-pythons"]["strategy"]["matrix"]["python"], (ROOT / ".python-version").read_text().strip()}
    classifiers = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["classifiers"]
    assert tried == {line.rpartition(" ")[2] for line in classifiers if re.search(r"Python :: 3\.\d+$", line)}


def test_dependabot_watches_all_that_is_pinned() -> None:
    found = workflow(GITHUB / "dependabot.yml")["updates"]
    watched = {
        (update["package-ecosystem"], folder)
        for update in found
        for folder in update.get("directories", [update.get("directory")])
    }
    code, listed = run("git", "ls-files")
    if code:
        pytest.skip("not a git checkout")
    kinds = {"requirements.txt": "pip", "package.json": "npm", "Dockerfile": "docker", "compose.yaml": "docker-compose"}
    pinned = {
        (kinds[name], "/" + folder)
        for path in listed.splitlines()
        for folder, _, name in [path.rpartition("/")]
        if name in kinds
    }
    assert watched == {*pinned, ("github-actions", "/")}


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_an_issue_form_asks_and_names_where_holes_go(path: Path) -> None:
    form = workflow(path)
    ids = [field["id"] for field in form["body"] if field["type"] != "markdown"]
    assert form["name"]
    assert form["description"]
    assert len(set(ids)) == len(ids) > 0
    assert form["body"][0]["type"] == "markdown"
    assert "SECURITY.md" in (GITHUB / "ISSUE_TEMPLATE" / "config.yml").read_text(encoding="utf-8")
