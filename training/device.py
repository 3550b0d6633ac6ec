"""What this process computes on: device, number format, threads; each choice with the reason that is shown to the user.

Owns the choice, not the model. Imports torch: only the worker and the prediction command import this.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import psutil
import torch

DeviceType = Literal["cuda", "cpu"]


@dataclass(frozen=True)
class Device:
    """`type`, the weights' number format and why it was chosen (text keys under `device`)."""

    type: DeviceType
    dtype: torch.dtype
    dtype_reason: str

    @property
    def name(self) -> str:
        return torch.cuda.get_device_name(0) if self.type == "cuda" else "cpu"


def choose_device() -> Device:
    """CUDA where it is; bf16 where the hardware multiplies it, else float32 on a CPU and float16 on an older GPU."""
    if torch.cuda.is_available():
        if torch.cuda.is_bf16_supported(including_emulation=False):
            return Device("cuda", torch.bfloat16, "device.gpu_bf16")
        return Device("cuda", torch.float16, "device.gpu_fp16")
    if _cpu_multiplies_bf16():
        return Device("cpu", torch.bfloat16, "device.cpu_bf16")
    return Device("cpu", torch.float32, "device.cpu_fp32")


def _cpu_multiplies_bf16() -> bool:
    """Measured, not asked: on a CPU without the instructions bf16 is emulated and several times slower than float32."""
    a32 = torch.randn(384, 384)
    a16 = a32.bfloat16()
    return _best_time(lambda: a16 @ a16) < _best_time(lambda: a32 @ a32)


def _best_time(work: Callable[[], object], repeats: int = 5) -> float:
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best


class Threads:
    """Uses all cores, and fewer while other programs take more than about half of them.

    Measured (design.md section 8): with the second of two cores fully busy, two threads are slower than one (547 against 924 tokens/s).
    Fewer at once, more only after QUIET_S: a browser on the same machine is busy every few seconds.
    """

    FOREIGN_SHARE = 0.5
    LOOK_EVERY_S = 5.0
    QUIET_S = 30.0

    def __init__(self, cores: int | None = None) -> None:
        self.cores = cores or _usable_cores()
        self.now = self.told = self.cores
        self._quiet_since: float | None = None
        self._process = psutil.Process()
        self._mark()

    def apply(self) -> None:
        torch.set_num_threads(self.now)

    def adjust(self) -> None:
        """Looks at the load since the last look, at most every LOOK_EVERY_S, and changes the number of threads where that calls for it."""
        elapsed = time.monotonic() - self._seen_at
        if elapsed < self.LOOK_EVERY_S:
            return
        foreign = max(0.0, self._busy_s() - self._system_busy_s - (self._own_s() - self._own_busy_s)) / elapsed
        looked_from = self._seen_at
        self._mark()
        self.settle(threads_for(self.cores, foreign), looked_from, self._seen_at)

    def settle(self, wanted: int, since: float, until: float) -> None:
        """Takes what the load between two monotonic times calls for: fewer threads at once, more after QUIET_S without a busy look."""
        if wanted <= self.now:
            self._quiet_since = None
        elif self._quiet_since is None:
            self._quiet_since = since
        if wanted < self.now or (self._quiet_since is not None and until - self._quiet_since >= self.QUIET_S):
            self.now, self._quiet_since = wanted, None
            self.apply()

    def news(self) -> tuple[int, int] | None:
        """(before, after) where the number of threads is another one than when this was last asked."""
        before, self.told = self.told, self.now
        return None if before == self.now else (before, self.now)

    def _mark(self) -> None:
        self._seen_at = time.monotonic()
        self._system_busy_s, self._own_busy_s = self._busy_s(), self._own_s()

    def _own_s(self) -> float:
        times = self._process.cpu_times()
        return times.user + times.system

    @staticmethod
    def _busy_s() -> float:
        times = psutil.cpu_times()
        return sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0)


def _usable_cores() -> int:
    """Cores this process may use; macOS has no affinity to ask for."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def threads_for(cores: int, foreign_cores: float) -> int:
    """Threads to use while other programs keep `foreign_cores` cores busy: all, or what they leave over once they take half."""
    if foreign_cores <= cores * Threads.FOREIGN_SHARE:
        return cores
    return max(1, cores - round(foreign_cores))
