"""In a line on the evaluation page: what the system in use scores on the same rows, or where its answers can be brought."""

from __future__ import annotations

from coach.errors import CoachError
from coach.history import Entry
from coach.systems import systems
from pages.ui import prose
from pages.ui.page import TaskPage, link
from pages.ui.system_in_use import system_comparison


def system_line(page: TaskPage, entry: Entry) -> None:
    """The judgement against the system entered last; one that cannot be compared is for the Iterate page to explain."""
    entered = systems(page.task)
    said = page.say("systems.bring")
    if entered:
        try:
            found = system_comparison(page.task.version(entry.name), entered[0])
        except CoachError:
            return
        if found is None:
            return
        said = next(iter(found.sentences())).say(page.language)
    prose.muted(said)
    link(page, "iterate", page.task, version=entry.name, label=page.say("systems.to_compare"), icon=":material/compare_arrows:")
