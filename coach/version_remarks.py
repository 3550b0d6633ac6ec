"""What there is to say about a task.yaml beside the versions and the machine there are: a mere copy of its parent, too little memory.

Reads versions and the rows beside the task; remarks on the text by itself are `task_check.py`'s. They never stop anything.
"""

from __future__ import annotations

import filecmp

from coach.config_changes import config_changes
from coach.errors import CoachError
from coach.estimate import main_memory_gb
from coach.hardware import Hardware
from coach.reference_data import model_row
from coach.remarks import Remark
from coach.sentence import Sentence, sentence
from coach.task_schema import TaskFile
from coach.text import Language, text
from coach.version_folder import SPLITS, Version
from coach.versioning import version_key
from coach.workspace import Task

ROWS = "data"
# What may show in the score: the rows, and these parts of a task.yaml.
MOVING = (ROWS, "training", "task_type", "input_template", "output_format")
REPEATED = ("training.seeds", "training.folds")


def version_remarks(task: Task, file: TaskFile, machine: Hardware, language: Language) -> list[Remark]:
    """Cautions about `file` as the next version on `machine`."""
    found = []
    parent = parent_of(task, file)
    changes = changed_together(task, file, parent) if parent else None
    if parent and changes == []:
        said = text("comments.nothing_differs", language, version=file.version, parent=parent.name)
        found.append(Remark(None, "warning", said))
    moving = [_named(part) for part in changes or () if part not in REPEATED and part.split(".")[0] in MOVING]
    if parent and len(moving) > 1:
        several = sentence(
            "comments.several_changes", version=file.version, parent=parent.name, count=len(moving), changes=moving
        )
        stated = sentence("comments.change_stated", statement=file.change.statement) if file.change else None
        found.append(Remark(None, "warning", " ".join(said.say(language) for said in (several, stated) if said)))
    model = model_row(file.training.base_model)
    if file.training.method not in ("baseline", "prompt") and model is not None and not machine.has_cuda:
        needed = main_memory_gb(model, bf16=machine.cpu_bf16)
        if needed > machine.ram_gb:
            said = text("comments.main_memory", language, model=model.id, needed=needed, ram=machine.ram_gb)
            found.append(Remark(None, "warning", said))
    return found


def changed_together(task: Task, file: TaskFile, parent: Version) -> list[str] | None:
    """What `file` changes of `parent`: settings by their path, and ROWS; another method, or adapter, is one change with all its settings.

    None where the parent is damaged, which is told where it is opened.
    """
    try:
        paths = [change.path for change in config_changes(parent.config, file)]
        rows = [] if has_the_same_rows(task, parent) else [ROWS]
    except CoachError:
        return None
    return [*dict.fromkeys(_whole(path, another_method="training.method" in paths) for path in paths), *rows]


def _named(part: str) -> Sentence:
    return sentence("comments.rows_changed") if part == ROWS else sentence("advice.plain", said=part)


def _whole(path: str, *, another_method: bool) -> str:
    """The change that a setting is a part of."""
    if another_method and path.startswith("training."):
        return "training.method"
    return next((whole for whole in ("training.lora", "training.early_stopping") if path.startswith(whole)), path)


def parent_of(task: Task, file: TaskFile) -> Version | None:
    """The version that `file`, not frozen yet, names as its parent, else the latest; None for a first version and a frozen one."""
    versions = task.versions()
    if any(version.name == file.version for version in versions):
        return None
    named = file.change.parent if file.change else None
    parent = next((version for version in versions if version.name == named), None)
    return parent or max(versions, key=lambda version: version_key(version.name), default=None)


def has_the_same_rows(task: Task, version: Version) -> bool:
    """Whether `data/` is what the version was frozen with; False where it is to be made anew from its source."""
    source, built = task.folder / "data_source.yaml", task.data_version_path
    try:
        if source.is_file() and built.is_file() and source.stat().st_mtime > built.stat().st_mtime:
            return False
        pairs = [(task.data_folder / f"{part}.jsonl", version.split_path(part)) for part in SPLITS]
        return all(filecmp.cmp(now, then, shallow=False) for now, then in pairs)
    except OSError:
        return False
