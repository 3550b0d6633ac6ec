"""What can be computed on: nvidia-smi's words, the answers' words, and neither."""

import subprocess

import pytest

from coach.answers import Answers
from coach.gpu_cards import cards, find_card
from coach.hardware import ASSUMED_VRAM_GB, Hardware, machine_for, this_machine


def said(output):
    return lambda command: output


def absent(command):
    raise FileNotFoundError(command[0])


def answers(**resources):
    return Answers.model_validate({"resources": resources})


def test_a_machine_without_nvidia_smi_has_no_gpu():
    found = this_machine(absent, cores=4, ram_gb=16)
    assert not found.has_cuda and found.cores == 4 and found.ram_gb == 16 and found.vram_gb is None


def test_a_driver_that_hangs_or_fails_is_no_gpu_either():
    def hangs(command):
        raise subprocess.TimeoutExpired(command, 5)

    def fails(command):
        raise subprocess.CalledProcessError(9, command)

    assert not this_machine(hangs).has_cuda and not this_machine(fails).has_cuda


def test_name_memory_and_number_format_come_from_nvidia_smi():
    found = this_machine(said("NVIDIA A100-SXM4-80GB, 81920, 8.0\nNVIDIA A100-SXM4-80GB, 81920, 8.0\n"), cores=8, ram_gb=64)
    assert found.has_cuda and found.vram_gb == 80 and found.bf16 and found.peak_tflops == 312 and found.gpu_count == 2


def test_cards_before_ampere_have_no_bfloat16():
    assert not this_machine(said("Tesla T4, 15360, 7.5\n")).bf16


def test_an_unknown_card_is_used_with_its_speed_assumed():
    found = this_machine(said("NVIDIA Future 9000, 49152, 12.0\n"))
    assert found.has_cuda and found.vram_gb == 48 and found.assumed == ("peak_tflops",)


@pytest.mark.parametrize("output", ["", "\n", "No devices were found\n", "garbage, more\n"])
def test_words_that_name_no_card_are_no_gpu(output):
    assert not this_machine(said(output)).has_cuda


def test_this_machine_is_seen_without_torch():
    found = this_machine()
    assert found.cores >= 1 and found.ram_gb > 0


def test_no_gpu_in_the_answers_overrules_one_that_is_there():
    here = this_machine(said("NVIDIA A100-SXM4-80GB, 81920, 8.0\n"))
    assert not machine_for(answers(gpu="none"), here).has_cuda
    assert machine_for(answers(), here) == here and machine_for(answers(gpu="local"), here) == here


def test_a_remote_card_is_taken_by_name_and_memory():
    found = machine_for(answers(gpu="remote", gpu_name="A100", vram_gb=80), Hardware())
    assert found.place == "remote" and found.vram_gb == 80 and found.peak_tflops == 312 and not found.assumed


def test_memory_that_nobody_named_is_assumed_small_and_said():
    found = machine_for(answers(gpu="local"), Hardware())
    assert found.vram_gb == ASSUMED_VRAM_GB and "vram_gb" in found.assumed


@pytest.mark.parametrize(
    ("written", "name"),
    [("NVIDIA A100-SXM4-80GB", "A100 80GB"), ("a100", "A100"), ("rtx4090", "RTX 4090"), ("NVIDIA GeForce RTX 3060", "RTX 3060"),
     ("RTX 4090 24GB", "RTX 4090"), ("Tesla T4", "T4"), ("A10", "A10"), ("A10G", "A10G"), ("L40S", "L40S"), ("L4", "L4")],
)  # fmt: skip
def test_people_write_cards_in_many_ways(written, name):
    assert find_card(written).name == name


def test_a_name_within_another_is_not_that_card():
    assert find_card("A1000") is None and find_card("quantum") is None


def test_of_one_card_in_two_sizes_the_nearer_is_meant():
    assert find_card("A100", 80).name == "A100 80GB" and find_card("A100", 40).name == "A100"


def test_the_catalogue_names_each_card_once():
    names = [card.name for card in cards()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("flags", "bf16"),
    [
        ("fpu avx2 fma", False),
        ("fpu avx2 avx512_bf16", True),
        ("amx_bf16 amx_tile", True),
        ("fp asimd bf16 i8mm", True),
        ("", True),
    ],
)
def test_whether_the_processor_multiplies_bfloat16_is_read_from_its_instructions(flags, bf16):
    assert this_machine(absent, cores=2, ram_gb=8, cpu_flags=flags).cpu_bf16 is bf16
