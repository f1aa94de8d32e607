"""Exclusions: what a message asks to leave out ("a task queue that isn't Celery", "anything but Flask", "not the first one").

A message is rewritten with marks in place of names, and matched against classes of plain English: exceptive prepositions,
verbs of refusal, negated copulas, and clauses that say something bad. Nothing here depends on a pack's subject.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from bot.text import word_breaks
from bot.understanding import cues
from bot.understanding.names import Mention
from bot.understanding.question_type import STOPWORDS
from bot.understanding.reading import Reading

LONGEST_MESSAGE = 60
"""Words of a message up to which exclusions are looked for; a longer one is pasted text."""


@dataclass(frozen=True, slots=True)
class Exclusion:
    """What a message leaves out.

    Attributes:
        mentions: Names that are left out: cards, and things that the pack doesn't describe.
        places: Words for what was shown before: "first", "last", "it", "those".
        kinds: Words for kinds of things, none of which is wanted: "the async ones".
        rest: The message without them; empty if nothing else is said.
        is_said: It is a refusal, and not only something that the person has already.
    """

    mentions: tuple[Mention, ...] = ()
    places: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    rest: str = ""
    is_said: bool = True

    @property
    def names_no_card(self) -> bool:
        """Whether nothing that the pack has a card of is left out by its name."""
        return not any(mention.name.kind == "card" for mention in self.mentions)


# --- what may be left out: @0 is a name, #0 a word for a kind, and words that point to what was shown

_PLACE = (
    rf"(?:{cues.PLACE}|(?:that|this) (?:one|thing)|(?:that|this)(?=$| (?:[,.;!?]|for|please|either|though|is|was|wont|will|"
    r"can|out|off|aside|away))|it|them|the (?:two|three|ones)(?: (?:i|you|we) (?:just |already )?\w+(?: about)?)?|"
    r"(?:those|these)(?: two| three| ones)?|both|(?:both|either|any|all) of (?:them|those|these))"
)
_FILLING = (
    "the|a|an|any|anything|all|using|use|to|having|have|being|with|from|like|about|of|for|called|named|everything|whatever|"
    "what|that|which|is|are|needs?|tied|depends?|based|on|stuff|things|ones?|touching|drag|another|same|more"
)
_NOUN = r"(?: (?:ones?|stuff|things?|libs?|librar\w+|frameworks?))?"
_KIND = (
    r"#\d+(?=$| (?:[,.;:!?)]|ones?|stuff|things?|libs?|librar\w+|frameworks?|please|for|or|and|but|which|that|nor|in|out|"
    r"off|is|either|at|over|here|anymore|needed|required|necessary))"
)
_ITEM = rf"(?:(?:{_FILLING}) ){{0,5}}?(?:@\d+|{_KIND}|{_PLACE}){_NOUN}"
_NEXT_ITEM = rf"(?:(?:the|a|an|any|using|with) ){{0,2}}?(?:@\d+|#\d+|{_PLACE}){_NOUN}"
_AND = r"(?: (?:and|or|nor|also|plus|either|as well as|such as))++"
_LISTED = r" ,(?= [@#]\d+(?: , [@#]\d+)*(?: ,)? (?:and|or|nor) )"
"""A comma between two of a list that ends with "and" or "or": in "not Django, Flask please" the second one is wanted."""
_ITEMS = rf"(?P<items>{_ITEM}(?:(?:(?: ,)?{_AND}|(?: \w+)? like|{_LISTED}) {_NEXT_ITEM})*+)"
_COMMA_ITEMS = rf"(?P<items>{_ITEM}(?:(?:(?: ,)?{_AND}| ,) {_NEXT_ITEM})*+)"
_OR_ITEMS = rf"(?P<items>{_ITEM}(?:{_AND} {_NEXT_ITEM})*+)"

_NEVER = (
    r"(?:dont|do not|didnt|did not|doesnt|cant|can not|cannot|couldnt|could not|wont|will not|wouldnt|would not|shouldnt|"
    r"must not|mustnt|may not|neednt|need not|have not|have no|are not|arent|am not|not|never|no longer|aint|no one|"
    r"nobody|nothing|nt)"
)
_VERB = (
    r"(?:want|wanna|wants|like|likes|love|enjoy|trust|need|have|take|use|using|run|stand|bear|consider|recommend|suggest|"
    r"show|list|include|mention|mean|meant|go|going|work|pick|choose|buy|allow|allowed|accept|care|get along|have to use|"
    r"look at|bother|put up|deal|come|give me|tell me|talk|drag|be|run on|afford)"
)
_DISLIKE = (
    r"(?:hates?|hated|dislikes?|disliked|detest|loathe|avoid|avoiding|skip|drop|exclude|excluding|remove|removing|ignore|"
    r"omit|ditch|scratch|strike|bin|cut|cross out|cross off|rule out|ruled out|leave out|leaving out|leave off|leaving off|"
    r"leave aside|leaving aside|take away|take out|throw out|kick out|get rid of|no fan of|not a fan of|no friend of|"
    r"tired of|sick of|bored of|bored with|fed up with|had enough of|done with|finished with|through with|allergic to|"
    r"opposed to|(?:couldnt |could not )?care less about|never mind|blocks?|blocked|prohibits?|disallows?|away from|"
    r"migrating from|off|forbids?|forbade|bans?|banned|vetoed|veto|rejected|refuse|refuses|subtract|filter out|forget|"
    r"no to|say no to|spare (?:me|us)|(?:had )?(?:more than )?enough of)"
)
_EXCEPT = (
    r"(?:except(?: for| from)?|excepting|excl|besides|beside|apart from|aside from|outside of|other than|others than|"
    r"(?:something|anything|ones?|a \w+) different (?:from|than|to)|(?:anything|everything|everyone|all|any|something) but|"
    r"without|minus|beyond|barring|save for|(?<=any of them )save|(?<=anything )save|(?<=all )save|(?<=everything )save|not "
    r"counting|not including|not using|sans|w o|(?:nothing|no \w+|none) (?:with|from|like|using|based on|that (?:needs|uses|is|"
    r"has)))"
)
_OUT = (
    r"(?:out(?: of (?:the )?(?:question|scope|picture))?|off(?: the table| limits)?|not an option|no option|(?:a )?no go|"
    r"not allowed|forbidden|banned|excluded|vetoed|ruled out|(?:a )?non starter|a deal breaker|dead to (?:me|us)|"
    r"not for (?:me|us)|not what (?:i|we) (?:want|need)|impossible|not possible|unavailable|a hard pass|hard pass|dated|"
    r"taken|too \w+)"
)
_GETS = r"(?:is|are|was|were|has been|s|gets|got|being|as|seems|looks|feels)"
_IS_NOT = (
    r"(?:isnt|is not|s not|arent|are not|wasnt|werent|were not|aint|cant be|neednt be|need not be|cannot be|wont be|not|"
    r"thats not)"
)
_ADVERBS = (
    "(?:(?:really|just|already|also|still|even|particularly|actually|personally|absolutely|definitely|much|too|way|far|so|"
    "all) )*"
)
_WHO = r"(?:(?:i|we|you|they|he|she|people|please|my \w+|our \w+|the \w+(?: \w+)?) )?"
_WOULD = (
    r"(?:(?:am|im|are|were|is|was|ve|have|has|been|want to|wants to|like to|prefer to|need to|must|should|have to|got to|"
    r"would|id|can you|could you) )*"
)
_FOR_US = r"(?: for (?:me|us|my \w+|our \w+))?"
_STATES = (
    rf"{_NEVER} (?:(?!(?:but|because|since|so|and|which|what|if|when|than)\b)[a-z]+ ){{1,4}}?(?P<items>"
    rf"(?:@\d+|{_KIND})(?:{_AND} (?:the )?@\d+)*+)",
    rf"{_ITEMS} (?:{_GETS} {_ADVERBS}{_OUT}|{_IS_NOT} {_ADVERBS}(?:(?:really|an?|the|our|my) )*(?:option|choice|possible|"
    rf"allowed|available|for (?:me|us)|on the table|thing|favou?rite)|(?:\? )?(?:{_OUT}|no|nope|nah|no "
    rf"thanks|no thank you|no way|meh|aside|excepted)(?= [,.;!?)]|$)){_FOR_US}",
    rf"{_ITEMS} (?:(?:i|we|he|they) )?{_NEVER} (?:the right|permitted|do|fit|suit|help|cut it|{_VERB})(?: (?:it|to|use|like|"
    rf"want|allowed))*{_FOR_US}",
)
"""Patterns of what is said of something ("Django is out", "it doesn't work for us"), where something else is asked for."""
_REFUSALS = (
    rf"(?:leave|take|count|rule|cross|keep|put|throw|kick|filter) {_ITEMS} (?:out|off|away|aside)(?: of (?:it|this|them|there))?",
    rf"{_WHO}{_ADVERBS}(?:{_NEVER} {_ADVERBS}){_VERB}(?: (?:to|for|with|on|in|through|via|up with|along with|see|have|use|"
    rf"using|used|be))* {_ITEMS}(?: (?:anymore|any more|at all|either|again|please|now|here|in))*",
    rf"{_WHO}{_WOULD}{_ADVERBS}{_DISLIKE}(?: (?:using|use|from|on))* {_ITEMS}(?: (?:please|now|for now|out|off|from (?:it|"
    rf"that|this|there)))*",
    rf"(?:(?:that|which|who|it|thats|whats|ones?) )?{_IS_NOT} {_ADVERBS}{_ITEMS}",
    rf"(?:every|any|all|another)(?: \S+){{1,3}} (?P<but>but) {_ITEMS}",
    rf"{_EXCEPT} {_COMMA_ITEMS}(?: (?:please|pls|either|of course))*",
    rf"(?:instead of|rather than|in place of|in lieu of) {_OR_ITEMS}",
    rf"(?:but not|and not|but no|nothing|none of the|no|non|not|neither|nor|than) {_ITEMS}(?: (?:please|pls|either|of course))*",
    rf"(?:other|others|another|different|else) (?:\S+ ){{0,4}}?than {_ITEMS}",
    r"(?P<items>(?:neither|none)(?: of (?:them|those|these|the two|which))?)(?! (?:of|@|\w))",
)
_ALTERNATIVES = (
    rf"(?:alternatives?|replacements?|substitutes?|competitors?|rivals?) (?:to|for|of) {_ITEMS}",
    rf"{_ITEMS} (?:alternatives?|replacements?|substitutes?|competitors?|rivals?)",
    rf"(?:(?:similar|comparable) to|replac(?:e|ing)|(?<=anything )like|(?<=something )like) {_ITEMS}(?= ?[?.!]|$)",
)
"""Patterns of something of the kind of a name; that it isn't that one needs no word."""


@cache
def exclusion_patterns() -> tuple[tuple[re.Pattern[str], bool, bool], ...]:
    """Each pattern, whether it only states something, and whether it asks for alternatives; compiled when first needed."""
    found = [
        *((pattern, False, False) for pattern in _REFUSALS[:3]),
        *((pattern, True, False) for pattern in _STATES),
        *((pattern, False, False) for pattern in _REFUSALS[3:]),
        *((pattern, False, True) for pattern in _ALTERNATIVES),
    ]
    return tuple((re.compile(rf"(?<!\S){text}(?!\S)"), states, alternative) for text, states, alternative in found)


_GUARDS = re.compile(
    r"(?<!\S)(?:what if|is there nothing|(?:no|not a|nothing) (?:problem|issue|wrong|bad)|miss out|(?:wouldnt|would not) mind|"
    r"(?:dont|do not) (?:care|mind)|not (?:good|bad) at|(?:did not|didnt|have not|havent) (?:\w+ ){0,2}?(?:answer|say|tell|"
    r"mention|explain|ask)|(?:dont|do not|never|lets not) (?:forget|miss|mind)|never (?:used|tried|heard|seen|met|worked|come|"
    r"touched)|(?:know|knows|knew|heard) nothing|nothing (?:about|of)|why (?:not|dont|do not|doesnt|isnt|arent|wasnt|shouldnt|"
    r"should|would|wouldnt|cant|couldnt|wont|do|does|did|is|are)|when (?:not|should(?:nt)?|is|are|was|does)|how (?:do|can|to|"
    r"should|would|could)(?: (?:i|we|you|one|to))? (?:\w+ )?(?:remov\w+|avoid|skip|drop|exclude|ignore|block|ban|forget|get "
    r"rid|cut|bin|ditch|leave|take)|(?:whats|what is|anything|something) wrong|what (?:do|does|have|has) \w+ (?:have )?against|"
    r"(?:should|do|does|did|must|is it|are) (?:\w+ ){1,2}?(?:really )?(?:avoid|skip|drop|hate|dislike|ditch|forget)|not "
    r"(?:only|just|sure|even|yet|to mention|certain|familiar|much|about|so|too|because|necessarily|clear)|(?:dont|do not|didnt|"
    r"doesnt|cant|never|not|havent|no idea|nobody) (?:\w+ ){0,2}?(?:know|understand|heard?|get (?:what|why|how|the)|explain|"
    r"idea|see (?:what|why|how|the)|remember)|no (?:idea|clue)|without (?:ever|much|any|having to|(?!using|having|needing|"
    r"touching|involving|including|any)\w+ing)|with or without|with and without|cant do without|cannot do without|can not do "
    r"without|nothing (?:but|except)|no other|(?:dont|do not|cant|not|never|shouldnt|without) (?:\w+ ){0,2}?(?:remov\w+|"
    r"drop\w*|skip\w*|avoid\w*|leav\w+|exclud\w+|ditch\w*|hat\w+)|if not|or not|does it not|is it not|whether)(?!\S)"
)
"""Words with which a negation leaves nothing out: "why not Django", "not only Flask", "no idea what Pyodide does"."""
_NEGATIVE_QUESTION = re.compile(
    r"(?:^|(?<=[,.;!?] )|(?<=\band )|(?<=\bbut )|(?<=\bso ))(?:isnt|arent|wasnt|doesnt|dont|cant|couldnt|didnt|hasnt|havent|"
    r"wont|wouldnt|shouldnt|aint)(?= (?:@\d|it |that |this |there |you |i |we |they ))"
)
"""A question that hopes for a yes: "isn't Flask enough", "don't you have anything on Toga"."""
_ONLY = re.compile(r"(?<!\S)no (?:\w+ |#\d+ ){1,3}but @\d+")
"""Only that: "no task queue but Celery"."""
_DENIAL = re.compile(
    r"(?:(?:so|and|but) )*(?:its|it is|it s|thats|that is) (?:not|isnt) (?:an? |the )?#\d+(?: \w+)? \?$|"
    r"(?:(?:so|and|but) )*no #\d+(?: \w+)? \?$"
)
"""A question whether something isn't of a kind: "so it's not a backend thing?"."""
_YES_NO = re.compile(r"(?:(?:so|and|but|then|ok) )*(?:is|are|was|does|do|can|must|will|has|have) ")
"""A question for yes or no: what it only states, it asks ("is Flask banned?")."""
_BAD = re.compile(
    r"(?<!\S)(?:hates?|hated|dislikes?|dead|bad|worst|awful|terrible|horrible|ugly|tired|sick|fed|bored|vetoed|forbids?|"
    r"forbidden|banned|prohibited|heavy|heavier|heavyweight|slow|outdated|ancient|obsolete|abandoned|buggy|clunky|messy|"
    r"expensive|complicated|complex|against|avoid|refuse[ds]?|reject(?:ed)?|failed|leaving|scars|pain|painful|annoying|annoyed|"
    r"boring|overkill|unhappy|disappointed|struggled?|moved|migrating|drops?|dropped|ditched|pushing|none|burned|burnt|useless|"
    r"shudder|nightmare|headache|disaster|mess|gave up|give up|fails?|broke|broken|crash\w*|trouble|sucks?|crap|trash|worse|"
    r"falls? (?:away|off|out)|fell (?:away|off|out|through)|away from|scared|afraid|dated|ugh|meh|hard pass|unavailable|been "
    r"there)(?!\S)"
)
"""Words of a clause that says nothing good of a name in it, where something else of its kind is asked for."""
_CLAUSE = re.compile(
    r" (?:[,.;:!?]|-|(?:but|so|because|since|cause|cuz)(?!\S)|and (?=(?:i|we|my|our|its|it|then|now|what|which|so|want|"
    r"need)\b)) ?"
)
"""The end of a clause."""
_PRONOUN = re.compile(r"(?:\S+ )*(?:it|that|this|them|those|these)")
_STATEMENT = re.compile(
    r"(?:(?:because|since|as|cause) )?(?:i|we|my|our|its?|they|he|she|everyone|everybody|im|ive|weve)(?!\S)"
)
"""What is left of a message, where it says something of people and asks for nothing."""
_SENTENCE = re.compile(r" [.;!?] ?")
"""The end of a sentence."""
_NEGATION = re.compile(rf"(?<!\S)(?:{_NEVER}|no|nah|nope|neither|nor)(?!\S)")
_NEGATED_VERB = re.compile(
    r", (?:it |that |they )?(?:doesnt|does not|didnt|did not|isnt|is not|arent|wasnt|was not|wont|will not|not|never) "
)
"""What a clause says of a name in the one before it: "Kivy I have tried, does not please me"."""
_TROUBLE = re.compile(
    r"(?<!\S)(?:cant|cannot|can not|wont|couldnt|doesnt|dont|didnt) (?:\w+ ){0,2}?(?:install|find|import|open|load|start|build|"
    r"get|work|run)(?!\S)|(?<!\S)to work(?!\S)"
)
"""Trouble with something: who asks for nothing else wants help with it."""
_COMPARED = re.compile(r"(?<!\S)(?:compar\w+|differen\w+|differ|diff|vs|versus)(?!\S)")
"""Things are compared: what isn't wanted is said of the comparison."""
_TAG = re.compile(r"(?:right|correct|can i|can we|is it|does it|do i|isnt it|doesnt it|eh) \?$")
"""The end of a statement that asks for a yes: "Flask has no admin, right?"."""
_QUESTION = re.compile(
    r"(?:and |but |so |then |ok )*(?:is|are|does|do|can|could|would|what|which|how|who|where|when|why|whats|hows)(?!\S)"
)
_LEFTOVER = re.compile(
    r"^(?:(?:and|but|or|nor|so|then|that|which|with|also|please|ok|the|just|now|something|anything|one|ones|for|is|it|to|me|"
    r"us|i|we|[,.;:!?]) )*$"
)
"""Words that say nothing when they are all that is left."""
_TRIMMED = re.compile(
    r"^(?:[,.;:!?)(]|and|but|or|nor|so|also|then|that|of|please)(?= |$) ?| ?(?:[,.;:!?)(]|and|but|or|nor|also|that|which|"
    r"who)$"
)


def exclusion_of(reading: Reading, kinds: Collection[str], standing: Collection[str] = ()) -> Exclusion | None:
    """What a message leaves out; None if it leaves nothing out.

    Args:
        reading: The whole message.
        kinds: Words for kinds of things, such as the groups' words.
        standing: Ids of cards that were shown together: to say something bad of one of them is to ask for the others.
    """
    if len(reading.tokens) > LONGEST_MESSAGE or reading.ranking.is_exact:
        return None
    marked = _Marked.of(reading, kinds)
    text = marked.text
    is_hoping = _NEGATIVE_QUESTION.search(text) and not _OTHER.search(text)
    if is_hoping or _ONLY.search(text) or _DENIAL.match(text):
        return None
    found = _Found(marked, reading.mentions, standing)
    found.look_for_refusals()
    found.look_at_clauses()
    if not found.items and "#" in text and "@" not in text and _OTHER.search(text):
        return Exclusion(places=("it",), rest=marked.words(text), is_said=False)
    if not found.items:
        return None
    left = rest = _without(text, found.spans)
    if not _wants(left) and _STATEMENT.match(left):
        left = ""  # "drop FastAPI from that, we have it already"
    exclusion = marked.exclusion(_with_antecedents(found.items, text), left, found.is_said)
    cards = [f"@{number}" for number, mention in enumerate(reading.mentions) if mention.name.kind == "card"]
    is_about_other = not set(cards).isdisjoint(rest.split()) and (not found.is_said or not exclusion.places)
    if is_about_other and (found.asks_alternative or exclusion.names_no_card):
        return None  # "Besides the ORM, what else is in Django?", "is FastAPI an alternative to Flask?"
    return exclusion


class _Found:
    """What is found to be left out of a message, step by step.

    Attributes:
        spans: Start and end of the parts that say it.
        items: What they name.
        is_said: See `Exclusion`.
        asks_alternative: Alternatives to something are asked for.
    """

    def __init__(self, marked: _Marked, mentions: Sequence[Mention], standing: Collection[str]) -> None:
        self._text, self._mentions, self._standing = marked.text, mentions, standing
        self._clauses = list(_clauses(marked.text))
        self._guarded = [
            (match.start(), next(end for _, end in self._clauses if match.start() <= end))
            for match in _GUARDS.finditer(marked.text)
        ]
        self.spans: list[tuple[int, int]] = []
        self.items: list[str] = []
        self.is_said = self.asks_alternative = False

    def look_for_refusals(self) -> None:
        """Find what the patterns say is refused, left aside, or to be replaced."""
        for pattern, is_stated, asks_alternative in exclusion_patterns():
            for match in pattern.finditer(self._text):
                if self._is_taken(match.span()) or _is_compared(match, self._text) or self._is_about(match, is_stated):
                    continue
                start = match.start("but") if "but" in match.groupdict() else match.start()
                wanted = re.match(r"(?:#\d+(?: ,)? )+(?=@)", match[0])  # "an async web framework, Tornado is out"
                self.spans.append((start + (wanted.end() if wanted else 0), match.end()))
                self.items.append(match["items"])
                self.asks_alternative = self.asks_alternative or asks_alternative
                self.is_said = self.is_said or not asks_alternative

    def _is_about(self, match: re.Match[str], is_stated: bool) -> bool:
        """Whether the message asks something about what a pattern found, instead of leaving it out."""
        others = " ".join(f"{self._text[: match.start()]} , {self._text[match.end() :]}".split())
        if (is_stated and _YES_NO.match(self._text)) or match[0].startswith(("forget #", "never mind #")):
            return True  # "is Flask banned?"; "forget charts" leads to another subject
        if "@" in match["items"] and _ASKS_ABOUT_IT.search(others):
            return True
        is_asked = _wants(others)
        if not is_asked and (_TROUBLE.search(match[0]) or _TAG.search(self._text) or _COMPARED.search(self._text)):
            return True  # "I can't install Flask", "Flask has no admin, right?", "Flask vs Django, not the history"
        points = _PRONOUN.fullmatch(match["items"]) and (is_stated or "@" not in others)
        is_wanted = is_asked or self._is_shown(match["items"]) or _LEFTOVER.match(f"{others} ")
        return bool(is_stated or points) and not is_wanted  # "can't install Psycopg2, help"

    def look_at_clauses(self) -> None:
        """Find clauses and sentences that say something bad of a name, or that it is known, where something else is asked for."""
        text = self._text
        for start, end in dict.fromkeys((*self._clauses, *_clauses(text, _SENTENCE))):
            clause, others = text[start:end], f"{text[:start]} , {text[end:]}"
            if self._is_taken((start, end)) or not _ITEM_ALONE.search(clause):
                continue
            is_named_again = not set(re.findall(r"@\d+", clause)).isdisjoint(_same_names(others, self._mentions))
            if is_named_again or _ASKS_ABOUT_IT.search(others):
                continue  # the question is about it
            negation = _NEGATION if (start, end) in self._clauses else _NEGATED_VERB
            is_bad, is_shown = _BAD.search(clause) or negation.search(clause), self._is_shown(clause)
            asks = _QUESTION.match(clause) or text[end:].strip().startswith("?") or _TAG.search(text)
            asks = asks or _TROUBLE.search(clause) or _COMPARED.search(text)
            is_turned_down = is_bad and (_WANTS_KIND.search(others) or (is_shown and not asks))
            asks_other = _OTHER.search(others) and not _OTHER.search(clause)
            if is_turned_down or (asks_other and (is_shown or _WANTS_KIND.search(others))):
                self.spans.append((start, end))
                self.items += re.findall(r"@\d+", clause) or _ITEM_ALONE.findall(clause)
                self.is_said = self.is_said or is_bad is not None

    def _is_taken(self, span: tuple[int, int]) -> bool:
        """Whether a guard or something that was found covers a part of it."""
        return _touches(span, self._guarded) or _touches(span, self.spans)

    def _is_shown(self, text: str) -> bool:
        """Whether a text names a card that was shown together with others."""
        named = {self._mentions[int(mark[1:])].name.about for mark in re.findall(r"@\d+", text)}
        return not named.isdisjoint(self._standing)


def _wants(text: str) -> bool:
    """Whether something of a kind, or something else, is asked for."""
    return bool(_WANTS_KIND.search(text) or _OTHER.search(text))


_OTHER = re.compile(
    r"(?<!\S)(?:else|(?<!each )other(?! one ,)|others|(?<!on )(?<!with )(?<!was )another(?! (?:@\d|team|person))|different|"
    r"alternatives?|instead(?! of)|(?:something|anything|a) (?:new|fresh)(?= [.?!]|$)|ones? (?:that )?i (?:dont|do not) know|"
    r"#\d+(?: (?:exists?|are there|is there))? more(?= [.?!]|$)|left(?= (?:that|to|for|[?.!])|$)|in (?:its|their) place|what "
    r"(?:do|should|can) (?:i|we) add|remaining|remains?|rest)(?!\S)"
)
"""Something else of the same kind is asked for."""


def _with_antecedents(items: Sequence[str], text: str) -> list[str]:
    """The items; what a pronoun stands for in the message itself, in its place: "I know Databases, I don't mean that"."""
    named = re.findall(
        rf"(?<!\S)(?:@\d+|(?:the )?(?:{'|'.join(cues.ORDINALS)}|last|latter|former)(?: one)?)(?!\S)", text
    )
    result = list[str]()
    for item in items:
        is_pronoun = (
            re.fullmatch(r"(?:\S+ )*(?:it|that|this|them|those|these)(?: one| ones)?", item) is not None
            and "@" not in item
        )
        is_plural = item.startswith(("neither", "none")) or cues.THEM.search(item) is not None
        is_pronoun = is_pronoun or item.startswith(("neither", "none"))
        result += named if is_pronoun and named else [item] if not is_pronoun else ["those" if is_plural else "it"]
    return result


_IS = re.compile(r"(?<!\S)(it|that)s(?= (?:not|too|out|way|really|so|off|no|dead|just|banned|forbidden) )")
"""The contracted "is" before what may be said of something that isn't wanted."""
_ITEM_ALONE = re.compile(rf"(?<!\S)(?:@\d+|{_PLACE})(?!\S)")
_WANTS_KIND = re.compile(
    r"(?<!\S)(?:(?:what|which|any|some|another|other|a|one) (?:else|others?|#\d+|librar\w+|frameworks?|tools?|libs?|packages?|"
    r"toolkits?|one)|recommend\w*|suggest\w*|options?|alternatives?|others?(?= [?.!]|$)|others|looking for|choose|which (?:one|"
    r"ones|of the others)|next (?:best|one|suggestion)|whats next|substitutes?|replacements?|what now|so(?= \?)|what i (?:take|"
    r"use)|more(?= \?)|list|left|what (?:do|should|can|could|would) (?:i|we|you)(?! do(?!\S))|(?:show|give|tell|name) (?:me "
    r")?(?:one|some|more)|something|anything|#\d+)(?!\S)"
)
"""Something of a kind is asked for, and not what something is."""


_ASKS_ABOUT_IT = re.compile(
    r"(?<!\S)(?:is|does|can|did|was|has|about|whats|wheres|hows|what is|explain) (?:it|that|they|them)(?!\S)"
)
"""A question about what a pronoun stands for: "what else is it known for"."""


def _same_names(text: str, mentions: Sequence[Mention]) -> set[str]:
    """The marks of all mentions of what a text names."""
    about = {mentions[int(mark[1:])].name.about for mark in re.findall(r"@\d+", text)}
    return {f"@{number}" for number, mention in enumerate(mentions) if mention.name.about in about}


def _is_compared(match: re.Match[str], text: str) -> bool:
    """Whether "instead of", "than" and the like stand between two names: "Flask instead of Django" leaves nothing out."""
    lead = text[match.start() : match.start("items")].split()
    if not lead or lead[0] not in ("instead", "rather", "than", "in", "different"):
        return False
    if lead[0] == "than":
        return not re.search(r"\brather (?:\S+ )+$", text[: match.start()]) or "@" in text[: match.start()]
    return "@" in text[: match.start()]


def _touches(span: tuple[int, int], others: Sequence[tuple[int, int]]) -> bool:
    return any(span[0] < end and start < span[1] for start, end in others)


def _clauses(text: str, end: re.Pattern[str] = _CLAUSE) -> Iterator[tuple[int, int]]:
    """Start and end of each clause, or of what else ends so."""
    start = 0
    for match in end.finditer(text):
        yield start, match.start()
        start = match.end()
    yield start, len(text)


def _without(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """The text without these spans, and without what then stands alone at its ends."""
    kept = list(text)
    for start, end in spans:
        kept[start:end] = " " * (end - start)
    rest = " ".join("".join(kept).split())
    while (shorter := _TRIMMED.sub("", rest).strip()) != rest:
        rest = shorter
    return "" if _LEFTOVER.match(f"{rest} ") else rest


@dataclass(frozen=True, slots=True)
class _Marked:
    """A message with marks in place of names (@0) and words for kinds (#0), and punctuation as words of its own."""

    text: str
    mentions: tuple[Mention, ...]
    kinds: tuple[str, ...]
    tokens: tuple[str, ...]

    @classmethod
    def of(cls, reading: Reading, kinds: Collection[str]) -> _Marked:
        breaks = word_breaks(reading.text)
        breaks = breaks if len(breaks) == len(reading.tokens) + 1 else [""] * (len(reading.tokens) + 1)
        starts = {mention.start: number for number, mention in enumerate(reading.mentions)}
        parts, found = list[str](), list[str]()
        position = 0
        while position < len(reading.tokens):
            if breaks[position]:
                parts.append(breaks[position])
            before = reading.tokens[position - 1] if position else ""
            if position in starts and not (reading.tokens[position] == "go" and before in _BEFORE_GO):
                parts.append(f"@{starts[position]}")
                position = reading.mentions[starts[position]].end
            elif (kind := _kind_at(reading.tokens, position, kinds)) is not None:
                parts.append(f"#{len(found)}")
                found.append(kind)
                position += len(kind.split())
            else:
                parts.append(reading.tokens[position])
                position += 1
        text = _IS.sub(r"\1 s", " ".join([*parts, breaks[-1]]).strip())
        return cls(text, reading.mentions, tuple(found), reading.tokens)

    def exclusion(self, items: Sequence[str], rest: str, is_said: bool) -> Exclusion:
        marks = [mark for item in items for mark in re.findall(r"@\d+" if "@" in item else r"#\d+", item)]
        places = [
            place.group()
            for item in items
            for place in re.finditer(rf"(?<!\S){_PLACE}(?!\S)", re.sub(r"[@#]\d+", ",", item))
        ]
        return Exclusion(
            tuple(dict.fromkeys(self.mentions[int(mark[1:])] for mark in marks if mark[0] == "@")),
            tuple(dict.fromkeys(places)),
            tuple(dict.fromkeys(self.kinds[int(mark[1:])] for mark in marks if mark[0] == "#")),
            self.words(rest),
            is_said,
        )

    def words(self, text: str) -> str:
        """A marked text with the words in place of the marks."""
        return re.sub(r" ([,.;:!?])", r"\1", " ".join(map(self._word, text.split())))

    def _word(self, mark: str) -> str:
        """The words that stand for a mark."""
        if mark[0] == "@":
            mention = self.mentions[int(mark[1:])]
            return " ".join(self.tokens[mention.start : mention.end])
        return self.kinds[int(mark[1:])] if mark[0] == "#" else mark


_BEFORE_GO = frozenset("no not to cant cannot can dont doesnt didnt wont will would could i we you they lets a".split())
"""Words before "go" that make it no name."""


def _kind_at(tokens: Sequence[str], position: int, kinds: Collection[str]) -> str | None:
    """The longest word for a kind that begins at this token."""
    for length in (3, 2, 1):
        words = " ".join(tokens[position : position + length])
        if words in kinds and words not in STOPWORDS:
            return words
    return None
