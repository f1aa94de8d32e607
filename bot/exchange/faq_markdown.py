"""Markdown files: which headings, marked lines, bold lines, folds, lists and tables are questions, and what answers them."""

from __future__ import annotations

import html
import re
import tomllib
from bisect import bisect_right
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile
from pathlib import PurePath

from bot.exchange.faq import Faq, FaqQuestion, Note, NoteKind, asks, beginning, is_bare, looks_asked
from bot.exchange.faq_blocks import (
    BREAKS_IN_CELLS,
    Block,
    Contents,
    Definition,
    Fold,
    Heading,
    ListBlock,
    Paragraph,
    Quote,
    Rule,
    Table,
    read_blocks,
    render,
)
from bot.exchange.faq_inline import Inline, Reading, read_tag, text_of
from bot.exchange.faq_table import columns_by_content, find_columns, markdown_cell, questions_from_rows, split_phrasings
from bot.knowledge.yaml_reader import YamlValue, parse
from bot.text import normalize_phrase

MARKED_LEVEL = 50
"""The level of a question that isn't a heading: below every heading."""

_Q = r"(?-i:Q)|q(?=[:：][^\n]*[?？؟])|Question|Frage|Pregunta|Pergunta|Domanda|Вопрос|问题?|問題?|질문"
_A = "(?-i:A)|Answer|Antwort|Respuesta|Resposta|Risposta|Réponse|Ответ|答案?|답변?"
_NUMBERED = r"[ \t]*#?\d{0,4}[*_]{0,3}[ \t]*"
_QUESTION = re.compile(
    rf"[ \t]*[*_]{{0,3}}(?P<word>{_Q})[*_]{{0,3}}{_NUMBERED}(?P<mark>[:：]|[.)](?=[*_ \t]))[*_]{{0,3}}[ \t]*(?P<text>\S.*)$",
    re.IGNORECASE,
)
_ANSWER = re.compile(
    rf"[ \t]*(?P<open>[*_]{{0,3}})(?P<word>{_A})(?P<close>[*_]{{0,3}}){_NUMBERED}(?P<mark>[:：]|[.)](?=[*_ \t]|$))"
    r"(?P<after>[*_]{0,3})[ \t]*(?P<text>.*)$",
    re.IGNORECASE,
)
_BOLD = re.compile(
    r"(\*\*\*|\*\*|__)(?=\S)((?:(?!\1).){1,600}?)(?<=\S)\1([?？؟]?)[ \t]*(?::[ \t]*)?(\\?\n|[ \t]|$|(?=[^\w\s]))(.*)",
    re.DOTALL,
)
_ITALIC = re.compile(r"([*_])(?=[^\s*_])([^*_\n]{1,400}[?？؟])\1[ \t]*$")
_PHRASINGS = re.compile(
    r"[*_]{0,3}(also asked(?: as)?|keywords?|phrasings?|asks|aliases|other wordings)[*_]{0,3}[ \t]*:[*_]{0,3}[ \t]*(\S.*)$",
    re.I,
)
_NUMBERING = re.compile(
    r"(?:(?P<dotted>\d{1,4}(?:\.\d{1,3}){0,4})[.:]|(?P<bare>\d{1,3}(?:\.\d{1,3}){1,4})|(?P<roman>[IVX]{1,5})\.|\((?P<inside>\d{1,4})\)"
    r"|Q\d{1,4}(?:\.\d{1,3}){0,4}[.):]|Q\d{1,4}[ \t]*[-–—]|(?P<sure>\d{1,4}(?:\.\d{1,3}){0,4})\))[ \t]+(?=\S)",
    re.I,
)
_EMOJI_AND_ARROWS = (
    "\u2190-\u21e6\u231a\u231b\u23e9-\u23fa\u25a0-\u25ff\u2600-\u27bf\u2900-\u297f\u2b00-\u2bff"
    "\ufe0f\u200d\u2022\u2023\u00b6\U0001f000-\U0001faff"
)
_SYMBOLS = re.compile(
    rf"(?:[{_EMOJI_AND_ARROWS}·»›–—]{{1,8}}|:[a-z_]{{2,30}}:)[ \t]*(?=[\w\"'“„«‘‹「『【〔《〈（［¿¡(<`])"
)
_END_SYMBOLS = re.compile(rf"(?:\s*:[a-z_]{{2,30}}:|\s+[{_EMOJI_AND_ARROWS}]{{1,8}}|(?<=[?？؟])\s#)+$")
_BACK_TO_TOP = re.compile(
    r"[^\w]*(?:(?:go|back|return|jump)\s+)*(?:up\s+)?(?:to\s+)?(?:the\s+)?(?:top|start|index|contents?|toc|list|up)?[^\w]*",
    re.I,
)


def _alternatives(*patterns: str) -> re.Pattern[str]:
    """A pattern for titles that are one of these as a whole, whatever signs stand behind."""
    return re.compile(rf"(?:{'|'.join(patterns)})\W*", re.IGNORECASE)


_PARTS_OF_ANSWERS = _alternatives(
    r"(?:(?:the|show|see|view|possible|suggested|recommended|quick|short|long|full)\s+){0,3}(?:answers?|solutions?|resolutions?|"
    r"fix(?:es)?|workarounds?|causes?|reasons?|symptoms?|steps?|explanations?|details?|spoilers?|examples?|background|notes?|"
    r"hints?|more|environment|description|context|prerequisites?|requirements?|usage|output|code|references)(?:\s*\d+)?",
    r"see also|related|expand|read more|show more|more (?:info(?:rmation)?|details)",
    r"(?:click|tap|reveal)(?:\s+\w+){0,6}",
)
"""Titles that belong to an answer: of a fold or of a heading below a question."""
_AUTHORS = "|".join((
    r"(?:about )?(?:the )?authors?|about (?:us|me)|(?:meet the |our )?team",
    r"(?:über (?:uns|den autor|die autorin|mich)|autor(?:en|in)?)",
    r"auteurs?|à propos(?: de (?:nous|l'auteur))?|(?:sobre (?:el |o |la |a )?)?autora?|sobre nosotros|autores|autore",
    r"авторы?|об авторе|(?:关于)?作者|关于我们|著者|作者について|저자",
))  # fmt: skip
_PERSONAL_PAGE = _alternatives(
    _AUTHORS,
    r"contacts?(?: (?:us|me|details|information|the authors?))?|kontakt|impressum|contactez-nous|nous contacter",
    r"contacto|contáctanos|contato|contatti|контакты|联系(?:我们|方式|作者)|聯絡我們|お問い合わせ|문의(?:하기)?",
)
"""Titles of pages about those who wrote them, which have a question only where they ask."""
_NO_QUESTION = _alternatives(
    r"(?:table of )?contents?|toc|index|overview|introduction|intro|preface|navigation|footnotes|sources|feedback",
    r"about this (?:page|document|faq|guide|list)|see also|further reading|references?|links|resources",
    r"related(?: (?:links|pages|articles|topics|docs|documentation))?|(?:more|additional) (?:information|resources|links)",
    r"licen[cs]e|contribut(?:ing|ors?|ions?)|credits|acknowledge?ments?|change ?log|next steps|what'?s next",
    r"similar projects|sponsors?|maintainers?|star history",
    r"(?:(?:still|any|got|have|more|other|further|additional) ){0,5}questions?",
    r"(?:still )?need (?:(?:any|some|more|further|additional) )?(?:help|assistance|support)",
    r"(?:still )?(?:stuck|not solved|have a question)",
    r"(?:didn|can|couldn)'?t find (?:an?|the|your|what) (?:answer|question|you).{0,40}",
    r"(?:question|answer)s? not (?:listed|found|answered|here).{0,30}|is your question (?:not|missing).{0,40}",
    r"(?:(?:do you|you)(?: still)? have |any )?(?:(?:any|more|other|further|additional) )*(?:questions?|suggestions?|feedback)",
    r"(?:is )?(?:something|anything)(?: (?:else|missing|to add|wrong|unclear|here))+",
    r"(?:(?:haben sie|hast du|habt ihr|du hast|sie haben|noch|weitere|mehr|andere|offene) )+fragen|fragen oder anregungen"
    r"|(?:fehlt|fehlt hier|fehlt noch) etwas|(?:brauchen sie|brauchst du|noch|weitere)(?: (?:noch|mehr|weitere))? hilfe",
    r"(?:(?:vous avez|avez-vous|une|des|encore|d'autres?) )+(?:autres? )?questions?|besoin d['’]aide|quelque chose à ajouter",
    r"¿?(?:(?:tienes?|tiene usted|quedan?|alguna|algunas|más|otras?|todavía|aún) )+(?:preguntas?|dudas?)(?: más)?",
    r"¿?(?:(?:necesitas?|más|todavía|aún) )+ayuda|¿?(?:falta algo|algo que añadir)",
    r"(?:(?:tem|ainda|alguma|algumas|mais|outras?|ficou com|restou) )+(?:perguntas?|d[uú]vidas?)|(?:precisa de )?(?:mais )?ajuda",
    r"(?:(?:hai|avete|ancora|altre|qualche) )+domand[ae]|(?:(?:остались|есть|ещё|еще|другие) )+вопросы|нужна помощь|нашли ошибку",
    r"(?:还有|還有|有|更多|其他)(?:其他|别的|別的|什么|什麼)?(?:问题|問題|疑问|疑問)吗?|需要(?:更多)?(?:帮助|幫助)吗?",
    r"(?:その他|他)の(?:ご)?質問(?:は|がありますか)?|(?:더|다른) ?(?:궁금한|질문)[^?]{0,15}",
    _AUTHORS,
    r"(?:was|is) this (?:page )?helpful|(?:report|open|file|submit)(?:ing)? (?:an? )?(?:issues?|bugs?)(?: reports?)?",
)
"""Titles of sections that are part of nearly every page and no question of it."""
_TITLE_LINK = re.compile(r"\]\(<?(?:https?:|mailto:)", re.IGNORECASE)
_FAQ_NAMES = "|".join((
    r"faqs?|f\.a\.q\.?|frequently asked(?: questions)?|q ?(?:&|and) ?as?|questions (?:and|&) answers|common questions",
    r"(?:preguntas|dudas) (?:m[aá]s )?(?:frecuentes|comunes|habituales)|preguntas y respuestas",
    r"(?:perguntas|d[uú]vidas) (?:mais )?(?:frequentes|comuns)|perguntas e respostas",
    r"questions (?:fr[eé]quentes|courantes)|questions (?:fr[eé]quemment|souvent) pos[eé]es|foire aux questions",
    r"(?:h[aä]ufige|h[aä]ufig gestellte|oft gestellte) fragen|fragen und antworten|domande (?:frequenti|comuni)",
    r"частые вопросы|часто задаваемые вопросы|вопросы и ответы|вопрос-ответ|часті (?:за)?питання|veelgestelde vragen",
    r"(?:często zadawane|najczęstsze) pytania|vanliga frågor|ofte (?:stillede spørgsmål|stilte spørsmål)",
    r"sık(?:ça)? sorulan sorular",
    r"常见问题|常見問題|问题解答|问与答|问答|よくある(?:ご)?質問|質問と回答|자주 ?(?:묻는|하는) ?질문",
    r"الأسئلة الشائعة|שאלות נפוצות",
))  # fmt: skip
_TROUBLE_NAMES = "|".join((
    r"trouble ?shooting|(?:known|common|frequent|typical) (?:issues?|problems?|errors?|pitfalls?|bugs|limitations?)|gotchas",
    r"(?:soluci[oó]n|resoluci[oó]n) de (?:problemas|errores)|problemas (?:comunes|conocidos|frecuentes|habituales)",
    r"(?:solu[cç][aã]o|resolu[cç][aã]o) de problemas|problemas (?:comuns|conhecidos)|risoluzione (?:dei )?problemi",
    r"d[eé]pannage|r[eé]solution (?:de|des) probl[eè]mes|probl[eè]mes (?:connus|courants|fr[eé]quents)|problemi (?:noti|comuni)",
    r"fehler(?:behebung|suche|beseitigung)|probleml[oö]sung(?:en)?|problembehandlung|(?:bekannte|h[aä]ufige) (?:probleme|fehler)",
    r"(?:устранение|решение) (?:неполадок|неисправностей|проблем|ошибок)|(?:известные|частые|типичные) (?:проблемы|ошибки)",
    r"probleemoplossing|bekende problemen|rozwiązywanie problemów|znane problemy|felsökning|feilsøking|sorun giderme",
    r"(?:故障|问题|問題|错误|錯誤)(?:排查|排除|处理|處理|解决|解決)|疑难解答|疑難排解|已知问题|已知問題|常见错误|常見錯誤",
    r"トラブルシューティング|既知の(?:問題|不具合)|よくある(?:問題|エラー)|문제 ?해결|알려진 ?(?:문제|이슈)",
))  # fmt: skip
_FAQ_TITLE = _alternatives(rf"\W*(?:the )?(?:{_FAQ_NAMES})(?:\s*[(（](?:{_FAQ_NAMES})[)）])?")
"""The whole title of a page or section of questions."""
_FAQ_SECTION = re.compile(rf"(?<![a-zà-ÿа-яё])(?:{_FAQ_NAMES}|{_TROUBLE_NAMES})(?![a-zà-ÿа-яё]|\s?\d)", re.IGNORECASE)
MAX_NAME_WORDS = 7
"""Words of the title of a section that is a FAQ by its name, "Troubleshooting and known issues on Windows"."""
_PAGE_TITLE = re.compile(
    r"\b(?:faqs?|frequently asked|q ?& ?a|questions and answers|questions|help|support|troubleshooting|knowledge base)\b",
    re.I,
)


_PROJECT_SECTION = _alternatives(
    r"installation|installing|install|getting started|quick ?start|usage|features|configuration|requirements|prerequisites",
    r"development|building|build|testing|tests|licen[cs]e|contribut(?:ing|ors?|ions?)|credits|change ?log|roadmap|screenshots?",
)
"""Titles of sections that the README of a project has, whatever the project is called."""


@dataclass(slots=True)
class _Section:
    """A heading or question, and what stands below it.

    Attributes:
        level: 1 to 6 of a heading, MARKED_LEVEL of another question, 0 of the file.
        title: Plain text; `markdown` is what it is made of.
        is_question: It asks, or is marked as a question.
        is_row: It is a row of a table.
        mark: What stands behind its "Q" or "Question", ":", "." or ")", until the mark of its answer is taken away; else "".
        is_faq: It is one of the sections that alone hold the questions of the page.
        head: The heading, for sections that become part of an answer.
        blocks: Its own text.
        children: The sections below it.
    """

    level: int
    title: str
    line: int
    is_question: bool = False
    head: Block | None = None
    id: str = ""
    is_row: bool = False
    mark: str = ""
    is_answer_marked: bool = False
    is_faq: bool = False
    asks: tuple[str, ...] = ()
    not_asks: tuple[str, ...] = ()
    label: str = ""
    markdown: str = ""
    blocks: list[Block] = field(default_factory=list)
    children: list[_Section] = field(default_factory=list)

    @property
    def has_mark(self) -> bool:
        return self.mark != "" or self.is_answer_marked

    def take_answer_mark(self) -> None:
        """What follows is the answer without its mark: "A." at its beginning is an initial."""
        self.mark, self.is_answer_marked = "", True

    @property
    def asks_below(self) -> bool:
        return any(child.is_question or child.asks_below for child in self.children)


def read_markdown(text: str, file: str, *, is_in_folder: bool = False, is_about_folder: bool = False) -> Faq:
    """The questions of a Markdown file.

    Args:
        text: The file's text, with line feeds.
        file: Its name in notes, relative to the folder that is imported.
        is_in_folder: It is one of several files of a folder, and may be one question with its answer.
        is_about_folder: It says what the folder is, and has a question only where it asks or has a FAQ.
    """
    reading = Reading(file)
    matter = _front_matter(_with_fences(text, reading), reading)
    blocks = read_blocks(matter.rest, reading)
    page = _Page(reading, blocks, is_in_folder and not is_about_folder, matter)
    page.has_faq |= is_about_folder
    questions = [*matter.questions, *page.questions()]
    questions.sort(key=lambda question: question.line)
    if is_in_folder and len(questions) == 1:
        questions = [_alone(questions[0], matter)]
    headings = sum(isinstance(block, Heading) for block in blocks)
    description = f"{headings} heading{'s' * (headings != 1)}, no answer below one, and no Q: and A: lines"
    return Faq(
        tuple(questions), matter.title or page.name, description, page.notes,
        is_mostly_left_out=page.is_mostly_left_out,
    )  # fmt: skip


def _alone(question: FaqQuestion, matter: _FrontMatter) -> FaqQuestion:
    return FaqQuestion(
        question.question, question.answer, question.line, (*question.asks, *matter.asks), question.not_asks, question.title,
        question.id or matter.id, question.group, question.file, is_alone=True,
    )  # fmt: skip


_HIGHLIGHT = re.compile(
    r"([ \t]*)(?:<[^<>]{1,200}>[ \t]*)*(?:\{%-?|\{\{[<%])[ \t]*(highlight|code[\w-]*)"
    r"(?![^{}]{0,300}/[>%]\}\})([^{}]{0,300}?)[-%>]*\}\}?[ \t]*$"
)
_END_HIGHLIGHT = re.compile(
    r"([ \t]*)(?:\{%-?[ \t]*end(\w+)[ \t]*-?%\}|\{\{[<%][ \t]*/[ \t]*([\w-]+)[ \t]*[%>]\}\})[ \t]*(?:</[^<>]{1,50}>[ \t]*)*$"
)
_LANGUAGE = re.compile(r"lang(?:uage)?[=:][ \t]*[\"']?([\w+#-]+)|^[ \t]*[\"']?([\w+#-]+)[\"']?(?![\w=:+#-])")
_WRAPPER = re.compile(r"[ \t]*(?:<(?:div|center|figure|section)(?:[ \t][^<>]{0,300})?>[ \t]*)+$", re.IGNORECASE)
_FENCE_START = re.compile(r"[ \t]{0,3}(`{3,}|~{3,})")


def _with_fences(text: str, reading: Reading) -> str:
    """The text with Jekyll's and Hugo's marks for code as fences, and without the tags that wrap a fence and would hide it."""
    lines = text.split("\n")
    open_line = None
    for number, line in enumerate(lines):
        if "{%" not in line and "{{" not in line:
            open_line = None if _FENCE_START.match(line) else open_line  # it wraps a fence
        elif open_line is None and (found := _HIGHLIGHT.match(line)):
            language = _LANGUAGE.search(found[3])
            open_line, name = number, found[2]
            opening = f"{found[1]}```{(language[1] or language[2]) if language else ''}"
        elif open_line is not None and (found := _END_HIGHLIGHT.match(line)) and (found[2] or found[3]) == name:
            lines[open_line], lines[number], open_line = opening, f"{found[1]}```", None
            reading.changes += 1
    fence = ""
    fenced: set[int] = set()
    for number, line in enumerate(lines):
        found = _FENCE_START.match(line)
        fenced.update([number] if fence else [])
        if found is None:
            continue
        if fence:
            is_end = found[1].startswith(fence) and not line[found.end() :].strip()
            fence = "" if is_end else fence
            continue
        fence = found[1]
        if number and _WRAPPER.match(lines[number - 1]):
            reading.note(number, "a tag around code has no form in Markdown; what is in it stays")
            lines[number - 1] = ""
    text = "\n".join(lines)

    def simple(tag: re.Match[str]) -> str:
        new = _simple_img(tag[0])
        return tag[0] if new == tag[0] or text.count("\n", 0, tag.start()) in fenced else new

    return _IMG.sub(simple, text)


_IMG = re.compile(r"<img(?=\s)(?:[^<>\"']|\"[^\"]{0,2000}\"|'[^']{0,2000}')*+>", re.IGNORECASE)
_SIMPLE_IMG = re.compile(
    r"<img(?:\s+[\w:-]{1,50}(?:=(?:\"[^\"<>]*\"|'[^'<>]*'|[^\s\"'=<>`{]{1,2000}))?)*+\s*/?>", re.IGNORECASE
)
_DIVIDED = re.compile(r"\n[ \t]*(?:\n|[-+*#>|]|\d{1,9}[.)])")


def _simple_img(source: str) -> str:
    """The tag of a picture in a form that the parser can't miss or divide, with as many line feeds as before."""
    tag = read_tag(source)
    if tag is None or (_SIMPLE_IMG.fullmatch(source) and not _DIVIDED.search(source)):
        return source
    attributes = ((name, " ".join(tag.attributes.get(name, "").split())) for name in ("src", "alt", "title"))
    written = "".join(f' {name}="{html.escape(value)}"' for name, value in attributes if value)
    return f"<img{written}>" + "\n" * source.count("\n")


# --- front matter


@dataclass(frozen=True, slots=True)
class _FrontMatter:
    """What stands before the text. `rest`: the file without it, with as many lines. `questions`: those that it lists itself."""

    rest: str
    title: str = ""
    question: str = ""
    id: str = ""
    asks: tuple[str, ...] = ()
    questions: tuple[FaqQuestion, ...] = ()


_YAML_MATTER = re.compile(r"---[ \t]*\n(.*?)^(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_TOML_MATTER = re.compile(r"\+\+\+[ \t]*\n(.*?)^\+\+\+[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_ASKS_KEYS = ("asks", "phrasings", "questions", "aliases", "alias", "keywords", "keyword", "synonyms", "search_terms")
_USED_KEYS = frozenset(["title", "question", "id", "slug", "tags", *_ASKS_KEYS])


def _front_matter(text: str, reading: Reading) -> _FrontMatter:
    start = len(text) - len(text.lstrip("\n"))
    yaml, toml = _YAML_MATTER.match(text, start), _TOML_MATTER.match(text, start)
    found = yaml or toml
    if found is None:
        return _FrontMatter(text)
    fields = _yaml_fields(found[1]) if yaml else _toml_fields(found[1])
    if fields is None:
        if yaml and ":" not in found[1]:  # a rule, text and another rule
            return _FrontMatter(text)
        reading.note(1, "the front matter can't be read", "not taken")
        fields = {}
    rest = "\n" * text[: found.end()].count("\n") + text[found.end() :]
    asks = tuple(text for key in _ASKS_KEYS for text in _texts(fields.get(key)) if _is_phrasing(text))
    tags = tuple(text for text in _texts(fields.get("tags")) if _is_phrasing(text) and " " in text)
    listed = tuple(_listed_questions(fields, reading))
    unused = [
        name
        for name, value in fields.items()
        if name.lower() not in _USED_KEYS and isinstance(value, str) and len(value) > 80
    ]
    for name in unused:
        reading.note(1, f"the front matter's '{name}' isn't used", "not taken")
    return _FrontMatter(
        rest,
        _text(fields.get("title")),
        _text(fields.get("question")),
        _text(fields.get("id")) or _text(fields.get("slug")).strip("/"),
        (*asks, *tags),
        listed,
    )


def _yaml_fields(source: str) -> dict[str, YamlValue] | None:
    document = parse(source.encode(), "front matter")
    return document.value if isinstance(document.value, dict) else None


def _toml_fields(source: str) -> dict[str, YamlValue] | None:
    try:
        return {name: _as_text(value) for name, value in tomllib.loads(source).items()}
    except (tomllib.TOMLDecodeError, RecursionError):
        return None


def _as_text(value: object) -> YamlValue:
    if isinstance(value, dict):
        return {str(name): _as_text(inner) for name, inner in value.items()}
    return [_as_text(item) for item in value] if isinstance(value, list) else str(value)


def _text(value: YamlValue | None) -> str:
    return " ".join(value.split()) if isinstance(value, str) else ""


def _texts(value: YamlValue | None) -> list[str]:
    if isinstance(value, str):
        return [part.strip() for part in re.split(r"[|,;\n]", value) if part.strip()]
    return [" ".join(item.split()) for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _is_phrasing(text: str) -> bool:
    """Whether an alias is words that people type, and no address of a page."""
    return any(map(str.isalpha, text)) and "/" not in text and not re.search(r"\.(?:html?|md)\b", text)


def _listed_questions(fields: dict[str, YamlValue], reading: Reading) -> Iterator[FaqQuestion]:
    """Questions that the front matter lists as data: a list of mappings with a question and an answer."""
    for value in fields.values():
        if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
            names = list({name: None for item in value if isinstance(item, dict) for name in item})
            columns = find_columns(names, is_strict=True)
            if columns is None:
                continue
            rows = [(1, [_scalar(item.get(name)) for name in names]) for item in value if isinstance(item, dict)]
            yield from questions_from_rows(columns, rows, reading, markdown_cell)


def _scalar(value: YamlValue | None) -> str:
    return value if isinstance(value, str) else ""


# --- the file


class _Page:
    """Divides the blocks of a file into sections, and takes the questions among them."""

    def __init__(self, reading: Reading, blocks: Sequence[Block], is_in_folder: bool, matter: _FrontMatter) -> None:
        self.reading, self.is_in_folder, self.matter = reading, is_in_folder, matter
        self.positions: dict[int, list[int]] = {}  # of the first notes, by their lines
        self.indexed = 0  # how many those are
        self.forgotten: set[int] = set()
        self.titles = {normalize_phrase(heading.inline.text) for heading in _headings(blocks)}
        self.numbers = _numbers(blocks)
        self.asking_levels = _asking_levels(blocks)
        self.statements = _bold_statements(blocks)
        self.asides = _asides(blocks)
        self.found: list[FaqQuestion] = []
        self.unanswered: list[_Section] = []
        self.lines = matter.rest.split("\n")
        self.left_out: set[int] = set()
        self.root = _Section(0, "", 1)
        _Builder(self, self.root).add_all(blocks)
        if not self.root.asks_below and sum(isinstance(block, Heading) for block in blocks) <= 1:
            plain = _Section(0, "", 1)  # a text without marks, but with lines that ask
            _Builder(self, plain, plain_lines=True).add_all(blocks)
            self.root = plain if plain.asks_below else self.root
        self.title_section = self._find_title_section()
        self.name = self.title_section.title if self.title_section else ""
        sections = list(_walk(self.root))
        self.section_lines = sorted({section.line for section in sections})
        self.has_faq = self._find_faqs(sections)

    def _find_title_section(self) -> _Section | None:
        """The page's title: a heading above all others, or one that says that it is."""
        first = self.root.children[0] if self.root.children else None
        if first is None or first.is_question or first.level == MARKED_LEVEL:
            return None
        is_only = first.level == 1 and sum(section.level == 1 for section in self.root.children) == 1
        return first if is_only or _FAQ_TITLE.fullmatch(first.title) else None

    def _find_faqs(self, sections: Sequence[_Section]) -> bool:
        """Mark the sections that alone hold the questions of a page; False if the page as a whole is a FAQ.

        They are those that are a FAQ by their name, and where most questions are rows of tables, those rows.
        """
        inner = [section for section in sections if section is not self.root and section is not self.title_section]
        named = [section for section in inner if self._is_faq(section)]
        rows = sum(section.is_row for section in inner)
        if rows > 2 and rows > sum(bool(section.blocks) and not section.is_row for section in inner):
            named += [section for section in inner if section.is_row]
        elif any(map(_FAQ_SECTION.search, (self.name, self.matter.title))):
            return False
        elif any(map(_PAGE_TITLE.search, (self.name, self.matter.title))):
            is_project = sum(_PROJECT_SECTION.fullmatch(section.title) is not None for section in inner) > 1
            named = named if is_project else []
        for section in named:
            section.is_faq = True
        return bool(named)

    def _is_faq(self, section: _Section) -> bool:
        """Whether a section is a FAQ by its name, and has questions below it."""
        if section.is_question or not section.children or not _is_faq_name(section.title):
            return False
        return any(
            not _PARTS_OF_ANSWERS.fullmatch(child.title) and not _NO_QUESTION.fullmatch(child.title)
            for child in section.children
        )

    def asks(self, heading: Heading, title: str) -> bool:
        is_marked = _QUESTION.match(heading.inline.text[:1_000]) is not None
        return is_marked or asks(title) or (heading.level in self.asking_levels and looks_asked(_title(title)))

    def title_of(self, text: str) -> str:
        return _title(text, self.numbers)

    def questions(self) -> list[FaqQuestion]:
        is_alone = len(self.root.children) == 1 and not self.root.blocks and self.root.children[0].level == 1
        article = self.root.children[0] if is_alone else self.root
        is_asked = asks(self.matter.title) and (self.is_in_folder or not self.root.asks_below)
        asked = self.matter.question or (self.matter.title if is_asked else "")
        if self._is_article(article):
            self._take_article(article)
        elif asked and not self.matter.questions:  # the page is a question, perhaps with others below it
            article.asks = (article.title,) if article.title else ()
            article.title, article.is_question = asked, True
            self._take(article, ())
        elif self.has_faq or _PERSONAL_PAGE.fullmatch(self.name or self.matter.title):
            self._take_outside(self.root, ())
        else:
            for section in [self.root] if self.root.blocks or not self.root.children else self.root.children:
                self._take(section, ())
        self._note_unanswered()
        return self.found

    def _is_article(self, article: _Section) -> bool:
        """Whether a file of a folder is one question with its answer, whatever its headings say."""
        if not self.is_in_folder or self.matter.questions or _PERSONAL_PAGE.fullmatch(self.name or self.matter.title):
            return False
        if any(map(asks, self._article_titles(article))):
            return all(inner.head is not None for inner in _walk(article) if inner.level)
        if article.asks_below:
            return False
        title = self.matter.title or article.title
        if _FAQ_TITLE.fullmatch(title) or _NO_QUESTION.fullmatch(title):
            return False
        if article is self.root and article.children and not self.matter.title:
            return False
        return bool(article.blocks or article.children) and not (article.children and _PAGE_TITLE.search(title))

    def _article_titles(self, article: _Section) -> list[str]:
        """The titles of a file, those that ask before the others."""
        titles = [title for title in (self.matter.question, self.matter.title, article.title) if title]
        return sorted(titles, key=lambda title: not asks(title))

    def _take_article(self, article: _Section) -> None:
        titles = self._article_titles(article) or [_name_of(self.reading.file)]
        title = titles[0]
        blocks, listed = self._answer(_all_blocks(article), is_question=True, mark=article.mark)
        answer = render(blocks)
        if answer and _is_index(blocks):
            self.forget_notes({leaf.line for block in blocks for leaf in _leaves(block)}, "the address")
        if answer and not _is_index(blocks):
            phrasings = (*titles[1:], *listed)
            self.found.append(
                FaqQuestion(title, answer, article.line, phrasings, file=self.reading.file, id=article.id)
            )
        else:
            self.reading.note(
                article.line,
                f"'{beginning(title)}' has no text but links" if answer else f"no answer ('{beginning(title)}')",
                "not taken",
            )

    # --- sections to questions

    def _take_outside(self, section: _Section, group: tuple[str, ...]) -> None:
        """A section of a page with a FAQ in it: what is no part of the FAQ is taken if it asks, and else passed over."""
        if section.is_faq:
            self._take(section, group)
        elif _is_asked(section):
            self._take_question(section, group)
        else:
            is_passed = not self._has_questions(section)
            last = list(_walk(section))[-1] if is_passed else section
            lines = self._leave_out(section.line, last)
            if is_passed or self._has_text(section):
                what = f"{'' if is_passed else 'the text under '}'{beginning(section.title)}'"
                what = what if section.title else "the text above the first heading"
                place = f" (lines {lines[0]} to {lines[-1]})" if len(lines) > 1 else ""
                self.reading.note(section.line, f"{what}{place} is no part of the FAQ on this page", "not taken")
            if not is_passed:
                for child in section.children:
                    if _is_error(child, section.children):
                        self._take(child, self._inner_group(section, group))
                        continue
                    self._take_outside(child, self._inner_group(section, group))

    def _has_questions(self, section: _Section) -> bool:
        return any(inner.is_faq or _is_asked(inner) for inner in _walk(section))

    def _leave_out(self, start: int, last: _Section) -> range:
        """The lines from `start` to the section behind `last`, blank ones at the end aside, which are in no answer.

        The notes on what is in them are taken back.
        """
        position = bisect_right(self.section_lines, max(start, last.line))
        end = self.section_lines[position] if position < len(self.section_lines) else len(self.lines) + 1
        while end > start + 1 and not self.lines[end - 2].strip(" #>-"):
            end -= 1
        self.left_out.update(range(start, end))
        self.forget_notes(range(start, end))
        return range(start, end)

    @property
    def is_mostly_left_out(self) -> bool:
        sizes = [len(line.strip()) for line in self.lines]
        return 2 * sum(sizes[line - 1] for line in self.left_out) > sum(sizes)

    def _take(self, section: _Section, group: tuple[str, ...]) -> None:
        if section.is_question:
            self._take_question(section, group)
        elif self._is_faq(section):
            self._pass_over(section)
            self._take_children(section.children, self._inner_group(section, group))
        elif section.asks_below and self._has_parts(section):
            self._take_topic(section, group)
            self._take_children(
                [child for child in section.children if child.is_question or child.asks_below], (*group, section.title)
            )
        elif section.asks_below or (
            section.children and (self._is_title(section) or not (self._has_text(section) or _has_only_parts(section)))
        ):
            self._pass_over(section)
            self._take_children(section.children, self._inner_group(section, group))
        elif section.level == 0:
            self._pass_over(section)
            self._take_children(section.children, group)
        else:
            self._take_topic(section, group)

    def _take_children(self, children: Sequence[_Section], group: tuple[str, ...]) -> None:
        for child in children:
            if self.unanswered and not _shares_answer(self.unanswered[-1], child):
                self._note_unanswered()
            self._take(child, group)

    def _inner_group(self, section: _Section, group: tuple[str, ...]) -> tuple[str, ...]:
        return group if section.level == 0 or section is self.title_section else (*group, section.title)

    def _is_title(self, section: _Section) -> bool:
        """Whether a heading with a text of its own is the page's title, and the headings below it aren't parts of its text."""
        if section is not self.title_section:
            return False
        parts = [child for child in section.children if _PARTS_OF_ANSWERS.fullmatch(child.title)]
        return len(parts) < len(section.children)

    def _has_parts(self, section: _Section) -> bool:
        """Whether a heading that doesn't ask has a text of its own, and headings below it such as "Solution"."""
        if section is self.title_section or not section.level or not self._has_text(section):
            return False
        return any(not child.is_question and _PARTS_OF_ANSWERS.fullmatch(child.title) for child in section.children)

    def _has_text(self, section: _Section) -> bool:
        return bool(render(self._answer(section.blocks, is_question=False, is_noted=False)[0]))

    def _take_question(self, section: _Section, group: tuple[str, ...]) -> None:
        others = [child for child in section.children if child.is_question or child.asks_below]
        others = [child for child in section.children if child in others or (others and _is_error(child, others))]
        parts = [child for child in section.children if child not in others]
        if len(others) > 1 and len(others) >= len(parts) and not self._has_text(section):  # a category that asks
            parts, others = [], section.children
        blocks, listed = self._answer(
            [*section.blocks, *(b for part in parts for b in _all_blocks(part, with_head=True))],
            is_question=True,
            mark=section.mark,
        )
        answer = render(blocks)
        if _NO_QUESTION.fullmatch(section.title):
            self._leave_out(section.line, parts[-1] if parts and not others else section)
            self.reading.note(section.line, f"'{beginning(section.title)}' is no question of this page", "not taken")
        elif answer:
            self._add(section, answer, listed, group)
        elif others and not section.level:  # the front matter's title, above a heading that says it in other words
            others[0].asks = (section.title, *others[0].asks)
        elif others:
            self._note_unanswered()
        else:
            self.unanswered.append(section)
        self._take_children(others, (*group, section.title))

    def _take_topic(self, section: _Section, group: tuple[str, ...]) -> None:
        """A heading that doesn't ask, with what stands below it and doesn't ask either."""
        parts = [child for child in section.children if not child.is_question and not child.asks_below]
        below = [block for part in parts for block in _all_blocks(part, with_head=True)]
        blocks, listed = self._answer([*section.blocks, *below], is_question=False)
        answer = render(blocks)
        if not answer:
            if section.level:
                self.reading.changes += 1
        elif (
            (section is self.title_section and section.children)
            or not section.title
            or _NO_QUESTION.fullmatch(section.title)
            or _FAQ_TITLE.fullmatch(section.title)
        ):
            self._note_unused(
                section,
                section.line,
                _plain(answer),
                section if len(parts) < len(section.children) else list(_walk(section))[-1],
            )
        else:
            self._name_by_place(section, group)
            self._add(section, answer, listed, group)

    def _name_by_place(self, section: _Section, group: tuple[str, ...]) -> None:
        """Give a heading of a word or two the nearest heading above it that says what it is about: "Helpdesk: Hours"."""
        page = re.sub(rf"\W*\b(?:{_FAQ_NAMES})\b\W*", " ", self.name or self.matter.title, flags=re.IGNORECASE).strip()
        about = next((name for name in reversed([page, *group]) if _says_what(name) and name != section.title), "")
        is_heading = 0 < section.level < MARKED_LEVEL and not (group and _is_faq_name(group[-1]))
        if about and is_heading and is_bare(section.title):
            section.asks = (section.title, *section.asks)
            section.title = f"{about}: {section.title}"

    def _add(self, section: _Section, answer: str, listed: tuple[str, ...], group: tuple[str, ...]) -> None:
        if _TITLE_LINK.search(section.markdown):
            self.reading.note(section.line, f"the link of the title '{beginning(section.title)}'", "not taken")
        phrasings = (*(other.title for other in self.unanswered), *section.asks, *listed)
        self.unanswered.clear()
        self.found.append(
            FaqQuestion(
                section.title,
                answer,
                section.line,
                phrasings,
                section.not_asks,
                section.label,
                section.id,
                group,
                self.reading.file,
            )
        )

    def _pass_over(self, section: _Section) -> None:
        """Note the text of a section that is no answer."""
        blocks, _ = self._answer(section.blocks, is_question=False)
        text = render(blocks)
        if text:
            self._note_unused(section, blocks[0].line, _plain(text), section)

    def _note_unused(self, section: _Section, line: int, text: str, last: _Section) -> None:
        """Note that the text from a line to the end of the section `last` is no answer."""
        lines = self._leave_out(line, last)
        is_one = len(lines) == 1
        what = f"'{beginning(text)}'" if is_one else f"lines {lines[0]} to {lines[-1]} ('{beginning(text)}')"
        where = f"under the title '{beginning(section.title)}'"
        where = (
            f"{where} answer{'s' * is_one} no question" if section.title else f"stand{'s' * is_one} under no heading"
        )
        self.reading.note(line, f"{what} {where}", "not taken")

    def _note_unanswered(self) -> None:
        for section in self.unanswered:
            self.reading.note(section.line, f"no answer ('{beginning(section.title)}')", "not taken")
        self.unanswered.clear()

    # --- an answer

    def _answer(
        self, blocks: Sequence[Block], *, is_question: bool, is_noted: bool = True, mark: str = ""
    ) -> tuple[list[Block], tuple[str, ...]]:
        """The blocks of an answer without tables of contents and links to the page's top, and the phrasings that it lists."""
        kept: list[Block] = []
        listed: list[str] = []
        edges = _edge_phrasings(blocks)
        for block in blocks:
            if isinstance(block, Contents):
                continue
            if isinstance(block, Paragraph):
                if block.line in edges and (phrasings := _listed_phrasings(block)):
                    listed += phrasings
                    if is_noted:
                        self.reading.note(block.line, f"'{beginning(block.inline.text)}' became phrasings", "read as")
                    continue
                if (
                    block.inline.is_index and _BACK_TO_TOP.fullmatch(block.inline.text)
                ) or block.inline.text.strip() in ("↑", "⬆", "⬆️"):
                    if is_noted:
                        self.note_top_link(block.line)
                    continue
                if not block.inline.markdown.strip():
                    continue
            is_alone = all(isinstance(other, (Contents, Rule)) for other in blocks if other is not block)
            if (
                _is_contents(block, self.titles)
                and not (is_question and is_alone)
                and (not is_question or _names_titles(block, self.titles))
            ):
                if is_noted:
                    self._note_contents(block, "left out" if is_question else "not taken")
                continue
            kept.append(_without_answer_mark(block, mark, is_first=not kept))
        if all(isinstance(block, (Rule, Heading)) for block in kept):
            kept = []
        return kept, tuple(listed)

    def _note_contents(self, block: Block, kind: NoteKind) -> None:
        """Note that a table of contents goes, instead of each of its addresses."""
        self.forget_notes({leaf.line for leaf in _leaves(block)}, "the address")
        self.reading.note(block.line, "a table of contents", kind)

    def note_top_link(self, line: int) -> None:
        self.forget_notes({line}, "the address")
        self.reading.note(line, "a link to the top of the page")

    def forget_notes(self, lines: Iterable[int], start: str = "") -> None:
        """Take back the notes on lines that are read once more, or go altogether; only those with this beginning."""
        notes = self.reading.notes
        for position in range(self.indexed, len(notes)):
            self.positions.setdefault(notes[position].line, []).append(position)
        self.indexed = len(notes)
        self.forgotten.update(
            position
            for line in lines
            for position in self.positions.get(line, ())
            if notes[position].text.startswith(start)
        )

    @property
    def notes(self) -> tuple[Note, ...]:
        """The notes that weren't taken back."""
        return tuple(note for position, note in enumerate(self.reading.notes) if position not in self.forgotten)


MAX_PHRASING_WORDS = 15


def _listed_phrasings(block: Block) -> list[str]:
    """The phrasings of a paragraph such as "Keywords: a, b"; none if it has code or a sentence, and so belongs to the answer."""
    found = _PHRASINGS.fullmatch(block.inline.markdown) if isinstance(block, Paragraph) else None
    if found is None or "`" in found[2]:
        return []
    commas = not found[1].lower().startswith(("also", "phrasing", "other", "asks"))
    phrasings = split_phrasings(text_of(found[2].rstrip("*_ ")), commas=commas)
    is_short = all(len(phrasing.split()) <= MAX_PHRASING_WORDS and phrasing[-1] not in ".;:" for phrasing in phrasings)
    return phrasings if is_short else []


def _edge_phrasings(blocks: Sequence[Block]) -> frozenset[int]:
    """The lines of the paragraphs with phrasings that begin or end an answer."""
    texts = [block for block in blocks if not isinstance(block, (Contents, Rule))]
    edges = (takewhile(_listed_phrasings, texts), takewhile(_listed_phrasings, reversed(texts)))
    return frozenset(block.line for edge in edges for block in edge)


def _walk(section: _Section) -> Iterator[_Section]:
    """A section and those below it, in the order of the file."""
    yield section
    for child in section.children:
        yield from _walk(child)


def _has_only_parts(section: _Section) -> bool:
    return section.level > 0 and all(_PARTS_OF_ANSWERS.fullmatch(child.title) for child in section.children)


def _says_what(title: str) -> bool:
    """Whether a heading says what those below it are about."""
    return bool(title) and not (
        asks(title)
        or looks_asked(title)
        or _FAQ_SECTION.search(title)
        or _PAGE_TITLE.fullmatch(title)
        or _NO_QUESTION.fullmatch(title)
    )


_ERROR = re.compile(
    r"\b(?:errors?|exceptions?|fail(?:s|ed|ure)|cannot|can't|could not|couldn't|unable to|not found|denied|refused|timed? ?out"
    r"|undefined|fehler|erreur|errore?|erro|ошибка)\b|错误|錯誤|エラー|오류|(?-i:\b[A-Z]{2,}_?\d{2,}\b|\b(?:E[A-Z]{4,}|[A-Z]\w+Error)\b)",
    re.IGNORECASE,
)


def _is_error(section: _Section, siblings: Sequence[_Section]) -> bool:
    """Whether a heading is the message of an error, beside headings of its level that ask."""
    if section.is_question or not 0 < section.level < MARKED_LEVEL or not _ERROR.search(section.title):
        return False
    return any(other.level == section.level and _is_asked(other) for other in siblings)


def _is_asked(section: _Section) -> bool:
    return section.is_question and asks(section.title)


def _is_faq_name(title: str) -> bool:
    return len(title.split()) <= MAX_NAME_WORDS and not asks(title) and _FAQ_SECTION.search(title) is not None


def _shares_answer(section: _Section, following: _Section) -> bool:
    """Whether a question without an answer has that of the next one: marked as it is, or a heading in the line above it."""
    if not following.is_question or following.level != section.level:
        return False
    return section.level == MARKED_LEVEL or following.line == section.line + 1


def _plain(markdown: str) -> str:
    return text_of(markdown.partition("\n\n")[0][:1_000])


def _name_of(file: str) -> str:
    """A title made of a file's name."""
    path = PurePath(file)
    stem = path.parent.name if path.stem.lower() in ("index", "readme", "_index") and path.parent.name else path.stem
    words = re.sub(r"^\d{1,4}[-_. ]+", "", stem).replace("_", " ").replace("-", " ").split()
    return " ".join(words)[:1].upper() + " ".join(words)[1:] or "Question"


def _headings(blocks: Sequence[Block]) -> Iterator[Heading]:
    for block in blocks:
        if isinstance(block, Heading):
            yield block
        elif isinstance(block, Fold):
            yield from _headings(block.children)
        elif isinstance(block, ListBlock):
            for item in block.items:
                yield from _headings(item[:1])


def _bold_statements(blocks: Sequence[Block]) -> frozenset[int]:
    """The lines of paragraphs and items of lists that are questions without asking.

    They stand right below a heading that is a FAQ by its name, begin in bold, at least two of them, and have a text behind them.
    Items without bold are, too, if each has several blocks, and the heading says that what is below it are questions.
    """
    lines: list[int] = []
    found: list[int] = []
    items: list[int] = []
    title, level, is_faq = "", 0, False
    for number, block in enumerate(blocks):
        match block:
            case Heading():
                lines += found if len(found) > 1 else ()
                lines += items if block.level <= level else ()  # with headings below, those are the questions
                title, level, found, items = _title(block.inline.text), block.level, [], []
                is_faq = _is_faq_name(title)
            case Paragraph() if is_faq:
                bold = _statement(block.inline.markdown)
                following = blocks[number + 1] if number + 1 < len(blocks) else None
                if bold and (bold[1] or _is_text(following)):
                    found.append(block.line)
            case ListBlock() if is_faq and len(block.items) > 1:
                starts = [
                    (_statement(item[0].inline.markdown), len(item))
                    if item and isinstance(item[0], Paragraph)
                    else None
                    for item in block.items
                ]
                if all(start and start[0] and (start[0][1] or start[1] > 1) for start in starts):
                    found += [item[0].line for item in block.items]
                elif _FAQ_TITLE.fullmatch(title) and all(start and start[1] > 1 for start in starts):
                    items += [item[0].line for item in block.items]
            case _:
                pass
    return frozenset([*lines, *items, *(found if len(found) > 1 else ())])


def _asides(blocks: Sequence[Block]) -> frozenset[int]:
    """The lines of folds that belong to the answer of the heading above them, although they ask.

    Those are notes of a documentation generator below the heading's text; the only fold there, if the heading doesn't ask itself;
    and those with one word, "Why?".
    """
    lines: list[int] = []
    for number, block in enumerate(blocks):
        title = _title(block.inline.text) if isinstance(block, Heading) else ""
        if not title or (_FAQ_SECTION.search(title) and not asks(title)) or _PAGE_TITLE.search(title):
            continue
        below = list(takewhile(lambda other: not isinstance(other, Heading), blocks[number + 1 :]))
        folds = [other for other in below if isinstance(other, Fold)]
        has_text = bool(below) and not isinstance(below[0], (Fold, Contents, Rule))
        is_only = len(folds) == 1 and has_text and not asks(title)
        lines += [fold.line for fold in folds if is_only or (fold.is_aside and has_text) or _is_one_word(fold)]
    return frozenset(lines)


def _is_one_word(fold: Fold) -> bool:
    """Whether a fold asks "Why?", which asks nothing without what it stands in."""
    return len(fold.summary.text.split()) == 1 and fold.summary.text.isascii()


def _is_text(block: Block | None) -> bool:
    """Whether a block can answer what stands above it."""
    if isinstance(block, Paragraph):
        return not _statement(block.inline.markdown)
    return block is not None and not isinstance(block, (Heading, Rule))


def _statement(markdown: str) -> tuple[str, str] | None:
    """What a paragraph says in bold at its start, in three words or more, and the rest of it."""
    found = _BOLD.match(markdown[:1_500])
    if found is None:
        return None
    title = text_of(found[2] + found[3]).strip()
    if (len(title.split()) < 3 and len(title) < 8) or _PARTS_OF_ANSWERS.fullmatch(title):
        return None
    return (found[2] + found[3]).rstrip(": "), markdown[found.start(5) :].strip("\\\n ")


def _asking_levels(blocks: Sequence[Block]) -> frozenset[int]:
    """The levels of headings of which at least two, and half of all, read as questions: there "How to …" asks without a mark."""
    titles: dict[int, list[str]] = {}
    for heading in _headings(blocks):
        titles.setdefault(heading.level, []).append(_title(heading.inline.text))
    asked = {level: sum(asks(title) or looks_asked(title) for title in listed) for level, listed in titles.items()}
    return frozenset(level for level, listed in titles.items() if asked[level] >= 2 and 2 * asked[level] >= len(listed))


def _title(text: str, numbers: Container[tuple[int, ...]] | None = None) -> str:
    """A heading's text without marks and signs around it, and without one of these numbers before it; None: without any."""
    text = " ".join(text.split())
    for _ in range(3):
        question = _QUESTION.match(text[:1_000]) if len(text) < 1_000 else None
        unmarked = question["text"] if question else text
        numbering = _NUMBERING.match(unmarked)
        if numbering and (numbers is None or _is_number(numbering, unmarked[numbering.end() :], numbers)):
            unmarked = unmarked[numbering.end() :]
        shorter = _without_start(_SYMBOLS, unmarked)
        if shorter == text or not shorter:
            break
        text = shorter
    return _END_SYMBOLS.sub("", text) if len(text) < 1_000 else text


MAX_STEP = 2
"""From a number to the next one, if some were taken out."""
MAX_LATER_NUMBER = 100
"""The codes of errors are greater."""
MAX_PARTS = 3
"""Of a number whose first parts number no title themselves: "1.1.1.1" is an address."""
_ROMAN = {"I": 1, "V": 5, "X": 10}
_ROMAN_STYLE, _INSIDE_STYLE = -1, -2


def _is_number(found: re.Match[str], title: str, numbers: Container[tuple[int, ...]]) -> bool:
    """Whether what begins a title is no word of it: a mark such as "2)", one of these numbers, or "3.2" before "How do I"."""
    number = _number(found)
    if found["sure"] or not number or number in numbers:
        return True
    is_before_question = title[:1].isupper() and looks_asked(title)
    return is_before_question and found["bare"] is not None and len(number) < MAX_PARTS


def _number(found: re.Match[str]) -> tuple[int, ...]:
    """The parts of a number before a title, the style first where it isn't digits; () for "Q2:"."""
    if found["roman"]:
        values = [_ROMAN[sign] for sign in found["roman"].upper()]
        later = [*values[1:], 0]
        return _ROMAN_STYLE, sum(
            value if value >= after else -value for value, after in zip(values, later, strict=True)
        )
    if found["inside"]:
        return _INSIDE_STYLE, int(found["inside"])
    digits = found["dotted"] or found["bare"] or found["sure"]
    return tuple(map(int, digits.split("."))) if digits else ()


def _numbered_texts(blocks: Sequence[Block]) -> Iterator[str]:
    """What may be a title of a page: headings, folds, terms, and what begins in bold."""
    for block in blocks:
        match block:
            case Heading():
                yield block.inline.text
            case Fold():
                yield block.summary.text
                yield from _numbered_texts(block.children)
            case Definition():
                yield block.term.text
            case Paragraph() if block.inline.markdown.startswith(("**", "__")):
                yield block.inline.text
            case ListBlock():
                for item in block.items:
                    yield from _numbered_texts(item[:1])
            case _:
                pass


def _numbers(blocks: Sequence[Block]) -> frozenset[tuple[int, ...]]:
    """The numbers with which the titles of a page number on: from 1 or 0, in threes from another one, or below such a number."""
    last_parts: dict[tuple[int, ...], set[int]] = {}
    for text in _numbered_texts(blocks):
        found = _NUMBERING.match(_without_start(_SYMBOLS, text[:200].lstrip()))
        if found and (number := _number(found)):
            last_parts.setdefault(number[:-1], set()).add(number[-1])
    numbers: set[tuple[int, ...]] = set()
    for above in sorted(last_parts, key=len):
        run: list[int] = []
        for last in [*sorted(last_parts[above]), None]:
            if last is not None and (not run or last - run[-1] <= MAX_STEP):
                run.append(last)
                continue
            is_first = run[0] <= 1 and (len(run) > 1 or (*above, run[0]) in last_parts)
            is_later = len(run) > 2 and run[-1] < MAX_LATER_NUMBER  # the second page of a FAQ
            if above in numbers or (len(above) < MAX_PARTS and (is_first or is_later)):
                numbers.update((*above, part) for part in run)
            run = [] if last is None else [last]
    return frozenset(numbers)


def _without_start(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.match(text)
    return text[found.end() :] if found else text


def _all_blocks(section: _Section, *, with_head: bool = False) -> list[Block]:
    """The blocks of a section and of those below it, with their headings."""
    own = [section.head] if with_head and section.head is not None else []
    return [
        *own,
        *section.blocks,
        *(block for child in section.children for block in _all_blocks(child, with_head=True)),
    ]


def _answer_mark(line: str, mark: str) -> re.Match[str] | None:
    """The "A:" that begins a line. `mark`: that of the question, without which "A." is an initial and "A: is" may be a drive."""
    found = _ANSWER.match(line)
    if found is None or _is_bold_mark(found) or mark == found["mark"]:
        return found
    is_sentence = not found["text"][:1].islower()
    if found["mark"] in ":：":
        is_word = len(found["word"]) > 1 or not found["word"].isascii()
        return found if mark or is_word or is_sentence else None
    return found if mark and is_sentence else None


def _is_bold_mark(found: re.Match[str]) -> bool:
    """Whether "A:" stands in bold by itself."""
    return bool(found["open"] and (found["close"] or found["after"]))


def _without_answer_mark(block: Block, mark: str = "", *, is_first: bool = True) -> Block:
    """A paragraph of an answer without "A:" before it; in others than the first, without one that stands in bold by itself."""
    if not isinstance(block, Paragraph):
        return block
    found = _answer_mark(block.inline.markdown.partition("\n")[0], mark)
    if found and (is_first or _is_bold_mark(found)):
        rest = _rest_of_answer(found) + block.inline.markdown[len(found[0]) :]
        return Paragraph(block.line, Inline(rest.strip("\n"), block.inline.text))
    return block


def _rest_of_answer(found: re.Match[str]) -> str:
    """What follows "A:"; where that stands in bold together with what follows it, the bold stays."""
    is_open = bool(found["open"]) and not found["close"] and not found["after"]
    is_closed = is_open and found["text"].rstrip().endswith(found["open"])
    return f"{found['open']}{found['text']}" if is_closed else found["text"]


# --- tables of contents


def _leaves(block: Block) -> Iterator[Paragraph]:
    if isinstance(block, Paragraph):
        yield block
    elif isinstance(block, ListBlock):
        for item in block.items:
            for child in item:
                yield from _leaves(child)
    elif isinstance(block, Quote):
        for child in block.children:
            yield from _leaves(child)
    elif isinstance(block, Table):
        for row in (block.header, *block.rows):
            yield from (Paragraph(block.line, cell) for cell in row if cell.text.strip())


def _is_contents(block: Block, titles: set[str]) -> bool:
    """Whether a block is a table of contents: most of its leaves are links on the page, or the page's headings."""
    if isinstance(block, Paragraph):
        return block.inline.is_index and normalize_phrase(block.inline.text.partition("\n")[0]) in titles
    if not isinstance(block, (ListBlock, Quote, Table)):
        return False
    if any(not isinstance(child, (Paragraph, ListBlock)) for item in getattr(block, "items", ()) for child in item):
        return False
    leaves = list(_leaves(block))
    linked = sum(leaf.inline.is_index or normalize_phrase(leaf.inline.text) in titles for leaf in leaves)
    return linked >= 1 and 2 * linked > len(leaves)


def _names_titles(block: Block, titles: set[str]) -> bool:
    """Whether most leaves of a list are headings of the page."""
    leaves = list(_leaves(block))
    return len(leaves) > 2 and 2 * sum(normalize_phrase(_title(leaf.inline.text)) in titles for leaf in leaves) > len(
        leaves
    )


def _is_index(blocks: Sequence[Block]) -> bool:
    """Whether a file is only a list of pages."""
    return all(isinstance(block, ListBlock) for block in blocks) and all(
        leaf.inline.is_index for block in blocks for leaf in _leaves(block)
    )


# --- blocks to sections


class _Builder:
    """Adds blocks to a tree of sections, in their order."""

    def __init__(
        self, page: _Page, root: _Section, *, plain_lines: bool = False, is_inside_question: bool = False
    ) -> None:
        self.page, self.stack, self.plain_lines, self.is_inside = page, [root], plain_lines, is_inside_question

    @property
    def top(self) -> _Section:
        return self.stack[-1]

    @property
    def has_open_question(self) -> bool:
        return self.is_inside or any(section.is_question for section in self.stack)

    def add_all(self, blocks: Sequence[Block]) -> None:
        for number, block in enumerate(blocks):
            self._add(block, blocks[number + 1] if number + 1 < len(blocks) else None)

    def _push(self, section: _Section) -> None:
        while self.top.level >= section.level:
            self.stack.pop()
        self.top.children.append(section)
        self.stack.append(section)

    def _add(self, block: Block, following: Block | None) -> None:
        match block:
            case Heading():
                title = self.page.title_of(block.inline.text)
                if block.inline.is_index and _BACK_TO_TOP.fullmatch(title):
                    self.page.note_top_link(block.line)
                elif title or block.inline.markdown:
                    is_question = self.page.asks(block, title)
                    self._push(_Section(block.level, title, block.line, is_question, block, block.anchor))
                    self.top.markdown = block.inline.markdown
                    marked = _QUESTION.match(block.inline.text[:1_000])
                    self.top.mark = marked["mark"] if marked else ""
            case Paragraph():
                self._paragraph(block, following)
            case Fold():
                self._fold(block)
            case Definition():
                self._definition(block)
            case Table():
                self._table(block)
            case ListBlock():
                self._list(block, following)
            case Quote(children=children) if children and self._is_asked_quote(children):
                self.add_all(children)
            case _:
                self.top.blocks.append(block)

    def _question(self, markdown: str, line: int, mark: str = "") -> None:
        title = self.page.title_of(text_of(markdown))
        self._push(_Section(MARKED_LEVEL, title, line, is_question=True, markdown=markdown, mark=mark))

    # --- paragraphs

    def _is_asked_quote(self, children: Sequence[Block]) -> bool:
        """Whether a quote is a question: it begins with "Q:", or is one in bold."""
        first = children[0]
        if self._is_marked(first):
            return True
        return (
            len(children) == 1 and isinstance(first, Paragraph) and self._emphasized(first.inline.markdown) is not None
        )

    def _is_marked(self, block: Block) -> bool:
        return (
            isinstance(block, Paragraph) and self._question_mark(block.inline.markdown.partition("\n")[0]) is not None
        )

    def _question_mark(self, line: str) -> re.Match[str] | None:
        """The "Q:" that begins a line; below a question without such a mark only if what follows begins as one does."""
        found = _QUESTION.match(line) if len(line) < 2_000 else None
        if found is None or len(found["word"]) > 1 or not found["text"][0].islower() or asks(found["text"]):
            return found
        asked = [section for section in self.stack if section.is_question]
        return None if asked and not asked[-1].has_mark else found

    def _paragraph(self, block: Paragraph, following: Block | None) -> None:
        markdown = block.inline.markdown
        lines = markdown.split("\n")
        if any(map(self._question_mark, lines)):
            self._marked_lines(block, lines)
        elif found := self._emphasized(markdown) or (_statement(markdown) if self._is_statement(block) else None):
            question, rest = found
            self._question(question, block.line)
            if rest.strip("\\\n "):
                text = rest.strip("\\\n ")
                self.top.blocks.append(
                    Paragraph(
                        block.line + markdown[: len(markdown) - len(text)].count("\n"), Inline(text, text_of(text))
                    )
                )
        elif (
            self.plain_lines
            and len(lines[0]) < 300
            and asks(text_of(lines[0]))
            and (len(lines) > 1 or following is not None)
        ):
            self._question(lines[0].rstrip("\\"), block.line)
            if lines[1:]:
                text = "\n".join(lines[1:])
                self.top.blocks.append(Paragraph(block.line + 1, Inline(text, text_of(text))))
        else:
            self.top.blocks.append(block)

    def _emphasized(self, markdown: str) -> tuple[str, str] | None:
        """A question in bold at the start of a paragraph, or in italics as all of it, and the rest of the paragraph."""
        if markdown[:1] not in ("*", "_"):
            return None
        if found := _BOLD.match(markdown[:1_500]):
            question = found[2] + found[3]
            text, rest = text_of(question), markdown[found.start(5) :]
            if asks(text) or (not rest.strip() and looks_asked(_title(text)) and not self.has_open_question_here):
                return question, rest
        elif (found := _ITALIC.match(markdown[:600])) and not self.has_open_question and len(markdown) < 600:
            return found[2], ""
        return None

    def _is_statement(self, block: Block) -> bool:
        return block.line in self.page.statements and not self.has_open_question_here

    def _marked_lines(self, block: Paragraph, lines: Sequence[str]) -> None:
        """The lines of a paragraph with "Q:" and "A:"."""
        text: list[str] = []
        mark = ""  # of the question that is open
        start = block.line
        for number, line in enumerate(lines):
            question = self._question_mark(line)
            answer = _answer_mark(line, mark) if question is None and mark and len(line) < 20_000 else None
            if question:
                self._end_lines(text, mark, start)
                text, mark, start = [_balanced(question["text"].rstrip("\\ "))], question["mark"], block.line + number
            elif answer:
                self._end_lines(text, mark, start)
                self.top.take_answer_mark()
                text, mark, start = [_rest_of_answer(answer)], "", block.line + number
            elif mark and asks(text_of(" ".join(text))):
                self._end_lines(text, mark, start)
                text, mark, start = [line], "", block.line + number
            else:
                text.append(line)
        self._end_lines(text, mark, start)

    def _end_lines(self, text: Sequence[str], mark: str, line: int) -> None:
        joined = "\n".join(text).strip("\\\n ")
        if mark:
            self._question(" ".join(part.rstrip("\\ ") for part in text), line, mark)
        elif joined:
            self.top.blocks.append(Paragraph(line, Inline(joined, text_of(joined))))

    # --- folds, definitions, tables, lists

    def _fold(self, block: Fold) -> None:
        title = self.page.title_of(block.summary.text)
        part = not title or _PARTS_OF_ANSWERS.fullmatch(title) is not None
        if block.line in self.page.asides or (not asks(title) and self.has_open_question):
            if part:
                self.top.blocks += block.children
            else:
                self.top.blocks.append(block)
            return
        if part and (self.top.level > 0 or not title):  # a heading whose text is folded
            if not title:
                self.add_all(block.children)
            else:
                self.top.blocks += block.children
            return
        section = _Section(MARKED_LEVEL, title, block.line, is_question=True, markdown=block.summary.markdown)
        self._push(section)
        if not asks(title):
            inner = _Section(0, "", block.line)
            _Builder(self.page, inner).add_all(block.children)
            if inner.asks_below:  # a category
                section.is_question, section.blocks, section.children = False, inner.blocks, inner.children
                self.stack.pop()
                return
        section.blocks += block.children
        self.stack.pop()

    def _definition(self, block: Definition) -> None:
        if block.children and (asks(block.term.text) or not self.has_open_question):
            section = _Section(MARKED_LEVEL, self.page.title_of(block.term.text), block.line, is_question=True)
            self._push(section)
            section.blocks += block.children
            self.stack.pop()
        else:
            self.top.blocks.append(block)

    def _table(self, block: Table) -> None:
        header = [cell.text for cell in block.header]
        rows = [(line, list(sources)) for line, sources in zip(block.row_lines, block.sources, strict=False)]
        columns = find_columns(header, is_strict=True) or columns_by_content([cells for _, cells in rows], header)
        if columns is None or self.has_open_question or not rows:
            self.top.blocks.append(block)
            return
        if asks(header[columns.question]):  # a table without names, whose first row Markdown takes for them
            rows.insert(0, (block.line, [cell.markdown for cell in block.header]))
            columns = replace(columns, names=())
        if block.is_read:
            self.page.forget_notes({block.line}, BREAKS_IN_CELLS)
        else:
            self.page.forget_notes(range(block.line, block.row_lines[-1] + 1))
        for question in questions_from_rows(columns.with_parts(rows), rows, self.page.reading, markdown_cell):
            section = _Section(
                MARKED_LEVEL, question.question, question.line, is_question=True, id=question.id, is_row=True
            )
            section.asks, section.not_asks, section.label = question.asks, question.not_asks, question.title
            section.blocks.append(Paragraph(question.line, Inline(question.answer, text_of(question.answer))))
            self._push(section)
            self.stack.pop()

    def _list(self, block: ListBlock, following: Block | None) -> None:
        """A list whose items are questions with their answers, or the question of what follows it."""
        firsts = [item[0] if item else None for item in block.items]
        headings = [first for first in firsts if isinstance(first, Heading)]
        if headings and not (block.start >= 0 and self._are_steps(headings)) and not self.is_inside:
            for number, item in enumerate(block.items):
                if isinstance(firsts[number], Heading):
                    self.add_all(item)
                elif item:
                    self.top.blocks.append(self._one_item(block, number))
            return
        if any(first is not None and self._is_marked(first) for first in firsts):
            for number, item in enumerate(block.items):
                first = firsts[number]
                if first is not None and (self._is_marked(first) or self._is_first_answer(first)):
                    self._items(item)
                else:
                    self.top.blocks.append(self._one_item(block, number))
            return
        asked = [
            isinstance(first, Paragraph) and self._asked_item(first)
            for first, item in zip(firsts, block.items, strict=True)
        ]
        is_heading_like = (
            len(block.items) == 1 and following is not None and not isinstance(following, (ListBlock, Heading))
        )
        is_asked = all(asked) or self._is_statement(block)
        if not is_asked or _is_contents(block, self.page.titles):
            self.top.blocks.append(block)
            return
        has_answers = [len(item) > 1 or self._item_rest(item[0]) != "" for item in block.items]
        if self.has_open_question_here or not (
            all(has_answers) or self._is_bold(block) or (is_heading_like and not any(has_answers))
        ):
            self.top.blocks.append(block)
            return
        for item in block.items:
            first = item[0]
            if not isinstance(first, Paragraph):  # never, because it asks
                continue
            question, rest = self._split_item(first)
            self._question(question, first.line)
            if rest:
                self.top.blocks.append(Paragraph(first.line, Inline(rest, text_of(rest))))
            self.top.blocks += item[1:]

    def _are_steps(self, headings: Sequence[Heading]) -> bool:
        """Whether the headings of a list with numbers answer a heading above them that asks: none of them asks itself."""
        if any(self.page.asks(heading, _title(heading.inline.text)) for heading in headings):
            return False
        return any(section.is_question and section.level < headings[0].level for section in self.stack)

    @staticmethod
    def _one_item(block: ListBlock, number: int) -> ListBlock:
        item = block.items[number]
        start = block.start + number if block.start >= 0 else -1
        return ListBlock(item[0].line if item else block.line, block.marker, start, True, (item,))

    @property
    def has_open_question_here(self) -> bool:
        """Whether a question is open to which a list belongs: a heading, or one with marks of its own; not an item before it."""
        return self.is_inside or any(section.is_question and section.level != MARKED_LEVEL for section in self.stack)

    def _items(self, item: Sequence[Block]) -> None:
        """The blocks of an item with "Q:" or "A:"; lists within it are divided as well."""
        for block in item:
            if isinstance(block, ListBlock) and any(
                inner
                and isinstance(inner[0], Paragraph)
                and (self._is_marked(inner[0]) or _answer_mark(inner[0].inline.markdown, self.top.mark))
                for inner in block.items
            ):
                for inner in block.items:
                    self._items(inner)
            elif self._is_first_answer(block):
                self.top.blocks.append(_without_answer_mark(block, self.top.mark))
                self.top.take_answer_mark()
            else:
                self._add(block, None)

    def _is_first_answer(self, block: Block) -> bool:
        """Whether a block begins with "A:" and answers the question that is open."""
        if not isinstance(block, Paragraph) or self.top.blocks or not self.top.is_question:
            return False
        return _answer_mark(block.inline.markdown.partition("\n")[0], self.top.mark) is not None

    def _asked_item(self, first: Paragraph) -> bool:
        question = text_of(self._split_item(first)[0])
        return asks(question) or looks_asked(question)

    def _item_rest(self, first: Block) -> str:
        return self._split_item(first)[1] if isinstance(first, Paragraph) else ""

    def _is_bold(self, block: ListBlock) -> bool:
        return all(
            isinstance(item[0], Paragraph) and item[0].inline.markdown.startswith(("**", "__")) for item in block.items
        )

    def _split_item(self, first: Paragraph) -> tuple[str, str]:
        """The question at an item's start, and the rest of its paragraph."""
        found = self._emphasized(first.inline.markdown) or (
            _statement(first.inline.markdown) if first.line in self.page.statements else None
        )
        if found is not None:
            return found[0], found[1].strip("\\\n ")
        question, _, rest = first.inline.markdown.partition("\n")
        return question.rstrip("\\ "), rest.strip("\\\n ")


def _balanced(markdown: str) -> str:
    """A question without the bold mark that was opened before "Q:"."""
    for mark in ("***", "**", "__", "*", "_"):
        if markdown.endswith(mark) and markdown.count(mark) % 2:
            return markdown.removesuffix(mark).rstrip()
    return markdown
