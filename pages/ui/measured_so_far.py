"""What the versions of a task have scored meanwhile, beside a plan that was made before there was any score. Draws one line."""

from __future__ import annotations

from coach.history import Entry
from coach.metric_words import metric_name
from pages.ui import cached, prose
from pages.ui.page import TaskPage

SHOWN_VERSIONS = 5  # the latest


def measured_so_far(page: TaskPage) -> None:
    """Nothing while no version is finished."""
    finished = [entry for entry in cached.history(page.task.versions()) if entry.finished][-SHOWN_VERSIONS:]
    if finished:
        versions = page.say("recommend.measured.between").join(_measured(page, entry) for entry in finished)
        prose.sentence(page.say("recommend.measured.said", versions=versions))


def _measured(page: TaskPage, entry: Entry) -> str:
    assert entry.verdict is not None
    metric = metric_name(entry.verdict.metric, page.language)
    said = page.say("recommend.measured.version", version=entry.name, metric=metric, value=entry.verdict.value)
    tfidf = next((found.score for found in entry.verdict.baselines if found.name == "tfidf"), None)
    return said if tfidf is None else said + page.say("recommend.measured.tfidf", score=tfidf)
