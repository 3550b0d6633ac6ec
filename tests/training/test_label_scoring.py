"""Label scores against a naive reference that shares no code: one full pass for each label, choices found by comparing labels."""

import random
from pathlib import Path

import numpy as np
import pytest
import torch

from coach.task_schema import TaskFile
from training.backends.plain import PlainBackend
from training.data.tokens import RowEncoder
from training.device import Device
from training.evaluation.answering import Answerer
from training.evaluation.at_once import AtOnce
from training.evaluation.label_scoring import score_labels
from training.evaluation.label_trie import branchings

LABELS = ["refund", "refuse", "refunded", "ship", "x"]


def naive_scores(model, prompt, answers):
    """For each answer: a pass over prompt and answer, at each token a softmax over the next tokens of answers that agree so far.

    All answers stand in one batch, what is behind an answer's end is never looked at.
    """
    longest = max(len(answer) for answer in answers)
    with torch.no_grad():
        logits = model(torch.tensor([prompt + answer + [0] * (longest - len(answer)) for answer in answers])).logits.float()
    found = []
    for answer, said in zip(answers, logits, strict=True):
        total = 0.0
        for place, token in enumerate(answer):
            allowed = sorted({other[place] for other in answers if other[:place] == answer[:place] and len(other) > place})
            row = said[len(prompt) + place - 1]
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
    scores = score_labels(model, prompts, encoder.choices(target), at_once=AtOnce(100))
    for prompt, mine in zip(prompts, scores.log_probs, strict=True):
        assert mine == pytest.approx(naive_scores(model, prompt, answers), abs=1e-4)
        assert sum(2.718281828**value for value in mine) == pytest.approx(1.0, abs=1e-4)


VOCABULARY, END = 60, 3
SHAPE = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
    "initializer_range": 0.4,  # far from even answers
    "bos_token_id": None,
    "eos_token_id": 1,
    "pad_token_id": 0,
}
WINDOW = {"head_dim": 8, "sliding_window": 6}
LINEAR = {"linear_num_key_heads": 2, "linear_num_value_heads": 4, "linear_key_head_dim": 8, "linear_value_head_dim": 8}
MODELS = {
    "plain": ("LlamaConfig", SHAPE),
    "a window shorter than the prompts": (
        "Gemma3TextConfig",
        {**SHAPE, **WINDOW, "layer_types": ["sliding_attention", "full_attention"]},
    ),
    "capped logits": ("Gemma2Config", {**SHAPE, **WINDOW, "query_pre_attn_scalar": 8, "final_logit_softcapping": 5.0}),
    "a table of positions": (
        "GPT2Config",
        {"vocab_size": VOCABULARY, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 26, "initializer_range": 0.4},
    ),
    "layers that cannot go back": (
        "Qwen3_5TextConfig",
        {**SHAPE, **LINEAR, "head_dim": 8, "layer_types": ["linear_attention", "full_attention"]},
    ),
}


def random_model(kind):
    import transformers

    name, fields = MODELS[kind]
    torch.manual_seed(5)
    return transformers.AutoModelForCausalLM.from_config(getattr(transformers, name)(**fields)).eval()


def random_labels(generator, lead=()):
    """Up to sixty labels of one to five tokens from an alphabet of four: many begin alike, and some are the beginning of others."""
    tokens = {tuple(generator.choices(range(10, 14), k=generator.randint(1, 5))) for _ in range(60)}
    return [(*lead, *label) for label in sorted(tokens)]


def assert_as_naive(model, prompts, labels, found):
    for prompt, mine, best in zip(prompts, found.log_probs, found.best, strict=True):
        naive = np.array(naive_scores(model, prompt, [[*label, END] for label in labels]))
        scored = ~np.isnan(mine)
        assert best == naive.argmax()
        assert mine[scored] == pytest.approx(naive[scored], abs=1e-4)


@pytest.mark.parametrize("kind", MODELS)
def test_the_best_of_many_labels_is_found_without_scoring_most(kind):
    generator = random.Random(11)
    model, labels = random_model(kind), random_labels(generator)
    prompts = [generator.choices(range(14, VOCABULARY), k=length) for length in (5, 12, 18, 17)]
    found = score_labels(model, prompts, branchings(labels, END), at_once=AtOnce(45))
    assert_as_naive(model, prompts, labels, found)
    assert 0 < np.isfinite(found.log_probs).mean() < 0.5


def test_labels_that_all_begin_alike_are_told_apart_behind_that():
    generator = random.Random(17)
    model, labels = random_model("plain"), random_labels(generator, lead=(20, 21))
    prompts = [generator.choices(range(14, VOCABULARY), k=length) for length in (5, 12, 18, 17)]
    assert_as_naive(model, prompts, labels, score_labels(model, prompts, branchings(labels, END)))


def test_what_was_not_scored_shares_the_rest_of_the_probability():
    generator = random.Random(3)
    model, labels = random_model("plain"), random_labels(generator)
    prompt = generator.choices(range(14, VOCABULARY), k=9)
    scores = score_labels(model, [prompt], branchings(labels, END)).log_probs[0]
    naive = np.exp(naive_scores(model, prompt, [[*label, END] for label in labels]))
    assert naive.sum() == pytest.approx(1.0, abs=1e-4)
    assert np.nansum(np.exp(scores)) + naive[np.isnan(scores)].sum() == pytest.approx(1.0, abs=1e-4)
    assert naive[np.isnan(scores)].max() <= np.nanmax(np.exp(scores)) + 1e-4


def test_prompts_are_read_once_and_only_for_rows_still_open():
    generator = random.Random(7)
    model, labels = random_model("plain"), random_labels(generator)
    prompts = [generator.choices(range(14, VOCABULARY), k=20) for _ in range(8)]
    shapes = []
    hook = model.register_forward_pre_hook(
        lambda module, args, inputs: shapes.append(tuple(inputs["input_ids"].shape)), with_kwargs=True
    )
    try:
        score_labels(model, prompts, branchings(labels, END))
    finally:
        hook.remove()
    (first, *later) = shapes
    assert first == (8, 20)
    assert all(columns <= 5 for _, columns in later)
    rows = [count for count, _ in later]
    assert rows == sorted(rows, reverse=True) and rows[-1] < 8


def test_a_model_that_leaves_the_given_cache_empty_reads_its_prompts_again():
    """Unsloth's forward turns an empty DynamicCache into none and returns keys and values of its own."""
    generator = random.Random(19)
    model, labels = random_model("plain"), random_labels(generator, lead=(20,))
    real, shapes = model.forward, []

    def forward(**inputs):
        shapes.append(tuple(inputs["input_ids"].shape))
        cache = inputs.pop("past_key_values", None)
        assert cache is None or cache.get_seq_length() == 0
        return real(**{**inputs, "use_cache": False})

    model.forward = forward
    prompts = [generator.choices(range(14, VOCABULARY), k=length) for length in (5, 12, 18, 17)]
    found = score_labels(model, prompts, branchings(labels, END))
    model.forward = real
    assert_as_naive(model, prompts, labels, found)
    assert all(columns > 5 for _, columns in shapes)


def test_a_model_whose_answers_are_no_numbers_still_gives_an_answer():
    model, labels = random_model("plain"), random_labels(random.Random(2))
    with torch.no_grad():
        model.model.norm.weight.fill_(float("nan"))
    found = score_labels(model, [[20, 21]], branchings(labels, END))
    assert found.best.tolist() == [0] and np.isnan(found.log_probs).all()


TOPICS = [
    "財經",
    "財經／股市",
    "財經／股市／台股",
    "財經／房市",
    "體育",
    "體育／棒球",
    "體育／籃球",
    "政治",
    "政治／選舉",
    "社會",
]
PLACES = [
    "臺北市",
    "臺北縣",
    "臺中市",
    "臺南市",
    "新北市",
    "新竹市",
    "新竹縣",
    "高雄市",
    "桃園市",
    "基隆市",
    "嘉義市",
    "嘉義縣",
    "花蓮縣",
]


def test_answers_of_several_targets_are_those_of_the_naive_way(tiny_model):
    topics = TOPICS + [f"{topic}（{place}）" for topic in ("地方", "生活") for place in PLACES]
    task = {
        "task_name": "t",
        "input_template": "{text}",
        "output_format": {"type": "json", "schema": {"topic": {"enum": topics}, "place": {"enum": PLACES}}},
        "training": {"base_model": "x"},
    }
    backend, device = PlainBackend(), Device("cpu", torch.float32, "")
    loaded = backend.load(tiny_model, device, max_tokens=None)
    encoder = RowEncoder(TaskFile.model_validate(task), loaded.tokenizer, 250)
    inputs = [{"text": text} for text in ("央行升息半碼", "中職開幕戰", "x")]
    for values, found in zip(
        inputs, Answerer(encoder.task, loaded, backend, device, encoder).predict_inputs(inputs), strict=True
    ):
        chosen = {}
        for target, names in encoder.task.targets.items():
            before = encoder.prompt_ids(values)[0] + encoder.lead_ids(target, chosen)
            answers = [encoder.answer_ids({"topic": "", "place": "", **chosen, target: name}) for name in names]
            naive = naive_scores(loaded.model, before, [answer[len(encoder.lead_ids(target, chosen)) :] for answer in answers])
            chosen[target] = names[int(np.argmax(naive))]
            expected = {name: np.exp(naive[names.index(name)]) for name in found.scores[target]}
            assert found.scores[target] == pytest.approx(expected, abs=1e-4)
        assert found.labels == chosen
        assert all(found.labels[target] == max(scores, key=scores.get) for target, scores in found.scores.items())


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


def test_the_loss_is_right_where_a_search_among_many_labels_follows():
    generator = random.Random(13)
    model, labels = random_model("plain"), random_labels(generator)
    prompts = [generator.choices(range(14, VOCABULARY), k=generator.randint(4, 16)) for _ in range(7)]
    gold = [[*generator.choice(labels), END] for _ in prompts]
    found = score_labels(model, prompts, branchings(labels, END), gold=gold, at_once=AtOnce(40))
    assert_as_naive(model, prompts, labels, found)
    for prompt, answer, loss in zip(prompts, gold, found.gold_loss, strict=True):
        with torch.no_grad():
            expected = model(torch.tensor([prompt + answer]), labels=torch.tensor([[-100] * len(prompt) + answer])).loss
        assert float(loss) == pytest.approx(float(expected), abs=1e-4)


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
