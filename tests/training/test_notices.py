import pytest

from coach.text import text
from training.notices import Plan, notices_after_eval


def evals(*values, losses=None, matrix=None):
    found = []
    for index, value in enumerate(values):
        event = {"step": 10 * (index + 1), "metric": "macro_f1", "value": value, "loss": losses[index] if losses else 1.0}
        if matrix:
            event["confusion_matrix"] = matrix
        found.append(event)
    return found


def steps(*losses):
    return [{"step": index + 1, "loss": loss} for index, loss in enumerate(losses)]


def codes(step_events, eval_events, invalid_rate=None):
    return [notice.code for notice in notices_after_eval(step_events, eval_events, invalid_rate=invalid_rate)]


def test_a_rising_score_is_called_improving_with_its_gain():
    [notice] = notices_after_eval([], evals(0.5, 0.6), invalid_rate=None)
    assert notice.code == "N01" and notice.data["gain"] == 0.1


def test_three_evaluations_without_a_gain_are_called_flat():
    assert codes([], evals(0.5, 0.6, 0.6, 0.6, 0.59)) == ["N02"]
    assert codes([], evals(0.5, 0.6, 0.59)) == []


def test_validation_turning_while_training_falls_is_called_overfitting():
    falling = steps(*[2.0 - 0.05 * index for index in range(40)])
    assert "D01" in codes(falling, evals(0.5, 0.6, 0.6, losses=[1.0, 0.8, 0.9]))
    assert "D01" not in codes(falling, evals(0.5, 0.6, 0.6, losses=[1.0, 0.8, 0.79]))
    assert "D01" not in codes(falling, evals(0.9, 1.0, 1.0, losses=[0.01, 2.7e-5, 4.7e-5])), "next to nothing, twice"


def test_a_class_never_predicted_is_named_from_the_second_evaluation_on():
    matrix = {"labels": ["x", "y"], "counts": [[5, 0, 0], [3, 0, 0]]}
    found = notices_after_eval([], evals(0.5, 0.5, matrix=matrix), invalid_rate=None)
    assert [(notice.code, notice.data["class"]) for notice in found] == [("D02", "y")]
    assert codes([], evals(0.5, matrix=matrix)) == []


def test_answers_outside_the_format_are_noticed_once_there_was_time_to_learn_it():
    assert codes([], evals(0.5, 0.5), invalid_rate=0.25) == ["D04"]
    assert codes([], evals(0.5, 0.5), invalid_rate=0.125) == []
    assert codes([], evals(0.5), invalid_rate=1.0) == []


@pytest.mark.parametrize(
    ("rate", "key"), [(1e-5, "format_low_rate"), (5e-5, "format_low_rate"), (2e-4, "format"), (None, "format")]
)
def test_answers_outside_the_format_are_a_note_that_names_a_low_learning_rate(rate, key):
    notices = notices_after_eval([], evals(0.5, 0.5), invalid_rate=1.0, plan=Plan(learning_rate=rate))
    (notice,) = (found for found in notices if found.code == "D04")
    assert (notice.level, notice.message_key) == ("info", f"notice.{key}")
    said = {language: text(notice.message_key, language, **notice.data) for language in ("zh-TW", "en")}
    assert "分數不受影響" in said["zh-TW"] and "score does not suffer" in said["en"]
    assert ("1e-05" in said["en"]) == (rate == 1e-5)


def behind(*values, baseline=0.8, planned=6):
    found = notices_after_eval([], evals(*values), invalid_rate=None, plan=Plan(baseline=baseline, evaluations=planned))
    return [notice.data["value"] for notice in found if notice.code == "D03"]


def test_a_baseline_still_ahead_from_the_half_on_is_a_warning_with_the_best_so_far():
    assert behind(0.5, 0.7, 0.6) == [0.7]
    assert behind(0.5, 0.7) == [], "too early"
    assert behind(0.5, 0.8, 0.6) == [] and behind(0.5, 0.7, 0.6, baseline=None) == []


def test_a_loss_that_hardly_falls_is_noticed():
    assert codes(steps(*[2.0] * 40), evals(0.5)) == ["D05"]
