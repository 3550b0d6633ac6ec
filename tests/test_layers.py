"""Who may import whom (design.md section 2), read from the source; and what a start may load, seen in a fresh interpreter."""

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HEAVY = {"torch", "transformers", "trl", "peft", "datasets", "accelerate", "unsloth", "streamlit"}


def imports(path: Path, *, at_the_top_only: bool = False):
    """Names of the modules a file imports; TYPE_CHECKING blocks count only in full readings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = tree.body if at_the_top_only else list(ast.walk(tree))
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def files(folder):
    return sorted((ROOT / folder).rglob("*.py"))


def offences(paths, forbidden):
    return [
        f"{path.relative_to(ROOT)} imports {name}" for path in paths for name in imports(path) if name.split(".")[0] in forbidden
    ]


def test_coach_imports_no_training_no_page_and_nothing_heavy():
    paths = [path for path in files("coach") if path.name != "__main__.py"]
    assert len(paths) > 20
    assert offences(paths, HEAVY | {"training", "pages"}) == []


def test_the_coachs_command_line_imports_training_inside_functions_only():
    top = set(imports(ROOT / "coach" / "__main__.py", at_the_top_only=True))
    assert not any(name.split(".")[0] in HEAVY | {"training"} for name in top)


def test_nothing_under_training_imports_streamlit_or_pages():
    assert offences(files("training"), {"streamlit", "pages"}) == []


def test_only_the_unsloth_backend_imports_unsloth():
    users = {path.name for path in files("training") for name in imports(path) if name.split(".")[0] == "unsloth"}
    assert users == {"fast_unsloth.py", "__init__.py"}  # training/backends/__init__.py imports it first, where it is used at all


@pytest.mark.parametrize("method", ["sft", "prompt"])
def test_on_a_gpu_the_worker_imports_unsloth_before_transformers(method, tmp_path):
    (tmp_path / "unsloth.py").write_text(
        "import sys\nprint('transformers first' if {'transformers', 'trl', 'peft'} & set(sys.modules) else 'unsloth first')\n"
    )
    code = (
        f"import sys; sys.path[:0] = [{str(ROOT)!r}, {str(tmp_path)!r}]\n"
        "import torch; torch.cuda.is_available = lambda: True\n"
        "from types import SimpleNamespace as Part\n"
        "from training.worker import _method_of\n"
        f"_method_of(Part(config=Part(training=Part(method={method!r}))))\n"
        "from training.backends import choose_backend; print(choose_backend())\n"
    )
    found = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert found.stdout.split("\n")[:2] == ["unsloth first", "unsloth"]


@pytest.mark.parametrize(
    "modules", ["coach.__main__", "training.__main__ training.run_view training.run_status training.event_log"]
)
def test_a_start_loads_nothing_heavy(modules):
    unwanted = HEAVY | {"sklearn", "pandas"}
    code = f"import sys\nfor name in {modules.split()!r}: __import__(name)\nprint(sorted(set(sys.modules) & {unwanted!r}))"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_nothing_unpickles_but_the_restricted_reader_of_one_sample_package():
    users = [
        path.relative_to(ROOT).as_posix()
        for folder in ("coach", "training")
        for path in files(folder)
        if "pickle" in set(imports(path))
    ]
    assert users == ["training/sample_sources.py"]


def test_no_code_from_a_model_folder_and_no_unsafe_yaml():
    for folder in ("coach", "training"):
        for path in files(folder):
            source = path.read_text(encoding="utf-8")
            assert "trust_remote_code=True" not in source and "weights_only=False" not in source, path
            assert "yaml.load(" not in source or "SafeLoader" in source, path


TRAINING_STACK = {"torch", "transformers", "trl", "peft", "datasets", "accelerate", "unsloth"}
OPEN_EVERY_PAGE = """
import json, sys
from pathlib import Path
from streamlit.testing.v1 import AppTest

home = AppTest.from_file("app.py", default_timeout=60).run()
faults = ["home"] if home.exception else []
for task in sys.argv[1:]:
    for page in sorted(Path("pages").glob("*.py")):
        home.switch_page(str(page))
        home.query_params["task"] = task
        faults += [f"{page.stem} of {task}"] if home.run().exception else []
print(json.dumps({"faults": faults, "modules": sorted({name.split(".")[0] for name in sys.modules})}))
"""


def test_pages_import_no_heavy_module_themselves():
    paths = [ROOT / "app.py", *files("pages")]
    assert len(paths) > 10
    assert offences(paths, TRAINING_STACK) == []


def test_what_pages_import_of_training_is_its_light_part():
    pages = {name for path in [ROOT / "app.py", *files("pages")] for name in imports(path) if name.split(".")[0] == "training"}
    assert pages
    code = f"import sys\nfor name in {sorted(pages)!r}: __import__(name)\nprint(sorted(set(sys.modules) & {TRAINING_STACK!r}))"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_opening_every_page_loads_nothing_that_trains(tmp_path):
    """Of a task that is planned and of one that is finished: the first visitor would wait for it, beside a running training too."""
    from coach.workspace import create_task

    create_task(tmp_path, "planned")
    shutil.copytree(ROOT / "tests" / "data" / "example-task", tmp_path / "finished")
    environment = {**os.environ, "COACH_WORKSPACE": str(tmp_path), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", OPEN_EVERY_PAGE, "planned", "finished"]
    found = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert found.returncode == 0, found.stderr[-2000:]
    seen = json.loads(found.stdout.splitlines()[-1])
    assert seen["faults"] == [], found.stderr[-2000:]
    assert TRAINING_STACK & set(seen["modules"]) == set()


def test_the_first_page_waits_for_no_numbers_to_be_loaded():
    """numpy and pandas take a third of a second of it, and only later pages need them."""
    parts = ("first_sentence_box", "task_list", "sample_cards", "new_task_form")
    code = f"import sys\nfor name in {parts!r}: __import__('pages.ui.' + name)\n"
    code += "print(sorted({'numpy', 'pandas', 'sklearn', 'torch'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
