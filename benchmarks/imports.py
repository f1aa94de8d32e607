"""How well `import` takes over other people's FAQs: `python -m benchmarks.imports SET`; and what it costs: `--cost 449`.

SET is a folder with `files/NAME/`, which holds what is imported (one file or one folder), and `labels/NAME.json`,
which says what a reader finds in it: a list in the order of the file, with an object for each question:

- `question`: its words; `line` (from 1) and, in a folder, `file`: where it stands
- `links`: absolute http, https and mailto addresses of its answer; `images`: absolute https addresses of its images
- `code_blocks`: the inner text of each fenced or indented block of code; `list_items`: how many items its lists
  have, nested ones too
- `or` (optional): a list of objects with some of these four keys; the answer may also be as one of them says
- `optional` (optional): true for what may be taken over or not. `within` names the question whose answer it belongs to
  if it isn't taken over by itself; `item`: true if it is an item of a list there

Each NAME is imported into an empty folder and checked with `bot check`. Entries and questions are matched by their
words: letters and digits in lower case, without markup, and without `Q:` and numbers before them. Printed for each
NAME and in total:

- taken over: questions that an entry has as its title or phrasing
- no question: entries that match no label
- kept whole: of the entries that match, those whose answer has every link, every image (a link to it is enough),
  every block of code (line by line; trailing blanks and common indentation aside), and as many list items
- shown markup: of all entries, those whose answer shows a tag or a directive of the source as text
- the import's CPU seconds; whether import and `check` end with 0 and without a traceback; whether the import's last
  lines count entries (as many as there are), changes and what was left out

Then everything that is missing, with its place. The exit code is 1 if an import or a check fails, else 0.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import shlex
import subprocess
import sys
import textwrap
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import unescape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

IMPORT_COMMAND = f"{shlex.quote(sys.executable)} -m bot import {{input}} --into {{into}}"
CHECK_COMMAND = f"{shlex.quote(sys.executable)} -m bot check {{into}}"
NOT_ENTRIES = frozenset({"pack.yaml", "voice.yaml", "groups.yaml", "synonyms.yaml", "out_of_scope.yaml"})
"""Files of a pack that hold no entries."""
TIMEOUT = 600
"""Seconds after which an import or a check counts as failed."""
LAST_LINES = 12
"""Lines at the end of an import's output that should count what it did."""
TAG_ATTRIBUTE = re.compile(r"<[^<>]*=\s*[\"']?$")
"""The text before an address that a tag has."""
MIN_CUT = 40
"""Letters and digits that a cut title must share with its question."""
COUNTS = {"entries": r"entr(?:y|ies)", "changed": r"chang", "left out": r"left out|leaves out|skipped|not imported"}
HTML_TAGS = (
    "a|abbr|b|blockquote|br|center|code|dd|del|details|div|dl|dt|em|figure|font|h[1-6]|hr|i|iframe|img|input|kbd|li|mark|ol|p"
    "|pre|s|script|section|small|span|strike|strong|style|sub|summary|sup|table|tbody|td|th|thead|tr|tt|u|ul|video"
)
SHOWN_MARKUP = {
    "tag": re.compile(rf"</?(?:{HTML_TAGS})(?:\s[^<>]*)?/?>|<!--|</?[A-Z]\w*(?:\s[^<>]*)?/?>"),
    "directive": re.compile(r"^\s*(?::::|!!! |\?\?\?\+? |\[!\w+\]\s*$|\{%|\{\{[<%]|\{:\s)", re.MULTILINE),
}
"""What a reader of an answer shouldn't see: tags of HTML and components of JSX; containers, admonitions and attributes of
Docusaurus, VuePress, MkDocs, GitHub, Jekyll and Hugo."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What an answer has, or should have."""

    links: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    code_blocks: tuple[str, ...] = ()
    list_items: int = 0

    def __add__(self, other: Contents) -> Contents:
        """Both, one after the other."""
        return Contents(
            self.links + other.links,
            self.images + other.images,
            self.code_blocks + other.code_blocks,
            self.list_items + other.list_items,
        )


@dataclass(frozen=True, slots=True)
class Label:
    """A question of a file, as a reader sees it. `choices` are the contents that its answer may have."""

    question: str
    place: str
    choices: tuple[Contents, ...]
    optional: bool = False
    within: str = ""
    is_item: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the pack that the import made."""

    id: str
    title: str
    asks: tuple[str, ...]
    answer: str


@dataclass(frozen=True, slots=True)
class Finished:
    """A command that has ended: its exit code, what it printed, and the CPU seconds that it took."""

    code: int
    output: str
    seconds: float

    @property
    def sound(self) -> bool:
        """It succeeded and showed no traceback."""
        return self.code == 0 and "Traceback (most recent call last)" not in self.output


@dataclass(frozen=True, slots=True)
class Verdict:
    """The figures of one NAME, or of several added up, with a line for everything that is missing."""

    questions: int = 0
    taken: int = 0
    entries: int = 0
    unmatched: int = 0
    whole: int = 0
    shown: int = 0
    seconds: float = 0.0
    imports: int = 0
    sound_imports: int = 0
    sound_checks: int = 0
    counted: Counter[str] = field(default_factory=Counter)
    missing: tuple[str, ...] = ()

    def __add__(self, other: Verdict) -> Verdict:
        return Verdict(
            questions=self.questions + other.questions,
            taken=self.taken + other.taken,
            entries=self.entries + other.entries,
            unmatched=self.unmatched + other.unmatched,
            whole=self.whole + other.whole,
            shown=self.shown + other.shown,
            seconds=self.seconds + other.seconds,
            imports=self.imports + other.imports,
            sound_imports=self.sound_imports + other.sound_imports,
            sound_checks=self.sound_checks + other.sound_checks,
            counted=self.counted + other.counted,
            missing=self.missing + other.missing,
        )


# Reading labels and packs


def read_labels(path: Path, source: Path) -> tuple[Label, ...]:
    """The labels of a file; `source` is what they are about, and names the place where no `file` is given."""
    return tuple(_label(item, source) for item in json.loads(path.read_text(encoding="utf-8")))


def _label(item: Mapping[str, Any], source: Path) -> Label:
    usual = _contents(item)
    return Label(
        question=item["question"],
        place=f"{item.get('file', source.name)}:{item['line']}",
        choices=(usual, *(_contents({**item, **other}) for other in item.get("or", ()))),
        optional=item.get("optional", False),
        within=item.get("within", ""),
        is_item=item.get("item", False),
    )


def _contents(item: Mapping[str, Any]) -> Contents:
    return Contents(
        links=tuple(item["links"]),
        images=tuple(item["images"]),
        code_blocks=tuple(item["code_blocks"]),
        list_items=item["list_items"],
    )


def read_entries(pack: Path) -> tuple[Entry, ...]:
    """The entries of a pack, in the order of its files."""
    found: list[Entry] = []
    for path in sorted(pack.rglob("*.yaml")):
        if path.name in NOT_ENTRIES:
            continue
        items = yaml.BaseLoader(path.read_text(encoding="utf-8")).get_single_data() or []
        found += [_entry(item) for item in items if isinstance(item, dict) and "id" in item]
    return tuple(found)


def _entry(item: Mapping[str, Any]) -> Entry:
    asks = item.get("asks") or []
    phrasings = asks if isinstance(asks, list) else [asks]
    return Entry(item["id"], item.get("title", ""), tuple(phrasings), item.get("answer", ""))


# Matching


def key(text: str) -> str:
    """A question's letters and digits in lower case, without markup and without what is counted or marked before it."""
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", unescape(text))
    text = re.sub(r"</?[a-zA-Z][\w-]*(?:\s[^<>]*)?/?>", "", text)
    text = re.sub(r"^\W*(?:q(?:uestion)?\s*\d*\s*[:：.)]|\d+(?:\.\d+)*[.)]?\s)\s*", "", text, flags=re.IGNORECASE)
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(letter for letter in folded if letter.isalnum())


def match(labels: Sequence[Label], entries: Sequence[Entry]) -> dict[int, int]:
    """The number of the entry that takes over each label, by the label's number.

    Titles come before phrasings, and both before titles that were cut. An entry serves a second label only if no other
    entry has its words.
    """
    titles = [key(entry.title) for entry in entries]
    asks = [{key(ask) for ask in entry.asks} for entry in entries]
    matched: dict[int, int] = {}
    used: set[int] = set()
    for may_share in (False, True):
        for by in ("title", "asks", "cut"):
            for number, label in enumerate(labels):
                if number in matched:
                    continue
                words = key(label.question)
                for position, entry in enumerate(entries):
                    if position in used and not may_share:
                        continue
                    if (
                        (by == "title" and titles[position] == words)
                        or (by == "asks" and words in asks[position])
                        or (by == "cut" and _is_cut(entry.title, titles[position], words))
                    ):
                        matched[number] = position
                        used.add(position)
                        break
    return matched


def _is_cut(title: str, words: str, question: str) -> bool:
    return title.rstrip().endswith(("…", "...")) and len(words) >= MIN_CUT and question.startswith(words)


def expected(labels: Sequence[Label], matched: Mapping[int, int]) -> dict[int, tuple[Contents, ...]]:
    """What the answer of each matched entry may have, by the entry's number.

    Several labels of one entry are one answer after the other. An optional question that no entry takes over is part of
    the answer of the question that it is within.
    """
    found: dict[int, tuple[Contents, ...]] = {}
    for number, position in matched.items():
        label = labels[number]
        choices = label.choices
        for other_number, other in enumerate(labels):
            if other.within and key(other.within) == key(label.question) and other_number not in matched:
                part = other.choices[0] + Contents(list_items=int(other.is_item))
                choices = tuple(choice + part for choice in choices)
        before = found.get(position, (Contents(),))
        found[position] = tuple(first + second for first in before for second in choices)
    return found


# What an answer has


def _parser() -> MarkdownIt:
    """Markdown as the bot reads it: CommonMark with tables, bare addresses as links, tags as text."""
    parser = MarkdownIt("js-default", {"linkify": True})
    if parser.linkify is not None:
        parser.linkify.set({"fuzzy_link": False, "fuzzy_email": False, "fuzzy_ip": False})
    return parser


PARSER = _parser()


def tokens_of(answer: str) -> Iterator[Token]:
    """All tokens of an answer, those in lines of text included."""

    def walk(tokens: Iterable[Token]) -> Iterator[Token]:
        for token in tokens:
            yield token
            yield from walk(token.children or ())

    return walk(PARSER.parse(answer))


def contents_of(answer: str) -> Contents:
    """The links, images, code and list items of an answer. The address in a tag that is shown as text is no link."""
    links: list[str] = []
    images: list[str] = []
    code: list[str] = []
    items = 0
    before = ""
    for token in tokens_of(answer):
        match token.type:
            case "link_open":
                if not TAG_ATTRIBUTE.search(before):
                    links.append(str(token.attrGet("href") or ""))
            case "image":
                images.append(str(token.attrGet("src") or ""))
            case "fence" | "code_block":
                code.append(token.content)
            case "list_item_open":
                items += 1
            case _:
                pass
        before = token.content if token.type == "text" else ""
    return Contents(tuple(links), tuple(images), tuple(code), items)


def shown_markup(answer: str) -> tuple[str, ...]:
    """The kinds of markup that a reader of an answer sees as text; code doesn't count."""
    # Line by line: a directive begins a line. Only text is looked at, so that code in a sentence doesn't count either.
    lines = [""]
    for token in tokens_of(answer):
        if token.type == "text":
            lines[-1] += token.content
        elif token.type in {"softbreak", "hardbreak", "inline"}:
            lines.append("")
        elif token.type == "code_inline":
            lines[-1] += "`"
    text = "\n".join(lines)
    return tuple(kind for kind, pattern in SHOWN_MARKUP.items() if pattern.search(text))


def address(url: str) -> str:
    """An address for comparison: no percent signs and entities, scheme and host in lower case."""
    plain = unquote(unescape(url)).strip()
    parts = urlsplit(url)
    if parts.scheme == "mailto":
        return plain.casefold()
    head = f"{parts.scheme}://{parts.netloc}"
    return plain.replace(unquote(head), unquote(head).casefold(), 1)


def code_lines(code: str) -> str:
    """Code for comparison: no trailing blanks, no empty lines around it, no common indentation."""
    lines = textwrap.dedent("\n".join(line.rstrip() for line in code.expandtabs(4).splitlines())).split("\n")
    return "\n".join(lines).strip("\n")


def lacks(answer: Contents, wanted: Contents) -> tuple[str, ...]:
    """What an answer doesn't have that it should, each as a phrase."""
    links = {address(url) for url in answer.links}
    pictures = links | {address(url) for url in answer.images}
    blocks = Counter(code_lines(code) for code in answer.code_blocks)
    found = [f"no link {url}" for url in dict.fromkeys(wanted.links) if address(url) not in links]
    found += [f"no image {url}" for url in dict.fromkeys(wanted.images) if address(url) not in pictures]
    for code in wanted.code_blocks:
        lines = code_lines(code)
        if blocks[lines]:
            blocks[lines] -= 1
        else:
            found.append(f"no code block that begins with {lines.splitlines()[0] if lines else ''!r}")
    if answer.list_items != wanted.list_items:
        found.append(f"{answer.list_items} list items, not {wanted.list_items}")
    return tuple(found)


# Judging


def compare(labels: Sequence[Label], entries: Sequence[Entry]) -> Verdict:
    """The verdict on a pack."""
    matched = match(labels, entries)
    served = set(matched.values())
    required = [number for number, label in enumerate(labels) if not label.optional]
    missing = [
        f"{labels[number].place}: not taken over: {labels[number].question}"
        for number in required
        if number not in matched
    ]
    places = {position: labels[number] for number, position in reversed(matched.items())}
    whole = 0
    for position, choices in expected(labels, matched).items():
        has = contents_of(entries[position].answer)
        lacking = min((lacks(has, choice) for choice in choices), key=len)
        whole += not lacking
        missing += [f"{places[position].place}: {phrase} ({places[position].question})" for phrase in lacking]
    shown = 0
    for position, entry in enumerate(entries):
        if position not in served:
            missing.append(f"entry {entry.id}: no question: {entry.title}")
        if kinds := shown_markup(entry.answer):
            shown += 1
            missing.append(f"entry {entry.id}: shows a {' and a '.join(kinds)} of the source as text")
    return Verdict(
        questions=len(required),
        taken=sum(number in matched for number in required),
        entries=len(entries),
        unmatched=len(entries) - len(served),
        whole=whole,
        shown=shown,
        missing=tuple(missing),
    )


def counted(output: str, entries: int) -> Counter[str]:
    """Which of entries, changes and what was left out the last lines of an import's output count.

    The number of entries must be that of the pack.
    """
    lines = [line for line in output.splitlines() if line.strip()][-LAST_LINES:]
    number = r"(?:\b\d[\d,.]*\b|\bno\b|\bnone\b|\bnothing\b|\bone\b)"
    found = Counter(
        name
        for name, words in COUNTS.items()
        if any(re.search(rf"{number}.*(?:{words})|(?:{words}).*{number}", line, re.IGNORECASE) for line in lines)
    )
    if not any(re.search(rf"\b{entries}\b", line) for line in lines):
        del found["entries"]
    return found


def run(command: str, folder: Path, **paths: Path) -> Finished:
    """Run a command in a folder; `{name}` in it stands for a path."""
    words = [word.format(**paths) for word in shlex.split(command)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    try:
        done = subprocess.run(
            words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=TIMEOUT, check=False
        )
        code, output = done.returncode, done.stdout
    except subprocess.TimeoutExpired:
        code, output = 124, f"not done after {TIMEOUT} seconds"
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Finished(code, output, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def source_of(folder: Path) -> Path:
    """What is imported: the only file or folder in it, or all of it."""
    inside = sorted(folder.iterdir())
    return inside[0] if len(inside) == 1 else folder


def judge(name: str, sets: Path, into: Path, checkout: Path, import_command: str, check_command: str) -> Verdict:
    """Import one NAME, check the pack and compare it with the labels."""
    source = source_of(sets / "files" / name)
    labels = read_labels(sets / "labels" / f"{name}.json", source)
    imported = run(import_command, checkout, input=source, into=into)
    entries = read_entries(into) if into.is_dir() else ()
    verdict = compare(labels, entries)
    checked = run(check_command, checkout, into=into)
    notes = [
        f"{command} ended with {done.code}: {' '.join(done.output.split())[-300:]}"
        for command, done in (("import", imported), ("check", checked))
        if not done.sound
    ]
    return replace(
        verdict,
        seconds=imported.seconds,
        imports=1,
        sound_imports=int(imported.sound),
        sound_checks=int(checked.sound),
        counted=counted(imported.output, len(entries)),
        missing=(*notes, *verdict.missing),
    )


# Printing

COLUMNS = (
    "",
    "questions",
    "taken over",
    "entries",
    "no question",
    "kept whole",
    "shown markup",
    "CPU s",
    "import",
    "check",
    "counts",
)


def share(part: int, whole: int) -> str:
    """A count and its share in per cent."""
    return f"{part} ({100 * part / whole:.0f} %)" if whole else f"{part}"


def row(name: str, verdict: Verdict) -> tuple[str, ...]:
    """A line of the table."""
    return (
        name,
        str(verdict.questions),
        share(verdict.taken, verdict.questions),
        str(verdict.entries),
        share(verdict.unmatched, verdict.entries),
        share(verdict.whole, verdict.entries - verdict.unmatched),
        share(verdict.shown, verdict.entries),
        f"{verdict.seconds:.1f}",
        f"{verdict.sound_imports}/{verdict.imports}",
        f"{verdict.sound_checks}/{verdict.imports}",
        ", ".join(f"{word} {verdict.counted[word]}/{verdict.imports}" for word in COUNTS),
    )


def print_table(rows: Sequence[tuple[str, ...]]) -> None:
    """Print lines with their columns below each other."""
    widths = [max(len(line[column]) for line in rows) for column in range(len(COLUMNS))]
    for line in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


SUBJECTS = (
    "badge laptop phone desk chair printer invoice holiday contract parking canteen visitor key screen mail".split()
)
DEEDS = "order return lose renew cancel share repair borrow print lock move clean".split()
PLACES = "in Bern|in Rome|at home|on a Sunday|for a guest|without a form|in my first week|abroad".split("|")


def made_up_faq(count: int) -> str:
    """A FAQ in Markdown with so many questions, each answer with code, a list and a link."""
    pages = []
    for number in range(count):
        subject, rest = SUBJECTS[number % len(SUBJECTS)], number // len(SUBJECTS)
        deed, place = DEEDS[rest % len(DEEDS)], PLACES[rest // len(DEEDS) % len(PLACES)]
        pages.append(
            f"## How do I {deed} a {subject} {place}?\n\nAsk the {subject} team to {deed} it, see "
            f"[page {number}](https://desk.example/{number}).\n\n1. Write to them:\n\n   ```sh\n"
            f"   desk {deed} --{subject} {number}\n   ```\n\n2. Wait **{number % 9 + 1} days**\n   - or ask again\n"
        )
    return "# Office\n\n" + "\n".join(pages)


def print_cost(count: int, checkout: Path) -> int:
    """CPU seconds of an import, a check, and the first answer from a cache that is there; the sum of the exit codes."""
    with TemporaryDirectory() as temporary:
        faq, pack, cache = (Path(temporary, name) for name in ("faq.md", "pack", "cache"))
        faq.write_text(made_up_faq(count), encoding="utf-8")
        python = f"env ASKPY_CACHE={shlex.quote(str(cache))} {shlex.quote(sys.executable)} -m bot"
        ask = f"{python} ask --knowledge {{into}} how do i order a badge in bern"
        steps = {"import": IMPORT_COMMAND, "check": f"{python} check {{into}}", "ask": ask, "ask from its cache": ask}
        codes = 0
        for name, command in steps.items():
            finished = run(command, checkout, input=faq, into=pack)
            codes += finished.code
            print(f"{name:20} {finished.seconds:5.2f} s")
    return codes


def main() -> int:
    """Judge all or some NAMEs of a set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", type=Path, nargs="?", help="a folder with files/ and labels/")
    parser.add_argument("--cost", type=int, metavar="N", help="CPU seconds for a FAQ of N questions, which is made up")
    parser.add_argument(
        "--checkout", type=Path, default=Path(), help="the folder that the commands run in; without it, this one"
    )
    parser.add_argument("--command", default=IMPORT_COMMAND, help="imports {input} into {into}; default: %(default)s")
    parser.add_argument("--check", default=CHECK_COMMAND, help="checks the pack {into}; default: %(default)s")
    parser.add_argument(
        "--only", action="append", metavar="NAME", help="judge this NAME only; may be given several times"
    )
    parser.add_argument(
        "--keep", type=Path, help="a folder for the packs, which has none yet; without it, they are thrown away"
    )
    parser.add_argument("--totals", action="store_true", help="the table alone, nothing of what is missing")
    given = parser.parse_args()
    if given.cost:
        return print_cost(given.cost, given.checkout.resolve())
    if given.set is None:
        parser.error("name a set, or give --cost")

    names = given.only or sorted(path.stem for path in (given.set / "labels").glob("*.json"))
    verdicts: dict[str, Verdict] = {}
    with TemporaryDirectory() as temporary:
        packs = (given.keep or Path(temporary)).resolve()
        packs.mkdir(parents=True, exist_ok=True)
        for name in names:
            verdicts[name] = judge(
                name, given.set.resolve(), packs / name, given.checkout.resolve(), given.command, given.check
            )
    total = sum(verdicts.values(), Verdict())
    print_table([COLUMNS, *(row(name, verdict) for name, verdict in verdicts.items()), row("total", total)])
    if not given.totals:
        for name, verdict in verdicts.items():
            if verdict.missing:
                print(f"\n{name}")
                print("\n".join(f"  {line}" for line in verdict.missing))
    return 0 if total.sound_imports == total.sound_checks == total.imports else 1


if __name__ == "__main__":
    sys.exit(main())
