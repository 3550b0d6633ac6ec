"""Names of versions and models in the three strategies."""

import random
from datetime import date

import pytest

from coach.versioning import is_version_name, model_name, naming_problem, next_version, version_key

DAY = date(2025, 1, 7)


@pytest.mark.parametrize(
    ("existing", "change", "parent", "name"),
    [
        ([], "major", None, "v1"),
        ([], "minor", None, "v1"),
        ([], "exp", None, "v1-exp"),
        (["v1", "v2"], "major", None, "v3"),
        (["v1", "v9", "v10"], "major", None, "v11"),
        (["v1", "v2"], "minor", None, "v2.1"),
        (["v1", "v2", "v2.1", "v2.9"], "minor", None, "v2.10"),
        (["v1", "v2", "v2.1"], "minor", "v1", "v1.1"),
        (["v1", "v2"], "exp", None, "v3-exp"),
        (["v1", "v2", "v3-exp"], "exp", None, "v3-exp.2"),
        (["v1", "v2", "v3-exp", "v3-exp.2"], "exp", None, "v3-exp.3"),
        (["v1", "v2", "v3-exp"], "major", None, "v3"),
        (["v1-exp"], "major", None, "v1"),
        (["2025-01-07"], "major", None, "v1"),
        (["v1", "scratch"], "major", None, "v2"),
    ],
)
def test_next_semantic_version(existing, change, parent, name):
    assert next_version(existing, "semantic", DAY, change, parent) == name


def test_second_version_of_a_day_is_numbered():
    assert next_version([], "date", DAY) == "2025-01-07"
    assert next_version(["2025-01-07"], "date", DAY) == "2025-01-07.2"
    assert next_version(["2025-01-07", "2025-01-07.2"], "date", DAY) == "2025-01-07.3"


def test_hybrid_counts_on_and_carries_the_day():
    assert next_version([], "hybrid", DAY) == "v1-20250107"
    assert next_version(["v1-20250107", "v2-20250107"], "hybrid", DAY) == "v3-20250107"
    assert next_version(["v4"], "hybrid", DAY) == "v5-20250107"


def test_next_version_is_always_new_valid_and_latest_among_its_kind():
    dice = random.Random(3)
    for strategy in ("semantic", "date", "hybrid"):
        existing: list[str] = []
        for _ in range(120):
            name = next_version(existing, strategy, DAY, dice.choice(["major", "minor", "exp"]), dice.choice([None, *existing]))
            assert name not in existing and is_version_name(name, strategy), name
            existing.append(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "v",
        "v0",
        "v01",
        "v1.0",
        "v1.01",
        "v1.2.3",
        "V1",
        "v1 ",
        "v1\n",
        "v-1",
        "v１",
        "1",
        "v1-EXP",
        "v1-exp.1",
        "v1.1-exp",
        "../v1",
        "v1/..",
        "2025-02-30",
        "2025-1-7",
        "2025-01-07.1",
        "v2-20250230",
        "v2-2025017",
        "latest",
    ],
)
def test_what_no_strategy_makes_is_no_version_name(name):
    assert not is_version_name(name)


def test_name_of_one_strategy_does_not_fit_another():
    names = {"semantic": "v2.1", "date": "2025-01-07", "hybrid": "v2-20250107"}
    for strategy, name in names.items():
        assert [other for other in names if is_version_name(name, other)] == [strategy]


def test_versions_sort_by_their_order_of_coming():
    order = [
        "v1",
        "v2",
        "v2.1",
        "v2.10",
        "v3-exp",
        "v3-exp.2",
        "v3",
        "v10",
        "v11-20250107",
        "2024-12-31",
        "2025-01-07",
        "2025-01-07.2",
        "2025-01-07.10",
        "another",
    ]
    shuffled = order[:]
    random.Random(1).shuffle(shuffled)
    assert sorted(shuffled, key=version_key) == order


@pytest.mark.parametrize(
    ("version", "naming", "name"),
    [
        ("v1", "{task}-v{n}", "news-v1"),
        ("v2.1", "{task}-v{n}", "news-v2.1"),
        ("v3-exp", "{task}-v{n}", "news-v3-exp"),
        ("2025-01-07", "{task}-{date}", "news-2025-01-07"),
        ("2025-01-07.2", "{task}-{date}", "news-2025-01-07.2"),
        ("2025-01-07", "{task}-v{n}", "news-2025-01-07"),
        ("v2-20250107", "{task}-v{n}", "news-v2-20250107"),
        ("v2-20250107", "{task}-{date}", "news-v2-20250107"),
        ("v2", "{task}-{date}", "news-v2"),
        ("v2", "{task}_{n}", "news_2"),
        ("v2", "{task}.{version}", "news.v2"),
    ],
)
def test_model_name(version, naming, name):
    assert model_name("news", version, naming) == name
    assert naming_problem(naming) is None


@pytest.mark.parametrize(
    ("naming", "code"),
    [
        ("model-v{n}", "naming_without_task"),
        ("{task}", "naming_without_version"),
        ("{task}-{time}", "naming_broken"),
        ("{task}-v{n", "naming_broken"),
        ("{task.__class__}-v{n}", "naming_broken"),
        ("{task!r}-v{n}", "naming_broken"),
        ("{task:>9999999}-v{n}", "naming_broken"),
        ("../{task}-v{n}", "naming_characters"),
        ("{task} 第{n}版", "naming_characters"),
    ],
)
def test_pattern_that_cannot_name_models_is_found(naming, code):
    assert naming_problem(naming) == code
