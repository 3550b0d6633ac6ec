"""A training stopped, killed and resumed, held against one that nobody touched; and one that runs out of memory on purpose."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.gpu.processes import Processes, Running
from coach.version_folder import Version
from training.event_log import EventTail

POLL_S = 0.005
WEIGHTS = "adapter_model.safetensors"
ROUNDING = 1e-3  # of the largest weight


def interrupted(processes: Processes, whole: Version, again: Version | None, cut: Version) -> dict[str, Any]:
    """`cut` is killed after its first checkpoint, resumed, stopped, resumed; its weights against `whole`'s, trained in one go.

    `again`, where given, is trained in one go too: two runs of a GPU may differ by themselves.
    """
    ends = {"whole": processes.run("train", version=str(whole.folder))}
    if again is not None:
        ends["again"] = processes.run("train", version=str(again.folder))
    job = processes.start("train", version=str(cut.folder))
    killed_at = _after(job, cut, lambda event: event["type"] == "checkpoint")
    was_alive = job.is_alive()
    job.kill()
    job = processes.start("train", version=str(cut.folder), resume=True)
    _after(job, cut, lambda event: event["type"] == "checkpoint" and event["step"] > (killed_at or 0))
    cut.stop_path.touch()
    ends["stopped"] = job.result()
    ends["resumed"] = processes.run("train", version=str(cut.folder), resume=True) if _stopped(ends) else ends["stopped"]
    failed = {name: found["failed"] for name, found in ends.items() if "failed" in found}
    if failed or not was_alive:
        return {"failed": failed or "the training had ended before it could be killed"}
    found: dict[str, Any] = {
        "killed_after_step": killed_at,
        "stopped": ends["stopped"]["ended"],
        "ended": ends["resumed"]["ended"],
    }
    found["difference"] = difference(whole, cut)
    found["difference_of_two_in_one_go"] = difference(whole, again) if again else None
    found["equal"] = found["difference"] <= max(ROUNDING, 2 * (found["difference_of_two_in_one_go"] or 0.0))
    return found


def _stopped(ends: dict[str, dict[str, Any]]) -> bool:
    return ends["stopped"].get("ended") == "stopped"


def _after(job: Running, version: Version, told: Callable[[dict[str, Any]], bool]) -> int | None:
    """The step of the first event that is `told`, as soon as it stands in the log; None where the job ended before."""
    tail = EventTail(version.events_path)
    while True:
        alive = job.is_alive()
        for event in tail.poll():
            if told(event):
                return int(event["step"])
        if not alive:
            return None
        time.sleep(POLL_S)


def difference(one: Version, other: Version) -> float:
    """The largest difference of two adapters' weights, as a share of the largest weight."""
    from safetensors.numpy import load_file

    ours, theirs = load_file(one.model_folder / WEIGHTS), load_file(other.model_folder / WEIGHTS)
    largest = max(float(abs(value).max()) for value in theirs.values())
    return round(max(float(abs(ours[name] - theirs[name]).max()) for name in theirs) / largest, 9)


def copies(version: Version, names: list[str]) -> list[Version]:
    """The version's task folder once more under each name beside it, nothing trained yet."""
    task = version.folder.parents[1]
    for name in names:
        shutil.copytree(task, task.with_name(name))
    return [Version(task.with_name(name) / "versions" / version.name) for name in names]


def memory_limit_gb(few: dict[str, Any] | None, many: dict[str, Any] | None) -> float | None:
    """A limit under which one row fits and eight do not, from the peaks of two cells of ours; None where they were not measured."""
    if not few or not many or "peak_reserved_gb" not in few or "peak_reserved_gb" not in many:
        return None
    low, high = few["peak_reserved_gb"], many["peak_reserved_gb"]
    return round(low + 0.4 * (high - low), 3) if high > low else None


def out_of_memory(processes: Processes, version: Path, limit: dict[str, Any]) -> dict[str, Any]:
    found = processes.run("train", version=str(version), **limit)
    survived = found.get("ended") == "finished" and bool(found.get("fewer_rows"))
    return {**limit, **found, "survived": survived}
