"""How long each part of a run took, by the times in its log."""

from training.part_times import part_times


def event(kind, t, **fields):
    return {"type": kind, "t": t, **fields}


RUN = [
    event("started", 0.0),
    event("phase", 4.0, name="baseline"),
    event("phase", 7.0, name="loading"),
    event("heartbeat", 8.0),
    event("phase", 10.0, name="training", total_steps=4),
    event("notice", 10.5),
    event("step", 12.0, step=1),
    event("step", 13.0, step=2),
    event("heartbeat", 14.0),
    event("eval", 15.5, step=2),
    event("sample", 15.5, step=2),
    event("checkpoint", 16.0, step=2),
    event("step", 17.0, step=3),
    event("step", 18.0, step=4),
    event("eval", 20.0, step=4),
    event("checkpoint", 21.0, step=4),
    event("phase", 21.5, name="evaluating"),
    event("finished", 30.0),
]


def test_the_time_between_two_events_belongs_to_the_later_one():
    found = part_times(RUN)
    assert (found.loading_s, found.baseline_s) == (4.0 + 3.0, 3.0)
    assert (found.training_s, found.steps) == (2.0 + 1.0 + 1.0 + 1.0, 4)
    assert (found.answering_s, found.evaluations) == (2.5 + 2.0, 2)
    assert (found.writing_s, found.ending_s) == (0.5 + 1.0 + 0.5, 8.5)


def test_all_parts_together_are_the_whole_run():
    found = part_times(RUN)
    whole = found.loading_s + found.baseline_s + found.training_s + found.answering_s + found.writing_s + found.ending_s
    assert whole == RUN[-1]["t"]


def test_only_the_last_attempt_counts():
    again = [event("resumed", 100.0), event("phase", 101.0, name="baseline"), event("phase", 103.0, name="loading")]
    found = part_times([*RUN, *again, event("phase", 104.0, name="training"), event("step", 105.0, step=3)])
    assert (found.steps, found.training_s, found.loading_s, found.evaluations) == (1, 1.0, 2.0, 0)


def test_a_model_fetched_on_the_way_is_told():
    fetched = [*RUN[:3], event("phase", 8.0, name="loading", stage="download", done=1, total=2), *RUN[4:]]
    assert part_times(fetched).prepared and not part_times(RUN).prepared
