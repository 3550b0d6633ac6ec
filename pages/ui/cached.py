"""Everything that is cached, in one place: thin wrappers with the key that says when the answer changes.

The folder stays the truth: any browser may clear these for all (streamlit.md 0.4), so losing one costs time and nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import streamlit as st

from coach.errors import CoachError
from coach.file_stamps import Stamps, file_stamps, judged_files
from coach.repeats import task_folder
from coach.reviews import REVIEWS_FILE
from coach.version_folder import SPLITS, SplitName, Version
from coach.workspace import ANSWERS_FILE, Task, list_tasks
from training.overview import Overviews, TaskOverview
from training.run_reader import RunReader

if TYPE_CHECKING:  # whoever opens the first page waits for nothing that only a later one needs: a third of a second with pandas
    from coach.advised import Advised
    from coach.comparison import Comparison
    from coach.diagnosis import Diagnosis
    from coach.estimate import Estimate
    from coach.hardware import Hardware
    from coach.history import Entry
    from coach.interview import Question
    from coach.situation import Look
    from coach.task_schema import TaskFile
    from coach.text import Language
    from coach.what_if import Change
    from training.answered_rows import AnsweredRow
    from training.asking import AskBoth
    from training.attached_file import Attachment, Inspection
    from training.corrected_data import Pending
    from training.data.rows import Row
    from training.evidence import Examined
    from training.first_folder import Drafted
    from training.label_suspects import Suspects
T = TypeVar("T")
MINUTE_S = 60.0  # ttl as a number: Streamlit imports pandas to read "10m"


@st.cache_resource(max_entries=1024, show_spinner=False)
def _kept(key: str, _read: Callable[[], T]) -> T:
    """What `_read` gives, kept under a key that says when it would give something else."""
    return _read()


@st.cache_resource(max_entries=8, show_spinner=False)
def _kept_rows(key: str, _read: Callable[[], T]) -> T:
    """The same for what holds a version's rows, of which only the last few stay in memory."""
    return _read()


@st.cache_resource(max_entries=48, ttl=60 * MINUTE_S, show_spinner=False)
def _tried(key: str, _read: Callable[[], T]) -> T | CoachError:
    """The same for an hour, an error of ours kept too: a file that cannot be read is not read again by every run of a page."""
    try:
        return _read()
    except CoachError as error:
        return error


def _or_raise(found: T | CoachError) -> T:
    if isinstance(found, CoachError):
        raise found.with_traceback(None)
    return found


@st.cache_resource(ttl=10 * MINUTE_S, show_spinner=False)
def machine() -> Hardware:
    """This machine; asked again after a while, since a driver may appear."""
    from coach.hardware import this_machine

    return this_machine()


def reader(version: Version) -> RunReader:
    """The one reader of a version's log that all viewers of this process share."""
    return _kept(f"reader {version.folder}", lambda: RunReader(version.events_path, version.lock_path))


def overviews(root: Path) -> list[TaskOverview]:
    """Every task's line for the home page, the one changed last first; only what has changed is read again."""
    return _kept(f"overviews {root}", Overviews).read(list_tasks(root), lambda version: reader(version).read(time.time()))


def _judged(version: Version) -> str:
    parts = (version.split_path(part) for part in SPLITS)
    return repr((str(version.folder), judged_files(version), file_stamps(version.snapshot_path, *parts)))


def history(versions: list[Version]) -> list[Entry]:
    """A line for each version, in their order."""
    from coach.history import entry_of

    return [_kept(f"entry {_judged(version)}", lambda of=version: entry_of(of)) for version in versions]


def examined(version: Version) -> Examined | None:
    """The finished version with its diagnosis, the labels not looked at yet; or None."""
    from training.evidence import examine

    return _kept(f"examined {_judged(version)}", lambda: examine(version))


def diagnosed(version: Version, found: Examined) -> Diagnosis:
    """The whole diagnosis of an examined version: its labels are looked at, which takes a second or two, once."""
    from coach.diagnosis import diagnose
    from training.evidence import evidence_on, look_at_labels

    key = f"diagnosed {_judged(version)} {file_stamps(task_folder(version) / REVIEWS_FILE)}"
    return _kept(key, lambda: diagnose(evidence_on(version, found.results, look_at_labels(version, found.results, suspects))))


def answered_rows(version: Version, target: str | None) -> tuple[AnsweredRow, ...]:
    """Each test row with its answer."""
    from training import answered_rows as reading

    return _kept_rows(f"answered {target} {_judged(version)}", lambda: reading.answered_rows(version, target))


def suspects(version: Version, target: str | None, at_most: int | None = None) -> Suspects:
    """The rows of a version whose label may be wrong; seconds, once. Raises DataError."""
    from training.label_suspects import suspects_of

    key = f"suspects {target} {at_most} {_judged(version)}"
    return _kept_rows(key, lambda: suspects_of(version, target, at_most))


def pending(task: Task, leave_out: bool) -> Pending:
    """What the marks on rows would do to the task's data. Raises WorkspaceError and DataError."""
    from training import corrected_data as making

    key = f"pending {task.folder} {leave_out} {file_stamps(*making.deciding_files(task))}"
    return _kept(key, lambda: making.pending(task, leave_out_ambiguous=leave_out))


def changed_in_data(task: Task, before: Version, language: Language) -> list[str]:
    """What corrections have made of a version's rows in `data/` by now, in words. Raises WorkspaceError and DataError."""
    from training import corrected_data, row_changes

    key = f"changed {before.folder} {language} {file_stamps(*corrected_data.deciding_files(task))}"
    return _kept(key, lambda: row_changes.changed_in_data(task, before, language))


def compared(first: Version, second: Version) -> Comparison | None:
    """`second` against `first`, or None where one of them is not finished. The bootstrap takes a moment, once."""
    from coach.comparison import compare, judged
    from coach.history import finished_results

    def read() -> Comparison | None:
        sides = [judged(version, results) for version in (first, second) if (results := finished_results(version)) is not None]
        return compare(*sides, seed=sides[0].config.training.seed) if len(sides) == 2 else None

    return _kept(f"compared {_judged(first)} {_judged(second)}", read)


@st.cache_resource(max_entries=1, ttl=30 * MINUTE_S, show_spinner=False)
def _opened(folder: str, stamps: Stamps) -> AskBoth:
    from training.asking import open_both

    return open_both(Version(Path(folder)))


def opened(version: Version) -> AskBoth:
    """The version's model, loaded; one at a time for all viewers, let go half an hour later."""
    weights = sorted(version.model_folder.glob("*")) if version.model_folder.is_dir() else []
    return _opened(str(version.folder), file_stamps(version.config_path, version.results_path, *weights))


def rows_by_id(version: Version, split: SplitName, ids: tuple[str, ...]) -> dict[str, Row]:
    """The rows of a frozen split called `ids`, as far as they stand near its beginning; ids that are not found are left out."""
    from training.data.rows import find_rows

    path = version.split_path(split)
    return _kept(f"rows {path} {ids} {file_stamps(path)}", lambda: find_rows(path, set(ids)))


def inspection(attachment: Attachment) -> Inspection:
    """What a data file shows, read once for each state of it. Raises DataError."""
    from training.attached_file import inspect

    return _or_raise(_tried(f"inspection {attachment!r}", lambda: inspect(attachment)))


def look(task: Task) -> Look | None:
    """The look at the task's file that advice is given on, or None without one. Seconds, once. Raises DataError, DocumentError."""
    from training import attached_file

    said = task.answers()
    key = repr(("look", attached_file.attached(task), said.task.language, said.success.primary_metric))
    return _or_raise(_tried(key, lambda: attached_file.look(task)))


def drafted(task: Task) -> Drafted:
    """The task.yaml a task without one would get; its times are those of the answers. Raises UserError, DataError, DocumentError."""
    from coach.advised import advise
    from coach.overrides import overrides_path
    from training.attached_file import attached
    from training.plan_to_task import draft_for

    def read() -> Drafted:
        found = look(task)
        now = datetime.fromtimestamp((task.folder / ANSWERS_FILE).stat().st_mtime).astimezone().replace(microsecond=0)
        return draft_for(task, advise(task, found.facts if found else None, machine()), found, now)

    stamps = file_stamps(task.folder / ANSWERS_FILE, overrides_path(task))
    return _or_raise(_tried(repr(("drafted", str(task.folder), stamps, attached(task), machine())), read))


def estimate(task: Task, file: TaskFile) -> Estimate | None:
    """Time and memory of the training that `file`, saved or not, asks for; None where nothing can be said."""
    from training.attached_file import attached
    from training.before_start import data_state, expected_estimate, saved_estimate
    from training.measurements import measurements_path

    def read() -> Estimate | None:
        found = look(task) if data_state(task, None) != "ready" else None
        return expected_estimate(task, file, found, machine()) if found else saved_estimate(file, task, machine())

    parts = [*(task.data_folder / f"{part}.jsonl" for part in SPLITS), measurements_path()]
    said = file.model_copy(update={"title": None, "version": "", "updated": None, "change": None})
    return _or_raise(_tried(repr(("estimate", str(task.folder), file_stamps(*parts), attached(task), machine(), said)), read))


def changes(known: Advised) -> list[Change]:
    """What would change the advice; some dozens of plans are tried for it."""
    from coach.what_if import what_would_change

    key = repr(("changes", known.answers, known.facts, known.hardware, known.plan.rules_version))
    return _kept(key, lambda: what_would_change(known.answers, known.facts, known.hardware, known.plan))


def telling_questions(known: Advised) -> list[Question]:
    """The open questions whose answers would change the plan most."""
    from coach.telling_questions import most_telling

    asked = (known.answers, known.facts, known.hardware)
    return _kept(f"telling {asked!r}", lambda: most_telling(*asked))
