"""Writes tests/data/unsloth_signatures.json from an Unsloth wheel: `python tests/tools/record_unsloth_signatures.py unsloth-*.whl`.

Reads the source with `ast`: Unsloth refuses to be imported without a GPU. Run it again when the pin in requirements-gpu.txt moves
(`pip download --no-deps unsloth==…` fetches the wheel).
"""

from __future__ import annotations

import ast
import json
import sys
import zipfile
from pathlib import Path

TARGET = Path(__file__).parents[1] / "data" / "unsloth_signatures.json"
FUNCTIONS = {
    # the name we call: (file, class, function) where its parameters stand
    "FastLanguageModel.from_pretrained": ("unsloth/models/loader.py", "FastLanguageModel", "from_pretrained"),
    "FastLanguageModel.get_peft_model": ("unsloth/models/llama.py", "FastLlamaModel", "get_peft_model"),
    "FastLanguageModel.for_inference": ("unsloth/models/loader.py", "FastLanguageModel", "for_inference"),
    "FastLanguageModel.for_training": ("unsloth/models/loader.py", "FastLanguageModel", "for_training"),
    "FastBaseModel.get_peft_model": ("unsloth/models/vision.py", "FastBaseModel", "get_peft_model"),
}


def parameters(wheel: zipfile.ZipFile, path: str, owner: str, function: str) -> list[str]:
    tree = ast.parse(wheel.read(path).decode("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.name == owner:
            for member in node.body:
                if isinstance(member, ast.FunctionDef) and member.name == function:
                    return [argument.arg for argument in [*member.args.args, *member.args.kwonlyargs]]
    raise SystemExit(f"{path}: no {owner}.{function}")


def main(path: Path) -> None:
    with zipfile.ZipFile(path) as wheel:
        found = {name: parameters(wheel, *place) for name, place in FUNCTIONS.items()}
    version = path.name.split("-")[1]
    TARGET.write_text(json.dumps({"unsloth": version, "parameters": found}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
