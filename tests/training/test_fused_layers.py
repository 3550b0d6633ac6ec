"""Layers and loss written out for a processor give what transformers, peft and torch give; where they would not, they are not used."""

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import (
    Gemma2Config,
    Gemma2ForCausalLM,
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    GraniteConfig,
    GraniteForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from training.backends.fused.layer import FusedLayer
from training.backends.fused.model import LONGEST_TOKENS, fuse_layers, read_only_at
from training.evaluation.output_layer import gather_at
from training.methods.label_loss import LabelLoss, has_plain_head

SHAPE = {
    "vocab_size": 61,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "pad_token_id": 0,
    "eos_token_id": 1,
    "bos_token_id": None,
}
KNOWN = {
    "llama": lambda: LlamaForCausalLM(LlamaConfig(**SHAPE)),
    "qwen2": lambda: Qwen2ForCausalLM(Qwen2Config(**SHAPE)),
    "qwen3": lambda: Qwen3ForCausalLM(Qwen3Config(**SHAPE, head_dim=16)),
    "gemma3": lambda: Gemma3ForCausalLM(Gemma3TextConfig(**{**SHAPE, "num_key_value_heads": 1}, head_dim=16, sliding_window=4)),
}


def adapted(make, **changes):
    """A model with random weights everywhere, norms and biases included, and adapters that are not zero."""
    torch.manual_seed(0)
    model = make()
    for name, parameter in model.named_parameters():
        if "norm" in name or "bias" in name:
            parameter.data.uniform_(0.2, 1.5)
    lora = {"r": 4, "lora_alpha": 6, "target_modules": "all-linear", "task_type": "CAUSAL_LM", **changes}
    model = get_peft_model(model, LoraConfig(**lora))
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            parameter.data.normal_(std=0.1)
    model.set_attn_implementation("eager")
    return model.train()


def batch(sequence=7):
    torch.manual_seed(1)
    mask = torch.ones(3, sequence, dtype=torch.long)
    mask[0, sequence // 2 :] = 0
    return {"input_ids": torch.randint(2, 61, (3, sequence)), "attention_mask": mask, "use_cache": False}


def learnt(model, inputs):
    """The answer's logits and every adapter's gradient of a loss over the positions that count."""
    model.zero_grad()
    logits = model(**inputs).logits[inputs["attention_mask"].bool()]
    (logits.square().mean() + logits[:, 3].sum()).backward()
    return logits.detach(), {name: p.grad.clone() for name, p in model.named_parameters() if p.requires_grad}


def calls(monkeypatch):
    seen = []
    real = FusedLayer.apply
    monkeypatch.setattr(FusedLayer, "apply", lambda *args: seen.append(1) or real(*args))
    return seen


@pytest.mark.parametrize("name", KNOWN)
def test_a_fused_model_gives_the_same_answers_and_gradients(name, monkeypatch):
    model, inputs = adapted(KNOWN[name]), batch()
    logits, gradients = learnt(model, inputs)
    assert fuse_layers(model) == 2
    seen = calls(monkeypatch)
    fused_logits, fused_gradients = learnt(model, inputs)
    assert len(seen) == 2
    torch.testing.assert_close(fused_logits, logits, rtol=1e-4, atol=1e-5)
    for name, gradient in gradients.items():
        torch.testing.assert_close(fused_gradients[name], gradient, rtol=2e-4, atol=1e-5, msg=name)


@pytest.mark.parametrize("name", KNOWN)
def test_a_pass_that_is_read_at_a_few_places_gives_the_same_there_and_is_whole_again_afterwards(name, monkeypatch):
    model, inputs = adapted(KNOWN[name]), batch()
    fuse_layers(model)
    where = torch.zeros_like(inputs["attention_mask"], dtype=torch.bool)
    where[0, 2] = where[1, 4] = where[1, 5] = where[2, 6] = True

    def read():
        model.zero_grad()
        hidden = gather_at(model, where, inputs, logits=False).hidden
        hidden.square().sum().backward()
        return hidden.detach(), {name: p.grad.clone() for name, p in model.named_parameters() if p.requires_grad}

    hidden, gradients = read()
    with read_only_at(model, where):
        worked_at = []
        real = FusedLayer.apply
        monkeypatch.setattr(FusedLayer, "apply", lambda *args: worked_at.append(args[5]) or real(*args))
        few_hidden, few_gradients = read()
    assert worked_at[0] is None and len(worked_at[1]) == 4  # the last layer alone
    torch.testing.assert_close(few_hidden, hidden, rtol=1e-4, atol=1e-5)
    for name, gradient in gradients.items():
        torch.testing.assert_close(few_gradients[name], gradient, rtol=2e-4, atol=1e-5, msg=name)
    torch.testing.assert_close(read()[0], hidden)
    assert worked_at[-1] is None


def test_a_model_whose_layers_are_its_own_is_read_as_ever():
    model, inputs = adapted(KNOWN["llama"]), batch()
    where = inputs["attention_mask"].bool()
    expected = gather_at(model, where, inputs, logits=False).hidden
    for one in (model, model.get_base_model()):
        with read_only_at(one, where):
            torch.testing.assert_close(gather_at(one, where, inputs, logits=False).hidden, expected)


def test_in_bf16_it_is_no_further_from_float32_than_the_plain_layers():
    inputs = batch()
    exact = learnt(adapted(KNOWN["gemma3"]), inputs)[1]

    def error(fused):
        model = adapted(KNOWN["gemma3"])
        for parameter in model.parameters():
            parameter.data = parameter.data if parameter.requires_grad else parameter.data.bfloat16()
        assert fuse_layers(model) == 2 if fused else True
        with torch.autocast("cpu", torch.bfloat16):
            found = learnt(model, inputs)[1]
        return sum(float((found[name].float() - exact[name]).norm() / exact[name].norm()) for name in exact) / len(exact)

    assert 0 < error(fused=True) < 1.2 * error(fused=False)


@pytest.mark.parametrize("changes", [{"lora_dropout": 0.1}, {"use_dora": True}, {"target_modules": ["q_proj", "v_proj"]}])
def test_another_kind_of_adapter_is_left_to_peft(changes):
    assert fuse_layers(adapted(KNOWN["llama"], **changes)) == 0


def test_a_layer_with_a_formula_of_its_own_is_left_to_transformers():
    assert fuse_layers(adapted(lambda: GraniteForCausalLM(GraniteConfig(**SHAPE, residual_multiplier=0.5)))) == 0
    assert fuse_layers(adapted(lambda: Gemma2ForCausalLM(Gemma2Config(**SHAPE, head_dim=8)))) == 0  # caps its scores


def test_looking_for_it_changes_neither_the_adapters_nor_the_random_state():
    model = adapted(KNOWN["qwen3"])
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    fuse_layers(model)
    assert torch.equal(torch.rand(3), expected)
    assert all(torch.equal(p, before[name]) for name, p in model.named_parameters())


def test_without_a_gradient_with_a_cache_and_for_long_rows_the_model_is_its_own(monkeypatch):
    model = adapted(KNOWN["llama"])
    fuse_layers(model)
    seen = calls(monkeypatch)
    with torch.no_grad():
        model(**batch())
    model(**{**batch(), "use_cache": True})
    model(**batch(LONGEST_TOKENS + 1))
    model.set_attn_implementation("sdpa")
    model(**batch())
    assert not seen


@pytest.mark.parametrize("spread", [0.1, 30.0])  # every token has some probability; a few have all of it
def test_the_loss_and_its_gradient_are_those_of_cross_entropy(spread):
    torch.manual_seed(2)
    hidden = torch.randn(5, 16, requires_grad=True)
    weight, targets = torch.randn(400, 16) * spread, torch.randint(0, 400, (5,))
    rates = torch.tensor([1.0, 0.5, 2.0, 0.0, 1.0])
    plain = torch.nn.functional.cross_entropy(hidden @ weight.t(), targets, reduction="none")
    (plain * rates).sum().backward()
    expected, hidden.grad = hidden.grad, None
    found = LabelLoss.apply(hidden, weight, targets)
    (found * rates).sum().backward()
    torch.testing.assert_close(found, plain, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(hidden.grad, expected, rtol=1e-3, atol=1e-3 * spread)


def test_hidden_states_are_those_the_output_layer_multiplies():
    model, inputs = adapted(KNOWN["gemma3"]), batch()
    where = inputs["attention_mask"].bool()
    hidden = gather_at(model, where, inputs, logits=False).hidden
    expected = model(**inputs).logits[where]
    torch.testing.assert_close(hidden @ model.get_output_embeddings().weight.t(), expected)


def test_logits_that_are_capped_or_scaled_keep_the_models_own_way():
    assert has_plain_head(adapted(KNOWN["gemma3"]))
    assert not has_plain_head(adapted(lambda: Gemma2ForCausalLM(Gemma2Config(**SHAPE, head_dim=8, final_logit_softcapping=0.2))))
    assert not has_plain_head(adapted(lambda: GraniteForCausalLM(GraniteConfig(**SHAPE, logits_scaling=4.0))))
