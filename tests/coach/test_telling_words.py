"""Words that go with wrong answers: what is planted is found, what is chance is not, and a hard class makes no word stand out."""

import random
from dataclasses import replace

import pytest
from scipy.stats import fisher_exact

from coach import exact_strata
from coach.exact_strata import Stratum, excess_p, holm, least_p
from coach.telling_words import WordRow, telling_words

RARE, HARD = {"a": 0.1, "b": 0.3}, {"a": 0.05, "b": 0.85}


def made(seed, wrong, planted=0.0, rows=200, share_planted=0.1):
    """Rows of two classes with a dozen words by chance and two of their class; `planted` is how often a row with the word fails."""
    rng, found = random.Random(seed), []
    for number in range(rows):
        actual, holds = rng.choice("ab"), planted > 0 and rng.random() < share_planted
        words = (
            {f"w{int(rng.expovariate(0.05))}" for _ in range(12)}
            | {f"{actual}{rng.randrange(3)}"}
            | ({"退費"} if holds else set())
        )
        found.append(WordRow(f"r-{number}", words, actual, rng.random() < (planted if holds else wrong[actual])))
    return found


@pytest.mark.parametrize(
    ("rows", "wrong", "held", "both"), [(100, 20, 10, 6), (50, 25, 5, 5), (30, 3, 29, 3), (40, 40, 4, 4), (9, 2, 3, 0)]
)
def test_with_one_class_it_is_fishers_exact_test(rows, wrong, held, both):
    table = [[both, held - both], [wrong - both, rows - held - (wrong - both)]]
    assert excess_p([Stratum(rows, wrong)], ((0, held),), both) == pytest.approx(fisher_exact(table, alternative="greater")[1])


def test_classes_are_tested_together_and_each_within_itself():
    strata = [Stratum(100, 10), Stratum(100, 90)]
    assert excess_p(strata, ((1, 20),), 18) > 0.5, "a word of the hard class that is as often wrong as the class is"
    both = excess_p(strata, ((0, 10), (1, 10)), 16)
    assert both < excess_p([strata[0]], ((0, 10),), 6), "six of ten in the easy class, and ten of ten in the hard one"
    assert least_p(strata, ((0, 3), (1, 2))) == pytest.approx(excess_p(strata, ((0, 3), (1, 2)), 5))


def test_holm_allows_for_all_that_were_looked_at():
    assert holm({"a": 0.001, "b": 0.02, "c": 0.5}) == {"a": 0.003, "b": 0.04}
    assert holm({"a": 0.02, "b": 0.03, "c": 0.5}) == {}
    assert holm({}) == {}


def test_what_could_never_stand_out_is_not_tested_and_costs_the_others_nothing():
    least = {"often": 1e-6, "seldom": 0.02, **{f"once{number}": 0.3 for number in range(500)}}
    assert exact_strata.worth_testing(least) == ["often", "seldom"]


def test_a_planted_word_is_found_with_its_rows():
    rows = made(3, RARE, planted=0.9)
    found = telling_words(rows)
    assert [word.word for word in found] == ["退費"]
    holders = [row for row in rows if "退費" in row.words]
    assert found[0].rows == len(holders) and found[0].wrong_rows == tuple(row.id for row in holders if row.wrong)
    others = [row for row in rows if "退費" not in row.words]
    assert found[0].elsewhere == pytest.approx(sum(row.wrong for row in others) / len(others)) and found[0].p <= 0.05


@pytest.mark.parametrize("wrong", [RARE, HARD])
def test_words_by_chance_are_found_no_more_often_than_one_time_in_twenty(wrong):
    """With HARD every word of class b goes with errors, and only because its class does."""
    assert (
        sum(bool(telling_words(made(seed, wrong))) for seed in range(60)) <= 7
    )  # 5 % of 60 is 3; more than 7 in 2 % of such trials


def test_a_word_of_two_rows_alone_is_passed_over_and_costs_the_others_nothing():
    rows = made(3, RARE, planted=0.9)
    once = [replace(row, words=row.words | {f"only{number // 2}"}) for number, row in enumerate(rows)]
    assert telling_words(once) == telling_words(rows) != []
    twice = [WordRow(str(number), {"x"} if number < 2 else {"y"}, "a", number < 2) for number in range(200)]
    assert telling_words(twice) == []


def test_a_word_that_stands_out_only_where_another_does_is_not_said_again():
    parts = {"退", "費", "要退費"}
    rows = [
        replace(row, words=row.words | (parts if "退費" in row.words else {"費"} if number % 3 == 0 else set()))
        for number, row in enumerate(made(3, RARE, planted=0.9))
    ]
    assert [word.word for word in telling_words(rows)] == ["要退費"], (
        "the longest of those in the same rows; 費 stands elsewhere too"
    )


def test_two_words_that_go_with_errors_each_for_itself_are_both_said():
    rows = [
        replace(row, words=row.words | ({"慢"} if row.wrong and "退費" not in row.words else set())) for row in made(3, RARE, 0.9)
    ]
    assert {word.word for word in telling_words(rows)} == {"退費", "慢"}


@pytest.mark.parametrize("wrong", [True, False])
def test_where_all_is_wrong_or_all_is_right_no_word_stands_out(wrong):
    assert telling_words([WordRow(str(number), {"x"}, "a", wrong) for number in range(50)]) == []
    assert telling_words([]) == []


def test_signs_and_spaces_are_no_words():
    rows = [WordRow(str(number), {"！", " 好", "好 "} if number < 20 else {"好"}, "a", number < 20) for number in range(60)]
    assert telling_words(rows) == []
