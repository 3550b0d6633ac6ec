"""Other ways that were open, each with its price, what it would bring, and when the coach would take it instead.

At least two stand beside every plan: more rows is always one of them.
"""

from __future__ import annotations

from collections.abc import Callable

from coach.estimate import fitting_micro_batch, memory_gb
from coach.forecast_priors import baseline_prior
from coach.gain import gain_of
from coach.growth import BARELY
from coach.metric_words import metric_words
from coach.own_baseline import own_baseline
from coach.plan import Alternative, Peft
from coach.recommendation.base_model import QWEN_4B, QWEN_TINY
from coach.recommendation.draft import Draft
from coach.recommendation.method import FEW_ROWS, FULL_TUNING_ROWS, PAIRS_TO_RECOMMEND
from coach.reference_data import ModelRow, model_row
from coach.sentence import Sentence
from coach.situation import TOO_FEW_ROWS
from coach.text_kind import kind_of

SMALLER_FROM_B, LARGER_BELOW_B = 3.0, 7.0
FULL_TUNING_SMALL_ROWS = 10_000  # of a model up to 1B: evidence.md 1.2
LARGER = "Qwen/Qwen3-8B"
Option = Callable[[Draft], Alternative | None]


def alternatives(draft: Draft) -> list[Alternative]:
    return [found for option in OPTIONS if (found := option(draft)) is not None]


def cheap_baseline(draft: Draft) -> Alternative | None:
    """TF-IDF and logistic regression, where a model is trained: it runs beside every version anyway."""
    rows = draft.situation.learnable_rows
    if draft.situation.task_type != "classification" or not draft.trains or "baseline" in draft.methods:
        return None
    if own := own_baseline(draft.situation):
        metric = metric_words(draft.situation.metric)
        return _alternative("cheap_baseline", gain="known", score=own.score, metric=metric, limit=TOO_FEW_ROWS)
    score = baseline_prior(draft.situation, rows)[1] if rows else None
    return _alternative("cheap_baseline", gain="prior" if score is not None else "unknown", score=score, limit=TOO_FEW_ROWS)


def prompting(draft: Draft) -> Alternative | None:
    """Few-shot prompting, the specification's advice below 100 rows."""
    if "prompt" in draft.methods or (draft.situation.learnable_rows or 0) >= FEW_ROWS:
        return None
    return _alternative("prompting", limit=TOO_FEW_ROWS)


def train_anyway(draft: Draft) -> Alternative | None:
    """LoRA with too few rows: what the person came for, with what it is worth."""
    return None if draft.trains else _alternative("train_anyway", limit=TOO_FEW_ROWS, wanted=FEW_ROWS)


def with_a_gpu(draft: Draft) -> Alternative | None:
    """Without a GPU: what a card would bring."""
    model = model_row(QWEN_4B)
    if draft.situation.machine.has_cuda or not draft.trains or model is None:
        return None
    share = _further_gain(draft, model, draft.model)
    return _alternative(
        "with_a_gpu", model=QWEN_4B, vram=memory_gb(model, "lora", 4, 512), small=memory_gb(model, "qlora", 1, 512), share=share
    )


def smaller_model(draft: Draft) -> Alternative | None:
    """On a GPU: a model that answers faster and trains faster."""
    smaller = model_row(QWEN_TINY)
    if not draft.trains or smaller is None or smaller.params_b is None or (draft.model.params_b or 0) < SMALLER_FROM_B:
        return None
    times = (draft.model.params_b or 0) / smaller.params_b
    share = _further_gain(draft, draft.model, smaller)
    return _alternative("smaller_model", model=smaller.id, times=times, share=share)


def larger_model(draft: Draft) -> Alternative | None:
    """On a card with room: the next size."""
    larger, s = model_row(LARGER), draft.situation
    if not draft.trains or not s.machine.has_cuda or larger is None or (draft.model.params_b or 0) >= LARGER_BELOW_B:
        return None
    ways: tuple[Peft, ...] = ("lora", "qlora")
    way = next((way for way in ways if fitting_micro_batch(larger, way, s.machine.vram_gb or 0, s.long_row_tokens)), None)
    if way is None:
        return None
    return _alternative(
        "larger_model", model=larger.id, vram=memory_gb(larger, way, 1, s.long_row_tokens), times=_times(larger, draft.model)
    )


def full_tuning(draft: Draft) -> Alternative | None:
    """All weights."""
    if not draft.trains or draft.peft == "none":
        return None
    vram = memory_gb(draft.model, "none", 1, 512)
    return _alternative("full_tuning", vram=vram, limit=FULL_TUNING_ROWS, small=FULL_TUNING_SMALL_ROWS)


def supervised_only(draft: Draft) -> Alternative | None:
    """Without the preference stage."""
    if "dpo" not in draft.methods:
        return None
    return _alternative("supervised_only", recommend=PAIRS_TO_RECOMMEND)


def orpo(draft: Draft) -> Alternative | None:
    """The specification's choice for preference data."""
    return _alternative("orpo") if "dpo" in draft.methods else None


def more_rows(draft: Draft) -> Alternative | None:
    """Labelling more: nearly always the surest gain, and what it might bring by one's own curve, else by the public ones."""
    rows = draft.situation.learnable_rows
    if not draft.situation.can_label:
        return None
    if draft.situation.task_type != "classification" or not rows:
        return _alternative("more_rows", gain="unknown", wanted=FEW_ROWS)
    wanted = max(FEW_ROWS, 2 * rows)
    growth = draft.forecast.growth
    if growth is not None:
        now, then = growth.expected(growth.today), growth.expected(2 * growth.today)
        if now is None or then is None:
            return _alternative("more_rows", gain="unknown", wanted=wanted)
        return _alternative("more_rows", gain="own" if then - now >= BARELY else "level", wanted=wanted, now=now, then=then)
    prior = [baseline_prior(draft.situation, count)[1] for count in (rows, wanted)]
    return _alternative("more_rows", gain="known", wanted=wanted, now=prior[0], then=prior[1])


OPTIONS: tuple[Option, ...] = (
    supervised_only,
    orpo,
    cheap_baseline,
    prompting,
    with_a_gpu,
    smaller_model,
    larger_model,
    full_tuning,
    train_anyway,
    more_rows,
)


def _alternative(name: str, gain: str | None = None, **data: str | float | Sentence | None) -> Alternative:
    """The four sentences of an option, `advice.alternatives.<name>.…`; `gain` picks among several wordings of what it brings."""
    said = {part: Sentence(f"advice.alternatives.{name}.{part}", dict(data)) for part in ("option", "cost", "when")}
    brings = Sentence(f"advice.alternatives.{name}.gain" + (f".{gain}" if gain else ""), dict(data))
    return Alternative(said["option"], said["cost"], brings, said["when"])


def _further_gain(draft: Draft, stronger: ModelRow, weaker: ModelRow) -> float:
    """The share of the baseline's errors that the one is believed to remove and the other not; 0 where it is not known to."""
    kind = kind_of(draft.situation)
    return max(0.0, gain_of(stronger, kind).mean - gain_of(weaker, kind).mean)


def _times(larger: ModelRow, model: ModelRow) -> float:
    return (larger.params_b or 1.0) / (model.params_b or 1.0)
