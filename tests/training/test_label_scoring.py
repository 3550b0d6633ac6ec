"""Label scores against a naive reference that shares no code: one full pass for each label, choices found by comparing labels."""

from pathlib import Path

import pytest
import torch

from coach.task_schema import TaskFile
from training.data.tokens import RowEncoder
from training.evaluation.label_scoring import score_labels

LABELS = ["refund", "refuse", "refunded", "ship", "x"]


def naive_scores(model, prompt, answers):
    """For each answer: a pass over prompt and answer, at each token a softmax over the next tokens of answers that agree so far."""
    found = []
    for answer in answers:
        with torch.no_grad():
            logits = model(torch.tensor([prompt + answer])).logits[0].float()
        total = 0.0
        for place, token in enumerate(answer):
            allowed = sorted({other[place] for other in answers if other[:place] == answer[:place] and len(other) > place})
            row = logits[len(prompt) + place - 1]
            total += float(row[token] - torch.logsumexp(row[allowed], 0))
        found.append(total)
    return found


@pytest.fixture(scope="module")
def loaded(tiny_model):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    return AutoModelForCausalLM.from_pretrained(tiny_model).eval(), AutoTokenizer.from_pretrained(tiny_model)


def encoder_for(tokenizer, output_format):
    task = {"task_name": "t", "input_template": "{text}", "output_format": output_format, "training": {"base_model": "x"}}
    return RowEncoder(TaskFile.model_validate(task), tokenizer, 200)


FORMATS = {
    "text": {"type": "text", "enum": LABELS},
    "json": {"type": "json", "schema": {"kind": {"enum": LABELS}}},
}


@pytest.mark.parametrize("form", FORMATS)
def test_scores_equal_a_full_pass_for_each_label(loaded, form):
    model, tokenizer = loaded
    encoder = encoder_for(tokenizer, FORMATS[form])
    target = None if form == "text" else "kind"
    texts = ["where is my parcel", "money back", "二手書", "a" * 40]
    prompts = [encoder.prompt_ids({"text": text})[0] + encoder.lead_ids(target, {}) for text in texts]
    lead = len(encoder.lead_ids(target, {}))
    answers = [encoder.answer_ids({target: label})[lead:] for label in LABELS]
    scores = score_labels(model, prompts, encoder.choices(target), batch_tokens=100)
    for prompt, mine in zip(prompts, scores.log_probs, strict=True):
        assert mine == pytest.approx(naive_scores(model, prompt, answers), abs=1e-4)
        assert sum(2.718281828**value for value in mine) == pytest.approx(1.0, abs=1e-4)


def test_the_loss_of_the_right_answer_is_the_models_own(loaded):
    model, tokenizer = loaded
    encoder = encoder_for(tokenizer, FORMATS["text"])
    prompts = [encoder.prompt_ids({"text": text})[0] for text in ("one", "another text")]
    gold = [encoder.answer_ids({None: "ship"}), encoder.answer_ids({None: "refunded"})]
    found = score_labels(model, prompts, encoder.choices(None), gold=gold)
    for prompt, answer, loss in zip(prompts, gold, found.gold_loss, strict=True):
        ids = torch.tensor([prompt + answer])
        labels = torch.tensor([[-100] * len(prompt) + answer])
        with torch.no_grad():
            assert float(loss) == pytest.approx(float(model(ids, labels=labels).loss), abs=1e-4)


def test_gold_and_deeper_choices_do_not_disturb_each_other(loaded):
    model, tokenizer = loaded
    encoder = encoder_for(tokenizer, FORMATS["text"])
    prompts = [encoder.prompt_ids({"text": text})[0] for text in ("one", "another text")]
    gold = [encoder.answer_ids({None: "x"}), encoder.answer_ids({None: "refunded"})]
    alone = score_labels(model, prompts, encoder.choices(None)).log_probs
    together = score_labels(model, prompts, encoder.choices(None), gold=gold).log_probs
    assert together == pytest.approx(alone, abs=1e-4)


def test_a_long_input_is_cut_and_the_template_is_kept(tiny_model):
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(Path(tiny_model))
    task = {
        "task_name": "t",
        "input_template": "Text: {text}\nKind:",
        "output_format": FORMATS["text"],
        "training": {"base_model": "x"},
    }
    encoder = RowEncoder(TaskFile.model_validate(task), tokenizer, 60)
    ids, cut = encoder.prompt_ids({"text": "很長的內容 " * 30})
    assert cut and len(ids) <= 60 - encoder.longest_answer
    assert tokenizer.decode(ids).startswith("Text: 很長") and tokenizer.decode(ids).endswith("\nKind:")
