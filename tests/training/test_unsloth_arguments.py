"""Every argument we pass to Unsloth is a named parameter of the pinned version, or stands on a list that says where it is read.

Its functions take `**kwargs`, so a misspelt name would pass in silence; and it cannot be imported here, so its signatures lie in
tests/data/unsloth_signatures.json (tests/tools/record_unsloth_signatures.py wrote them).
"""

import ast
import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "training" / "backends" / "fast_unsloth.py"
RECORDED = json.loads((ROOT / "tests" / "data" / "unsloth_signatures.json").read_text(encoding="utf-8"))
READ_ELSEWHERE = {
    # argument: where it is read
    (
        "FastLanguageModel.get_peft_model",
        "use_dora",
    ): "get_peft_model hands its **kwargs to peft.LoraConfig, whose parameter it is",
}


def calls():
    """(function, argument name) for every keyword passed to FastLanguageModel, those of a `**{…}` included."""
    for node in ast.walk(ast.parse(SOURCE.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not ast.unparse(node.func).startswith("FastLanguageModel."):
            continue
        for keyword in node.keywords:
            if keyword.arg is not None:
                yield ast.unparse(node.func), keyword.arg
                continue
            for inner in ast.walk(keyword.value):
                if isinstance(inner, ast.Dict):
                    yield from ((ast.unparse(node.func), key.value) for key in inner.keys)


def test_every_argument_is_a_parameter_of_the_pinned_version():
    passed = list(calls())
    assert len(passed) >= 12
    unknown = [call for call in passed if call[1] not in RECORDED["parameters"][call[0]] and call not in READ_ELSEWHERE]
    assert unknown == []


def test_what_is_read_elsewhere_is_still_passed_and_known_to_peft():
    import inspect

    from peft import LoraConfig

    passed = set(calls())
    assert set(READ_ELSEWHERE) <= passed
    assert all(argument in inspect.signature(LoraConfig).parameters for _, argument in READ_ELSEWHERE)


def test_models_that_take_unsloths_other_road_know_the_lora_arguments_too():
    passed = {argument for function, argument in calls() if function.endswith("get_peft_model")}
    known = set(RECORDED["parameters"]["FastBaseModel.get_peft_model"])
    assert passed - known <= {"use_dora"}


def test_the_recorded_version_is_the_pinned_one():
    pin = re.search(r"^unsloth==(\S+)", (ROOT / "requirements-gpu.txt").read_text(encoding="utf-8"), re.MULTILINE)
    assert pin and pin.group(1) == RECORDED["unsloth"]
