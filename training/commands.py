"""The commands of `python -m training`, each a function of its parsed arguments that returns an exit code.

Owns what is printed. The work is done by the modules that pages call too.
"""

from __future__ import annotations

import argparse
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from coach.command_line import EXIT_OK, print_json, print_lines
from coach.errors import DataError, DocumentError, UserError
from coach.task_schema import TaskFile
from coach.text import Language, text
from coach.version_folder import Version
from coach.workspace import Task
from training.clock import local_now
from training.data.rows import read_rows
from training.new_version import PreparedData, prepare_data
from training.run_report import result_lines, status_document, status_lines
from training.run_status import run_status
from training.starting import stop_training, version_to_train

# --- data ----------------------------------------------------------------------------------------------------------------------


def audit_file(arguments: argparse.Namespace, language: Language) -> int:
    from training.data.audit import audit
    from training.data.columns import guess_columns
    from training.data.read import read_table

    labels = [label.strip() for label in arguments.labels.split(",")] if arguments.labels else None
    table = read_table(Path(arguments.file))
    guess = guess_columns(table, labels)
    texts = arguments.text or list(guess.text)
    label = arguments.label or guess.label
    if not texts:
        raise DataError("data.column_missing", column="--text", path=table.path.name, columns=", ".join(table.columns))
    report = audit(table, texts, label, allowed_labels=labels, count_tokens=_starter_token_counter())
    if arguments.json:
        print_json(report.to_json())
    else:
        print_lines(report.lines(language))
    return EXIT_OK


def _starter_token_counter() -> Any:
    """The starter model's own counter where it has been converted already; counting must not make anybody wait for that."""
    from training import starter_model

    if not starter_model.is_ready():
        return None
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(starter_model.ensure_starter_model() / "tokenizer.json"))
    return lambda value: len(tokenizer.encode(value, add_special_tokens=False).ids)


def sample(arguments: argparse.Namespace, language: Language) -> int:
    from training.samples import SAMPLE_SEED, write_sample

    seed = SAMPLE_SEED if arguments.seed is None else arguments.seed
    report = write_sample(arguments.name, Path(arguments.folder), now=local_now(), seed=seed, language=language)
    if arguments.json:
        print_json(report.to_json())
    else:
        print_lines([*report.lines(language), text("cli.training.sample_next", language, folder=arguments.folder)])
    return EXIT_OK


def baseline(arguments: argparse.Namespace, language: Language) -> int:
    from training.baseline import train_baseline

    task = Task.open(Path(arguments.task))
    _say_prepared(prepare_data(task, local_now()), language, quiet=arguments.json)
    file = task.file
    train, test = (read_rows(task.data_folder / f"{part}.jsonl") for part in ("train", "test"))
    if not test:
        raise DataError("data.no_test_part")
    found = train_baseline(train, test, file, seed=file.training.seed)
    if arguments.json:
        document = {
            **found.to_results(),
            "rows": {"train": len(train), "test": len(test)},
            "C": found.C,
            "class_weight": found.class_weight,
            "cross_validated": found.cross_validated,
            "per_class": {label: score.to_json() for label, score in found.per_class.items()},
            "seconds": round(found.seconds, 2),
        }
        print_json(document)
    else:
        values = {"macro_f1": found.macro_f1, "accuracy": found.accuracy, "seconds": found.seconds}
        print_lines([text("cli.training.baseline", language, train=len(train), test=len(test), **values)])
        for label, score in found.per_class.items():
            print_lines([text("cli.training.class_line", language, label=label, **score.to_json())])
    return EXIT_OK


# --- runs ----------------------------------------------------------------------------------------------------------------------


def run(arguments: argparse.Namespace, language: Language) -> int:
    task = Task.open(Path(arguments.task))
    found = version_to_train(task, local_now, wanted=arguments.version)
    if found.prepared is not None:
        _say_prepared(found.prepared, language, quiet=arguments.json)
    elif not arguments.json:
        _say_frozen(task, found.version, language)
    return _train(found.version, language, as_json=arguments.json, resume=False, max_steps=arguments.max_steps)


def resume(arguments: argparse.Namespace, language: Language) -> int:
    version = Task.open(Path(arguments.task)).version(arguments.version)
    return _train(version, language, as_json=arguments.json, resume=True, max_steps=None)


def _say_frozen(task: Task, version: Version, language: Language) -> None:
    """Edits of task.yaml after the freezing do not count; that is said where there are some."""
    with suppress(DocumentError):  # a task.yaml that is just being edited is no reason not to train what is frozen
        if task.file.training != version.config.training:
            print_lines([text("cli.training.frozen", language, version=version.name)], to=sys.stderr)


def _say_prepared(prepared: PreparedData, language: Language, *, quiet: bool) -> None:
    if prepared.raw_gone:
        print_lines([text("cli.training.raw_gone", language, names=", ".join(prepared.raw_gone))], to=sys.stderr)
    if prepared.report and not quiet:
        print_lines(prepared.report.lines(language))


def _show_licence(task: TaskFile, language: Language) -> None:
    """The starter model's licence, before it is converted and used for the first time on this machine; on stderr, beside any JSON."""
    from training import starter_model

    if task.training.base_model == starter_model.MODEL_ID and not starter_model.is_ready():
        print_lines([text("cli.training.licence", language)], to=sys.stderr)


def _train(version: Version, language: Language, *, as_json: bool, resume: bool, max_steps: int | None) -> int:
    """Waits its turn and trains in this process, a bar or a line for each event; Ctrl-C leaves the line or asks for a stop."""
    from training.foreground import run_in_turn

    _show_licence(version.config, language)
    trained = run_in_turn(version, language, quiet=as_json, resume=resume, max_steps=max_steps)
    if as_json:
        print_json(status_document(version, _status(version)))
    elif trained:
        print_lines(result_lines(version, language))
    else:
        print_lines([text("cli.training.left", language, version=version.name)])
    return EXIT_OK


def stop(arguments: argparse.Namespace, language: Language) -> int:
    version = Task.open(Path(arguments.task)).version(arguments.version)
    found = _status(version)
    stopped = stop_training(version)
    if arguments.json:
        print_json({"asked": stopped == "asked", "left_line": stopped == "left", "step": found.view.step})
    else:
        print_lines([text(f"cli.training.{'stop_asked' if stopped == 'asked' else 'left'}", language, version=version.name)])
    return EXIT_OK


def status(arguments: argparse.Namespace, language: Language) -> int:
    version = Task.open(Path(arguments.task)).version(arguments.version)
    found = _status(version)
    if arguments.json:
        print_json(status_document(version, found))
    else:
        print_lines(status_lines(version, found, language))
    return EXIT_OK


def _status(version: Version) -> Any:
    return run_status(version.events_path, version.lock_path, time.time())


def errors(arguments: argparse.Namespace, language: Language) -> int:
    from training.error_command import errors as show_errors  # with scikit-learn behind it

    return show_errors(arguments, language)


# --- asking a trained version --------------------------------------------------------------------------------------------------


def predict(arguments: argparse.Namespace, language: Language) -> int:
    task = Task.open(Path(arguments.task))
    version = task.version(arguments.version)
    _show_licence(version.config, language)
    if bool(arguments.file) == bool(arguments.text or arguments.input):
        raise UserError("training.predict_what")
    if arguments.file:
        if not arguments.output:
            raise UserError("training.predict_where", file=arguments.file)
        return _predict_file(task, version, Path(arguments.file), Path(arguments.output), arguments.json, language)
    return _predict_texts(version, arguments, language)


def _predict_texts(version: Version, arguments: argparse.Namespace, language: Language) -> int:
    from training.predicting import inputs_from_text, open_version

    values = inputs_from_text(version.config, arguments.text, arguments.input)
    [answer] = open_version(version)([values])
    if arguments.json:
        print_json(answer.document())
        return EXIT_OK
    for target, scores in answer.scores.items():
        label = max(scores, key=lambda name: scores[name])
        prefix = "" if target is None else f"{target}: "
        print_lines([prefix + text("cli.training.answer", language, label=label, share=scores[label])])
        others = sorted(((share, name) for name, share in scores.items() if name != label), reverse=True)
        print_lines([text("cli.training.answer_other", language, label=name, share=share) for share, name in others])
    return EXIT_OK


def _predict_file(task: Task, version: Version, path: Path, output: Path, as_json: bool, language: Language) -> int:
    from training.attached_file import SOURCE_FILE
    from training.data.source_fit import said_columns
    from training.predicting import open_version, read_unlabelled, refuse_output, write_answers

    refuse_output(output, path)
    file = read_unlabelled(path, version.config, said_columns(task.folder / SOURCE_FILE))
    answers = open_version(version)(file.inputs)
    write_answers(output, file, answers)
    if as_json:
        print_json({"rows": len(answers), "left_out": file.left_out, "output": str(output)})
    else:
        print_lines([text("cli.training.predicted", language, rows=len(answers), left_out=file.left_out, output=str(output))])
    return EXIT_OK
