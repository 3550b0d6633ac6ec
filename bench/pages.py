"""Times the pages at the server, with websocket clients in a browser's place, idle and beside a real training; writes bench/pages.json.

    python bench/pages.py [--only idle,crowd,training,browser]

idle      every page of a finished task, run again once every quarter second
crowd     20 viewers of one live log at 1 Hz (the log is replayed, so that only the server is at work)
training  the news sample trained in the server's process from the Start button: time to the first matrix, then windows without
          viewers against windows with three viewers and a reader turning a page each second
browser   Chromium: the first page of a server just started, and once more
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil
import record  # puts the project's root on the path
from filelock import FileLock
from streamlit_client import Viewer, follow

ROOT = record.ROOT
EXAMPLE = ROOT / "tests" / "data" / "example-task"
RECORDED = ROOT / "tests" / "data" / "runs" / "healthy.jsonl"
PAGES = ("", "discover", "goal", "recommend", "confirm", "train", "evaluate", "iterate")
RERUNS, PACE_S = 40, 0.25
CROWD, CROWD_S = 20, 30.0
VIEWERS, WINDOW_S, SETTLE_S = 3, 20.0, 2.0
NAME = "news-sentiment"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="idle,crowd,training,browser")
    wanted = parser.parse_args().only.split(",")
    parts = {"idle": idle, "crowd": crowd, "training": training, "browser": browser}
    before = json.loads((record.FOLDER / "pages.json").read_text()) if (record.FOLDER / "pages.json").exists() else {}
    figures = {name: before[name] for name in parts if name in before and name not in wanted}
    for name in parts:
        if name in wanted:
            figures[name] = parts[name]()
    record.write("pages", {name: figures[name] for name in parts if name in figures})


@contextmanager
def server() -> Iterator[tuple[int, Path, psutil.Process]]:
    """A server with a workspace of its own; port, workspace, process."""
    with tempfile.TemporaryDirectory() as folder, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py"), "--server.port", str(port)]
        with open(Path(folder) / "server.log", "wb") as log:
            process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "COACH_WORKSPACE": folder}, stdout=log, stderr=log)
        try:
            _wait_until_healthy(port)
            yield port, Path(folder), psutil.Process(process.pid)
        finally:
            process.terminate()
            process.wait(timeout=30)


def _wait_until_healthy(port: int) -> None:
    from urllib.request import urlopen

    for _ in range(300):
        try:
            with urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the server did not start within 30 s")


def idle() -> dict[str, Any]:
    return asyncio.run(_idle())


async def _idle() -> dict[str, Any]:
    with server() as (port, workspace, _):
        shutil.copytree(EXAMPLE, workspace / "entity-sentiment")
        viewer = await Viewer.open(port)
        found: dict[str, Any] = {}
        every: list[float] = []
        for page in PAGES:
            await viewer.go(page, "task=entity-sentiment&lang=en")
            await viewer.run()
            times = []
            for _ in range(RERUNS):
                times.append((await viewer.run()).latency_s)
                await asyncio.sleep(PACE_S)
            found[page or "home"] = _milliseconds(times)
            every += times
        await viewer.close()
        return {
            "reruns_a_page": RERUNS,
            "all": _milliseconds(every),
            "pages": found,
            "exceptions": sorted(set(viewer.exceptions)),
        }


def crowd() -> dict[str, Any]:
    return asyncio.run(_crowd())


async def _crowd() -> dict[str, Any]:
    with server() as (port, workspace, process):
        task = workspace / "entity-sentiment"
        shutil.copytree(EXAMPLE, task)
        version = task / "versions" / "v1"
        for leftover in ("results.json", "events.jsonl"):
            (version / leftover).unlink()
        with FileLock(version / "worker.lock"):
            replay = asyncio.create_task(_replay(version / "events.jsonl", CROWD_S + 20))
            await asyncio.sleep(1)
            viewers = [await Viewer.open(port) for _ in range(CROWD)]
            await asyncio.gather(*(viewer.go("train", "task=entity-sentiment&version=v1&lang=en") for viewer in viewers))
            before, began = process.cpu_times(), time.perf_counter()
            end = began + CROWD_S
            found = await asyncio.gather(*(follow(viewer, lambda: time.perf_counter() > end) for viewer in viewers))
            times = [latency for latencies in found for latency in latencies]
            after, took = process.cpu_times(), time.perf_counter() - began
            replay.cancel()
        for viewer in viewers:
            await viewer.close()
    busy = after.user + after.system - before.user - before.system
    return {
        "viewers": CROWD,
        "asked_a_second": CROWD,
        "served_a_second": round(len(times) / took, 1),
        "latency": _milliseconds(times),
        "server_cpu_share": round(busy / took, 3),
        "exceptions": sorted({message for viewer in viewers for message in viewer.exceptions}),
    }


async def _replay(target: Path, seconds: float) -> None:
    """A recorded healthy run written anew, its times made present, spread over `seconds`; its end is left out."""
    events = [json.loads(line) for line in RECORDED.read_text(encoding="utf-8").splitlines()]
    events = [event for event in events if event["type"] != "finished"]
    with open(target, "a", encoding="utf-8") as file:
        for event in events:
            file.write(json.dumps({**event, "t": round(time.time(), 3)}, ensure_ascii=False) + "\n")
            file.flush()
            await asyncio.sleep(seconds / len(events))


def training() -> dict[str, Any]:
    return asyncio.run(_training())


async def _training() -> dict[str, Any]:
    from training.commands import local_now
    from training.samples import write_sample
    from training.starter_model import ensure_starter_model

    ensure_starter_model()
    with server() as (port, workspace, process):
        write_sample(NAME, workspace / NAME, now=local_now())
        starter = await Viewer.open(port)
        await starter.go("confirm", f"task={NAME}&lang=en")
        began = time.time()
        await starter.press("start")
        events_path = workspace / NAME / "versions" / "v1" / "events.jsonl"
        first = await _until_first_matrix(starter, began)
        figures = {"start_to_first_matrix_s": round(first, 1), **await _windows(port, events_path)}
        (events_path.parent / "stop").touch()
        await starter.close()
        figures["exceptions"] = sorted(set(starter.exceptions))
        return figures


async def _until_first_matrix(viewer: Viewer, began: float) -> float:
    """Seconds from the click until the page has drawn a matrix of an evaluation after training steps."""
    while time.time() - began < 300:
        for fragment in list(viewer.timers) or [""]:
            found = await viewer.run(fragment=fragment)
            if any(_is_matrix(element) for element in found.elements):
                return time.time() - began
        await asyncio.sleep(0.5)
    raise SystemExit("no matrix within 300 s:\n" + viewer.words[-2000:])


def _is_matrix(element: Any) -> bool:
    return element.WhichOneof("type") == "vega_lite_chart" and '"predicted"' in element.vega_lite_chart.spec


async def _windows(port: int, events_path: Path) -> dict[str, Any]:
    """Alternates windows without and with viewers until the training steps end; tokens a second in each kind."""
    spans: dict[str, list[tuple[float, float]]] = {"alone": [], "watched": []}
    fragment_times: list[float] = []
    page_times: list[float] = []
    lags: list[float] = []
    while not _is_over(events_path):
        began = time.time()
        await asyncio.sleep(WINDOW_S)
        spans["alone"].append((began, time.time()))
        viewers = [await Viewer.open(port) for _ in range(VIEWERS)]
        for viewer in viewers:
            await viewer.go("train", f"task={NAME}&version=v1&lang=en")
        reader = await Viewer.open(port)
        await reader.go("goal", f"task={NAME}&lang=en")
        await asyncio.sleep(SETTLE_S)
        began, end = time.time(), time.perf_counter() + WINDOW_S
        over = lambda: time.perf_counter() > end  # noqa: B023, E731 - used up within this turn of the loop
        seen: list[tuple[float, int]] = []
        viewers[0].on_element = lambda element: seen.extend(_step_shown(element))  # noqa: B023
        found = await asyncio.gather(*(follow(viewer, over) for viewer in viewers), _reread(reader, over))
        spans["watched"].append((began, time.time()))
        fragment_times += [latency for times in found[:VIEWERS] for latency in times]
        page_times += found[VIEWERS]
        lags += _lags(seen, events_path)
        for viewer in [*viewers, reader]:
            await viewer.close()
    rates = {kind: _tokens_a_second(events_path, windows) for kind, windows in spans.items()}
    return {
        "tokens_a_second": rates,
        "cost_of_three_viewers": round(1 - rates["watched"]["median"] / rates["alone"]["median"], 4),
        "page_rerun": _milliseconds(page_times),
        "fragment": _milliseconds(fragment_times),
        "behind_the_log_s": {"median": round(statistics.median(lags), 2), "max": round(max(lags), 2)} if lags else None,
    }


async def _reread(viewer: Viewer, over: Any) -> list[float]:
    """Another person's page, run again each second: a whole page, not a fragment."""
    times = []
    while not over():
        times.append((await viewer.run()).latency_s)
        await asyncio.sleep(max(0.0, 1.0 - times[-1]))
    return times


def _is_over(events_path: Path) -> bool:
    events = _events(events_path)
    total = next((event["total_steps"] for event in events if event["type"] == "phase" and "total_steps" in event), None)
    done = max((event["step"] for event in events if event["type"] == "step"), default=0)
    ended = any(event["type"] in ("finished", "stopped", "failed") for event in events)
    return ended or bool(total and done > 0.85 * total)


def _events(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.endswith("}")]


def _tokens_a_second(path: Path, windows: list[tuple[float, float]]) -> dict[str, float]:
    """Over pairs of neighbouring steps inside a window with no evaluation between them."""
    rates = []
    last = None
    for event in _events(path):
        if event["type"] == "eval":
            last = None
        if event["type"] != "step":
            continue
        if last and any(low <= last["t"] and event["t"] <= high for low, high in windows):
            rates.append((event["tokens"] - last["tokens"]) / max(1e-6, event["t"] - last["t"]))
        last = event
    return {"median": round(statistics.median(rates), 1), "mean": round(statistics.fmean(rates), 1), "steps": len(rates)}


def _step_shown(element: Any) -> list[tuple[float, int]]:
    """The step the page's progress line names, with the time at which it came."""
    import re

    found = re.search(r"[Ss]tep (\d+)", element.progress.text) if element.WhichOneof("type") == "progress" else None
    return [(time.time(), int(found[1]))] if found else []


def _lags(seen: list[tuple[float, int]], path: Path) -> list[float]:
    """At each refresh, how long ago the first step that the page did not yet show had been written."""
    steps = [(event["t"], event["step"]) for event in _events(path) if event["type"] == "step"]
    found = []
    for (_, shown), (at, _) in pairwise(seen):
        missed = next((t for t, step in steps if step > shown), None)
        found.append(max(0.0, at - missed) if missed else 0.0)
    return found


def browser() -> dict[str, Any]:
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
    times: dict[str, list[float]] = {"first_after_start": [], "warm": []}
    for _ in range(3):
        with server() as (port, workspace, _process), sync_playwright() as playwright:
            shutil.copytree(EXAMPLE, workspace / "entity-sentiment")
            chromium = playwright.chromium.launch(executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=flags)
            for kind in times:
                page = chromium.new_context(locale="zh-TW", viewport={"width": 1360, "height": 940}).new_page()
                began = time.perf_counter()
                page.goto(f"http://127.0.0.1:{port}/", wait_until="commit")
                page.get_by_role("heading", level=1).wait_for()
                times[kind].append(round(time.perf_counter() - began, 2))
            chromium.close()
    return {kind: {"seconds": found, "median": statistics.median(found)} for kind, found in times.items()}


def _milliseconds(times: list[float]) -> dict[str, float]:
    ordered = sorted(times)
    place = min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))
    return {"n": len(ordered), "p50_ms": round(1000 * statistics.median(ordered), 1), "p95_ms": round(1000 * ordered[place], 1)}


if __name__ == "__main__":
    main()
