"""Asks a trained version: one row, or a file of unlabelled rows. The folder is all it needs.

Owns opening a finished version and the shape of an answer for a person and for a file. Weights are opened as safetensors.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coach.errors import DataError, ModelError, UserError, WorkspaceError
from coach.task_schema import TaskFile
from coach.version_folder import Version
from coach.workspace import write_atomically
from training.data.columns import guess_columns
from training.data.read import read_table
from training.data.rows import Output, Row
from training.run_status import run_status
from training.spreadsheet import spreadsheet_csv

if TYPE_CHECKING:
    from training.backends.loaded import Backend, LoadedModel
    from training.evaluation.answering import Answerer


@dataclass(frozen=True)
class Answer:
    """`output` as the task writes it, and each target's label probabilities; with many labels not of all (`Prediction.scores`)."""

    output: Output
    scores: Mapping[str | None, Mapping[str, float]]

    def document(self) -> dict[str, Any]:
        scores: Mapping[Any, Any] = self.scores[None] if set(self.scores) == {None} else self.scores
        return {"predicted": self.output, "scores": dict(scores)}


Inputs = Sequence[Mapping[str, str]]
Ask = Callable[[Inputs], list[Answer]]
Progress = Callable[[str, int, int], None]


def open_version(version: Version, progress: Progress | None = None) -> Ask:
    """A function that answers rows as the finished version does. Raises WorkspaceError where it has not finished."""
    _refuse_unfinished(version)
    if version.config.training.method == "baseline":
        return _ask_baseline(version)
    return _ask_answerer(version.config, _load(version, progress))


def open_with_base(version: Version, progress: Progress | None = None) -> tuple[Ask, Ask]:
    """The version with an adapter, and its base model on the same prompt: one set of weights, so never ask both at once."""
    _refuse_unfinished(version)
    answerer = _load(version, progress)
    trained = _ask_answerer(version.config, answerer)

    def ask_base(inputs: Inputs) -> list[Answer]:
        with answerer.loaded.model.disable_adapter():
            return trained(inputs)

    return trained, ask_base


def _refuse_unfinished(version: Version) -> None:
    state = run_status(version.events_path, version.lock_path, time.time()).state
    if state != "finished":
        raise WorkspaceError("training.no_model", version=version.name)


def _ask_baseline(version: Version) -> Ask:
    from training.attempt import frozen_rows
    from training.baseline import fit_baseline
    from training.baseline_run import answer

    task = version.config
    fitted = fit_baseline(frozen_rows(version)["train"], task, seed=task.training.seed)

    def ask(inputs: Inputs) -> list[Answer]:
        rows = [Row("", dict(values), "") for values in inputs]
        return [Answer(found.output, found.scores) for found in answer(version, fitted, rows)]

    return ask


def _load(version: Version, progress: Progress | None) -> Answerer:
    from training.backends import choose_backend, open_backend
    from training.base_model import resolve_base_model
    from training.data.tokens import AUTO_LIMIT_TOKENS, RowEncoder
    from training.device import choose_device
    from training.evaluation.answering import Answerer

    task = version.config
    backend, device = open_backend(choose_backend()), choose_device()
    source = resolve_base_model(task.training.base_model, near=version.folder.parent.parent, progress=progress)
    fixed = task.training.max_seq_tokens
    trained_with = (version.model_info() or {}).get(
        "max_seq_tokens"
    )  # cut as in training, so that a test row gets the same scores
    max_tokens = trained_with or (AUTO_LIMIT_TOKENS if fixed == "auto" else int(fixed))
    loaded = backend.load(source, device, max_tokens=max_tokens, four_bit=task.training.quantization == "4bit")
    if task.training.method != "prompt":
        _open_adapter(backend, loaded, version)
    encoder = RowEncoder(task, loaded.tokenizer, min(max_tokens, loaded.context or max_tokens))
    return Answerer(task, loaded, backend, device, encoder)


def _open_adapter(backend: Backend, loaded: LoadedModel, version: Version) -> None:
    """Raises ModelError where the weights a training left are gone or damaged."""
    from safetensors import SafetensorError

    try:
        backend.open_adapter(loaded, version.model_folder)
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise ModelError("model.unreadable", source=str(version.model_folder), problem=reason) from error


def _ask_answerer(task: TaskFile, answerer: Answerer) -> Ask:
    from training.data.render import output_of

    def ask(inputs: Inputs) -> list[Answer]:
        return [Answer(output_of(task, found.labels), found.scores) for found in answerer.predict_inputs(inputs)]

    return ask


def inputs_from_text(task: TaskFile, texts: Sequence[str], named: Sequence[str]) -> dict[str, str]:
    """The values of one row from `--text` (a single input) and `--input name=value`. Raises UserError naming what is needed."""
    values: dict[str, str] = {}
    surplus = [*texts[1:], *(item for item in named if "=" not in item)]
    for item in named:
        name, _, value = item.partition("=")
        surplus += [item] if name in values else []
        values[name] = value.strip()
    free = [name for name in task.placeholders if name not in values]
    if texts and len(free) == 1:
        values[free[0]] = texts[0].strip()
    elif texts and not free:
        surplus += texts[:1]
    if surplus:
        raise UserError("training.surplus_input", surplus=", ".join(surplus), expected=", ".join(task.placeholders))
    if set(values) != set(task.placeholders):
        given = list(values) or (["--text"] if texts else [])
        raise UserError("training.unknown_input", found=", ".join(given) or "—", expected=", ".join(task.placeholders))
    return values


@dataclass(frozen=True)
class UnlabelledFile:
    """Rows to be answered: the file's own columns, and for each row the values of the task's inputs."""

    columns: Sequence[str]
    rows: Sequence[Mapping[str, str | None]]
    inputs: Sequence[Mapping[str, str]]
    left_out: int


def read_unlabelled(path: Path, task: TaskFile, mapping: Mapping[str, str]) -> UnlabelledFile:
    """A file whose columns are named after the inputs, as the task's own source mapped them, or (one input) hold the texts.

    Rows with an empty input are answered as they are. Raises DataError where a needed column cannot be found.
    """
    table = read_table(path)
    columns = {name: _column_for(name, task, table, mapping) for name in task.placeholders}
    inputs = [{name: (row.get(column) or "").strip() for name, column in columns.items()} for row in table.rows]
    return UnlabelledFile(table.columns, table.rows, inputs, len(table.problems))


def _column_for(name: str, task: TaskFile, table: Any, mapping: Mapping[str, str]) -> str:
    for candidate in (name, mapping.get(name)):
        if candidate in table.columns:
            return str(candidate)
    if len(task.placeholders) == 1:
        guessed = table.columns if len(table.columns) == 1 else guess_columns(table).text
        if guessed:
            return str(guessed[0])
    raise DataError("data.column_missing", column=name, path=table.path.name, columns=", ".join(table.columns))


def refuse_output(path: Path, source: Path) -> None:
    """Says before any work that answers cannot be written there: an unknown format, or the very file they are asked for."""
    if path.suffix.lower() not in (".csv", ".jsonl", ".ndjson"):
        raise UserError("training.output_format", suffix=path.suffix or path.name)
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise UserError("training.no_output_folder", path=str(path))
    if path.exists() and source.exists() and path.samefile(source):
        raise UserError("training.same_file", file=str(source))


def write_answers(path: Path, file: UnlabelledFile, answers: Sequence[Answer]) -> None:
    """The file's rows with `predicted` and each label's score beside them; CSV or JSON lines by the name's ending."""
    if path.suffix.lower() in (".jsonl", ".ndjson"):
        names = _free_names(("predicted", "scores"), file.columns)
        found = [{names[key]: value for key, value in answer.document().items()} for answer in answers]
        lines = [json.dumps({**row, **extra}, ensure_ascii=False) + "\n" for row, extra in zip(file.rows, found, strict=True)]
        write_atomically(path, "".join(lines))
        return
    write_atomically(path, _csv(file, answers))


def _free_names(wanted: Sequence[str], taken: Sequence[str]) -> dict[str, str]:
    """`wanted` names for new columns, with underscores where the file has such a column already: its own is never overwritten."""
    names = {}
    for name in wanted:
        free = name
        while free in taken:
            free += "_"
        names[name] = free
    return names


def _csv(file: UnlabelledFile, answers: Sequence[Answer]) -> str:
    flat = [_flat(answer) for answer in answers]
    # with many labels a row's scores are those its answer needed (evaluation.label_scoring): not the same ones in every row
    names = _free_names(list(dict.fromkeys(name for found in flat for name in found)), file.columns)
    rows = zip(file.rows, flat, strict=True)
    cells = ([*(row.get(name) for name in file.columns), *(extra.get(name) for name in names)] for row, extra in rows)
    return spreadsheet_csv([*file.columns, *names.values()], cells)


def _flat(answer: Answer) -> dict[str, Any]:
    output = answer.output if isinstance(answer.output, str) else json.dumps(answer.output, ensure_ascii=False)
    scores = {
        f"score:{label}" if target is None else f"score:{target}:{label}": round(value, 4)
        for target, labels in answer.scores.items()
        for label, value in labels.items()
    }
    return {"predicted": output, **scores}
