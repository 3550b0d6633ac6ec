"""Which base model, and how its weights are trained: the specification's table, corrected by evidence.md 8, and what fits.

A need names a ladder of models, best first; the first rung that the machine can hold is taken, in 16 bits or else in 4.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from coach.estimate import SAFE_SHARE, STARTER_ID, fitting_micro_batch, memory_gb
from coach.plan import Advice, Peft
from coach.recommendation.method import FULL_TUNING_ROWS
from coach.reference_data import ModelRow, lora_band, model_row
from coach.sentence import Data, Sentence, sentence
from coach.situation import Situation

QWEN_4B, QWEN_2B, QWEN_TINY = "Qwen/Qwen3-4B-Instruct-2507", "Qwen/Qwen3-1.7B", "Qwen/Qwen3-0.6B"
PHI_MINI = "microsoft/Phi-4-mini-instruct"
LLAMAS = ("meta-llama/Llama-3.2-3B-Instruct", "meta-llama/Llama-3.2-1B-Instruct")
THINKERS = (
    "deepseek-ai/DeepSeek-R1-0528-Qwen3-8B",
    "deepseek-ai/DeepSeek-R1-Distill-Qwen-7B",
    "deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B",
)


@dataclass(frozen=True)
class Ladder:
    """Models in order of preference, and why this order."""

    rule: str
    models: tuple[str, ...]
    source: str


@dataclass(frozen=True)
class ModelChoice:
    model: ModelRow
    peft: Peft
    reasons: tuple[Advice, ...]


LadderRule = Callable[[Situation], Ladder | None]


def no_gpu(s: Situation) -> Ladder | None:
    """No graphics card: the starter model, which trains on a processor in minutes."""
    return None if s.machine.has_cuda else Ladder("no_gpu", (STARTER_ID,), "design")


def reasoning(s: Situation) -> Ladder | None:
    """Reasoning wanted for generation: a distilled R1. R1 itself cannot be tuned on a card of this kind."""
    if not s.answers.needs.reasoning or s.task_type != "generation":
        return None
    return Ladder("reasoning", THINKERS, "model-table")


def tooling(s: Situation) -> Ladder | None:
    """Tool support wanted: the small Llamas, since 3.3 exists as 70B only."""
    return Ladder("tooling", LLAMAS, "model-table") if s.answers.needs.tooling else None


def light(s: Situation) -> Ladder | None:
    """To run on little: Phi-4-mini for English, the small Qwen3 otherwise; Phi-4 itself has 14B."""
    if not s.answers.needs.light_deployment:
        return None
    if s.language == "en":
        return Ladder("light.english", (PHI_MINI, QWEN_2B, QWEN_TINY), "model-table")
    return Ladder("light.other", (QWEN_2B, QWEN_TINY), "model-table")


def chinese(s: Situation) -> Ladder | None:
    """Chinese: Qwen3-4B, as the specification says, in its version that never thinks."""
    return Ladder("chinese", (QWEN_4B, QWEN_2B, QWEN_TINY), "distil-labs") if s.language == "zh" else None


def usual(s: Situation) -> Ladder | None:
    """Other languages: the same model, which led both published comparisons."""
    return Ladder("usual", (QWEN_4B, QWEN_2B, QWEN_TINY), "distil-labs")


MODEL_RULES: tuple[LadderRule, ...] = (no_gpu, reasoning, tooling, light, chinese, usual)


def choose_base_model(s: Situation, *, trains: bool) -> ModelChoice:
    """The model and its way of training; without training the model is the one to use once there are rows."""
    ladder = next(ladder for rule in MODEL_RULES if (ladder := rule(s)) is not None)
    candidates = [row for name in ladder.models if (row := model_row(name)) is not None]
    usable = [row for row in candidates if row.fp16_safe or s.machine.bf16 or not s.machine.has_cuda]
    fitting = next(((row, peft) for row in usable if (peft := _peft_that_fits(s, row)) is not None), None)
    if fitting is None:
        starter = model_row(STARTER_ID)
        assert starter is not None
        reason = _advice("too_small_gpu", starter, "vram", vram=s.machine.vram_gb or 0.0)
        return ModelChoice(starter, "lora" if trains else "none", (reason, *_remarks(s, starter)))
    model, peft = fitting
    reasons = [_advice(ladder.rule, model, ladder.source)]
    reasons += [_fit_reason(s, model, peft)] if s.machine.has_cuda and trains else []
    return ModelChoice(model, peft if trains else "none", (*reasons, *_remarks(s, model)))


def _peft_that_fits(s: Situation, model: ModelRow) -> Peft | None:
    """Full fine-tuning from 100,000 rows where it fits, else LoRA in 16 bits, else in 4; None where not even that fits."""
    if not s.machine.has_cuda:
        return "lora"
    vram, tokens, rank = s.machine.vram_gb or 0.0, s.long_row_tokens, lora_band(s.learnable_rows or 0).r
    ways: tuple[Peft, ...] = ("none", "lora", "qlora") if (s.learnable_rows or 0) >= FULL_TUNING_ROWS else ("lora", "qlora")
    return next((way for way in ways if fitting_micro_batch(model, way, vram, tokens, rank)), None)


def _fit_reason(s: Situation, model: ModelRow, peft: Peft) -> Advice:
    vram, tokens, rank = s.machine.vram_gb or 0.0, s.long_row_tokens, lora_band(s.learnable_rows or 0).r
    data: Data = {
        "vram": vram,
        "usable": SAFE_SHARE * vram,
        "lora": memory_gb(model, "lora", 1, tokens, rank),
        "full": memory_gb(model, "none", 1, tokens),
    }
    rule = {"lora": "fits_lora", "qlora": "fits_qlora", "none": "fits_full"}[peft]
    if peft == "lora" and (s.learnable_rows or 0) >= FULL_TUNING_ROWS:
        rule = "full_does_not_fit"
    what = sentence(f"advice.peft.{peft}")
    source = "qlora-loss" if peft == "qlora" else "vram"
    return Advice("base_model", f"base_model.{rule}", what, Sentence(f"advice.base_model.{rule}", dict(data)), source)


def _remarks(s: Situation, model: ModelRow) -> list[Advice]:
    """Needs that were named and did not decide, and what a licence or an older card means."""
    found = []
    needs = s.answers.needs
    if needs.reasoning and s.task_type != "generation":
        found.append(_advice("no_thinking_for_labels", model, "model-table"))
    if s.machine.has_cuda and not s.machine.bf16:
        found.append(_advice("float16_only", model, "float16-nan", gpu=s.machine.gpu_name or "GPU"))
    if not s.machine.has_cuda and (needs.reasoning or needs.tooling or needs.light_deployment):
        found.append(_advice("needs_without_gpu", model, "model-table"))
    if model.thinking == "hybrid":
        found.append(_advice("thinking_off", model, "model-table"))
    return found


def _advice(rule: str, model: ModelRow, source: str, **data: str | float | Sentence) -> Advice:
    what = sentence("advice.base_model.what", model=model.id, licence=model.licence)
    because = Sentence(f"advice.base_model.{rule}", {"model": model.id, **data})
    return Advice("base_model", f"base_model.{rule}", what, because, source)
