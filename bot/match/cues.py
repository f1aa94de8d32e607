"""Cues: how people say "the next one", "compare them" or "what else", courtesies left out. Plain English, for every pack."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

from bot.match.said import CARDINALS, ORDINALS

_AND = "(?:(?:and|so|but|or|then|no|yes) )*"
_ONE_OF = "|".join


class Cue:
    """A pattern that is compiled when it is first looked for: most questions need few of them, and each costs a start."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self._pattern)

    def search(self, text: str) -> re.Match[str] | None:
        return self._compiled.search(text)

    def match(self, text: str) -> re.Match[str] | None:
        return self._compiled.match(text)

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        return self._compiled.finditer(text)

    def sub(self, instead: str, text: str) -> str:
        return self._compiled.sub(instead, text)


def _only(lead: str, meant: str, tail: str) -> Cue:
    """A message that says `meant`, and else only words of `lead` before it and of `tail` behind it."""
    return Cue(f"^{_AND}(?:(?:{lead}) )*(?:{meant})(?: (?:{tail}))*$")


def _some(meant: str) -> Cue:
    """A message that has one of these somewhere."""
    return Cue(rf"\b(?:{meant})\b")


_GOING = (
    "and|so|but|whats|what is|what comes|what came|what|which is|is there|show|give|me|the|a|go|to|on|with|one|step|steps|"
    "thing|comes|come|do|i|we|should|need|must|move|skip|jump|take|item|library|lib"
)
_GONE = "one|ones|step|steps|thing|that|this|it|up|comes|come|is|again|do|i|item|library|lib|please|then|we|was|a"
NEXT = _only(_GOING, "next|after|afterwards|continue|forward|go on|going|following", _GONE)
THEN = _only("what|ok", "then", "what")
PREVIOUS = _only(_GOING, "previous|prev|back|before|prior|earlier|return", _GONE)
RESTART = _only(
    "lets|let us|please|can we|i want to|we",
    "start over|start again|start anew|start from scratch|from scratch|restart|reset|begin again|never mind|nevermind|nvm|"
    "forget it|forget that|forget about it|forget about that|forget all that|forget everything|clear|"
    "new question|new topic|new conversation|new subject",
    "everything|all|please|again|now|then",
)
LEAVE = _only("please|lets", "exit|quit|log out|logout", "please|now|chat|the chat|here")
_ARTICLE = "(?:(?:the|this|that|your) )?(?:article|text|sources?|answers?|facts)"
SOURCE = _only(
    "please|hey|tell me|do you know|can i ask",
    rf"(?:who|who has|whos|who is) (?:wrote|written|published|behind|the author of|the publisher of) {_ARTICLE}|"
    rf"(?:(?:who|what)(?: is|s| are) )?(?:the|your) (?:author|writer|publisher|sources?|reference)(?: of {_ARTICLE})?|"
    rf"(?:what(?: is|s) )?(?:the )?(?:author|title|name|date|publisher|source) of {_ARTICLE}|"
    "where (?:(?:do|does|did|is|are|was|have|has|come|comes|came|get|got|take|taken|you|u|your|the|this|that|these|those|all|"
    "answers?|facts?|info|information|knowledge|data|stuff|text|article) )+from|"
    rf"when (?:was|is|has) {_ARTICLE} (?:been )?(?:written|published|updated|from|made)|how (?:old|recent|new) is {_ARTICLE}|"
    "(?:what|which) article(?: (?:is (?:it|that|this)|do you (?:mean|use)|are you talking about))?|"
    f"what(?: is|s) {_ARTICLE} called|what(?: is|s| are) (?:this|that|you|your answers|all this) based on|"
    rf"where can i (?:read|find|see|get) {_ARTICLE}|(?:cite|name|quote|show|give)(?: me)? your sources?|sources?|says who",
    "",
)
_HARSH = (
    "useless|stupid|dumb|rubbish|garbage|terrible|awful|hopeless|worthless|unhelpful|no (?:help|use)|"
    "not (?:of )?help(?:ful|ing)?"
)
BLAME = _only(
    "well|honestly|man|wow",
    "(?:(?:you|u|ur|youre|your|this|that|thats|(?:this|the) (?:bot|thing|answer))(?: (?:are|r|is|was|were))? )?"
    rf"(?:(?:a|so|really|just|totally|completely|pretty|very) )*(?:{_HARSH})|"
    "(?:useless|stupid|dumb|bad|worst|terrible) (?:bot|answer)|"
    "(?:you|u|this bot|the bot) (?:really )?(?:sucks?|(?:know|understand) nothing|"
    "dont (?:understand(?: me)?|help(?: me)?|get it))|"
    "(?:that|this) (?:didnt|did not|doesnt|does not) help",
    "at all|ever|bot|thing|me|really",
)
YES = _only(
    "",
    "yes|yeah|yep|yup|ya|sure|exactly|correct|that one|that|this one|this|do it|go ahead|right",
    "that one|that|this one|that is it|it|one|exactly",
)
WHY = _only(
    "really",
    "why|how come|what for|for what reason|what is the reason|whats the reason",
    "so|is|that|this|it|one|not|though|exactly|them|those|these|thats|would i|should i",
)
MORE = _only(
    "a bit|a little|some|any|even|in|give|show|tell|explain|say|me|us|i|want|need|know|to",
    "more|elaborate|details?|further|explain|longer|again|repeat|go deeper|info",
    "about|on|of|it|that|this|them|those|these|info|details?|please|one|me|to|us|again|more|in|further|the",
)
NO = Cue(
    r"^(?:(?:no|nope|nah|wrong|not|actually|sorry|i (?:meant|mean|said|asked|was asking)(?: about| for)?|"
    r"(?:thats|that is) not (?:it|what i meant|what i asked)|not that(?: one)?) )+"
)
OTHERS = Cue(
    r"\b(?:alternatives?|else|others|other (?!one\b)|another|similar|neither|none|instead|"
    r"(?<!\bi )(?<!\bwe )(?<!really )(?<!would )(?<!\bid )like (?:it|this|that)|"
    r"more (?:options|choices))\b"
)
"""Something else than what was shown, like it or instead of it; who likes it wants nothing else."""
COMPARING = _some(
    r"compare[ds]?|comparing|comparison|differen\w+|differ|vs|versus|both|together|side by side|pros and cons|between|"
    r"(?:the|these|those) two"
)
TWO = _some("(?:the|these|those) two")
_BEST = (
    "best|better|easier|easiest|simpler|simplest|faster|fastest|quicker|lighter|"
    "prefer|recommend|suggest|pick|choose|favou?rite"
)
CHOOSING = _some(f"which|{_BEST}")
BEST = _some(f"{_BEST}|which (?:one|of (?:them|these|those|the two))|should (?:i|we)")
"""That one of those that are named is wanted before the others."""
AGAINST = Cue(r"\b(?:vs|versus|v|or|than|against|with|to|from)(?: the)?$")
"""Words right before a name that set it against something."""
SET_AGAINST = _some(r"vs|versus|v|or|than|against|compare[ds]?|comparison|with|differ\w*|better")
THEM = _some("they|them|their|those|these")
IT = _some("(?i:it|its)")
BACK = _some("it|its|that one|this one|that|this|the same")
SOUGHT = Cue(
    rf"^{_AND}(?:what(?:s| is| was)) (?:it called )?(?:the|that) (?:\w+ )?"
    r"(?:thing|thingy|one|lib|library|tool|framework|package|module) (?:for|to|that|which|with)\b"
)
"""The thing that does something, whose name isn't known: its "that" points forward."""
OF_THEM = Cue(r"^(?:(?:so|and|but) )*(?:which|what) (?:one|ones|of (?:them|those|these|the two))\b")
AMONG = _some("which|ones?|of (?:them|these|those)")
ANEW = _some("ones|only")
EVERYTHING = _some("list|all|whole|full|everything|overview|every")
LEADING = Cue(
    rf"^(?:{_AND}(?:what about|how about|whats about|same|now|only|just|with|for|on|in|and|but|or|so|also|no)\b|and\b)"
)

DEFINES = Cue(r"\bwhat (?:is|are|does)\b|\bwhats (?!about)|\bexplain\b|\bmeans?\b")

SPANS = Cue(r"\b(?P<end>first|last|top) (?P<many>two|three|four|five|six|2|3|4|5|6|couple|pair)\b")
MANY = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "couple": 2, "pair": 2}
ORDINAL = Cue(rf"\b(?P<which>{_ONE_OF(ORDINALS)}|last|latter|former|middle|other(?= one\b|$))\b")
NUMBER = Cue(rf"\b(?:number|num|nr|no|nummer|option|item|choice|point) (?P<number>{_ONE_OF(CARDINALS)})\b")
_NUMBER = f"(?:{_ONE_OF(CARDINALS)})"
_BESIDE = f"(?:and|or|vs|versus|with|to|against) {_NUMBER}"
NUMBERS = Cue(
    f"^{_AND}(?:(?:show|open|take|give|me|tell|about|pick|choose) )*{_NUMBER}(?: {_BESIDE})*$|"
    f"^{_AND}compare {_NUMBER}(?: {_BESIDE})+$"
)
STEP = Cue(rf"\bstep (?:number |no )?(?P<which>[0-9]+|{_ONE_OF((*ORDINALS, *CARDINALS))})\b")
AFTER = frozenset("after finished finish done completed complete beyond following past".split())
"""Words that make "step 3" mean the one behind it."""

STEPS = frozenset(("step", "steps"))
ENDS = frozenset("backend frontend".split())
CARD_NOUNS = frozenset("library lib package framework module card tool".split())
SIDES = frozenset("backend frontend side step steps for when features good kind".split())
"""Aspects that a message without anything before may ask of the whole subject."""
GENERAL = frozenset(
    """one ones on in the a an for of with at side based things thing stuff only just now same and or but so them those these
    work works good do can as well too please about""".split()
)
"""Words around a group's name that leave it at that."""
