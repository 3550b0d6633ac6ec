"""What a training costs beside its steps: from the command to the first step, and the live log. `python bench/overhead.py [starts]`.

start  `python -m training run` on the news sample, the model converted: seconds to the first optimiser step, part by part from the log's
       own times; warm (files in memory, medians) and cold (once). Cold is what the machine allows: as root the whole page cache is
       dropped, which takes the libraries along; else the model's and the libraries' files are given up by posix_fadvise, which leaves
       what other programs have mapped.
inside one more start under cProfile: which of our functions, and which imports, the seconds go to (their sum is longer than a plain start)
log    one training: seconds inside EventLog.append and flush, and processor seconds of a page's reader that looks once a second, over
       the seconds of the loop; validations and checkpoints count on neither side. No A/B: windows of this loop differ by more between
       themselves than the 2 % in question, and a run without its log is another program.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import os
import pstats
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from bench import record
from bench.first_step import time_to_first_step
from coach.version_folder import Version
from training.clock import local_now
from training.samples import write_sample
from training.starter_model import ensure_starter_model

WARM_TARGET_S, COLD_TARGET_S, LOG_TARGET = 10.0, 15.0, 0.02
DROP_CACHES = Path("/proc/sys/vm/drop_caches")
LIBRARIES = (Path(json.__file__).parents[1], ROOT / ".venv")
LOOK_EVERY_S = 1.0
LEAST_S = 0.1  # of a function or an import that is named


def news(place: Path) -> Version:
    """A new task folder with the news sample; nothing frozen yet."""
    write_sample("news-sentiment", place, now=local_now())
    return Version(place / "versions" / "v1")


# --- start ---------------------------------------------------------------------------------------------------------------------


def starts(count: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as place:
        time_to_first_step(news(Path(place) / "warming"), ROOT)
        warm = [time_to_first_step(news(Path(place) / f"warm{turn}"), ROOT) for turn in range(count)]
        version = news(Path(place) / "cold")
        how = make_cold(ensure_starter_model())
        cold = time_to_first_step(version, ROOT)
    totals = [found["total_s"] for found in warm]
    parts = {name: round(statistics.median(found["parts_s"][name] for found in warm), 3) for name in warm[0]["parts_s"]}
    return {
        "warm": {"total_s": round(statistics.median(totals), 2), "all_s": totals, "parts_s": parts, "target_s": WARM_TARGET_S},
        "cold": {**cold, "how": how, "target_s": COLD_TARGET_S},
    }


def make_cold(model: Path) -> str:
    """Takes files out of memory; says which."""
    os.sync()
    try:
        DROP_CACHES.write_text("3\n", encoding="ascii")
        return "whole page cache dropped"
    except OSError:
        pass
    for folder in (model, *LIBRARIES):
        for path in folder.rglob("*"):
            if path.is_file():
                give_up(path)
    return "posix_fadvise on the model's and the libraries' files"


def give_up(path: Path) -> None:
    """Asks the kernel to forget the file's pages; those another process has mapped stay."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return
    try:
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)


# --- inside --------------------------------------------------------------------------------------------------------------------


def inside() -> dict[str, dict[str, float]]:
    """Cumulative seconds of our functions and of modules' imports up to the first step; one contains the other."""
    from training.worker import run

    with tempfile.TemporaryDirectory() as place:
        version = prepared(Path(place) / "news")
        profile = cProfile.Profile()

        def stop_after_first(event: dict[str, Any]) -> None:
            if event["type"] == "step":
                profile.disable()
                version.stop_path.touch()

        profile.enable()
        run(version, listener=stop_after_first, now=local_now)
        profile.disable()
    functions: dict[str, float] = {}
    imports: dict[str, float] = {}
    for (file, _, name), (_, _, _, seconds, _) in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]
        path = Path(file)
        if seconds < LEAST_S:
            continue
        if name == "<module>":
            imports["/".join(path.parts[-2:])] = round(seconds, 2)
        elif path.is_relative_to(ROOT) and ".venv" not in path.parts:
            functions[f"{path.relative_to(ROOT)} {name}"] = round(seconds, 2)
    return {"functions_s": by_size(functions), "imports_s": dict(list(by_size(imports).items())[:25])}


def by_size(found: dict[str, float]) -> dict[str, float]:
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def prepared(task: Path) -> Version:
    """The news sample's task, frozen as v1."""
    from coach.workspace import Task
    from training.starting import version_to_train

    news(task)
    return version_to_train(Task.open(task), local_now).version


# --- the live log --------------------------------------------------------------------------------------------------------------


class Stopwatch:
    """Seconds spent in some functions, told apart by what goes on around them."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.calls: dict[str, int] = {}
        self._aside = 0

    def around(self, owner: type, name: str, label: str, *, aside: bool = False) -> None:
        """Times `owner.name`; what is timed while an `aside` function is at work is not counted."""
        real = getattr(owner, name)

        def timed(*args: Any, **kwargs: Any) -> Any:
            if threading.current_thread() is not threading.main_thread() or (self._aside and not aside):
                return real(*args, **kwargs)
            self._aside += aside
            began = time.perf_counter()
            try:
                return real(*args, **kwargs)
            finally:
                self._aside -= aside
                self.seconds[label] = self.seconds.get(label, 0.0) + time.perf_counter() - began
                self.calls[label] = self.calls.get(label, 0) + 1

        setattr(owner, name, timed)


def live_log() -> dict[str, Any]:
    """One training of the news sample in this process, read beside it as a page reads."""
    from training.backends import heavy_imports

    with heavy_imports():
        from training.methods.completion_loss import TokenCountingTrainer
        from training.run_callback import RunCallback
    from training.event_log import EventLog
    from training.worker import run

    watch = Stopwatch()
    watch.around(TokenCountingTrainer, "train", "loop")
    watch.around(RunCallback, "_evaluate", "evaluations", aside=True)
    watch.around(RunCallback, "on_save", "checkpoints", aside=True)
    watch.around(EventLog, "append", "append")
    watch.around(EventLog, "flush", "flush")
    with tempfile.TemporaryDirectory() as place, Reader(version := prepared(Path(place) / "news")) as reader:
        run(version, now=local_now)
    seconds = watch.seconds
    loop_s = seconds["loop"] - seconds["evaluations"] - seconds["checkpoints"]
    writing_s = seconds["append"] + seconds.get("flush", 0.0)
    reading_s = reader.cpu_s * loop_s / max(reader.wall_s, 1e-9)
    return {
        "loop_s": round(loop_s, 2),
        "aside_s": round(seconds["evaluations"] + seconds["checkpoints"], 2),
        "events_written": watch.calls["append"],
        "writing_s": round(writing_s, 4),
        "readers_processor_s": round(reading_s, 4),
        "looks": reader.looks,
        "share": round((writing_s + reading_s) / loop_s, 5),
        "target": LOG_TARGET,
    }


class Reader:
    """Looks at a run once a second, as a page's part that polls does, and counts the processor seconds of it."""

    def __init__(self, version: Version) -> None:
        from training.run_reader import RunReader

        self._reader = RunReader(version.events_path, version.lock_path)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.cpu_s, self.wall_s, self.looks = 0.0, 0.0, 0

    def _look(self) -> None:
        began = time.perf_counter()
        while not self._ended.wait(LOOK_EVERY_S):
            self._reader.read(time.time())
            self.looks += 1
        self.cpu_s, self.wall_s = time.thread_time(), time.perf_counter() - began

    def __enter__(self) -> Reader:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()


PARTS = {"inside": inside, "log": live_log}


def in_a_process(name: str) -> dict[str, Any]:
    """The part's figures from a process of its own, the last line it prints."""
    said = subprocess.run(
        [sys.executable, __file__, "--part", name], check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ).stdout
    found: dict[str, Any] = json.loads(said.splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("starts", type=int, nargs="?", default=3)
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.part:
        print(json.dumps(PARTS[asked.part]()))
        return
    ensure_starter_model()
    record.write("overhead", {"start": starts(asked.starts), **{name: in_a_process(name) for name in PARTS}})


if __name__ == "__main__":
    main()
