import pytest

from codeintel_rev.evaluation.answer_scores import is_supported, score_answer
from codeintel_rev.evaluation.datasets import Judgement, Query
from codeintel_rev.types import AnswerEnvelope, Citation, Snippet


def question(*judgements: Judgement, **fields: object) -> Query:
    return Query("q", "how?", judgements, None, fields)


def cited(uri: str, start: int, end: int, *, verified: bool = True) -> Citation:
    return Citation(1, uri, start, end, verified=verified)


def shown(uri: str, start: int, end: int, code: str = "") -> Snippet:
    return Snippet(1, uri, start, end, "python", code, 1.0)


GOLD = question(Judgement("a.py", None, 10, 20), Judgement("b.py", None, 1, 5))


def test_citations_and_snippets_are_compared_with_the_gold_lines():
    envelope = AnswerEnvelope(
        "how?",
        "",
        snippets=(shown("a.py", 1, 9), shown("b.py", 5, 9)),
        citations=(cited("a.py", 20, 30), cited("a.py", 21, 30), cited("c.py", 1, 9)),
        confidence=0.5,
    )

    scores = score_answer(GOLD, envelope)

    assert scores["citation_precision"] == pytest.approx(1 / 3)
    assert scores["file_precision"] == pytest.approx(2 / 3)
    assert scores["lead_file"] == scores["lead_precision"] == 1
    assert scores["citation_recall"] == 0.5
    assert scores["context_recall"] == 0.5
    assert (scores["found_in_context"], scores["unverified"]) == (1.0, 0.0)


def test_a_gold_file_without_lines_is_touched_anywhere():
    envelope = AnswerEnvelope("how?", "", citations=(cited("lib/a.py", 7, 8, verified=False),))

    scores = score_answer(question(Judgement("x/lib/a.py")), envelope, prefix="x/")

    assert (scores["citation_precision"], scores["citation_recall"]) == (1.0, 1.0)
    assert scores["unverified"] == 1.0


def test_an_answer_that_cites_nothing_has_no_precision():
    assert "citation_precision" not in score_answer(GOLD, AnswerEnvelope("how?", "no idea"))


def test_names_of_a_reference_answer_are_looked_for():
    query = question(reference_answer="`open_lid` calls `Box.close()` and `gone`")
    envelope = AnswerEnvelope(
        "how?", "`open_lid` it is", snippets=(shown("a.py", 1, 2, "open_lid\nBox"),)
    )

    scores = score_answer(query, envelope)

    assert scores["names_in_context"] == 0.5
    assert scores["names_in_answer"] == 0.25
    assert "citation_recall" not in scores


def test_an_answer_is_supported_by_its_best_snippets_alone():
    far = AnswerEnvelope("how?", "", snippets=(shown("c.py", 1, 2),) * 3 + (shown("a.py", 1, 2),))

    assert not is_supported(GOLD, far)
    assert is_supported(GOLD, far, best=4)
