"""A training that has to wait: started with a click, seen in line, and begun without another one."""

from __future__ import annotations

from contextlib import ExitStack

from playwright.sync_api import expect

from coach.text import text
from tests.browser.conftest import button
from tests.training.small_task import make_version, task_file
from training.device_lock import device_held


def test_a_training_started_while_another_runs_waits_in_line_and_begins_by_itself(server, visit, tmp_path):
    other = make_version(tmp_path / "other", task_file("starter/gemma-3-270m"))
    make_version(server.workspace / "patient", task_file("starter/gemma-3-270m", method="baseline"))
    with ExitStack() as device:
        device.enter_context(device_held(other))
        page = visit.stage("train", "patient", "en")
        button(page, "patient.train.start").click()
        expect(page.get_by_text(text("queue.place.next", "en"))).to_be_visible()
        expect(button(page, "patient.train.cancel")).to_be_visible()
        home = visit("", "en")
        expect(home.get_by_text(text("ui.home.state.queued", "en"))).to_be_visible()
        device.close()
        expect(page.get_by_text(text("ui.train.state.finished_plain", "en"))).to_be_visible()
        expect(home.get_by_text(text("ui.home.state.queued", "en"))).to_have_count(0)
