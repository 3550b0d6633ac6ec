"""The rules pages are written by, read from their source: no words of their own, nothing unsafe, one door to the session, budgets."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from coach.text import catalogue
from tests.pages.conftest import ROOT

PAGES = [ROOT / "app.py", *sorted((ROOT / "pages").glob("*.py"))]
ON_PAGES = [ROOT / "app.py", *sorted((ROOT / "pages").rglob("*.py"))]
EVERYTHING = [*ON_PAGES, *sorted((ROOT / "coach").rglob("*.py")), *sorted((ROOT / "training").rglob("*.py"))]

PAGE_LINES, MODULE_LINES, FUNCTION_LINES = 120, 250, 40
LARGER: dict[str, int] = {  # what is larger for a reason, with the size it may not outgrow
    "coach/__main__.py": 280,  # a function for each command
    "training/data/source.py": 275,  # one document, its reading, its checks
    "coach/recommendation/__init__.py:recommend": 41,
    "training/__main__.py:build_parser": 50,  # a list of arguments
    "training/data/split.py:split_rows": 47,
    "training/fine_tuning.py:_train": 48,  # the one order of things
    "training/methods/sft.py:build_trainer": 55,  # one call with many arguments
}

DRAWING = {"st", "prose"}
NOT_FOR_PEOPLE = {  # arguments of Streamlit that are no text a person reads
    "key", "icon", "icon_position", "type", "width", "height", "gap", "vertical_alignment", "horizontal_alignment",
    "persist_state", "language", "color", "delta_color", "delta_arrow", "chart_type", "layout", "initial_sidebar_state",
    "label_visibility", "on_change", "on_select", "on_click", "args", "kwargs", "selection_mode", "mime", "bind",
    "run_every", "position", "theme", "accept_multiple_files", "num_rows", "query_params", "border", "format", "alignment",
    "pattern", "validate", "ttl", "scope", "toggle", "autocomplete", "column_order", "hide_index", "shortcut", "file_name",
}  # fmt: skip
PATHS = {"switch_page", "page_link", "Page"}
NO_DRAWING = {"query_params", "session_state", "components"}  # st.query_params.get("version") draws nothing
NO_WORDS = re.compile(
    r":material/\w+:|:(?:small|gray|green|red|orange|blue|primary)\[|^\w+/[\w.+-]+$"
)  # icons, styles, kinds of file
HAN = re.compile(r"[\u3400-\u9fff]")
SAID_ALIKE = {  # names that both languages write alike
    "Macro", "Micro", "F", "F1", "BLEU", "ROUGE", "L", "LoRA", "rank", "GPU", "YAML", "JSON", "CSV", "GB", "MB", "TF", "IDF",
    "SFT", "DPO", "ORPO", "KTO", "task", "yaml", "r", "alpha", "v", "LLM", "EN", "s", "min", "Hugging", "Face", "Hub",
    "Ollama",
}  # fmt: skip


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def root_name(node: ast.expr) -> str | None:
    """`st` for st.column_config.TextColumn."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def literal_parts(node: ast.expr) -> Iterator[str]:
    """The text a person would read of a literal or an f-string; nothing of calls, which look texts up."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield from (part.value for part in node.values if isinstance(part, ast.Constant))
    elif isinstance(node, ast.BinOp | ast.IfExp | ast.List | ast.Tuple):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                yield from literal_parts(child)


def drawn(call: ast.Call) -> Iterator[ast.expr]:
    """The arguments of a drawing call that a person gets to read."""
    method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    if root_name(call.func) not in DRAWING or method in PATHS or NO_DRAWING & set(ast.unparse(call.func).split(".")):
        return
    yield from call.args
    yield from (keyword.value for keyword in call.keywords if keyword.arg not in NOT_FOR_PEOPLE)


def own_words(path: Path) -> list[str]:
    calls = [node for node in ast.walk(tree(path)) if isinstance(node, ast.Call)]
    said = [part for call in calls for argument in drawn(call) for part in literal_parts(argument)]
    return [part for part in said if re.search(r"[^\W\d_]", NO_WORDS.sub("", part))]


def docstrings(module: ast.Module) -> set[int]:
    """The nodes that are docstrings, by identity."""
    holders = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    bodies = [node.body for node in ast.walk(module) if isinstance(node, holders)]
    return {id(body[0].value) for body in bodies if body and isinstance(body[0], ast.Expr)}


@pytest.mark.parametrize("path", ON_PAGES, ids=name_of)
def test_a_page_has_no_words_of_its_own(path):
    assert own_words(path) == []


def test_the_rule_about_words_finds_one(tmp_path):
    (tmp_path / "page.py").write_text(
        'st.button("Start", key="a")\nst.metric(label=f"{n} rows", value=3)\nprose.title(say("a.b"))\n'
    )
    assert own_words(tmp_path / "page.py") == ["Start", " rows"]


@pytest.mark.parametrize("path", ON_PAGES, ids=name_of)
def test_no_literal_in_pages_holds_chinese(path):
    module = tree(path)
    skipped = docstrings(module)
    found = [node.value for node in ast.walk(module) if isinstance(node, ast.Constant) and isinstance(node.value, str)
             and id(node) not in skipped and HAN.search(node.value)]  # fmt: skip
    assert found == []


@pytest.mark.parametrize("forbidden", ["unsafe_allow_html", "st.html", "st.altair_chart", "components.v1", "st.write("])
def test_nothing_on_pages_draws_what_may_act(forbidden):
    assert [name_of(path) for path in ON_PAGES if forbidden in path.read_text(encoding="utf-8")] == []


@pytest.mark.parametrize(
    ("attributes", "owners"),
    [
        ({"session_state", "query_params"}, {"pages/ui/session.py"}),
        ({"cache_data", "cache_resource"}, {"pages/ui/cached.py", "pages/ui/cached_plan.py"}),
    ],
)
def test_the_session_and_the_cache_have_their_doors(attributes, owners):
    users = {
        name_of(path)
        for path in ON_PAGES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and node.attr in attributes and root_name(node) == "st"
    }
    assert users == owners


def test_pages_import_nothing_of_the_session_directly():
    imported = {alias.name for path in ON_PAGES for node in ast.walk(tree(path)) if isinstance(node, ast.ImportFrom)
                and node.module == "streamlit" for alias in node.names}  # fmt: skip
    assert imported == set(), "import streamlit as st, so that the rules above can see what is used"


@cache
def ui_texts() -> dict[str, dict[str, str]]:
    return {key: said for key, said in catalogue().items() if key.startswith("ui.")}


@cache
def strings_in_source() -> tuple[frozenset[str], tuple[str, ...]]:
    """Every literal in the source, and every f-string as a pattern."""
    whole: set[str] = set()
    patterns: set[str] = set()
    for path in EVERYTHING:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                whole.add(node.value)
            elif isinstance(node, ast.JoinedStr):
                patterns.add(pattern_of(node))
    return frozenset(whole), tuple(pattern for pattern in patterns if re.match(r"[a-z]\w*\\\.", pattern))


def pattern_of(node: ast.JoinedStr) -> str:
    return "".join(re.escape(part.value) if isinstance(part, ast.Constant) else r"[\w.\-]+" for part in node.values)


def keys_asked_for(path: Path) -> Iterator[str]:
    """Patterns of the keys a file looks up by `say("x")`, `say(f"x.{y}")` and `text("ui.x", …)`."""
    for node in ast.walk(tree(path)):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        first, prefix = node.args[0], "ui\\." if called == "say" else ""
        if called not in ("say", "text"):
            continue
        if isinstance(first, ast.Constant):
            yield prefix + re.escape(str(first.value))
        elif isinstance(first, ast.JoinedStr):
            yield prefix + pattern_of(first)


@pytest.mark.parametrize("path", ON_PAGES, ids=name_of)
def test_every_text_a_page_asks_for_exists(path):
    missing = [asked for asked in keys_asked_for(path) if not any(re.fullmatch(asked, key) for key in catalogue())]
    assert missing == []


def test_every_text_of_the_pages_is_used():
    whole, patterns = strings_in_source()
    unused = [
        key
        for key in ui_texts()
        if not ({key, key.removeprefix("ui.")} & whole)
        and not any(re.fullmatch(pattern, said) for pattern in patterns for said in (key, key.removeprefix("ui.")))
    ]
    assert unused == []


def letters(said: str) -> set[str]:
    """The words of a text, its placeholders and icons left out."""
    plain = "".join(part for part, *_ in string.Formatter().parse(said))
    return set(re.findall(r"[A-Za-z][A-Za-z0-9]*", NO_WORDS.sub("", plain)))


@pytest.mark.parametrize("key", sorted(ui_texts()))
def test_both_languages_of_a_text_are_whole(key):
    chinese, english = ui_texts()[key]["zh-TW"], ui_texts()[key]["en"]
    assert chinese.strip() or not english.strip()  # only the space between two sentences is none in Chinese
    assert placeholders(chinese) == placeholders(english)
    if key not in ("ui.frame.language",):  # names itself in both, for whoever reads only one
        assert not HAN.search(english)
    if letters(english) - SAID_ALIKE and (letters(chinese) or not placeholders(chinese)):  # else figures in a form
        assert HAN.search(chinese)
    assert "!" not in english and "！" not in chinese, "calm"


def placeholders(said: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(said) if name}


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_a_page_stays_short(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= PAGE_LINES


@pytest.mark.parametrize("path", EVERYTHING, ids=name_of)
def test_a_module_and_its_functions_stay_short(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LARGER.get(name_of(path), MODULE_LINES)
    functions = [node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    sizes = {node.name: (node.end_lineno or 0) - node.lineno + 1 for node in functions}
    long = {name: size for name, size in sizes.items() if size > LARGER.get(f"{name_of(path)}:{name}", FUNCTION_LINES)}
    assert long == {}


def test_what_is_larger_for_a_reason_still_is():
    """An exception nobody needs any more is taken off the list."""
    for entry in LARGER:
        path, _, function = entry.partition(":")
        source = ROOT / path
        nodes = [node for node in ast.walk(tree(source)) if isinstance(node, ast.FunctionDef) and node.name == function]
        size = (
            (nodes[0].end_lineno or 0) - nodes[0].lineno + 1 if function else len(source.read_text(encoding="utf-8").splitlines())
        )
        assert size > (FUNCTION_LINES if function else MODULE_LINES), f"{entry} has {size} lines"
