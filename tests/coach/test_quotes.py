"""Each figure in a reason of the coach's stands in the quote of its source, or in that of the common tree it speaks of.

Figures that are reckoned from the person's own answers are put in as the reason is said and are not looked for.
"""

import re
from itertools import product

import pytest

from coach.answers import Answers
from coach.hardware import Hardware
from coach.recommendation import recommend
from coach.reference_data import sources
from coach.text import LANGUAGES, catalogue

COMMON = "specification"
FIGURE = re.compile(r"(?<![\w.])\.?\d[\d,]*(?:\.\d+)?(?:e-?\d+)?(?: ?[kK萬])?")
NAMES = re.compile(
    r"Qwen[\d.]+(-[\w.]+)*|Phi-4(-mini)?|Llama-[\d.]+(-\w+)*|R1|F1|(?<![\d.])\d+B|(4|16)(-bit| bits| 位元)|float16|Gemma 3( and |/)4"
)
TASKS = ("classification", "extraction", "generation")
ROWS = (None, 0, 10, 30, 60, 120, 300, 800, 3000, 20_000, 200_000)
NEEDS = (None, "reasoning", "light_deployment", "tooling", "alignment")


def figures(said):
    """Figures of a text without its placeholders and names, 100,000 and 100k and 10 萬 alike."""
    return {_number(found.group()) for found in FIGURE.finditer(NAMES.sub("", re.sub(r"\{[^}]*\}", "", said)))}


def _number(written):
    times = {"k": 1e3, "K": 1e3, "萬": 1e4}.get(written[-1], 1)
    return round(float(written.rstrip("kK萬 ").replace(",", "")) * times, 12)


def reasons():
    """Every reason that some answers lead to, once for each source."""
    asked = [
        *product(TASKS, ROWS, NEEDS, (0,), ("none", "large"), ("zh-TW",)),
        *product(TASKS, ROWS, (None,), (300, 2000), ("none", "small"), ("en",)),
        *product(TASKS[:1], ROWS, ("light_deployment",), (0,), ("small", "large"), ("en",)),
    ]
    found = {}
    for place, (task, rows, need, pairs, gpu, language) in enumerate(asked):
        labels = {"labels": ["a", "b", "c"]} if task == "classification" else {}
        card = {"gpu": "none"} if gpu == "none" else {"gpu": "local", "vram_gb": 8 if gpu == "small" else 80}
        document = {
            "task": {"type": task, "language": language, **labels},
            "resources": {
                "labelled_rows": rows,
                "preference_pairs": pairs,
                "class_balance": ("skewed", "balanced", "unknown")[place % 3],
                **card,
            },
            "needs": {need: True} if need else {},
            "versioning": {
                "deploy_target": ("local", "api", "huggingface", "ollama", None)[place % 5],
                "iterations": (None, "once", "many")[place % 3],
            },
        }
        for advice in recommend(Answers.model_validate(document), None, Hardware()).reasons:
            found[advice.because.key, advice.source] = advice
    return sorted(found)


@pytest.fixture(scope="module")
def given():
    return reasons()


def test_the_grid_of_answers_leads_to_most_reasons_there_are(given):
    topics = {"method", "base_model", "hyperparameters", "data", "versioning", "deployment"}
    said = {key for key in catalogue() if key.split(".")[0] == "advice" and key.split(".")[1] in topics}
    reasons_ = {key for key in said if not key.split(".")[-1].endswith("what") and ".name" not in key}
    assert len({key for key, _ in given}) >= 0.8 * len(reasons_), reasons_ - {key for key, _ in given}


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_figure_of_a_reason_stands_in_the_quote_of_its_source(given, language):
    missing = {}
    for key, source in given:
        quoted = figures(sources()[source].says[language]) | figures(sources()[COMMON].says[language])
        if lacking := figures(catalogue()[key][language]) - quoted:
            missing[key, source] = lacking
    assert not missing


def test_a_figure_that_no_quote_has_would_be_seen():
    assert figures("about 100k rows, r=16, 1e-4 and {rate:.2f}; Qwen3-4B in 4 bits at .82") == {100_000, 16, 0.0001, 0.82}
    assert figures("約 10 萬筆") == {100_000}
