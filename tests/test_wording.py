"""Wordings: the same question in other letters, with slips, in other languages; opposites; what says nothing yet."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from bot.knowledge import load
from bot.model import Text
from bot.retrieval.english import english
from bot.text import stem, words
from bot.understanding import Matcher
from bot.understanding.languages import language_of
from bot.understanding.names import names_of
from bot.understanding.opposites import asks_opposite, terms_of
from bot.understanding.question_type import STOPWORDS
from bot.understanding.small_words import SmallWords
from support.shipped import answer, found, knowledge

# --- upper case

FRAMES = [
    "is {} free",
    "what licence has {}",
    "latest version of {}",
    "is {} fast",
    "downsides of {}",
    "is {} still maintained",
    "is {} dead",
    "what can i build with {}",
    "does {} work on windows",
    "show me an example of {}",
]
NAMES = [card.name for group in knowledge().groups if group.all for card in knowledge().members(group)]


@pytest.mark.parametrize("frame", FRAMES)
def test_upper_case_never_matters(frame: str) -> None:
    for name in NAMES:
        text = frame.format(name)
        typed, lower, upper = found(text), found(text.lower()), found(text.upper())
        assert (typed.kind, typed.ids) == (lower.kind, lower.ids) == (upper.kind, upper.ids), name


@pytest.mark.parametrize("frame", FRAMES[:8])
def test_what_is_asked_of_everything_tells_nothing_about_a_name(frame: str) -> None:
    for name in ("flask", "celery", "pyramid", "dash"):
        finding = found(frame.format(name))
        assert (finding.kind, finding.ids) == ("library", (name,))


@pytest.mark.parametrize("text", ["how fast is a tornado", "is celery free of gluten", "price of a toga"])
def test_words_from_elsewhere_still_tell(text: str) -> None:
    assert found(text).kind == "unknown"


# --- letters

ODD_LETTERS = """\
- id: cafe
  title: "Où est le cafe\u0301 ?"
  asks: ["who\u2019s at the cafe\u0301", "ｗｈｅｒｅ ｉｓ ｔｈｅ ｃａｆｅ"]
  not_asks: ["who\u2019s the barista"]
  answer: x
- {id: other, kind: library, name: "Bro\u0308tchen", asks: [what do the rolls cost], answer: y}
"""


@pytest.fixture(scope="module")
def odd_pack(tmp_path_factory: pytest.TempPathFactory) -> Matcher:
    folder = tmp_path_factory.mktemp("pack")
    (folder / "pack.yaml").write_text("name: Demo\n", encoding="utf-8")
    (folder / "out_of_scope.yaml").write_text('asks: ["what\u2019s for lunch"]\n', encoding="utf-8")
    (folder / "a.yaml").write_text(ODD_LETTERS, encoding="utf-8")
    return Matcher.from_knowledge(load(folder))


@pytest.mark.parametrize(
    "text",
    ["where is the cafe", "WHERE IS THE CAFE", "who's at the café", "who\u2019s at the café", "ou\u0300 est le café ?"],
)
def test_a_phrasing_is_found_word_for_word_however_its_letters_are_encoded(odd_pack: Matcher, text: str) -> None:
    finding = odd_pack.find(text)
    assert (finding.ids, finding.evidence.confidence) == (("cafe",), 1.0)


def test_so_is_a_question_that_isnt_covered(odd_pack: Matcher) -> None:
    for text in ("what's for lunch", "what\u2019s for lunch", "who's the barista"):
        assert "word for word" in odd_pack.find(text).evidence.reason


def test_so_are_a_name_and_a_phrasing_that_a_curator_added(odd_pack: Matcher) -> None:
    assert odd_pack.find("are there brötchen").ids == ("other",)
    edited = odd_pack.with_exact_phrases(
        odd_pack.knowledge, [("where\u2019s my espresso", "cafe")], ["where\u2019s my tea"]
    )
    assert edited.find("where's my espresso").ids == ("cafe",)
    assert "word for word" in edited.find("where's my tea").evidence.reason


# --- slips in small words

SLIPS = {
    "wahts flask": "whats flask",
    "explian celery": "explain celery",
    "hwo do i install django": "how do i install django",
    "thakns": "thanks",
    "wich libraries are for the backend": "which libraries are for the backend",
    "what si tornado": "what is tornado",
    "flask ro django": "flask or django",
    "wath is kivy": "what is kivy",
    "dose tornado support websockets": "does tornado support websockets",
    "wht is celery": "what is celery",
    "whixh orms are there": "which orms are there",
    "diffrence betwen flask adn django": "difference between flask and django",
    "lsit all libraires": "list all libraries",
    "cheeers": "cheers",
    "goodbey": "goodbye",
}


@pytest.mark.parametrize("typed", SLIPS)
def test_a_slip_in_a_small_word_changes_nothing(typed: str) -> None:
    slipped, clean = found(typed), found(SLIPS[typed])
    assert (slipped.kind, slipped.ids, slipped.talk) == (clean.kind, clean.ids, clean.talk)


def test_the_evidence_says_what_a_slip_was_read_as() -> None:
    assert [(c.typed, c.read_as) for c in found("wahts flask").evidence.corrections] == [("wahts", "whats")]


@pytest.mark.parametrize(
    "word",
    "arq bun htmx ide aws os ta em form sue three haunt donut bing api orm mfa vpn sso lst thrid remi toga".split(),
)
def test_what_is_a_word_or_may_be_a_name_stays(word: str) -> None:
    small_words = SmallWords(knowledge(), names_of(knowledge(), english().__contains__))
    assert small_words.correct(["what", word, "it"], lambda _: False) == (("what", word, "it"), ())


def test_a_short_misspelt_word_alone_is_no_small_talk() -> None:
    assert found("magit").kind == "unknown"


def test_a_word_that_the_pack_writes_itself_stays(tmp_path: Path) -> None:
    (tmp_path / "pack.yaml").write_text("name: Demo\n", encoding="utf-8")
    entry = "- {id: ont, title: The fibre box, asks: [where is the box], answer: The ONT hangs in the hall.}\n"
    (tmp_path / "a.yaml").write_text(entry, encoding="utf-8")
    small_words = SmallWords(load(tmp_path), names_of(load(tmp_path), english().__contains__))
    assert small_words.correct(["teh", "ont"], lambda _: False)[0] == ("the", "ont")
    assert small_words.correct(["teh", "ont"], lambda word: word == "teh")[0] == ("teh", "ont")


# --- opposites

CLUB = Path(__file__).parents[1] / "benchmarks" / "faqs" / "club"


@cache
def club() -> Matcher:
    return Matcher.from_knowledge(load(CLUB))


@pytest.mark.parametrize(
    "text",
    [
        "how do i unsubscribe from the newsletter",
        "disable push notifications",
        "turn the sauna off please",
        "check out at the front desk",
        "Hello there. I am a new member and train every day. How can I unlock a locker? Thanks!",
    ],
)
def test_an_opposite_is_offered_at_most(text: str) -> None:
    finding = club().find(text)
    assert finding.kind == "unknown"
    assert finding.ids


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("can i enable or disable notifications in the app", "notifications"),
        ("when do you close on sunday", "hours"),
        ("turn the sauna on in the evening", "sauna"),
        ("can i check in without a phone", "check-in"),
    ],
)
def test_both_words_or_the_end_of_a_time_are_no_opposite(text: str, entry: str) -> None:
    assert club().find(text).ids == (entry,)


OPPOSITE = {
    "log out": "how do i log in",
    "logging out": "login",
    "unpaid leave": "paid leave",
    "is it non refundable": "refundable tickets",
    "lock it": "unlock the door",
    "disagree": "i agree",
    "how do i leave a class": "join a class",
    "deposit money": "withdraw money",
    "can i order it": "cancel it",
}
NOT_OPPOSITE = {
    "go out": "come in",
    "with milk": "without milk",
    "discover it": "cover it",
    "i would like a unit": "i dislike it",
    "lock and unlock": "unlock the door",
    "is it after lunch": "before lunch",
    "how long is parental leave": "when do i join",
    "how do i leave early": "how do i enter the building",
    "how much is the deposit": "how do i withdraw money",
    "where is my order": "cancel it",
    "is the book there": "cancel it",
}


@pytest.mark.parametrize("text", [*OPPOSITE, *NOT_OPPOSITE])
def test_what_is_an_opposite(text: str) -> None:
    phrasing = {**OPPOSITE, **NOT_OPPOSITE}[text]
    assert asks_opposite(text.split(), terms_of([phrasing])) is (text in OPPOSITE)
    assert not asks_opposite(text.split(), terms_of([phrasing, "a", "b", "c"]))
    assert not asks_opposite(text.split(), terms_of([phrasing, text]))


def test_the_terms_of_a_pack_go_with_its_matcher() -> None:
    first, second = Matcher.from_knowledge(load(CLUB)), club()
    first.find("how do i unsubscribe from the newsletter")
    assert first._decider._terms_by_target
    assert first._decider._terms_by_target is not second._decider._terms_by_target


# --- other languages

CARDS_IN_OTHER_LANGUAGES = {
    "¿qué es flask?": ("es", "flask"),
    "para qué sirve la pyramid": ("es", "pyramid"),
    "es gratis celery": ("es", "celery"),
    "c'est quoi django": ("fr", "django"),
    "wie installiere ich pandas": ("de", "pandas"),
    "ist flask kostenlos": ("de", "flask"),
    "was ist flask": ("de", "flask"),
    "o que é celery": ("pt", "celery"),
    "a cosa serve la dash": ("it", "dash"),
    "hoe installeer ik django": ("nl", "django"),
    "jak zainstalować celery": ("pl", "celery"),
    "что такое flask": ("ru", "flask"),
    "什么是Flask": ("zh", "flask"),
    "flaskとは何ですか": ("ja", "flask"),
}


@pytest.mark.parametrize("text", CARDS_IN_OTHER_LANGUAGES)
def test_a_name_is_found_in_any_language_and_nothing_false_is_said(text: str) -> None:
    language, card = CARDS_IN_OTHER_LANGUAGES[text]
    finding, lines = found(text), knowledge().voice.lines
    assert (finding.language, finding.kind, finding.ids) == (language, "library", (card,))
    said = [part.text for part in answer(text).parts if isinstance(part, Text)]
    assert lines.get(f"reads_english_{language}", lines["reads_english"]) in said
    assert finding.attribute is not None or lines["beyond"] not in said


@pytest.mark.parametrize("text", ["¿python es frontend o backend?", "ist python frontend oder backend?"])
def test_an_entry_is_found_where_its_words_are_the_same(text: str) -> None:
    assert found(text).ids == found("python frontend backend?").ids


def test_a_phrasing_in_another_language_makes_no_pack_of_that_language() -> None:
    assert found("welche orm gibt es").language == "de"


def test_two_names_are_compared_in_any_language() -> None:
    assert found("quelle est la différence entre flask et django").ids == ("flask", "django")


def test_without_an_answer_the_asker_is_told_too() -> None:
    said = [part.text for part in answer("was ist die beste sprache").parts if isinstance(part, Text)]
    assert said[1] == knowledge().voice.lines["reads_english_de"]


@pytest.mark.parametrize(
    "text",
    ["what is flask", "de facto standard", "wat is flask", "socket.io", "e-bike lease", "roll a die", "hola", "la la land",
     "how do i type é in python", "what does λ mean", "flask", "vi mode", "vi emacs", "si units", "en route",
     "El Paso, San Jose", "Los Angeles, La Jolla", "Le Mans tickets", "e commerce site del mar", "zip por file"],
)  # fmt: skip
def test_english_is_taken_for_nothing_else(text: str) -> None:
    assert found(text).language == ""


def test_of_two_scripts_the_language_is_always_the_same() -> None:
    assert [language_of(words(text), set()) for text in ("λόγ мир", "мир λόγ")] == ["ru", "ru"]
    assert language_of(words("ააააააა мир"), set()) == "ru"  # Georgian isn't in the list
    assert language_of(words("აააა"), set()) == ""


CHINESE = """\
- {id: hours, title: 图书馆几点开门？, asks: [开放时间是什么, 周末开门吗, 什么时候关门, 营业时间], answer: 九点。}
- {id: card, title: 怎么办借书证？, asks: [我想办一张借书证, 办卡需要什么, 借书证在哪里办, 如何申请借书证], answer: 前台。}
- {id: renew, title: 可以续借吗？, asks: [书怎么续借, 续借几次, 借期可以延长吗, 我想续借一本书], answer: 可以。}
- {id: wifi, title: 有无线网络吗？, asks: [无线网密码是什么, 怎么连接WiFi, 可以上网吗, 网络怎么用], answer: 前台。}
"""


def test_a_pack_in_a_script_without_blanks_is_matched_and_reads_its_own_language(tmp_path: Path) -> None:
    (tmp_path / "pack.yaml").write_text("name: 图书馆\n", encoding="utf-8")
    (tmp_path / "a.yaml").write_text(CHINESE, encoding="utf-8")
    library = Matcher.from_knowledge(load(tmp_path))
    asked = {
        "图书馆周末几点开门": "hours",
        "这本书能续借几次": "renew",
        "WiFi密码是多少": "wifi",
        "图书馆几点开门?": "hours",
    }
    assert {text: library.find(text).ids for text in asked} == {text: (entry,) for text, entry in asked.items()}
    assert library.find("如何做红烧肉").kind == "unknown"
    assert {library.find(text).language for text in (*asked, "你好")} == {""}


def test_a_pack_in_german_reads_german(tmp_path: Path) -> None:
    (tmp_path / "pack.yaml").write_text("name: Verein\n", encoding="utf-8")
    asks = (
        "[wann ist die halle offen, wie kann ich mich anmelden und was kostet das, wo ist der schlüssel für das haus]"
    )
    (tmp_path / "a.yaml").write_text(f"- {{id: a, title: Die Halle, asks: {asks}, answer: x}}\n", encoding="utf-8")
    assert Matcher.from_knowledge(load(tmp_path)).find("gibt es auch duschen in der halle").language == ""


# --- offers and messages that say nothing yet


def test_nothing_unrelated_is_offered() -> None:
    """Each offer shares a word that tells something with the question, or has one like it."""
    for text in ("can python drive a robot", "can python fly to the moon", "python as a pet", "who owns python"):
        finding = found(text)  # what is known of the subject itself is always shown beside a no about it
        for entry in (knowledge().by_id[name] for name in finding.ids if not finding.about_subject):
            own = {stem(word) for part in (entry.title, entry.answer, *entry.asks) for word in words(part)}
            assert own & {stem(word) for word in words(text) if word not in STOPWORDS and word != "python"}, (
                text,
                entry.id,
            )


def test_what_is_related_stays_among_the_offers() -> None:
    assert "step-editor" in found("which editor do you use for latex").ids


@pytest.mark.parametrize(
    "text",
    [
        "can i ask you something",
        "i'm lost here",
        "got a minute?",
        "hello, quick question for you",
        "im stuck on something",
    ],
)
def test_who_asks_nothing_yet_may_go_ahead(text: str) -> None:
    for finding in (found(text), club().find(text)):
        assert (finding.kind, finding.talk) == ("smalltalk", "ready")


@pytest.mark.parametrize("text", ["i'm lost in the forest", "do you have a minute timer", "question about django"])
def test_who_asks_something_is_answered_or_not(text: str) -> None:
    assert found(text).talk is None


def test_courtesies_around_a_phrasing_change_nothing() -> None:
    assert found("hi, what can i ask you?").kind == "help"
    assert found("hey, what can i ask you please").evidence.confidence == 1.0


def test_a_listed_question_speaks_for_those_like_it(tmp_path: Path) -> None:
    (tmp_path / "pack.yaml").write_text("name: Bakery\n", encoding="utf-8")
    (tmp_path / "a.yaml").write_text(
        "- {id: freeze, title: Can I freeze your bread?, asks: [how do i freeze bread], answer: Yes.}\n"
        "- {id: order, title: How do I order a cake?, asks: [order a birthday cake], answer: By phone.}\n",
        encoding="utf-8",
    )
    before = Matcher.from_knowledge(load(tmp_path))
    assert before.find("can i freeze your birthday cake").kind == "topic"
    (tmp_path / "out_of_scope.yaml").write_text("asks: [can i freeze a cake]\n", encoding="utf-8")
    after = Matcher.from_knowledge(load(tmp_path))
    assert after.find("can i freeze your cakes").kind == "unknown"
    assert after.find("can i freeze your bread").ids == ("freeze",)
