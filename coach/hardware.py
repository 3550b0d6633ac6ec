"""What can be computed on: this machine as it is, or the one the answers name.

Asks `nvidia-smi` and the operating system, never torch, so that a page opens at once. Which plan fits is `estimate.py`'s to say.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from coach.answers import Answers
from coach.gpu_cards import GpuCard, find_card

Place = Literal["local", "remote"]
CommandRunner = Callable[[list[str]], str]
_SMI = ["nvidia-smi", "--query-gpu=name,memory.total,compute_cap", "--format=csv,noheader,nounits"]
SMI_TIMEOUT_S = 5.0
BF16_FROM_CAPABILITY = 8.0  # Ampere; below it bfloat16 is emulated
BF16_INSTRUCTIONS = {"amx_bf16", "avx512_bf16", "bf16"}  # Intel, AMD, Arm
ASSUMED_VRAM_GB = 8.0  # a GPU nothing is known of: the smallest on which a 4B model trains with QLoRA (evidence.md 5.2)
ASSUMED_TFLOPS = 60.0  # a card the catalogue does not know: about an RTX 4070
ASSUMED_RAM_GB = 8.0


@dataclass(frozen=True)
class Hardware:
    """One machine to train on. `vram_gb` is None without a GPU; `assumed` names what was taken for granted.

    `cpu_bf16`: whether the processor has instructions for bfloat16; without them a training on it computes in float32.
    """

    place: Place = "local"
    gpu_name: str | None = None
    vram_gb: float | None = None
    bf16: bool = True
    peak_tflops: float | None = None
    gpu_count: int = 0
    cores: int = 2
    ram_gb: float = ASSUMED_RAM_GB
    cpu_bf16: bool = True
    assumed: tuple[str, ...] = ()

    @property
    def has_cuda(self) -> bool:
        return self.vram_gb is not None


def this_machine(
    run: CommandRunner | None = None, *, cores: int | None = None, ram_gb: float | None = None, cpu_flags: str | None = None
) -> Hardware:
    """This machine: its first graphics card as nvidia-smi tells it, processor cores and memory.

    `run` is given a command and returns its output, raising OSError or SubprocessError; tests hand in their own.
    """
    flags = (_cpu_flags() if cpu_flags is None else cpu_flags).split()
    bf16 = not flags or bool(BF16_INSTRUCTIONS & set(flags))
    found = Hardware(cores=cores or _cores(), ram_gb=ram_gb or _ram_gb(), cpu_bf16=bf16)
    try:
        said = (run or _run)(_SMI)
    except (OSError, subprocess.SubprocessError):
        return found
    lines = [line for line in said.splitlines() if line.strip()]
    return replace(_with_card(found, lines[0]), gpu_count=len(lines)) if lines else found


def machine_for(answers: Answers, machine: Hardware) -> Hardware:
    """The machine the answers mean: none, this one, or a remote one by the name and memory given; unasked, this one as it is."""
    said = answers.resources
    if said.gpu is None and said.gpu_name is None and said.vram_gb is None:
        return machine
    if said.gpu == "none":
        return replace(machine, gpu_name=None, vram_gb=None, peak_tflops=None, gpu_count=0)
    if said.gpu == "local" and machine.has_cuda and said.gpu_name is None and said.vram_gb is None:
        return machine
    return _as_said(answers, machine)


def _as_said(answers: Answers, machine: Hardware) -> Hardware:
    said = answers.resources
    card = find_card(said.gpu_name, said.vram_gb) if said.gpu_name else None
    assumed = []
    vram_gb = said.vram_gb or (card.vram_gb if card else None)
    if vram_gb is None:
        vram_gb = ASSUMED_VRAM_GB
        assumed.append("vram_gb")
    if card is None:
        assumed.append("peak_tflops")
    return Hardware(
        place="remote" if said.gpu == "remote" else "local",
        gpu_name=said.gpu_name or (card.name if card else None),
        vram_gb=vram_gb,
        bf16=card.bf16 if card else True,
        peak_tflops=card.peak_tflops if card else ASSUMED_TFLOPS,
        gpu_count=said.gpu_count or 1,
        cores=machine.cores,
        ram_gb=machine.ram_gb,
        assumed=tuple(assumed),
    )


def _with_card(machine: Hardware, line: str) -> Hardware:
    """`NVIDIA A100-SXM4-80GB, 81920, 8.0`: name, memory in MiB, compute capability. Any other line is no GPU."""
    parts = [part.strip() for part in line.split(",")]
    try:
        name, vram_gb = parts[0], round(float(parts[1]) / 1024, 1)
    except (IndexError, ValueError):
        return machine
    card = find_card(name, vram_gb)
    tflops = card.peak_tflops if card else ASSUMED_TFLOPS
    assumed = () if card else ("peak_tflops",)
    return replace(
        machine, gpu_name=name, vram_gb=vram_gb, bf16=_bf16(parts, card), peak_tflops=tflops, gpu_count=1, assumed=assumed
    )


def _bf16(parts: list[str], card: GpuCard | None) -> bool:
    try:
        return float(parts[2]) >= BF16_FROM_CAPABILITY
    except (IndexError, ValueError):
        return card.bf16 if card else False


def _run(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, timeout=SMI_TIMEOUT_S, check=True).stdout


def _cores() -> int:
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _cpu_flags() -> str:
    """The instructions of the processor as Linux lists them; empty where that is not to be known."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2] for line in lines if line.lower().startswith(("flags", "features"))), "")


def _ram_gb() -> float:
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemTotal:"):
                return round(int(line.split()[1]) / 2**20, 1)
        return ASSUMED_RAM_GB
    except (OSError, ValueError, IndexError):
        pass
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    except (OSError, ValueError, AttributeError):
        return ASSUMED_RAM_GB
