"""The news sample trained in the server's process: time from Start to the first matrix, then windows without and with viewers."""

from __future__ import annotations

import asyncio
import json
import re
import statistics
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

from served import milliseconds, server
from streamlit_client import Viewer, follow

VIEWERS, WINDOW_S, SETTLE_S = 3, 20.0, 2.0
NAME = "news-sentiment"


def training() -> dict[str, Any]:
    return asyncio.run(_training())


async def _training() -> dict[str, Any]:
    from training.commands import local_now
    from training.samples import write_sample
    from training.starter_model import ensure_starter_model

    ensure_starter_model()
    with server() as (port, workspace, _):
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
        "page_rerun": milliseconds(page_times),
        "fragment": milliseconds(fragment_times),
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
