"""What the command line shows of a run: a progress bar on a terminal, a line an event elsewhere, and the end in sentences.

Consumes events; the worker knows nothing of it. Also the documents `status --json` and `run --json` print.
"""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any

from tqdm import tqdm

from coach.errors import CoachError, error_lines
from coach.history import finished_results
from coach.repeats import repeats_sentence
from coach.text import Language, has_text, text
from coach.verdict import Verdict, judge
from coach.version_folder import Version
from training import checkpoints
from training.event_log import read_events
from training.events import Event
from training.expectation import came
from training.leading_notice import judgements
from training.run_status import RunStatus
from training.run_view import RunView, fold
from training.standing import standing
from training.waiting_line import refusal

NO_CHECKPOINT = {"interrupted": "nothing_kept", "stopped": "nothing_kept", "failed": "nothing_kept"}


class ProgressReport:
    """Shows one attempt as it runs. Ctrl-C once asks for a stop with a checkpoint; twice breaks off."""

    def __init__(self, version: Version, language: Language, *, quiet: bool) -> None:
        self.version = version
        self.language = language
        self.quiet = quiet
        self._bar: tqdm[Any] | None = None
        self._loading: tqdm[Any] | None = None

    def __enter__(self) -> ProgressReport:
        import signal

        self._before = signal.signal(signal.SIGINT, self._ask_to_stop)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        import signal

        signal.signal(signal.SIGINT, self._before)

    def _ask_to_stop(self, number: int, frame: object) -> None:
        if self.version.stop_path.exists():
            raise KeyboardInterrupt
        self.version.stop_path.touch()
        self._say(text("cli.training.stop_asked", self.language, version=self.version.name))

    def close(self) -> None:
        for bar in (self._bar, self._loading):
            if bar is not None:
                bar.close()
        self._bar = self._loading = None

    def show(self, event: Event) -> None:
        """Draws one event; unknown ones are passed over."""
        if self.quiet:
            return
        drawer = getattr(self, f"_show_{event['type']}", None)
        if drawer is not None:
            drawer(event)

    def _say(self, line: str) -> None:
        if self.quiet:
            return
        tqdm.write(line, file=sys.stderr)

    def _show_phase(self, event: Event) -> None:
        if "stage" in event:
            self._show_loading(event)
            return
        self.close()
        if event["name"] == "repeats":
            which = str(event["repeat"]).replace("-", " ")
            self._say(text("repeats.place", self.language, number=event["number"], runs=event["runs"], which=which))
            return
        self._say(text(f"cli.training.phase.{event['name']}", self.language))
        if event["name"] == "training" and sys.stderr.isatty():
            self._bar = tqdm(total=event["total_steps"], unit="step", file=sys.stderr, dynamic_ncols=True)

    def _show_loading(self, event: Event) -> None:
        if not sys.stderr.isatty():
            if event["done"] == 0:
                self._say(text(f"cli.training.stage.{event['stage']}", self.language))
            return
        label = text(f"cli.training.stage.{event['stage']}", self.language)
        if self._loading is None or self._loading.desc != label:
            self.close()
            self._loading = tqdm(
                total=event["total"],
                desc=label,
                file=sys.stderr,
                dynamic_ncols=True,
                bar_format="{desc} {bar} {percentage:.0f} %",
            )
        self._loading.update(event["done"] - self._loading.n)

    def _show_step(self, event: Event) -> None:
        if self._bar is not None:
            self._bar.set_postfix(loss=f"{event['loss']:.3f}" if event["loss"] is not None else "—", refresh=False)
            self._bar.update(event["step"] - self._bar.n)

    def _show_eval(self, event: Event) -> None:
        key = "cli.training.eval_best" if event["best"] else "cli.training.eval"
        loss = "—" if event["loss"] is None else f"{event['loss']:.3f}"  # a baseline has none
        values = {"step": event["step"], "metric": event["metric"], "value": event["value"], "loss": loss}
        self._say(text(key, self.language, **values))

    def _show_notice(self, event: Event) -> None:
        self._say("  " + notice_sentence(event, self.language))


def notice_sentence(event: Event, language: Language) -> str:
    """The sentence of a notice; its code and numbers where another version wrote one with a key or numbers not known here."""
    key, data = event.get("message_key"), event.get("data") or {}
    try:
        return text(str(key), language, **data)
    except (KeyError, ValueError, TypeError):
        return f"{event.get('code')}: {data}"


def status_document(version: Version, status: RunStatus) -> dict[str, Any]:
    """`status --json`: the state, where the run stands, its latest scores, and the results once there are some."""
    view = status.view
    best = view.best_eval
    last = view.evals[-1] if view.evals else None
    return {
        "version": version.name,
        "state": status.state,
        "attempt": view.attempt,
        "phase": view.phase,
        "step": view.step,
        "total_steps": view.total_steps,
        "repeat": status.repeat.document() if status.repeat else None,
        "loss": view.steps[-1].get("loss") if view.steps else None,
        "metric": last["metric"] if last else None,
        "value": last["value"] if last else None,
        "best": {"step": best["step"], "value": best["value"]} if best else None,
        "checkpoint": view.last_checkpoint["path"] if view.last_checkpoint else None,
        "notices": [{key: notice.get(key) for key in ("code", "step", "data")} for notice in view.notices],
        "end": {key: value for key, value in view.terminal.items() if key not in ("v", "seq")} if view.terminal else None,
        "estimate": view.estimate,
        "took_s": None if view.terminal is None or view.took_s is None else round(view.took_s, 1),
        "results": version.results() if status.state == "finished" else None,
        "queue": _queue_document(version) if status.state == "queued" else None,
    }


def _queue_document(version: Version) -> dict[str, Any] | None:
    """Place in line (1 is next), seconds to wait where they are known, and whether somebody will begin it or it waits for the app."""
    found = standing(version, time.time())
    return found and {"place": found.place, "wait_s": found.wait_s, "moves": found.moves}


def status_lines(version: Version, status: RunStatus, language: Language) -> list[str]:
    """The state in a few sentences: what, how far, the best score, what to do next."""
    view = status.view
    lines = [
        text("cli.training.status", language, version=version.name, state=text(f"cli.training.state.{status.state}", language))
    ]
    if found := standing(version, time.time()) if status.state == "queued" else None:
        lines.append(found.say(language))
    elif refused := refusal(version, view.attempt) if not status.alive else None:
        lines += [text("cli.training.refused", language, version=version.name), *refused.lines(language)]
    if status.repeat:
        lines.append(status.repeat.say(language))
    elif view.total_steps and view.runs > 1 and status.state != "finished":
        lines.append(text("repeats.own", language, runs=view.runs, step=view.step, total=view.total_steps))
    elif view.total_steps:
        lines.append(text("cli.training.status_step", language, step=view.step, total=view.total_steps))
    if view.best_eval:
        best = view.best_eval
        lines.append(text("cli.training.status_best", language, metric=best["metric"], value=best["value"], step=best["step"]))
    if noticed := judgements(view.notices):
        lines.append(notice_sentence(noticed[-1], language))
    if status.state == "finished":
        return lines + result_lines(version, language)
    if status.state == "failed" and view.terminal:
        lines += failure_lines(view.terminal, language)
    resumable = checkpoints.latest(version.checkpoints_folder) is not None
    hint = f"cli.training.next.{status.state if resumable else NO_CHECKPOINT.get(status.state, status.state)}"
    return [*lines, text(hint, language, version=version.name)] if has_text(hint) else lines


def failure_lines(event: Event, language: Language) -> list[str]:
    """Why a run failed, in the reader's language where the error is one of ours."""
    with suppress(KeyError, TypeError):  # an error of another release, or none of ours
        return error_lines(str(event.get("key")), event.get("data", {}), language)
    return [str(event.get("message", "")), str(event.get("hint", ""))]


def result_lines(version: Version, language: Language) -> list[str]:
    """The end of a run: three numbers and a sentence, then the classes. A stopped run says how to go on."""
    results = finished_results(version)  # those of a version's own run are written before its repeats begin
    if results is None:
        kept = checkpoints.latest(version.checkpoints_folder) is not None
        return [text("cli.training.stopped" if kept else "cli.training.stopped_bare", language, version=version.name)]
    interval = results["confidence_interval"]
    metric, value = results["primary_metric"]["name"], results["primary_metric"]["value"]
    lines = [text("cli.training.result", language, metric=metric, value=value, low=interval["low"], high=interval["high"])]
    if said := repeats_sentence(results):
        lines.append(said.say(language))
    tfidf = results["baseline"].get("tfidf")
    if tfidf:
        lines.append(
            text("cli.training.result_baseline", language, **tfidf, own_f1=results["macro_f1"], own_accuracy=results["accuracy"])
        )
    lines += [found.say(language) for found in _verdict(version, results).sentences()]
    for label, scores in results["per_class"].items():
        lines.append(text("cli.training.class_line", language, label=label, **scores))
    if results["end_reason"] == "early_stopping":
        lines.append(text("cli.training.ended_early", language, step=results["best_checkpoint"]["step"]))
    if found := came(fold(RunView(), read_events(version.events_path)), results):
        lines.append(found.say(language))
    names = {"path": str(version.predictions_path), "task": shlex.quote(str(version.folder.parents[1])), "version": version.name}
    return [*lines, text("cli.training.result_next", language, **names)]


def _verdict(version: Version, results: Mapping[str, Any]) -> Verdict:
    """As the diagnosis has it, which knows whether test texts were learnt by heart; by the scores alone where a file is damaged."""
    from coach.diagnosis import diagnose
    from training.evidence import evidence_on, look_at_copies

    try:
        return diagnose(evidence_on(version, results, copies=look_at_copies(version))).verdict
    except CoachError:
        return judge(results)
