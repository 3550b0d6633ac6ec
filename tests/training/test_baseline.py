"""The cheap baseline: languages, small classes, repeatability, and its figures on the real headlines."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path

import pytest

from coach.errors import DataError
from coach.task_file import read_task_file
from coach.task_schema import TaskFile
from training import baseline
from training.baseline import text_of, train_baseline
from training.data.rows import Row, read_rows
from training.samples import write_sample


def task(labels: list[str], language: str, metric: str = "macro_f1") -> TaskFile:
    return TaskFile.model_validate(
        {
            "task_name": "toy",
            "language": language,
            "input_template": "{text}",
            "output_format": {"type": "json", "schema": {"mood": {"enum": labels}}},
            "training": {"base_model": "starter/gemma-3-270m"},
            "success_criteria": {"primary_metric": metric},
        }
    )


def rows(label: str, texts: list[str]) -> list[Row]:
    return [Row(f"r-{label}{place}", {"text": text}, {"mood": label}) for place, text in enumerate(texts)]


CHINESE = rows("正面", [f"這家店第{i}次來還是很滿意" for i in range(12)]) + rows(
    "負面", [f"第{i}次失望，不會再來" for i in range(12)]
)
ENGLISH = rows("good", [f"a wonderful day number {i}" for i in range(9)]) + rows(
    "bad", [f"an awful day number {i}" for i in range(9)]
)


def test_chinese_goes_by_characters_and_english_by_words() -> None:
    chinese = train_baseline(CHINESE[::2], CHINESE[1::2], task(["正面", "負面"], "zh-TW"), seed=1)
    english = train_baseline(ENGLISH[::2], ENGLISH[1::2], task(["good", "bad"], "en"), seed=1)
    assert (chinese.accuracy, english.accuracy) == (1.0, 1.0)


def test_a_new_english_word_is_not_pieced_together_from_letters() -> None:
    scores = train_baseline(ENGLISH, rows("good", ["wonderfully"]), task(["good", "bad"], "en"), seed=1)
    unseen = train_baseline(ENGLISH, rows("good", ["zzz"]), task(["good", "bad"], "en"), seed=1)
    assert scores.predictions == unseen.predictions


def test_the_same_rows_give_the_same_scores() -> None:
    first, again = (train_baseline(CHINESE, CHINESE, task(["正面", "負面"], "zh-TW"), seed=3) for _ in range(2))
    assert (first.predictions, first.C, first.class_weight, first.cross_validated) == (
        again.predictions,
        again.C,
        again.class_weight,
        again.cross_validated,
    )


@pytest.mark.parametrize("small", [1, 2, 4])
def test_a_class_smaller_than_the_folds_is_no_obstacle(small: int) -> None:
    train = CHINESE + rows("中立", [f"營業時間到{i}點" for i in range(small)])
    scores = train_baseline(train, CHINESE, task(["正面", "負面", "中立"], "zh-TW"), seed=1)
    assert scores.accuracy == 1.0
    assert scores.cross_validated is not None


def test_two_rows_of_two_classes_still_train() -> None:
    scores = train_baseline([CHINESE[0], CHINESE[12]], CHINESE, task(["正面", "負面"], "zh-TW"), seed=1)
    assert len(scores.predictions) == 24
    assert scores.cross_validated is None


def test_one_class_is_refused_in_a_sentence() -> None:
    with pytest.raises(DataError, match="正面"):
        train_baseline(CHINESE[:12], CHINESE, task(["正面", "負面"], "zh-TW"), seed=1)


def test_another_baselines_choice_is_taken_over() -> None:
    first = train_baseline(CHINESE, CHINESE, task(["正面", "負面"], "zh-TW"), seed=1)
    second = train_baseline(CHINESE[::2], CHINESE, task(["正面", "負面"], "zh-TW"), seed=9, like=first.choice)
    assert (second.C, second.class_weight) == (first.C, first.class_weight)


def test_all_placeholders_are_read() -> None:
    assert text_of(Row("r-1", {"title": "標題", "body": "內文"}, "x")) == "標題\n內文"


def test_the_real_headlines_reach_what_the_evidence_says(tmp_path: Path) -> None:
    """evidence 2.2 and design.md section 8: about .72 and .59 with 500 training rows on all 999 test rows."""
    folder = tmp_path / "news"
    write_sample("news-sentiment", folder, now=datetime(2026, 11, 23, tzinfo=UTC))
    train, test = read_rows(folder / "data/train.jsonl"), read_rows(folder / "data/test.jsonl")
    scores = train_baseline(train, test, read_task_file(folder / "task.yaml"), seed=42)
    assert (len(train), len(test)) == (500, 999)
    assert scores.macro_f1 >= 0.59
    assert scores.accuracy >= 0.70
    assert scores.class_weight == "balanced"
    assert scores.seconds < 60  # 6 s; minutes where the solver's threads wait for each other


def test_the_search_answers_on_narrowed_features_as_on_the_wide_ones() -> None:
    chance = random.Random(7)
    words = [f"w{number}" for number in range(300)]
    texts = [" ".join(chance.choices(words, k=12)) for _ in range(60)]
    texts[5] = texts[6] = texts[7]  # equal rows, of unlike labels
    truth = [("good", "bad", "plain")[number % 3] for number in range(60)]
    vectorizer = baseline.vectorizer_for("en")
    wide, held_out = vectorizer.fit_transform(texts[:45]), vectorizer.transform(texts[45:])
    narrow, narrow_held_out = baseline._narrowed(wide, held_out)
    assert narrow.shape == (45, 45) and narrow_held_out.shape == (15, 45) and wide.shape[1] > 300
    for strength in baseline.STRENGTHS:
        on_wide = baseline.model_for(strength, "balanced").set_params(tol=1e-8).fit(wide, truth[:45]).predict_proba(held_out)
        on_narrow = (
            baseline.model_for(strength, "balanced").set_params(tol=1e-8).fit(narrow, truth[:45]).predict_proba(narrow_held_out)
        )
        assert on_narrow == pytest.approx(on_wide, abs=1e-4)
        assert on_wide.max() - on_wide.min() > 0.01  # there is something to agree about
