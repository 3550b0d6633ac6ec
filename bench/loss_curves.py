"""Does our loop learn as the plain script does? Their loss curves beside each other: `python bench/loss_curves.py [steps]`, ten minutes.

Both of train_speed.py, each with the same three seeds (adapter and order of the rows), an epoch of the news sample, a process each.
Losses are smoothed by a moving average of WINDOW steps; a distance is the mean of the absolute difference over all steps. Asked: ours and
plain are on average no further apart than the plain script is from itself with another seed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from itertools import combinations, product
from pathlib import Path

import numpy as np
from record import write
from train_speed import measured, news_trainer

SEEDS = (42, 43, 44)
STEPS = 63  # an epoch of 500 rows
WINDOW = 10


def smoothed(losses: list[float]) -> np.ndarray:
    return np.convolve(losses, np.ones(WINDOW) / WINDOW, mode="valid")


def distance(a: list[float], b: list[float]) -> float:
    return float(np.abs(smoothed(a) - smoothed(b)).mean())


def losses(name: str, seed: int, steps: int) -> list[float]:
    command = [sys.executable, __file__, str(steps), "--only", name, "--seed", str(seed)]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(said.splitlines()[-1])


def beside(curves: dict[str, dict[int, list[float]]]) -> dict[str, object]:
    """Distances between the two, and of each from itself; and of the two curves averaged over seeds."""
    plain, ours = curves["plain_trl"], curves["ours"]
    across = [distance(plain[a], ours[b]) for a, b in product(SEEDS, SEEDS)]
    means = {name: np.mean(list(found.values()), axis=0).tolist() for name, found in curves.items()}

    def within(found: dict[int, list[float]]) -> list[float]:
        return [round(distance(found[a], found[b]), 4) for a, b in combinations(SEEDS, 2)]

    return {
        "plain_from_plain": within(plain),
        "ours_from_ours": within(ours),
        "ours_from_plain": [round(one, 4) for one in across],
        "ours_from_plain_to_plain_from_plain": round(statistics.fmean(across) / statistics.fmean(within(plain)), 3),
        "mean_curves_apart": round(distance(means["plain_trl"], means["ours"]), 4),
        "last_smoothed": {
            name: [round(float(smoothed(curve)[-1]), 4) for curve in found.values()] for name, found in curves.items()
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("steps", type=int, nargs="?", default=STEPS)
    parser.add_argument("--only", choices=["plain_trl", "ours"])
    parser.add_argument("--seed", type=int, default=SEEDS[0])
    asked = parser.parse_args()
    if asked.only:
        with tempfile.TemporaryDirectory() as place:
            print(json.dumps(measured(news_trainer(asked.only, Path(place), asked.steps, asked.seed), asked.seed)["losses"]))
        return
    curves = {name: {seed: losses(name, seed, asked.steps) for seed in SEEDS} for name in ("plain_trl", "ours")}
    write("loss_curves", {"steps": asked.steps, "window": WINDOW, "seeds": SEEDS, **beside(curves), "losses": curves})


if __name__ == "__main__":
    main()
