"""The search alone: what it asks for, in which order, and when it is content. Twenty pairs of labels stand behind a first choice of 21."""

import numpy as np
import pytest

from training.evaluation.label_search import ALWAYS_OPENED, LabelSearch
from training.evaluation.label_trie import branchings

END = 99
PAIRS = 20
LABELS = [[token, half] for token in range(PAIRS) for half in (50, 51)] + [[60]]
CHOICES = branchings(LABELS, END)
ONE_ROW = np.array([0])


def log_probs(*shares: float) -> np.ndarray:
    return np.log(np.array([shares], dtype=np.float32))


def first_told(*most: float) -> LabelSearch:
    """A search whose first choice gave `most` to the first pairs and all but nothing to the others."""
    search = LabelSearch(1, CHOICES)
    search.tell(ONE_ROW, 0, log_probs(*most, *[1e-6] * (PAIRS + 1 - len(most))))
    return search


def test_the_first_choice_is_wanted_for_every_row():
    rows, choices = LabelSearch(3, CHOICES).wanted()
    assert rows.tolist() == [0, 1, 2] and choices.tolist() == [0, 0, 0]


def test_the_likeliest_is_opened_first_and_what_cannot_win_is_never():
    search = first_told(0.6, 0.3)
    assert search.wanted()[1].tolist() == [1]
    search.tell(ONE_ROW, 1, log_probs(0.9, 0.1))
    assert len(search.wanted()[0]) == 0
    assert search.best().tolist() == [0]
    scored = np.flatnonzero(~np.isnan(search.log_probs[0]))
    assert scored.tolist() == [0, 1, 2 * PAIRS]
    assert np.exp(search.log_probs[0, [0, 1]]) == pytest.approx([0.54, 0.06])


def test_a_node_that_led_is_left_where_its_labels_share_it():
    search = first_told(0.6, 0.39)
    search.tell(ONE_ROW, 1, log_probs(0.5, 0.5))
    assert search.wanted()[1].tolist() == [2]
    search.tell(ONE_ROW, 2, log_probs(0.01, 0.99))
    assert len(search.wanted()[0]) == 0
    assert search.best().tolist() == [3]


def test_each_row_asks_for_its_own_choice_until_it_is_done():
    search = LabelSearch(2, CHOICES)
    first = np.full((2, PAIRS + 1), 1e-6, dtype=np.float32)
    first[0, 4] = first[1, PAIRS] = 0.9
    search.tell(np.array([0, 1]), 0, np.log(first))
    rows, choices = search.wanted()
    assert rows.tolist() == [0] and CHOICES[choices[0]].path == (4,)
    assert search.best()[1] == 2 * PAIRS


def test_few_choices_are_all_opened():
    few = branchings([[token, half] for token in range(ALWAYS_OPENED) for half in (50, 51)], END)
    search = LabelSearch(1, few)
    search.tell(ONE_ROW, 0, log_probs(0.99, *[0.001] * (ALWAYS_OPENED - 1)))
    for _ in range(ALWAYS_OPENED):
        [choice] = search.wanted()[1]
        search.tell(ONE_ROW, int(choice), log_probs(0.9, 0.1))
    assert len(search.wanted()[0]) == 0
    assert not np.isnan(search.log_probs).any()


def test_answers_that_are_no_numbers_end_the_search():
    search = LabelSearch(1, CHOICES)
    search.tell(ONE_ROW, 0, np.full((1, PAIRS + 1), np.nan, dtype=np.float32))
    assert len(search.wanted()[0]) == 0
    assert search.best().tolist() == [0]
