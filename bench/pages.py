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
import statistics
import time
from pathlib import Path
from typing import Any

import record  # puts the project's root on the path
from filelock import FileLock
from pages_beside_training import training
from served import milliseconds, server
from streamlit_client import Viewer, follow

ROOT = record.ROOT
EXAMPLE = ROOT / "tests" / "data" / "example-task"
RECORDED = ROOT / "tests" / "data" / "runs" / "healthy.jsonl"
PAGES = ("", "discover", "goal", "recommend", "confirm", "train", "evaluate", "iterate")
RERUNS, PACE_S = 40, 0.25
CROWD, CROWD_S = 20, 30.0


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
            found[page or "home"] = milliseconds(times)
            every += times
        await viewer.close()
        return {
            "reruns_a_page": RERUNS,
            "all": milliseconds(every),
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
        "latency": milliseconds(times),
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


if __name__ == "__main__":
    main()
