"""The matching engine on a pack of an office's handbook: what it finds, what it corrects, and when it holds back."""

import dataclasses
import itertools

import numpy as np
import pytest

from bot.retrieval import documents, naive_bayes, tfidf
from bot.retrieval.calibration import OPERATING_POINTS
from bot.retrieval.embeddings import word_vectors
from bot.retrieval.gate import confidence, generic_gate, support, support_needed
from bot.retrieval.index import Index
from bot.retrieval.scoring import score
from bot.retrieval.serialize import load, save
from bot.retrieval.spelling import english_lexicon, letter_signature, letter_signatures

HOLIDAYS, SICK, PARKING, WIFI, EXPENSES, KITCHEN = range(6)

ASKS = {
    HOLIDAYS: "how many vacation days do i get|book a holiday|annual leave|i want to take a week off|days off per year|"
    "request time off|can i carry over unused leave|who approves my vacation|leave request form|how do i plan my holidays|"
    "when must i hand in holidays|remaining vacation days",
    SICK: "i am ill today|who do i call when sick|sick note|do i need a doctor's certificate|calling in sick|my child is ill|"
    "how long can i be ill without a note|report an illness|i feel unwell and stay home|sick leave rules|flu|"
    "tell my manager that i am sick",
    PARKING: "where can i park|is there a car park|parking permit|bike racks|parking for visitors|can i charge an electric car|"
    "does parking cost anything|garage entrance|my car has no space|parking at night|which level may i park on|motorbike",
    WIFI: "what is the wifi password|connect to the network|internet is down|guest wifi|wireless at the office|no connection|"
    "slow internet|how do i get online|network for visitors|vpn from home|laptop can't find the wifi|router",
    EXPENSES: "how do i claim expenses|reimburse my train ticket|where do receipts go|travel costs|hotel bill|expense report|"
    "when do i get my money back|mileage|which costs are paid|company credit card|lunch with a client|upload a receipt",
    KITCHEN: "who cleans the kitchen|coffee machine is broken|is there milk|dishwasher|fridge rules|where are the cups|"
    "the tap drips|order more coffee beans|can i heat my lunch|tea|microwave|kitchen duty",
}
OUT_OF_SCOPE = (
    "what is the weather tomorrow",
    "who won the match",
    "translate this into french",
    "pension fund",
    "salary date",
)


@pytest.fixture(scope="module")
def index() -> Index:
    asks = [(ask, entry) for entry, line in ASKS.items() for ask in line.split("|")]
    return Index.build(asks, 7, out_of_scope=OUT_OF_SCOPE, synonyms={"wifi": ["wi fi", "wlan"]}, subject=["office"])


@pytest.mark.parametrize(
    ("question", "entry"),
    [
        ("how can i book vacation", HOLIDAYS),
        ("whats the pasword of the wlan", WIFI),
        ("i think i have the flu", SICK),
        ("wher can i parkk my bicicle", PARKING),
        ("refund for a taxi receipt", EXPENSES),
        ("the cofee machne leaks", KITCHEN),
    ],
)
def test_a_question_finds_its_entry(index: Index, question: str, entry: int) -> None:
    assert index.rank(question).candidates[0].target_index == entry


def test_every_phrasing_finds_itself_for_sure(index: Index) -> None:
    for entry, line in ASKS.items():
        for ask in line.split("|"):
            found = index.rank(ask.upper() + "?")
            assert (found.candidates[0].target_index, found.is_exact, found.confidence) == (entry, True, 1.0)


def test_the_evidence_is_named(index: Index) -> None:
    found = index.rank("vacatoin days for my hamster")
    assert found.corrections == (("vacatoin", "vacation"),)
    assert "hamster" in [unknown.word for unknown in found.unknown_words if unknown.is_english]
    assert found.candidates[0].text in ASKS[HOLIDAYS].split("|")
    assert 0 < found.coverage <= found.pack_coverage < 1


def test_a_synonym_is_the_word_itself(index: Index) -> None:
    assert index.rank("guest wi fi").candidates[0].score == pytest.approx(index.rank("guest wifi").candidates[0].score)


def test_a_listed_out_of_scope_question_is_known_as_one(index: Index) -> None:
    found = index.rank("Who won the match?")
    assert found.is_exact_out_of_scope
    assert not found.is_exact
    assert found.confidence < 0.5


def test_out_of_scope_questions_stay_below_the_gate(index: Index) -> None:
    for question in (
        "how tall is the eiffel tower",
        "cheap flights to rome",
        "",
        "?!",
        "zzzz qqqq",
        "ist das auf deutsch",
    ):
        assert index.rank(question).log_odds < index.gate.answer, question


def test_confidence_grows_and_never_saturates() -> None:
    values = [confidence(float(evidence)) for evidence in np.arange(-60, 60, 0.05)]
    assert all(low < high for low, high in itertools.pairwise(values))
    assert 0 < values[0] < values[-1] < 1
    assert confidence(0.0) == 0.5


def test_a_word_is_read_as_ours_as_english_or_not_at_all(index: Index) -> None:
    words = ("vacation", "vacatoin", "parking", "hamster", "hamstre", "xqzzt", "4711")
    assert [index.correct(word) for word in words] == [
        "vacation",
        "vacation",
        "parking",
        "hamster",
        "hamster",
        None,
        None,
    ]


def test_no_word_in_reach_is_passed_over() -> None:
    lexicon = english_lexicon()
    assert {lexicon.words[number] for number, _ in lexicon.nearest("calender", 1)} >= {"calendar"}
    words = ["aab", "b", "abcabc", "naïve"]
    assert letter_signatures(words).tolist() == [letter_signature(word) for word in words]


def test_words_of_one_meaning_point_one_way() -> None:
    vectors = word_vectors()
    car, automobile, tea = (vectors.sentence_vector([word]) for word in ("car", "automobile", "tea"))
    assert car @ automobile > 0.6
    assert car @ tea < 0.3


def test_entries_without_a_phrasing_never_come_up(index: Index) -> None:
    assert all(candidate.target_index != 6 for candidate in index.rank("anything at all", limit=7).candidates)


def test_a_saved_index_ranks_alike(index: Index, tmp_path) -> None:
    save(index, tmp_path / "index")
    kept = load(tmp_path / "index")
    assert kept is not None
    for question in ("wher can i park", "guest wi fi", "pension fund", "tea", ""):
        assert kept.rank(question) == index.rank(question)
    assert kept.gate.answer == index.gate.answer


@pytest.mark.parametrize("held_out", [-1, 0, 20])
def test_dense_copies_of_rows_change_no_score(
    index: Index, held_out: int, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(naive_bayes, "DENSE_SHARE", 1.0)
    monkeypatch.setattr(tfidf, "DENSE_SHARE", 1.0)
    save(index, tmp_path / "index")
    sparse = load(tmp_path / "index")
    assert sparse is not None
    for question in ("how can i book vacation", "where where is the wifi router", "zzzz"):
        query = index.encoder.encode(question)
        expected, scores = score(index.stats, query, held_out), score(sparse.stats, query, held_out)
        assert scores.total == pytest.approx(expected.total, abs=1e-5)
        assert scores.phrasing_cosines.tolist() == expected.phrasing_cosines.tolist()


def test_a_damaged_file_is_no_index(tmp_path) -> None:
    (tmp_path / "index").write_bytes(b"PK\x03\x04 nothing")
    assert load(tmp_path / "index") is None
    assert load(tmp_path / "missing") is None


def test_the_same_pack_builds_the_same_index(index: Index) -> None:
    asks = [(ask, entry) for entry, line in ASKS.items() for ask in line.split("|")]
    again = Index.build(asks, 7, out_of_scope=OUT_OF_SCOPE, synonyms={"wifi": ["wi fi", "wlan"]}, subject=["office"])
    assert again.rank("may i park my bike here") == index.rank("may i park my bike here")
    assert dataclasses.astuple(again.gate)[:2] == dataclasses.astuple(index.gate)[:2]


def test_what_comes_with_every_pack_does_not_fit_the_gate() -> None:
    asks = [(ask, entry) for entry, line in ASKS.items() for ask in line.split("|")]
    small = [(ask, entry) for ask, entry in asks if entry in (HOLIDAYS, PARKING, KITCHEN)]
    fitted = Index.build(asks, 6, out_of_scope=OUT_OF_SCOPE)
    too_small = Index.build(small, 6, out_of_scope=OUT_OF_SCOPE)
    beside = Index.build(asks, 6, out_of_scope=OUT_OF_SCOPE, secondary=[SICK, WIFI, EXPENSES])
    generic = generic_gate(0).weights
    assert fitted.gate.weights != generic
    assert too_small.gate.weights == generic
    assert beside.gate.weights == generic
    assert beside.rank("sick note").candidates[0].target_index == SICK


def test_a_faq_with_one_phrasing_an_entry_answers_what_is_near() -> None:
    asks = list(dict.fromkeys(ask for line in ASKS.values() for ask in line.split("|")))
    index = Index.build([(ask, entry) for entry, ask in enumerate(asks)], len(asks))
    found = index.rank("where can i get a parking permit")
    assert found.candidates[0].target_index == asks.index("parking permit")
    assert found.log_odds >= index.gate.answer
    assert index.rank("who won the match").log_odds < index.gate.answer


@pytest.mark.parametrize("asks", [[], [("only one", 0)], [("the", 0), ("the", 1)], [("?", 0), ("!!", 1)]])
def test_the_smallest_packs_work(asks: list[tuple[str, int]]) -> None:
    index = Index.build(asks, 2)
    assert index.rank("only one").confidence <= 1
    assert index.rank("").candidates == index.rank("").candidates


# --- documents: what an entry says altogether

FLAT = {
    0: ("Keys", "You get two keys when you move in. A lost key costs 25 euros, and the locksmith comes on Thursdays."),
    1: ("Heating", "Radiators are on from October to April. Report a cold flat to the caretaker before noon."),
    2: ("Waste", "Bins are emptied on Mondays. Sofas and fridges are collected by the city for free."),
}


@pytest.fixture(scope="module")
def flat() -> Index:
    titles = [(title.lower(), number) for number, (title, _) in FLAT.items()]
    return Index.build(titles, len(FLAT), answers=[(answer, number) for number, (_, answer) in FLAT.items()])


@pytest.mark.parametrize(
    ("question", "target", "sentence"),
    [
        ("when does the locksmith come", 0, "A lost key costs 25 euros, and the locksmith comes on Thursdays."),
        ("my apartment is chilly", 1, "Report a cold flat to the caretaker before noon."),
        ("where do i leave an old refrigerator", 2, "Sofas and fridges are collected by the city for free."),
    ],
)
def test_the_sentence_of_an_answer_finds_its_entry(flat: Index, question: str, target: int, sentence: str) -> None:
    ranking = flat.rank(question)
    assert (ranking.candidates[0].target_index, ranking.sentence) == (target, sentence)


def test_an_exact_phrasing_has_no_sentence(flat: Index) -> None:
    assert (flat.rank("keys").is_exact, flat.rank("keys").sentence) == (True, "")


def test_documents_are_shares_of_what_is_asked(flat: Index) -> None:
    documents = flat.stats.documents
    for question in ("lost key", "lost key lost key please", "zzzz", "the of and"):
        scores = documents.score(flat.encoder.encode(question))
        assert 0 <= scores.covered.min() <= scores.covered.max() <= 1
        assert 0 <= scores.bm25.min() <= scores.bm25.max() <= 2.2
    assert documents.score(flat.encoder.encode("lost key")).covered.argmax() == 0
    assert not documents.score(flat.encoder.encode("zzzz")).covered.any()


def test_a_phrasing_that_is_held_out_is_not_in_its_document() -> None:
    answers = [(answer, number) for number, (_, answer) in FLAT.items()]
    index = Index.build([("lost wallet", 0), ("spare key", 0), ("cold flat", 1), ("bins", 2)], 3, answers=answers)
    query = index.encoder.encode("lost wallet")
    whole, without = index.stats.documents.score(query), index.stats.documents.score(query, own_target=0)
    assert whole.covered[0] == pytest.approx(1)
    assert without.covered[0] < whole.covered[0]
    assert without.bm25[0] < whole.bm25[0]
    assert without.covered[1:].tolist() == whole.covered[1:].tolist()


def test_an_index_that_is_nearly_full_has_no_documents() -> None:
    asks = [(f"{word} {number}", target) for target, word in enumerate(("key", "heat", "bin")) for number in range(40)]
    full = Index.build(asks, 3, answers=[("A lost key costs 25 euros.", 0)])
    assert len(full.stats.documents.cell_words) == 0
    assert not full.rank("how much is a lost key").sentence


def test_small_talk_makes_no_index_full() -> None:
    asks = [("lost key", 0), ("cold flat", 1), *((f"hello {number}", 2) for number in range(60))]
    assert Index.build(asks, 3, secondary=[2]).stats.fullness == pytest.approx(1 / 11)
    assert Index.build(asks, 3).stats.fullness > 0.6


# --- support and caution


def test_one_word_of_one_phrasing_supports_no_answer_where_there_are_many() -> None:
    asks = [(f"where is the {thing} room {number}", 0) for number in range(30) for thing in ("meeting", "quiet")]
    asks += [("which room has the hospital bed", 0), *((f"when is lunch {number}", 1) for number in range(40))]
    index = Index.build(asks, 2)
    assert not index.rank("hospital").is_supported
    assert index.rank("meeting").is_supported
    assert index.rank("hospital bed room").is_supported


def test_support_grows_with_phrasings_that_have_the_word(index: Index) -> None:
    query = index.encoder.encode("sick note")
    assert support(index.stats, query, SICK) > support(index.stats, query, PARKING) == 0
    number = next(n for n, text in enumerate(index.texts) if text == "sick note")
    assert support(index.stats, query, SICK, number) < support(index.stats, query, SICK)
    assert support_needed(1) < support_needed(12) < support_needed(80)


def test_caution_moves_both_thresholds() -> None:
    asks = [(ask, entry) for entry, line in ASKS.items() for ask in line.split("|")]
    gates = [Index.build(asks, 6, caution=name).gate for name in ("strict", "usual", "generous")]
    assert gates[0].answer > gates[1].answer > gates[2].answer
    assert gates[0].offer > gates[1].offer > gates[2].offer
    assert all(0 <= share <= 1 for gate in gates for share in gate.shares)
    assert gates[0].shares[0] < gates[2].shares[0]
    assert set(OPERATING_POINTS) == {"strict", "usual", "generous"}


def test_a_generic_gate_lies_between_that_of_packs_with_and_without_answers() -> None:
    nothing, something, half = generic_gate(0), generic_gate(1), generic_gate(0.5)
    for low, middle, high in zip(nothing.weights, half.weights, something.weights, strict=True):
        assert min(low, high) <= middle <= max(low, high)
    assert nothing.weights != something.weights


def test_answers_that_say_nothing_make_no_documents() -> None:
    asks = [("lost key", 0), ("cold flat", 1), ("bins", 2)]
    link = Index.build(asks, 3, answers=[("See the handbook.", number) for number in range(3)])
    assert (link.stats.documents.weight, len(link.stats.documents.cell_words)) == (0, 0)
    answers = [
        f"{word} are explained by the caretaker downstairs, near door {word}." for word in ("Keys", "Heat", "Bins")
    ]
    short = Index.build(asks, 3, answers=[(answer, number) for number, answer in enumerate(answers)])
    assert 0 < short.stats.documents.informative < 1


def test_forms_of_one_stem_are_taken_out_once_each() -> None:
    answers = [(answer, number) for number, (_, answer) in FLAT.items()]
    asks = [("clean cleaning cleaned cleans", 0), ("who cleans the stairs", 0), ("cold flat", 1), ("bins", 2)]
    index = Index.build(asks, 3, answers=answers)
    scores = index.stats.documents.score(index.encoder.encode("clean cleaning cleaned cleans"), own_target=0)
    assert 0 <= scores.bm25.min() <= scores.bm25.max() <= 2.2


def test_a_long_question_is_compared_by_its_rarest_words(flat: Index) -> None:
    long = " ".join(f"word{number}" for number in range(600)) + " locksmith"
    scores = flat.stats.documents.score(flat.encoder.encode(long))
    assert len(scores.idf) == documents.MAX_ASKED


def test_a_full_index_keeps_how_much_its_answers_say() -> None:
    asks = [(f"{word} {number}", target) for target, word in enumerate(("key", "heat", "bin")) for number in range(40)]
    full = Index.build(asks, 3, answers=[(answer, number) for number, (_, answer) in FLAT.items()])
    assert (full.stats.documents.weight, full.stats.documents.informative > 0) == (0, True)
