"""Following a log: always what a fresh reading says, whatever happens to the file; cheap; and the guess at the time left."""

import json
import shutil
import threading
import time
from pathlib import Path

import pytest
from filelock import FileLock

from coach.version_folder import Version
from coach.work import Schedule
from training.event_log import EventTail, read_events
from training.leading_notice import said_of
from training.run_reader import RunReader, time_left_s
from training.run_report import notice_sentence, status_document, status_lines
from training.run_status import is_locked, run_status
from training.run_view import RunView, fold

RUNS = Path(__file__).parents[1] / "data" / "runs"
NAMES = ["healthy", "overfit", "diverged", "interrupted", "resumed", "torn"]


@pytest.fixture
def paths(tmp_path):
    return tmp_path / "events.jsonl", tmp_path / "worker.lock"


def write(path, events):
    path.write_text("".join(json.dumps(event) + "\n" for event in events), encoding="utf-8")


def lines_of(name):
    return (RUNS / f"{name}.jsonl").read_bytes().splitlines(keepends=True)


@pytest.mark.parametrize("name", NAMES)
def test_a_reader_that_follows_says_what_a_fresh_reading_says(name, paths):
    reader = RunReader(*paths)
    assert reader.read(0.0).state == "new"
    with paths[0].open("ab", buffering=0) as log:
        for line in lines_of(name):
            half = len(line) // 2
            log.write(line[:half])
            before = reader.read(0.0)
            log.write(line[half:])
            after = reader.read(0.0)
            assert after == run_status(*paths, 0.0)
            assert before.view.last_t is None or after.view.last_t is None or before.view.last_t <= after.view.last_t
    assert reader.read(0.0).view == fold(RunView(), read_events(RUNS / f"{name}.jsonl"))


@pytest.mark.parametrize("change", ["shorter", "replaced by a longer one", "written over in place", "gone", "gone and back"])
def test_a_log_that_is_no_longer_the_same_is_read_anew(change, paths):
    reader = RunReader(*paths)
    shutil.copy(RUNS / "resumed.jsonl", paths[0])
    assert reader.read(0.0).view.attempt == 2
    if change == "shorter":
        paths[0].write_bytes(b"".join(lines_of("resumed")[:5]))
    elif change == "replaced by a longer one":
        shutil.copy(RUNS / "overfit.jsonl", paths[0].with_suffix(".new"))
        paths[0].with_suffix(".new").rename(paths[0])
    elif change == "written over in place":
        shutil.copyfile(RUNS / "overfit.jsonl", paths[0])
    else:
        paths[0].unlink()
    if change == "gone and back":
        reader.read(0.0)
        shutil.copy(RUNS / "healthy.jsonl", paths[0])
    assert reader.read(0.0) == run_status(*paths, 0.0)
    assert reader.read(0.0).view.attempt == {"gone": 0}.get(change, 1)


def test_a_folder_that_takes_the_logs_place_is_no_run(paths):
    reader = RunReader(*paths)
    shutil.copy(RUNS / "healthy.jsonl", paths[0])
    reader.read(0.0)
    paths[0].unlink()
    paths[0].mkdir()
    assert reader.read(0.0).state == "new" and reader.read(0.0) == run_status(*paths, 0.0)


@pytest.mark.parametrize("name", NAMES)
def test_no_whole_line_a_worker_wrote_is_passed_over(name):
    tail = EventTail(RUNS / f"{name}.jsonl")
    assert tail.poll() and tail.torn == 0


def test_a_log_with_lines_that_say_nothing_shows_what_is_known(paths):
    """Nothing but types and steps, and in between lines without a step, or with one that is no number."""
    kinds = ["step", "eval", "sample", "checkpoint", "notice"]
    broken = [{"type": kind, **fields} for kind in kinds for fields in ({"step": "x"}, {"step": None}, {"step": [1]}, {"t": "x"})]
    known = [
        {"type": "started", "attempt": 1, "t": 1.0},
        {"type": "phase", "name": "training", "total_steps": 9},
        *({"type": "step", "step": step} for step in range(1, 7)),
        {"type": "eval", "step": 3, "metric": "macro_f1", "value": None, "best": True},
        {"type": "eval", "step": 5, "metric": "macro_f1", "value": 0.5, "best": True},
        {"type": "notice"},
        {"type": "notice", "message_key": "notice.improving", "data": {"metric": "macro_f1", "value": "much", "gain": []}},
    ]
    write(paths[0], [event for event in known for event in (*broken, event)])
    with FileLock(paths[1]):
        status = RunReader(*paths).read(2.0)
        view = status.view
        assert (status.state, view.step, view.best_eval["step"], len(view.notices)) == ("running", 6, 5, 2)
        assert time_left_s(view, 2.0) is None
    assert said_of(view, view.evals[-1], alive=True).lead is None and len(said_of(view, None, alive=True).others) == 1
    assert all(notice_sentence(notice, "en") for notice in view.notices)
    version = Version(paths[0].parent)
    assert status_document(version, status)["best"] == {"step": 5, "value": 0.5} and status_lines(version, status, "en")


def test_a_copy_that_only_grew_is_not_read_again(paths, monkeypatch):
    """A mirror of a remote log may be a new file each time with the same beginning."""
    reader, whole = RunReader(*paths), lines_of("healthy")
    paths[0].write_bytes(b"".join(whole[:20]))
    reader.read(0.0)
    parsed = []
    monkeypatch.setattr("training.run_reader.fold", lambda view, events: (parsed.extend(events), fold(view, events))[1])
    paths[0].unlink()
    paths[0].write_bytes(b"".join(whole[:23]))
    reader.read(0.0)
    assert len(parsed) == 3


def test_many_threads_share_one_reader_while_a_worker_writes(paths):
    lines, reader, seen = lines_of("overfit"), RunReader(*paths), []

    def look():
        steps = 0
        while steps < 96:
            view = reader.read(0.0).view
            assert len(view.steps) >= steps and [event["step"] for event in view.steps] == list(range(1, len(view.steps) + 1))
            steps = len(view.steps)
        seen.append(steps)

    threads = [threading.Thread(target=look, daemon=True) for _ in range(6)]
    paths[0].touch()
    for thread in threads:
        thread.start()
    with paths[0].open("ab", buffering=0) as log:
        for line in lines:
            log.write(line)
            time.sleep(0.001)
    for thread in threads:
        thread.join(10)
    assert seen == [96] * 6


def test_readers_that_ask_at_once_do_not_take_each_other_for_a_worker(paths):
    paths[1].touch()
    found = []
    threads = [threading.Thread(target=lambda: found.extend(is_locked(paths[1]) for _ in range(300))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 1800 and not any(found)


def long_log():
    yield {"t": 0.0, "type": "started", "attempt": 1}
    yield {"t": 10.0, "type": "phase", "name": "training", "total_steps": 2000}
    for step in range(1, 1991):
        yield {"t": 10.0 + step, "type": "step", "step": step, "total": 2000, "loss": 1.0, "learning_rate": 1e-4, "tokens": step}
        if step % 200 == 0:
            yield {"t": 10.5 + step, "type": "eval", "step": step, "best": True, "value": 0.5, "metric": "macro_f1"}


def test_a_look_at_a_long_log_with_nothing_new_takes_a_small_part_of_the_first(paths):
    write(paths[0], long_log())
    reader, took = RunReader(*paths), []
    with FileLock(paths[1]):
        for _ in range(50):
            start = time.perf_counter()
            found = reader.read(2001.0)
            time_left_s(found.view, 2001.0)
            took.append(time.perf_counter() - start)
        assert found.state == "running"
    assert min(took) < took[0] / 10


# --- the time left -------------------------------------------------------------------------------------------------------------


def going(*, steps, total=100, every=20, step_s=2.0, look_s=6.0, closed=False, says_schedule=False):
    """A run of even steps, each evaluation written `look_s` after its step; as logged today, or before there was an early look."""
    t, events = 10.0, [{"t": 0.0, "type": "started", "attempt": 1}]
    said = {"evaluate_every": every} if says_schedule else {}
    events.append({"t": t, "type": "phase", "name": "training", "total_steps": total, **said})
    for step in range(1, steps + 1):
        t += step_s
        events.append({"t": t, "type": "step", "step": step, "loss": 1.0})
        due = every and (Schedule(total, every).is_due(step) if says_schedule else step % every == 0 or step == total)
        if due and (step < steps or closed):
            t += look_s
            events.append({"t": t - 1.0, "type": "eval", "step": step, "best": True, "value": 0.5})
            events.append({"t": t, "type": "checkpoint", "step": step, "path": f"checkpoints/{step}"})
    return fold(RunView(), events), t


def test_the_time_left_counts_steps_validations_and_the_closing_test():
    view, t = going(steps=50)  # to come: 50 steps, validations at 60, 80, 100, and the test
    assert time_left_s(view, t) == pytest.approx(50 * 2.0 + 4 * 6.0)


def test_the_time_left_falls_evenly_between_two_steps_and_then_waits_for_the_next():
    view, t = going(steps=50)
    assert time_left_s(view, t + 1.5) == pytest.approx(122.5)
    assert time_left_s(view, t + 60) == pytest.approx(122.0)
    due, t = going(steps=60)  # its validation is running
    assert time_left_s(due, t) == pytest.approx(40 * 2.0 + 4 * 6.0)
    assert time_left_s(due, t + 5) == pytest.approx(40 * 2.0 + 3 * 6.0 + 1.0)
    done, t = going(steps=60, closed=True)
    assert time_left_s(done, t) == pytest.approx(40 * 2.0 + 3 * 6.0)


def test_before_the_first_validation_only_steps_are_counted():
    view, t = going(steps=10)
    assert time_left_s(view, t) == pytest.approx(90 * 2.0)


def test_a_last_step_that_is_no_whole_number_of_intervals_is_validated_too():
    view, t = going(steps=50, total=90)  # 60, 80, 90
    assert time_left_s(view, t) == pytest.approx(40 * 2.0 + 4 * 6.0)
    view, t = going(steps=90, total=90, closed=True)
    assert time_left_s(view, t) == pytest.approx(6.0)


def test_an_early_look_is_none_of_the_intervals():
    view, t = going(steps=50, says_schedule=True)  # looked at 4, 20, 40
    assert [event["step"] for event in view.evals] == [4, 20, 40]
    assert time_left_s(view, t) == pytest.approx(50 * 2.0 + 4 * 6.0)
    begun, t = going(steps=10, says_schedule=True)  # to come: 20, 40, 60, 80, 100, and the test
    assert time_left_s(begun, t) == pytest.approx(90 * 2.0 + 6 * 6.0)


def test_the_test_rows_take_as_long_as_there_are_of_them():
    view, t = going(steps=100, closed=True)
    begun = {"t": t, "type": "phase", "name": "training", "total_steps": 100, "valid_rows": 50, "test_rows": 150}
    view = fold(view, [begun])
    assert time_left_s(view, t) == pytest.approx(3 * 6.0)
    view = fold(view, [{"t": t, "type": "phase", "name": "evaluating"}])
    assert time_left_s(view, t + 2) == pytest.approx(3 * 6.0 - 2.0)


def test_while_the_test_rows_are_scored_only_that_is_left():
    view, t = going(steps=100, closed=True)
    view = fold(view, [{"t": t, "type": "phase", "name": "evaluating"}])
    assert time_left_s(view, t + 2) == pytest.approx(4.0) and time_left_s(view, t + 60) == 0.0


def test_the_time_left_is_not_guessed_where_nothing_tells_it():
    assert time_left_s(RunView(), 0.0) is None
    few, t = going(steps=3)
    assert time_left_s(few, t) is None
    view, t = going(steps=50)
    assert time_left_s(fold(view, [{"t": t, "type": "finished"}]), t) is None
    resumed = fold(
        view, [{"t": t, "type": "resumed", "attempt": 2, "from_step": 40}, {"t": t, "type": "phase", "name": "loading"}]
    )
    assert time_left_s(resumed, t) is None
    baseline = fold(RunView(), [{"t": 0.0, "type": "started", "attempt": 1}, {"t": 0.0, "type": "phase", "name": "evaluating"}])
    assert time_left_s(baseline, 1.0) is None


@pytest.mark.parametrize("name", ["healthy", "overfit"])
def test_on_real_runs_the_guess_is_near_what_it_took(name):
    events = read_events(RUNS / f"{name}.jsonl")
    guesses = []
    for count, event in enumerate(events):
        view = fold(RunView(), events[: count + 1])
        if event["type"] == "step" and len(view.evals) >= 3 and view.step <= 0.9 * (view.total_steps or 0):
            guesses.append((time_left_s(view, event["t"]), events[-1]["t"] - event["t"]))
    assert len(guesses) > 20
    assert all(abs(guess - true) < 0.5 * true + 0.1 for guess, true in guesses)  # a closing test this quick is mostly setting up


def test_a_status_says_when_its_attempt_began(paths):
    shutil.copy(RUNS / "resumed.jsonl", paths[0])
    began = [event["t"] for event in read_events(paths[0]) if event["type"] in ("started", "resumed")]
    assert RunReader(*paths).read(0.0).started_at == began[-1]
