"""Everything that is cached, here and for plans in cached_plan.py: thin wrappers with the key that says when the answer changes.

The folder stays the truth: any browser may clear these for all (streamlit.md 0.4), so losing one costs time and nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import streamlit as st

from coach.errors import CoachError
from coach.file_stamps import Stamps, file_stamps, judged_files
from coach.repeats import task_folder
from coach.reviews import REVIEWS_FILE
from coach.version_folder import SPLITS, SplitName, Version
from coach.workspace import Task, list_tasks
from training.overview import Overviews, TaskOverview
from training.run_reader import RunReader

if TYPE_CHECKING:  # whoever opens the first page waits for nothing that only a later one needs: a third of a second with pandas
    from coach.comparison import Comparison
    from coach.diagnosis import Diagnosis
    from coach.hardware import Hardware
    from coach.history import Entry
    from coach.situation import Look
    from coach.text import Language
    from training.answered_rows import AnsweredRow
    from training.asking import AskBoth
    from training.attached_file import Attachment, Inspection
    from training.corrected_data import Pending
    from training.data.rows import Row
    from training.evidence import Examined
    from training.label_suspects import Suspects
T = TypeVar("T")
MINUTE_S = 60.0  # ttl as a number: Streamlit imports pandas to read "10m"


@st.cache_resource(ttl=10 * MINUTE_S, show_spinner=False)
def machine() -> Hardware:
    """This machine; asked again after a while, since a driver may appear."""
    from coach.hardware import this_machine

    return this_machine()


@st.cache_resource(max_entries=128, show_spinner=False)
def _reader(folder: str) -> RunReader:
    version = Version(Path(folder))
    return RunReader(version.events_path, version.lock_path)


def reader(version: Version) -> RunReader:
    """The one reader of a version's log that all viewers of this process share."""
    return _reader(str(version.folder))


@st.cache_resource(max_entries=4, show_spinner=False)
def _overviews(root: str) -> Overviews:
    return Overviews()


def overviews(root: Path) -> list[TaskOverview]:
    """Every task's line for the home page, the one changed last first; only what has changed is read again."""
    return _overviews(str(root)).read(list_tasks(root), lambda version: reader(version).read(time.time()))


@st.cache_resource(max_entries=512, show_spinner=False)
def _entry(folder: str, stamps: Stamps) -> Entry:
    from coach.history import entry_of

    return entry_of(Version(Path(folder)))


def history(versions: list[Version]) -> list[Entry]:
    """A line for each version, in their order."""
    return [_entry(str(version.folder), judged_files(version)) for version in versions]


@st.cache_resource(max_entries=32, show_spinner=False)
def _examined(folder: str, stamps: Stamps) -> Examined | None:
    from training.evidence import examine

    return examine(Version(Path(folder)))


def examined(version: Version) -> Examined | None:
    """The finished version with its diagnosis, the labels not looked at yet; or None."""
    return _examined(str(version.folder), (*judged_files(version), *file_stamps(version.snapshot_path)))


@st.cache_resource(max_entries=24, show_spinner=False)
def _worked_out(name: str, about: tuple[object, ...], stamps: Stamps, _work: Callable[[], T]) -> T:
    return _work()


def worked_out(name: str, *about: object, work: Callable[[], T], files: Sequence[Path]) -> T:
    """What `work` makes of `files`, as long as they are the same; `name` and `about` tell one such thing from another."""
    return _worked_out(name, about, file_stamps(*files), work)


def diagnosed(version: Version, found: Examined) -> Diagnosis:
    """The whole diagnosis of an examined version: its labels and texts are looked at, which takes a second or two, once."""
    from coach.diagnosis import diagnose
    from training.evidence import evidence_on, look_at_copies, look_at_labels

    def work() -> Diagnosis:
        looked = look_at_labels(version, found.results, suspects), look_at_copies(version)
        return diagnose(evidence_on(version, found.results, *looked))

    return worked_out(
        "diagnosed", str(version.folder), work=work, files=(*_split_files(version), task_folder(version) / REVIEWS_FILE)
    )


def suspects(version: Version, target: str | None, at_most: int | None = None) -> Suspects:
    """The rows of a version whose label may be wrong; seconds, once. Raises DataError."""
    from training.label_suspects import suspects_of

    about = (str(version.folder), target, at_most)
    return worked_out("suspects", *about, work=lambda: suspects_of(version, target, at_most), files=_split_files(version))


def pending(task: Task, leave_out: bool) -> Pending:
    """What the marks on rows would do to the task's data. Raises WorkspaceError and DataError."""
    from training import corrected_data as making

    files = making.deciding_files(task)
    return worked_out(
        "pending", str(task.folder), leave_out, files=files, work=lambda: making.pending(task, leave_out_ambiguous=leave_out)
    )


def changed_in_data(task: Task, before: Version, language: Language) -> list[str]:
    """What corrections have made of a version's rows in `data/` by now, in words. Raises WorkspaceError and DataError."""
    from training import corrected_data, row_changes

    about = (str(before.folder), language)
    files = corrected_data.deciding_files(task)
    return worked_out("changed", *about, files=files, work=lambda: row_changes.changed_in_data(task, before, language))


def _split_files(version: Version) -> list[Path]:
    """What a version was trained, judged and diagnosed by."""
    named = (version.config_path, version.results_path, version.predictions_path, version.events_path, version.snapshot_path)
    return [*named, *(version.split_path(part) for part in SPLITS)]


def answered_rows(version: Version, target: str | None) -> tuple[AnsweredRow, ...]:
    """Each test row with its answer."""
    from training.answered_rows import answered_rows as read

    files = (version.config_path, version.predictions_path, version.split_path("test"))
    return worked_out("answered_rows", str(version.folder), target, work=lambda: read(version, target), files=files)


@st.cache_resource(max_entries=32, show_spinner=False)
def _compared(first: str, second: str, stamps: Stamps) -> Comparison | None:
    from coach.comparison import compare, judged
    from coach.history import finished_results

    sides = [(version, finished_results(version)) for version in (Version(Path(first)), Version(Path(second)))]
    before, after = (judged(version, results) if results is not None else None for version, results in sides)
    return compare(before, after, seed=before.config.training.seed) if before and after else None


def compared(first: Version, second: Version) -> Comparison | None:
    """`second` against `first`, or None where one of them is not finished. The bootstrap takes a moment, once."""
    return _compared(str(first.folder), str(second.folder), judged_files(first) + judged_files(second))


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
    return worked_out("rows_by_id", str(path), ids, work=lambda: find_rows(path, set(ids)), files=(path,))


@st.cache_resource(max_entries=16, ttl=60 * MINUTE_S, show_spinner=False)
def _inspection(key: str, _attachment: Attachment) -> Inspection | CoachError:
    from training.attached_file import inspect

    try:
        return inspect(_attachment)
    except CoachError as error:
        return error


def inspection(attachment: Attachment) -> Inspection:
    """What a data file shows, read once for each state of it. Raises DataError."""
    return or_raise(_inspection(repr(attachment), attachment))


@st.cache_resource(max_entries=16, ttl=60 * MINUTE_S, show_spinner=False)
def _look(key: str, _task: Task) -> Look | CoachError | None:
    from training.attached_file import look

    try:
        return look(_task)
    except CoachError as error:
        return error


def look(task: Task) -> Look | None:
    """The look at the task's file that advice is given on, or None without one. Seconds, once. Raises DataError, DocumentError."""
    from training.attached_file import attached

    said = task.answers()
    return or_raise(_look(repr((attached(task), said.task.language, said.success.primary_metric)), task))


def or_raise(found: T | CoachError) -> T:
    """What was found, or the error that was kept in its place, raised anew."""
    if isinstance(found, CoachError):
        raise found.with_traceback(None)
    return found
