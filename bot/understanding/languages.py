"""Which language a question is in, where it isn't English: told by function words, or by its letters.

The words are the commonest of each language, listed by hand; those that are English function words too ("die" isn't, "was" is)
tell nothing. Nothing is translated: names are found in any language, and the asker is told that English is read best.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence, Set
from functools import cache

from bot.retrieval.english import FUNCTION_WORDS, english
from bot.text import words
from bot.understanding.question_type import STOPWORDS

FUNCTION_WORDS_OF = {
    "es": """el la los las un una unos unas de del al y o que qué es son está están cómo como cuál cual cuáles cuándo cuando
        dónde donde quién quien por para con sin sobre entre pero porque mi mis tu su sus se lo le les nos me te yo ella ellos
        hay tiene tengo puedo puede usar hacer sirve más muy también esto este esta eso ese esa cuánto cuesta necesito quiero
        gratis explícame dime muéstrame mejor""",
    "fr": """le la les un une des du de et ou que qui quoi quel quelle quels quelles est sont où comment quand pourquoi combien
        pour avec sans sur dans entre mais parce mon ma mes ton ta son sa ses nous vous ils elle elles je tu il se ce cet
        cette ces ça au aux ne pas plus très aussi peut peux puis faut faire utiliser sert cest quest qu est-ce coûte meilleur
        explique montre moi""",
    "de": """der die das den dem des ein eine einen einem einer und oder was wer wie wo wann warum welche welcher welches welchen
        ist sind bin hat habe haben kann können kannst muss ich du er sie wir ihr mich mir mein meine für mit ohne über unter
        zwischen aber weil nicht kein keine auch sehr noch zu zum zur im am auf aus bei nach von vom gibt es man wird werden
        brauche möchte erkläre zeig bitte besser kostenlos""",
    "pt": """o a os as um uma uns umas de do da dos das no na nos nas e ou que é são está como qual quais quando onde quem por
        para pra com sem sobre entre mas porque meu minha seu sua se lhe eu ele ela eles você vocês tem tenho posso pode
        usar fazer serve mais muito também isto este esta isso esse essa quanto custa preciso quero explique mostre melhor não""",
    "it": """il lo la gli le un uno una di del della dei delle al alla e o che chi cosa cos è sono come quale quali quando dove
        perché per con senza su tra fra ma mio mia tuo sua suo si mi ti ci vi lui lei noi voi loro ha ho posso può usare
        fare serve più molto anche questo questa quello quella quanto devo voglio gratis spiega dimmi mostrami migliore non nel
        nella""",
    "nl": """de het een en of wie hoe waar wanneer waarom welke is zijn ben heeft heb hebben kan kunnen kun moet ik jij je hij
        zij ze wij we mijn jouw voor met zonder over tussen maar omdat niet geen ook heel nog te naar van uit bij er dit dat
        deze die wordt worden gebruiken doen gratis nodig wil graag uitleggen""",
    "pl": """i w z na do o że jest są co kto jak gdzie kiedy dlaczego jaki jaka jakie który która które czy dla bez przez między
        ale bo mój moja moje się nie tak też bardzo ja ty on ona my wy oni mam ma może mogę można użyć zrobić służy to ten ta
        te tego od za po ile kosztuje potrzebuję chcę""",
    "sv": """en ett och eller vad vem hur var när varför vilken vilket vilka är har kan måste jag du han hon vi ni mig min mitt
        mina för med utan om mellan men eftersom inte ingen också mycket än till från på av det den detta denna som används
        göra behöver vill""",
    "tr": """bir ve veya ne kim nasıl nerede zaman neden hangi mi mı mu mü için ile çok daha bu şu var yok ben sen biz siz değil
        nedir misin olarak gibi kadar""",
}
"""By ISO code: words that hardly any sentence of the language lacks."""

UNDETERMINED = "und"
"""ISO 639's code for a language that can't be told: here, not English, and one of two that are as likely."""

SCRIPTS = {
    "CYRILLIC": "ru", "GREEK": "el", "ARABIC": "ar", "HEBREW": "he", "DEVANAGARI": "hi", "THAI": "th", "HANGUL": "ko",
    "HIRAGANA": "ja", "KATAKANA": "ja", "CJK": "zh",
}  # fmt: skip
"""By the first word of its letters' Unicode names, the commonest language of a script that isn't Latin."""

MIN_WORDS, MIN_WEAK_WORDS = 2, 3
"""Function words that a question must have, and where all of them are _WEAK; one of MIN_LETTERS, or any where a letter has an
accent or a word that is English too stands beside it ("was ist"), is enough where it isn't in the English list ("nedir", but not
"de facto") and no English function word stands beside it."""
MIN_LETTERS = 4
_WEAK = frozenset(
    """el la los las le les lo il gli un una de del della di da do dos das du des den der van von zu san en
    e y o i w z a""".split()
)
"""Function words that names are made with too: "El Paso", "La Jolla", "Rio das Ostras"."""
PACK_WORDS = 12
"""Function words of a language that a pack must have in its phrasings to be one in that language: the shipped one has eight that
are Spanish as well ("para", "yo"), and a pack of three German phrasings twelve."""
MIN_SHARE_OF_LETTERS = 0.3
"""Share of the letters that must be of another script: an English question may name something in Greek letters, and two Chinese
signs say as much as ten letters."""

MAX_LETTERS = 200
"""Letters of a message by which its script is told."""


@cache
def _telling_words() -> dict[str, frozenset[str]]:
    """By language, its function words that aren't English ones, as `text.words` makes them."""
    return {code: listed - FUNCTION_WORDS - STOPWORDS for code, listed in _all_words().items()}


@cache
def _all_telling_words() -> frozenset[str]:
    return frozenset[str]().union(*_telling_words().values())


@cache
def _all_words() -> dict[str, frozenset[str]]:
    return {code: frozenset(words(listed)) for code, listed in FUNCTION_WORDS_OF.items()}


def language_of(tokens: Sequence[str], pack_words: Set[str]) -> str:
    """The ISO code of a question's language; empty if it is English or the pack's own, UNDETERMINED if two are as likely.

    Args:
        tokens: The question's words.
        pack_words: The words of the pack's phrasings: a pack in German reads German.
    """
    text = "".join(tokens)[:MAX_LETTERS]
    if not text.isascii() and (script := _script_of(text)):
        return "" if any(_script_of(word) == script for word in pack_words if not word.isascii()) else script
    present = set(tokens)
    if _all_telling_words().isdisjoint(present):
        return ""
    found = {code: present & listed for code, listed in _telling_words().items()}
    ranks = {code: (len(telling), len(present & _all_words()[code])) for code, telling in found.items()}
    code = max(ranks, key=ranks.__getitem__)
    telling, beside = found[code], present - _all_words()[code]
    english_words = sum(token in STOPWORDS or token in FUNCTION_WORDS for token in beside)
    has_several = len(telling) >= (MIN_WEAK_WORDS if telling <= _WEAK else MIN_WORDS)
    has_accents, is_among_several = not text.isascii(), len((present & _all_words()[code]) - _WEAK) >= MIN_WORDS
    has_certain = any(_is_certain(word, has_accents or is_among_several) for word in telling - _WEAK)
    is_certain = has_several or (bool(beside) and not english_words and has_certain)
    if not is_certain or len(telling) <= english_words:
        return ""
    if len(_telling_words()[code] & pack_words) >= PACK_WORDS:
        return ""
    return code if [*ranks.values()].count(ranks[code]) == 1 else UNDETERMINED


def _is_certain(word: str, may_be_short: bool) -> bool:
    """Whether a foreign function word alone tells its language."""
    return word not in english() and (len(word) >= MIN_LETTERS or may_be_short)


def function_words(language: str) -> frozenset[str]:
    """The function words of a language that aren't English ones; those of all where it can't be told which it is."""
    if language == UNDETERMINED:
        return _all_telling_words()
    return _telling_words().get(language, frozenset())


def _script_of(text: str) -> str:
    """The language of the script that most letters are of, of two the first in SCRIPTS; empty for Latin letters."""
    letters = [letter for letter in text if letter.isalpha()]
    codes = [
        SCRIPTS.get(unicodedata.name(letter, "").split(" ")[0].partition("-")[0], "")
        for letter in letters
        if letter > "\u02ff"
    ]
    if len(codes) < MIN_SHARE_OF_LETTERS * len(letters) or not codes:
        return ""
    known = Counter(code for code in codes if code)
    return "ja" if "ja" in known else max(SCRIPTS.values(), key=known.__getitem__) if known else ""
