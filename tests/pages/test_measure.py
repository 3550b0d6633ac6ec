"""Time and memory measured on this machine from the confirm page, and what was expected beside what came, as pages show them."""

from __future__ import annotations

import json

import pytest

from coach.hardware import this_machine
from coach.text import text
from pages.ui import measure_box
from tests.pages.conftest import LANGUAGES, words
from training.measurements import keep, measurement
from training.run_estimate import work_of
from training.runners.measuring import Measuring

PAGE = "4_confirm.py"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("COACH_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def stands(monkeypatch):
    """Says how it stands with measuring, in place of a real process."""

    def say(state: str, *said: str) -> None:
        monkeypatch.setattr(measure_box, "measuring", lambda task: Measuring(state, said))

    say("idle")
    return say


@pytest.fixture
def begun(monkeypatch, stands):
    """Names of the tasks that were to be measured; nothing is."""
    asked = []

    def begin(task, language):
        asked.append((task.name, language))
        stands("measuring")

    monkeypatch.setattr(measure_box, "begin_measuring", begin)
    return asked


def keys(at):
    return [button.key for button in at.button]


def measure_key(task):
    return f"{task.name}.confirm.measure"


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_press_measures_and_says_so_while_it_lasts(ready_task, begun, language, open_page):
    at = open_page(PAGE, ready_task, language)
    at.button(key=measure_key(ready_task)).click().run()
    assert not at.exception
    assert begun == [(ready_task.name, language)]
    assert text("ui.confirm.measure.measuring", language) in words(at)
    assert measure_key(ready_task) not in keys(at)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("state", ["busy", "failed"])
def test_a_closed_button_and_a_failure_say_why(ready_task, stands, state, language, open_page):
    stands(state, "No training rows.")
    at = open_page(PAGE, ready_task, language)
    assert at.button(key=measure_key(ready_task)).disabled == (state == "busy")
    why = {"busy": text("ui.confirm.measure.busy", language)}
    assert why.get(state, text("ui.confirm.measure.failed", language, said="No training rows.")) in words(at)


def test_what_is_not_saved_is_not_measured(ready_task, stands, open_page):
    at = open_page(PAGE, ready_task, "en")
    from tests.pages.test_confirm import held, write

    write(at, ready_task, held(at, ready_task).replace("epochs: 2", "epochs: 3"))
    assert at.button(key=measure_key(ready_task)).disabled
    assert text("ui.confirm.measure.unsaved", "en") in words(at)


def test_without_data_there_is_nothing_to_measure(partial_task, stands, open_page):
    at = open_page(PAGE, partial_task, "en")
    assert not at.exception and measure_key(partial_task) not in keys(at)


@pytest.mark.parametrize("language", LANGUAGES)
def test_once_measured_it_can_be_measured_again_until_a_training_has_shown_what_it_takes(ready_task, stands, language, open_page):
    at = open_page(PAGE, ready_task, language)
    assert measure_key(ready_task) in keys(at)
    training, work = ready_task.file.training, work_of(ready_task.file, ready_task.data_folder)
    assert at.button(key=measure_key(ready_task)).label == text("ui.confirm.measure.button", language)
    assert keep(measurement(training, this_machine(), work, how="steps", factors={"training": 1.2}, memory=1.1))
    at.run()
    assert ("just now" if language == "en" else "剛剛") in words(at)
    assert at.button(key=measure_key(ready_task)).label == text("ui.confirm.measure.again", language)
    assert text("ui.confirm.measure.why_again", language) in words(at)
    assert keep(measurement(training, this_machine(), work, how="run", factors={"training": 1.2}, memory=1.1))
    at.run()
    assert not at.exception and measure_key(ready_task) not in keys(at)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("page", ["5_train.py", "6_evaluate.py"])
def test_what_was_expected_stands_beside_what_came(finished_task, page, language, open_page):
    path = finished_task.version("v1").events_path
    first, rest = path.read_text(encoding="utf-8").split("\n", 1)
    estimate = {"minutes": [3.0, 5.0], "memory_gb": [2.2, 2.6], "memory_of": "ram", "measured": None}
    path.write_text(json.dumps({**json.loads(first), "estimate": estimate}) + "\n" + rest, encoding="utf-8")
    at = open_page(page, finished_task, language, version="v1")
    assert not at.exception
    assert ("Expected 3 to 5 minutes" if language == "en" else "開始前估計 3–5 分鐘") in words(at)


def test_an_older_log_without_an_estimate_says_nothing_of_it(finished_task, open_page):
    at = open_page("6_evaluate.py", finished_task, "en")
    assert not at.exception and "Expected" not in words(at)
