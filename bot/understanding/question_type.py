"""Question types: what kind of answer is wanted (a definition, a comparison, a list, a recommendation), told by function words.

The patterns are plain English, the same for every pack.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

COMPARISON_WORDS = frozenset(
    """vs versus v compare compared compares comparing comparison difference differences differ differs different better
    between against or than prefer over rather instead faster easier simpler lighter diff""".split()
)
DEFINE = re.compile(
    r"^(?:so |and |ok |hey |hi |please |pls |um )*(?:"
    r"what(?: exactly)?(?: is|s| are|re| was| does)(?! there (?:for|to)\b)|whats(?! there (?:for|to)\b)|wat is|wats|wot "
    r"is|who is|whos|explain|define|describe|"
    r"tell me (?:about|what)|meaning of|definition of|eli5|info on|know about|heard of|have you heard of|"
    r"do you know|anything on|say something about|introduce)\b"
)
PRONOUN = re.compile(
    r"\b(?:it|its|that|this|thing|them|they|those|these|he|one)\b|^what is (?:it|that|this)\b", re.IGNORECASE
)
QUESTION_STARTS = frozenset(
    """what whats which who whos how hows why when where is are was do does did can could should would will any anyone
    explain tell describe define list show compare recommend suggest need give""".split()
)
STOPWORDS = frozenset(
    """a an the is are was were be been am do does did can could would should will shall may might must i me my we us our you
    your it its this that these those there here he she they them their of to in on at for from with by as into about
    and or but so if then than not no yes what whats which who whom how why when where just only also too very really
    please pls thanks thank hi hey hello ok okay well actually exactly basically like get got have has had need want
    wanna gonna tell explain describe know mean means meaning definition define one some any something anything thing
    things stuff good use used using uses useful work works working doing does made make makes
    question quick guys folks team everyone anyone someone somebody people im ive id whos hows thats theres lets
    up out over more most much many lot bit kind sort way ever still even again now today right sure say said says
    think called calling heard hear read saw see look looking find give show vs versus compare comparison difference
    better best between prefer
    understand understood idea wondering wonder curious sorry could newbie new noob dumb stupid silly basic basics short
    brief briefly summary simple simply plain english words word terms sentence eli5 help me u r ur y n w""".split()
)
"""Words that neither tell one entry from another nor are foreign to a pack."""

KIND_NOUNS = frozenset(
    """framework frameworks library lib package module tool toolkit orm driver plugin extension engine compiler transpiler
    editor ide""".split()
)
"""Words for kinds of things that have names, in any pack about such."""


_PLURAL = (
    r"libraries|libs|frameworks|tools|packages|options|ones|modules|things|orms|alternatives|choices|possibilities|"
    r"libarys|librarys|projects|names|candidates|stuff"
)
_SINGULAR = r"lib|library|tool|framework|package|module"
ANSWER_NOUNS = frozenset(
    """libraries library frameworks framework tools packages package modules module options alternatives choices
    recommend recommendation suggest suggestion overview""".split()
)
"""Nouns and verbs of the patterns for one or all of a kind."""
WANTS_ALL = re.compile(
    rf"\b(?:all|list|lists|listing|every|each|everything|enumerate|overview|catalogue|catalog|how many|show me|{_PLURAL}|"
    rf"(?:which|what) (?:\w+ ){{0,3}}(?:{_PLURAL})|what are (?:the|our|your|my|all)|which (?:of|are)|"
    rf"whats (?:all )?(?:in|on)|what do you have|the (?:whole|full|entire|complete))\b"
)
WANTS_ONE = re.compile(
    rf"\b(?:which (?:one|{_SINGULAR})|what (?:{_SINGULAR}|should|would|do i|to|can i)|an? (?:\w+ )?(?:{_SINGULAR})|"
    r"best|recommend\w*|suggest\w*|advise|advice|should (?:i|we|my|the)|needs?|wants?|looking for|something|"
    r"pick|choose|choice|go for|prefer|lib for|tool for|(?:i|we) have to|how (?:can|do|would|could) (?:i|we)|"
    r"use for|to use|would you|do i take|"
    rf"(?:the|that|this) (?:\w+ )?(?:thing|thingy|one|{_SINGULAR}) (?:for|to|that|which|with|called))\b"
)


@dataclass(frozen=True, slots=True)
class QuestionType:
    """What a question's function words say about the kind of answer that is wanted.

    Attributes:
        defines: It asks what something is.
        compares: It compares things.
        wants_all: It asks for all of a kind.
        wants_one: It asks for a recommendation.
        asks: It is phrased as a question.
        refers_back: It has a pronoun.
    """

    defines: bool
    compares: bool
    wants_all: bool
    wants_one: bool
    asks: bool
    refers_back: bool

    @property
    def name(self) -> str:
        """compare, list, define, pick, ask or tell: the first that holds."""
        for label, holds in (
            ("compare", self.compares),
            ("list", self.wants_all and not self.wants_one),
            ("define", self.defines),
            ("pick", self.wants_one),
        ):
            if holds:
                return label
        return "ask" if self.asks else "tell"


def question_type_of(sentence: str, tokens: Sequence[str]) -> QuestionType:
    """The question type of one sentence; `tokens` are its words."""
    text, present = " ".join(tokens), set(tokens)
    return QuestionType(
        defines=bool(DEFINE.match(text)),
        compares=bool(present & COMPARISON_WORDS) or "=" in sentence,
        wants_all=bool(WANTS_ALL.search(text)),
        wants_one=bool(WANTS_ONE.search(text)),
        asks=sentence.rstrip().endswith("?") or bool(tokens and tokens[0] in QUESTION_STARTS),
        refers_back=bool(PRONOUN.search(sentence)),
    )
