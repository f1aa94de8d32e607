"""Opposites: who asks how to unsubscribe isn't answered by how to subscribe, however alike the two are.

The pairs are plain English, the same for every pack; they were listed by hand. in/out, on/off, with/without and before/after
alone are no pairs: they stand in too many sentences about the same thing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache, lru_cache

from bot.retrieval.english import english
from bot.text import stem, words
from bot.understanding.question_type import STOPWORDS

MIN_SHARE = 0.3
"""Share of an entry's phrasings that must have the opposite of an asked word: in fewer, it isn't what the entry is about."""
SHORTEST_BASE = 4
"""Letters of the word that a prefix is put before: "lock", but "unit" isn't the opposite of "it"."""

_PAIRS = """
    enable/disable activate/deactivate open/close open/shut start/stop start/end begin/end add/remove add/delete create/delete
    install/remove install/delete increase/decrease increase/reduce increase/lower raise/lower raise/reduce extend/shorten
    extend/reduce upgrade/downgrade promote/demote upload/download import/export push/pull push/pop merge/split
    lock/unlock block/unblock mute/unmute follow/unfollow subscribe/unsubscribe tie/untie pack/unpack load/unload plug/unplug
    freeze/unfreeze freeze/thaw freeze/defrost pause/resume arm/disarm mount/dismount attach/detach connect/disconnect
    encrypt/decrypt encode/decode compress/decompress compress/extract zip/unzip archive/restore delete/restore
    serialize/deserialize register/deregister register/unregister
    buy/sell lend/borrow hire/fire earn/spend deposit/withdraw publish/withdraw join/leave join/quit marry/divorce
    accept/decline accept/reject accept/refuse approve/reject approve/deny approve/decline grant/revoke
    show/hide reveal/conceal expand/collapse maximise/minimise maximize/minimize minimum/maximum min/max ascend/descend
    arrive/depart arrival/departure enter/exit enter/leave entrance/exit incoming/outgoing inbound/outbound internal/external
    book/cancel order/cancel schedule/cancel renew/cancel save/discard keep/discard inhale/exhale
    log+in/log+out log+in/log+off log+on/log+off log+on/log+out sign+in/sign+out sign+in/sign+off sign+up/sign+off
    sign+up/sign+out sign+up/unsubscribe sign+up/deregister check+in/check+out opt+in/opt+out clock+in/clock+out
    clock+on/clock+off clock+in/clock+off turn+on/turn+off turn+up/turn+down switch+on/switch+off turn+on/switch+off
    switch+on/turn+off enable/turn+off enable/switch+off disable/turn+on disable/switch+on activate/turn+off activate/switch+off
    deactivate/turn+on deactivate/switch+on move+in/move+out
    zoom+in/zoom+out"""
"""Words, or verbs with their particle, that ask for opposite things.

Words that ask for the same fact from two sides are left out: "is it illegal" is answered by what is legal, "what is excluded" by
what is included. So are names of roles (landlord and tenant): both stand in questions about one thing.
"""

_NOUNS = frozenset("leave deposit book order".split())
"""Words of pairs that are nouns as well: they count where a verb stands, "how do i leave", but not "how long is the leave"."""
_BEFORE_VERB = frozenset("to i we you they cant cannot can please".split())
_TIME_ADVERBS = frozenset("early late soon sooner earlier later".split())
"""Behind "leave", they make it no opposite of "enter" or "join": "how do i leave early"."""

_SPANS = """open/close open/shut start/end start/stop begin/end"""
"""The two ends of a time: "when do you close" is answered by the opening hours."""
_TIME_WORDS = frozenset("when time times until till hours hour long late early day days date".split())

_JOINED = """login log+in logon log+on logout log+out logoff log+off signin sign+in signup sign+up signout sign+out
    checkin check+in checkout check+out"""
"""Verbs and particles that are written as one word, and the same as two."""

_PARTICLES = frozenset(["in", "out", "on", "off", "up", "down"])
_PARTICLE_VERBS = frozenset("check log sign opt clock turn switch move zoom".split())
MAX_BETWEEN = 2
"""Words that may stand between a verb and its particle: "turn the alarm off"."""

_PREFIXES = ("un", "dis", "non")
_NOT_DERIVED = frozenset(
    """discount discover discharge dispatch display dismiss discuss dispose disorder distress distaste dispense disease
    distinct dislocate district distill unless until under union unite unit unison disport discard discomfort discourse
    disable disability unanimous""".split()
)
"""Words that begin with a prefix and aren't the opposite of what follows it."""


@cache
def _opposites() -> Mapping[str, frozenset[str]]:
    """By stem, or verb and particle, the opposites that are listed."""
    return _by_term(_PAIRS)


@cache
def _spans() -> Mapping[str, frozenset[str]]:
    return _by_term(_SPANS)


def _by_term(pairs: str) -> Mapping[str, frozenset[str]]:
    result: dict[str, set[str]] = {}
    for pair in pairs.split():
        one, other = (_key(word) for word in pair.split("/"))
        result.setdefault(one, set()).add(other)
        result.setdefault(other, set()).add(one)
    return {word: frozenset(others) for word, others in result.items()}


@cache
def _joined() -> Mapping[str, str]:
    return dict(zip(_JOINED.split()[::2], map(_key, _JOINED.split()[1::2]), strict=True))


def _key(word: str) -> str:
    verb, plus, particle = word.partition("+")
    return f"{stem(verb)}{plus}{particle}"


Terms = tuple[frozenset[str], ...]
"""The terms of each of an entry's phrasings, and last those of all."""


def asks_opposite(tokens: Sequence[str], own: Terms | Callable[[], Terms]) -> bool:
    """Whether a question asks for the opposite of what an entry is about.

    That is: it has a word that none of the entry's phrasings has, and MIN_SHARE of them have an opposite of that word, which
    the question lacks.

    Args:
        tokens: The question's words.
        own: The entry's terms, or what makes them: few questions have a word with an opposite.
    """
    asked = terms(tokens)
    nouns = {stem(word) for word in _NOUNS.intersection(tokens) if not _is_verb(word, tokens)}
    doubtful = {term: others for term in asked - nouns if (others := _opposites_of(term)) and asked.isdisjoint(others)}
    if not _TIME_WORDS.isdisjoint(tokens):
        doubtful = {term: others - _spans().get(term, frozenset()) for term, others in doubtful.items()}
    if not doubtful:
        return False
    own = own() if callable(own) else own
    everything = own[-1]
    return any(
        term not in everything
        and not others.isdisjoint(everything)
        and sum(not others.isdisjoint(one) for one in own[:-1]) >= MIN_SHARE * (len(own) - 1)
        for term, others in doubtful.items()
    )


def _is_verb(word: str, tokens: Sequence[str]) -> bool:
    """Whether a word of _NOUNS stands where a verb does: first, or behind "to", "i", "please"."""
    return any(
        (not place or tokens[place - 1] in _BEFORE_VERB) and _TIME_ADVERBS.isdisjoint(tokens[place + 1 : place + 2])
        for place, token in enumerate(tokens)
        if token == word
    )


def terms_of(phrasings: Iterable[str]) -> Terms:
    """The terms of an entry's phrasings, which are cleaned."""
    own = [terms(words(text)) for text in phrasings]
    return (*own, frozenset[str]().union(*own))


def terms(tokens: Sequence[str]) -> frozenset[str]:
    """Stems of words; a verb with its particle is one, and so is "non" with what follows it."""
    result = set[str]()
    for position, word in enumerate(tokens):
        base = stem(word)
        following = tokens[position + 1 : position + 2 + MAX_BETWEEN]
        particle = next((other for other in following if other in _PARTICLES), "") if base in _PARTICLE_VERBS else ""
        if word in _joined():
            result.add(_joined()[word])
        elif particle:
            result.add(f"{base}+{particle}")
        elif word == "non" and following:
            result.add(f"non{stem(following[0])}")
        elif tokens[max(0, position - 1)] != "non":
            result.add(base)
    return frozenset(result)


@lru_cache(maxsize=4_096)
def _opposites_of(term: str) -> frozenset[str]:
    """The listed opposites of a term, and those that a prefix makes of it or takes from it."""
    if term in STOPWORDS:
        return frozenset()
    return _opposites().get(term, frozenset()) | frozenset(_derived(term))


def _derived(term: str) -> Iterable[str]:
    for prefix in _PREFIXES:
        base = term.removeprefix(prefix)
        if base != term and len(base) >= SHORTEST_BASE and term not in _not_derived() and _is_word(prefix, base):
            yield base
        if len(term) >= SHORTEST_BASE and f"{prefix}{term}" not in _not_derived():
            yield f"{prefix}{term}"


@cache
def _not_derived() -> Collection[str]:
    return frozenset(map(stem, _NOT_DERIVED))


def _is_word(prefix: str, base: str) -> bool:
    """Whether a stem is one of an English word; "non" is put before nothing else."""
    return prefix == "non" or base in english() or f"{base}e" in english()
