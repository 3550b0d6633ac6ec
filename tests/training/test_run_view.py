from training.run_view import RunView, fold


def step(number, t=0.0, loss=1.0):
    return {"type": "step", "step": number, "t": t, "loss": loss}


def evaluation(number, value, best):
    return {"type": "eval", "step": number, "value": value, "best": best}


def test_steps_evals_and_the_end_are_kept_in_order():
    view = fold(RunView(), [{"type": "started", "attempt": 1}, {"type": "phase", "name": "training", "total_steps": 2}])
    view = fold(view, [step(1), evaluation(1, 0.4, True), step(2), {"type": "finished", "t": 9.0}])
    assert [event["step"] for event in view.steps] == [1, 2]
    assert view.total_steps == 2 and view.terminal["type"] == "finished" and view.best_eval["step"] == 1


def test_after_a_resume_an_earlier_attempts_steps_beyond_it_are_dropped():
    before = [{"type": "started", "attempt": 1}, step(1), step(2), evaluation(2, 0.5, True), step(3), evaluation(4, 0.6, True)]
    view = fold(RunView(), [*before, {"type": "resumed", "attempt": 2, "from_step": 2}, step(3, loss=0.1)])
    assert [(event["step"], event["loss"]) for event in view.steps] == [(1, 1.0), (2, 1.0), (3, 0.1)]
    assert view.best_eval["step"] == 2 and view.attempt == 2 and view.terminal is None


def test_starting_over_drops_everything_before_it():
    view = fold(RunView(), [{"type": "started", "attempt": 1}, step(1), {"type": "failed"}, {"type": "started", "attempt": 2}])
    assert view.steps == () and view.terminal is None and view.attempt == 2


def test_folding_piece_by_piece_gives_the_same_view():
    events = [{"type": "started", "attempt": 1}, step(1, 1.0), step(2, 3.0), step(3, 4.0), {"type": "stopped"}]
    whole = fold(RunView(), events)
    pieces = RunView()
    for event in events:
        pieces = fold(pieces, [event])
    assert pieces == whole
    assert whole.median_step_s() == 2.0


def test_unknown_types_are_passed_over():
    assert fold(RunView(), [{"type": "confetti", "t": 3.0}]).last_t == 3.0
