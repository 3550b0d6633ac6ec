from training.notices import notices_after_eval


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


def test_a_class_never_predicted_is_named_from_the_second_evaluation_on():
    matrix = {"labels": ["x", "y"], "counts": [[5, 0, 0], [3, 0, 0]]}
    found = notices_after_eval([], evals(0.5, 0.5, matrix=matrix), invalid_rate=None)
    assert [(notice.code, notice.data["class"]) for notice in found] == [("D02", "y")]
    assert codes([], evals(0.5, matrix=matrix)) == []


def test_answers_outside_the_format_are_noticed_once_there_was_time_to_learn_it():
    assert codes([], evals(0.5, 0.5), invalid_rate=0.25) == ["D04"]
    assert codes([], evals(0.5, 0.5), invalid_rate=0.125) == []
    assert codes([], evals(0.5), invalid_rate=1.0) == []


def test_a_loss_that_hardly_falls_is_noticed():
    assert codes(steps(*[2.0] * 40), evals(0.5)) == ["D05"]
