"""The shipped table and a table counted by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeintel_rev.text.background_idf import background_idf, pack_table, parse_table


def test_idf_follows_the_formula_within_a_step() -> None:
    table = parse_table(pack_table({"self": 50, "rare": 1}, chunks=100))
    for term, frequency in [("self", 50), ("rare", 1)]:
        exact = math.log((100 - frequency + 0.5) / (frequency + 0.5) + 1)
        assert table.idf(term) == pytest.approx(exact, abs=table.step)


def test_an_unknown_term_is_as_rare_as_the_rarest() -> None:
    table = parse_table(pack_table({"self": 50, "rare": 1}, chunks=100))
    assert table.idf("never seen") == table.idf("rare") > table.idf("self")


@given(st.dictionaries(st.text(st.characters(exclude_characters="\n", codec="utf-8"), min_size=1),
                       st.integers(1, 1000), min_size=1))  # fmt: skip
def test_every_packed_term_is_found(frequencies: dict[str, int]) -> None:
    table = parse_table(pack_table(frequencies, chunks=1000))
    assert table.terms == sorted(frequencies)
    assert all(0 <= table.idf(term) <= 255 * table.step for term in frequencies)


@pytest.mark.parametrize("data", [b"", b"something else entirely"])
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="not a table"):
        parse_table(data)


def test_a_truncated_table_is_refused() -> None:
    with pytest.raises(ValueError, match="terms instead of"):
        parse_table(pack_table({"alpha": 3, "beta": 2}, chunks=10)[:-6])


def test_the_shipped_table_ranks_common_words_below_telling_ones() -> None:
    assert background_idf("return") < background_idf("token") < background_idf("tokenizer")
    assert background_idf("tokenizer") < background_idf("qzxvbnmlkj")
