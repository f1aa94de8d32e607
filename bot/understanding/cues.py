"""Cues: how people say "the next one", "compare them" or "what else", once courtesies and typos are taken out of a message.

Plain English, the same for every pack.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache

from rapidfuzz import process
from rapidfuzz.distance import OSA

from bot.retrieval.english import FUNCTION_WORDS, english
from bot.understanding.attributes import ATTRIBUTE_WORDS
from bot.understanding.question_type import STOPWORDS

# --- words

ORDINALS = {
    word: number
    for number, names in enumerate(
        ("first 1st", "second 2nd", "third 3rd", "fourth 4th", "fifth 5th", "sixth 6th", "seventh 7th", "eighth 8th",
         "ninth 9th", "tenth 10th", "eleventh 11th", "twelfth 12th"),
        1,
    )
    for word in names.split()
} | {f"{number}{'st' if number == 21 else 'nd' if number == 22 else 'rd' if number == 23 else 'th'}": number
     for number in range(13, 26)}  # fmt: skip
CARDINALS = {
    **{word: number for number, word in enumerate("one two three four five six seven eight nine ten".split(), 1)},
    **{str(number): number for number in range(1, 26)},
}

LINKING_WORDS = frozenset(
    """last latter former middle other others another next previous prev before after afterwards back continue forward
    following top compare compares compared comparing comparison difference differences differ versus better best both
    neither none all list lists whole full entire everything every overview complete again repeat alternative alternatives
    else similar instead option options choice choices which step steps number nr num beginner beginners easier easiest simpler
    simplest faster fastest lighter quicker recommend suggest pick choose take prefer favourite favorite popular elaborate
    further more details detail tell explain meant said asked wrong nope library lib package framework module tool card topic
    skip jump move return side couple pair restart over reset forget why reason come show open name give go on keep
    thing item add include throw put bring different mentioned ones""".split()
)
"""Words that lead from one answer to the next."""
FOLLOWUP_WORDS = STOPWORDS | ATTRIBUTE_WORDS | LINKING_WORDS | FUNCTION_WORDS | ORDINALS.keys() | CARDINALS.keys()
"""Words of a message that means nothing without the one before."""

PLURALS = frozenset("libraries libs frameworks tools packages modules".split())
"""Words that ask for a list of their own, and are no typos of the singular."""


# --- courtesies and typos

_CORRECTIONS = sorted(
    word
    for word in {*LINKING_WORDS, *ORDINALS, *ATTRIBUTE_WORDS, "the", "then", "what", "whats", "they", "them", "about"}
    if len(word) > 2
)
_LONGEST_TYPO = max(map(len, _CORRECTIONS)) + 1
CACHE_SIZE = 4_096
"""Words that aren't English, of which the correction is cached in memory."""
MAX_STRIPPED = 100
"""Words of a message beyond which it stays as it is: courtesies don't matter in a long one."""
ONE_EDIT_LENGTH, TWO_EDITS_LENGTH = 4, 7
"""Letters from which one and two edits are allowed; of three letters two may be swapped, or a fourth be missing."""

ENGLISH_TYPOS = {"tel": "tell", "fist": "first", "tow": "two", "las": "last", "nest": "next"}
"""Typos that are English words as well, so that the rule for typos leaves them alone."""

_COURTESIES = (
    "okay|okey|ok|k|oh|ah|aha|hm+|um+|uh|well|right|alright|all right|cool|nice one|nice|great|fine|perfect|awesome|lovely|"
    "super|wow|brilliant|excellent|interesting|sure|hey|hi|hello|good morning|good afternoon|good evening|thanks a lot|thanks "
    "a bunch|thanks so much|many thanks|thank you very much|thank you so much|thank you|thank u|thanks|thx a lot|thx a bunch|"
    "thx|ty|cheers|sorry|actually|i see|got it|gotcha|makes sense|understood|good to know|please|pls|plz|lol|can you|could you|"
    "would you please|will you|can u|could u|do me a favour and|i want to see|i want to know|i wanna see|i wanna know|i would "
    "like to see|i would like to know|id like to see|id like to know|let me see|done that|did that|done with that|done|"
    "finished|for me|bro|mate|guys|maybe|just|quickly|now|btw|by the way|kk|cheers|hiya|n|nd|anyway|got that|cant decide|hmm+"
)
_THEM = re.compile(r"(?<!\ban )(?<!\bthe )\bem\b")
"""Spoken "them" ("which of 'em"); "an em" is something else."""
_COUNTED = re.compile(r"\b(the|these|those|all) ([2-5])\b")
_LEAD = re.compile(rf"^(?:(?:{_COURTESIES}) )+")
_SAME = re.compile(r"\b(the same) (?:job|thing|work|task|purpose)\b| of (?:that|this|the same) (?:sort|kind|type)\b")
_INNER = re.compile(rf"^((?:and|but|so|then) )(?:(?:{_COURTESIES}) )+")
_TAIL = re.compile(rf"(?: (?:{_COURTESIES}|though|tho|mate|bye))+$")


def strip_courtesies(tokens: Sequence[str], kept: Sequence[bool]) -> str:
    """A message's words with typos corrected and without the courtesies around them.

    Args:
        tokens: The words.
        kept: For each, whether it is left as it is (a name).
    """
    if len(tokens) > MAX_STRIPPED:
        return " ".join(tokens)
    text = " ".join(word if keep else _corrected(word) for word, keep in zip(tokens, kept, strict=True))
    text = _COUNTED.sub(lambda match: f"{match[1]} {_NUMBER_WORDS[match[2]]}", text)
    text = _SAME.sub(lambda match: match[1] or "", _THEM.sub("them", text))
    while (shorter := _INNER.sub(r"\1", _LEAD.sub("", f"{text} ")).strip()) != text:
        text = shorter
    return _TAIL.sub("", f" {text}").strip()


_NUMBER_WORDS = {"2": "two", "3": "three", "4": "four", "5": "five"}


def is_typo(word: str) -> bool:
    """Whether a word is read as a follow-up's word that it nearly is."""
    return _corrected(word) != word


def _corrected(word: str) -> str:
    """The follow-up's word that a word nearly is; the word itself if it is one, or English."""
    if word in ENGLISH_TYPOS:
        return ENGLISH_TYPOS[word]
    if word in FOLLOWUP_WORDS or word in PLURALS or not 3 <= len(word) <= _LONGEST_TYPO or not word.isalpha():
        return word
    return word if word in english().rows else _nearest(word)


@lru_cache(maxsize=CACHE_SIZE)
def _nearest(word: str) -> str:
    max_edits = 2 if len(word) >= TWO_EDITS_LENGTH else 1
    hits = process.extract(word, _CORRECTIONS, scorer=OSA.distance, score_cutoff=max_edits, limit=6)
    near = [
        (edits, other)
        for other, edits, _ in hits
        if abs(len(other) - len(word)) <= 1 and (other[0] == word[0] or (edits == 1 and len(word) > ONE_EDIT_LENGTH))
    ]
    if len(word) < ONE_EDIT_LENGTH:
        near = [
            (edits, other)
            for edits, other in near
            if sorted(other) == sorted(word) or (len(other) > len(word) and other[0] == word[0])
        ]
    return min(near, key=lambda hit: (hit[0], hit[1] not in LINKING_WORDS, hit[1]))[1] if near else word


# --- patterns

_AND = "(?:(?:and|so|but|or|then|no|yes) )*"
_ONE_OF = "|".join


class Cue:
    """A regular expression that is compiled at its first use: most questions need few of them."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self._pattern)

    def search(self, text: str) -> re.Match[str] | None:
        """As `re.Pattern.search`."""
        return self._compiled.search(text)

    def match(self, text: str) -> re.Match[str] | None:
        """As `re.Pattern.match`."""
        return self._compiled.match(text)

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        """As `re.Pattern.finditer`."""
        return self._compiled.finditer(text)


def _only(lead: str, meant: str, tail: str) -> Cue:
    """A message that is `meant`, with only words of `lead` before it and of `tail` behind it."""
    return Cue(f"^{_AND}(?:(?:{lead}) )*(?:{meant})(?: (?:{tail}))*$")


def _anywhere(meant: str) -> Cue:
    """A message that contains one of these."""
    return Cue(rf"\b(?:{meant})\b")


_GOING = (
    "and|so|but|whats|what is|what comes|what came|what|was|what remains|remains|she|he|they|you|tackle|study|learn|about|"
    "would|normally|usually|right|directly|which is|is there|show|give|me|the|a|go|to|on|with|one|step|steps|thing|comes|come|"
    "do|i|we|should|need|must|move|skip|jump|take|item|library|lib"
)
"""Words that may stand before "next" or "back"."""
_GONE = "what|one|ones|step|steps|thing|that|this|it|up|comes|come|is|again|do|i|item|library|lib|please|then|we|was|a"
"""Words that may stand after "next" or "back"."""
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
    "(?:useless|stupid|dumb|bad|worst|terrible) (?:bot|answer)|(?:you|u|this bot|the bot) (?:really )?(?:sucks?|(?:know|"
    "understand) nothing|dont (?:understand(?: me)?|help(?: me)?|get it))|(?:you|u) (?:didnt|did not) answer(?: me| that| my "
    "question)?|"
    "(?:that|this) (?:didnt|did not|doesnt|does not) help|(?:thats|that is|this is) not what i (?:wanted|meant|asked(?: for)?)",
    "at all|ever|bot|thing|me|really",
)
PROMISE = _only(
    "and|so|then|nice|super|great|i think|maybe|good|ok",
    "(?:(?:i|we|let me|lets|im|were) )?(?:(?:will|ill|well|gonna|going to|shall|must|should|have to) )*(?:(?:have|take) a "
    "(?:closer )?look|look (?:it )?(?:at|into)|look it up|try (?:it|that|this|them)|check (?:it|that|this|them)|give (?:it|that|"
    "this|them) a (?:try|go|shot)|(?:thats|that is|that was|thatll be|that will be) all|nothing else|no more questions|"
    "all (?:good|set|clear)|that (?:settles|does|helps|answers|covers|explains) (?:it|that|me|a lot|my question)|think "
    "about (?:it|that)|read (?:it|that|up))",
    "out|first|then|later|today|tomorrow|tonight|at|it|that|this|them|into|on|soon|next week",
)
YES = _only(
    "",
    "yes|yeah|yep|yup|ya|sure|exactly|correct|that one|that|this one|this|do it|go ahead|right",
    "that one|that|this one|that is it|it|one|exactly",
)
WHY = _only(
    "really",
    "why|y|how come|what for|for what reason|what is the reason|whats the reason",
    "so|is|that|this|it|one|not|though|exactly|them|those|these|thats|would i|should i",
)
MORE = _only(
    "a bit|a little|some|any|even|in|give|show|tell|explain|say|me|us|i|want|need|know|to",
    "more|elaborate|details?|further|explain|longer|again|repeat|go deeper|info",
    "about|on|of|it|that|this|them|those|these|info|details?|please|one|me|to|us|again|more|in|further|the",
)
REST = Cue(
    r"^(?:(?:show|read|give|send)(?: me)? )?(?:the )?(?:rest|part (?P<number>[1-9]\d?))(?: of (?:it|that|this|the answer))?$"
)
"""A further part of a long answer."""
NO = Cue(
    r"^(?:(?:no|nope|nah|wrong|not|actually|sorry|i (?:meant|mean|said|asked|was asking)(?: about| for)?|"
    r"(?:thats|that is) not (?:it|what i meant|what i asked)|not that(?: one)?) )+"
)
OTHERS = Cue(
    r"\b(?:alternatives?|the only one|else(?! (?:is|does|can|do) (?:it|that|this)\b)|others|other (?!one\b)|another|similar|"
    r"neither|none|instead|(?<!\bi )(?<!\bwe )(?<!really )(?<!would )(?<!\bid )like (?:it|this|that)|more (?:options|"
    r"choices))\b"
)
"""Something else than what was shown, like it or instead of it; "i like it" asks for nothing else."""
COMPARING = _anywhere(
    r"compare[ds]?|comparing|comparison|differen\w+|differ|diffs?|stacks? up|measures? up|vs|versus|both|together|side by side|"
    r"opposite each other|next to each other|pros and cons|between|"
    r"(?:the|these|those) two"
)
ADDING = _anywhere("add|include|throw|put|bring")
TWO = _anywhere("(?:the|these|those) two")
_BEST = (
    "best|better|easier|easiest|simpler|simplest|faster|fastest|quicker|lighter|lightest|smallest|newest|oldest|just one|only "
    "one|prefer|recommend|suggest|pick|choose|favou?rite"
)
CHOOSING = _anywhere(f"which|{_BEST}")
BEST = _anywhere(f"{_BEST}|which (?:one|of (?:them|these|those|the two))|should (?:i|we)")
"""That one of those that are named is wanted before the others."""
AGAINST = Cue(r"\b(?:vs|versus|v|or|than|against|agst|with|to|from)(?: the)?$")
"""Words right before a name that set it against something."""
VERSUS = Cue(r"\b(?:vs|versus|v|or|than|against|agst)(?: the)?$")
SET_AGAINST = _anywhere(r"vs|versus|v|or|than|against|compare[ds]?|comparison|with|differ\w*|better")
THEM = _anywhere("they|them|their|those|these")
IT = _anywhere("(?i:it|its)")
BACK = _anywhere("it|its|that one|this one|that|this|the same")
SOUGHT = Cue(
    rf"^{_AND}(?:what(?:s| is| was)) (?:it called )?(?:the|that) (?:\w+ )?"
    r"(?:thing|thingy|one|lib|library|tool|framework|package|module) (?:for|to|that|which|with)\b"
)
"""A thing described by what it does: its "that" points forward."""
POINTS = Cue(
    r"\b(?<!as )(?<!look at )(?:its?|that one|this one|the same one|the same(?= (?:can|does|is|has|works|will))|he)\b"
    r"(?! (?:is|s)? ?(?:possible|true|ok|okay|clear|allowed|common|worth|better to|best to)\b)|"
    r"^(?:(?:and|so|but|ok|then) )*(?:(?:how|why|what|where|when|who) )?(?:is|does|can|was|has|will|do|did|would|could|made|"
    r"wrote|hows|whats|whos) (?:that|this)\b"
)
"""Words that point to one thing that was shown, and aren't those of a clause ("the thing that draws") or of an idiom."""
FOR_IT = _anywhere(
    r"(?:something|anything|a (?:tool|library|lib)|one|which|what) (?:to|that|which|for|can|could|would) \w+ "
    r"(?:it|that|this|them)"
)
"""Something that does something with what was shown: "is there something to plot it"."""
BESIDE_IT = Cue(r"\b(?:with|w|to|for|beside|behind|before|alongside|on top of|around|into) (?:it|that|this)\b")
"""Something that goes with what was shown: with a group's word, that group is asked for ("which queue goes with it")."""
BOTH = _anywhere("both|the two of them|all three|each of them")
OF_THEM = Cue(r"^(?:(?:so|and|but) )*(?:which|what) (?:one|ones|of (?:them|those|these|the two))\b")
_SHOWN = "(?:those|these|them|the (?:two|three|four|five|list|ones))"
AMONG_SHOWN = _anywhere(rf"of {_SHOWN}|among {_SHOWN}|from {_SHOWN}|one (?:that|which)|which (?:one|ones)")
"""A choice among what was shown, and nothing else."""
THE_ONE = Cue(
    r"\b(?:the|that) (?P<what>(?:(?!one\b)\w+ ){1,3})ones?\b|\b(?:the|that) one (?:with|for|about|doing|that (?:has|does|can|is|"
    r"runs?|works?|draws?|makes?|uses?)) (?P<which>(?:(?!please\b)\w+ ?){1,5})|"
    r"\bback to (?:the|that|our) (?P<back>(?:(?!(?:first|second|last|list|other|previous|start|top|beginning|step|topic|"
    r"main|one)\b)\w+ ?){1,2})"
)
"""One of those that were shown, told by something that is said of it: "the Qt one", "the one with the admin area"."""
FILTER = Cue(
    rf"^{_AND}(?:ok |now |then )*(?:(?:is there |are there |show me |give me |do |does |is |are )?(?:which|what|any|anything|"
    rf"one|some|ones)(?: (?:one|ones))? (?:of|among|from) {_SHOWN}(?: (?:is|are|has|have|can|do|does|also|ships?|comes?|"
    rf"supports?|includes?|offers?|provides?|brings?|with|built|in))*|(?:of|from|among) {_SHOWN}|"
    r"(?:only|just)(?: (?:the|those|these|show))*(?: ones?)?(?: (?:that|which|who|with|for))?|(?:(?:is there|are there|do you "
    r"have|show me|give me|i want|i need|we need|any|maybe|rather|the|an?|with) )*(?:ones?|those)(?: (?:of them))? (?=that|"
    r"which|who|for|with|to|in|on|running|working|based)|that (?=can|does|do|is|are|runs?|works?|has|have|supports?|also)|"
    r"which (?:ones? |also )?(?:is|are|has|have|can|do|does|would)(?: (?:good|suited|made))?(?: for)?|(?:which|what) ones? "
    r"(?:(?:really|actually|also|would|can|do|does|is|are|has|have|having) )*|which (?=runs?|works?|supports?|uses?|needs?|"
    r"lets?|comes?|make|draw|compile|do)|(?=the \w+(?: \w+)? ones?$)|(?=[\w ]* (?:only|ones)$))"
)
"""A filter over what was shown: what holds follows it."""
EVERYTHING = _anywhere("list|all|whole|full|everything|overview|every")
LEADING = Cue(
    rf"^(?:{_AND}(?:what about|how about|whats about|same|now|only|just|with|for|on|in|and|but|or|so|also|no)\b|and\b)"
)

DEFINES = Cue(r"\bwhat (?:is|are|does)\b|\bwhats (?!about)|\bexplain\b|\bmeans?\b")

SPANS = Cue(r"\b(?P<end>first|last|top) (?P<many>two|three|four|five|six|2|3|4|5|6|couple|pair)\b")
MANY = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "couple": 2, "pair": 2}
_WHICH_PLACE = f"(?:{_ONE_OF(ORDINALS)}|last|latter|former|middle)"
_PLACED = r"ones?|two|three|four|library|lib|framework|tool|package|choice|option|item|named|of (?:them|those|these)"
_NOT_PLACED = (
    "release|version|update|year|quarter|month|week|time|day|night|minute|project|job|customer|question|answer|name"
)
PLACE = (
    rf"(?:(?:the|your|that|this|our|my) (?:very )?(?:{_WHICH_PLACE}|other)(?! (?:{_NOT_PLACED})s?\b)(?: (?:{_PLACED})){{0,2}}|"
    rf"{_WHICH_PLACE} (?:{_PLACED})|one (?:that )?(?:you|u|we) (?:\w+ )?\w+ (?:first|last)|(?:number|option) "
    rf"(?:{_ONE_OF(CARDINALS)}))"
)
"""Words for one of those that were shown by its place: "the second one", "the last", and not "the last release"."""
ORDINAL = Cue(rf"\b(?P<which>{_WHICH_PLACE}|other(?= one\b|$))\b(?! (?:{_NOT_PLACED})s?\b)")
PLACED = _anywhere(PLACE)
NUMBER = Cue(rf"\b(?:number|num|nr|no|nummer|option|item|choice|point) (?P<number>{_ONE_OF(CARDINALS)})\b")
_NUMBER = f"(?:{_ONE_OF(CARDINALS)})"
_BESIDE = f"(?:and|or|vs|versus|with|to|against) {_NUMBER}"
NUMBERS = Cue(
    rf"^{_AND}(?:(?:show|open|take|give|me|tell|about|pick|choose|skip \d+|whats|what is) )*{_NUMBER}(?: {_BESIDE})*$|"
    f"^{_AND}compare {_NUMBER}(?: {_BESIDE})+$"
)
STEP = Cue(rf"\bstep (?:number |no )?(?P<which>[0-9]+|{_ONE_OF((*ORDINALS, *CARDINALS))})\b")
AFTER = frozenset("after finished finish done completed complete beyond following past".split())
"""Words that make "step 3" mean the one behind it."""

PAST = Cue(
    r"^(?:(?:and|ok|so|but|then|alright) )*(?:what (?:comes|is|do i do) )?(?:after|once|beyond|past) (?!that\b|this\b|it\b)\w+|"
    r"\b(?:already|i know|i have|i did|i can|ive|done with|finished)\b.*\b(?:next|after|now|then|study|learn|skip|further)\b"
)
"""What is behind a step that is named: "and after the basics?", "I know loops already, what next"."""
OTHER_SIDE = _anywhere("(?:the )?(?:other (?:side|end|half)|opposite|counterpart)")
STEPS = frozenset(("step", "steps"))
ENDS = frozenset("backend frontend".split())
"""A comparison of both ("frontend vs backend") depends on nothing that was shown."""
SIDES = frozenset("backend frontend side step steps for when features good kind".split())
"""Words for attributes that may also be asked of the pack's subject: a message with one of them needs no earlier answer."""
GENERAL = frozenset(
    """one ones on in the a an for of with at side based things thing stuff only just now same and or but so them those these
    work works good do can as well too please about what whats how other instead then now
    side end half opposite counterpart""".split()
)
"""Words that may stand beside a group's word in a message that only names the group ("and the async ones please")."""
