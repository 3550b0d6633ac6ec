"""Reading YAML that people write: the limits (size, depth, aliases), the line number of every key, doubled keys, encodings.

Knows nothing of any document's keys: `validation.py` holds a document against a model. `yaml_writing.py` is its counterpart.
"""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from coach.errors import DocumentError
from coach.problems import PathKey, Problem, readable_path

MAX_BYTES = 1_000_000
MAX_DEPTH = 40
REMEMBERED_CHARS = 32_000  # of a document whose parse is kept
MAX_NODES = 50_000  # counted after aliases are expanded, so that a few lines cannot stand for billions of values
KeyPath = tuple[PathKey, ...]
YamlValue = Any  # what YAML can hold: str, int, float, bool, None, date, datetime, lists and mappings of these

_PLAIN = ("null", "bool", "int", "float", "str", "timestamp", "map", "seq", "merge", "value")
_TAGS = {f"tag:yaml.org,2002:{name}" for name in _PLAIN}
_FULLWIDTH_COLON = re.compile(r"[\s-]*[A-Za-z_][\w.-]*\s*：")
_OPENS_WITH_BRACKET = re.compile(r"[^'\"]*?[:-]\s+[\[{]")  # a value that YAML takes for a list or a mapping
_LINES_BEFORE = 2  # a key without its colon is noticed only a line or two later
_FAULTS = {  # a part of the parser's words, and the cause in `errors.document.syntax_cause`
    "mapping values are not allowed": "colon",
    "could not find expected ':'": "key",
    "unexpected end of stream": "quote",
    "did not find expected ','": "bracket",
    "did not find expected key": "indentation",
    "did not find expected '-'": "indentation",
    "tab character": "indentation",
    "cannot start any token": "sign",
    "undefined alias": "sign",
    "undefined tag handle": "sign",
    "expected node content": "sign",
    "expected alphabetic or numeric": "sign",
    "expected comment or line break": "sign",
    "are not allowed in this context": "sign",
    "escape": "escape",
    "hexdecimal": "escape",
    "control characters": "control",
}
_LEGACY_ENCODINGS = ["big5", "gb18030", "shift_jis", "euc_kr", "cp1252"]


@dataclass(frozen=True)
class YamlDocument:
    """A mapping read from YAML, with what is lost in a plain dict: lines, and each scalar as it was written."""

    name: str
    mapping: dict[str, YamlValue]
    lines: dict[KeyPath, int] = field(default_factory=dict)
    texts: dict[KeyPath, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    def line_of(self, path: KeyPath) -> int | None:
        """The line of `path`, or of the nearest thing around it. Counts from 1."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)


def read_document(path: Path) -> YamlDocument:
    """The mapping in the file at `path`. Raises DocumentError for anything that is not one readable YAML mapping in UTF-8."""
    return parse_document(document_bytes(path), str(path))


def text_of(content: bytes, name: str) -> str:
    """`content` as an editor shows it, YAML or not: line ends as one sign, no byte order mark. Raises DocumentError for no UTF-8."""
    return _decoded(content, name).replace("\r\n", "\n")


def document_bytes(path: Path) -> bytes:
    """The file as it is. Raises DocumentError where there is none, it cannot be read, or it is no document by its size."""
    try:
        if path.exists() and not path.is_file():
            raise DocumentError("document.not_a_file", name=str(path))
        if path.stat().st_size > MAX_BYTES:
            raise DocumentError("document.too_large", name=str(path), size=path.stat().st_size, limit=MAX_BYTES)
        return path.read_bytes()
    except FileNotFoundError as error:
        raise DocumentError("document.not_found", name=str(path)) from error
    except DocumentError:  # a ValueError too
        raise
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DocumentError("document.unreadable", name=str(path), reason=reason) from error


def parse_document(content: str | bytes, name: str) -> YamlDocument:
    """The mapping in `content`; `name` is what errors call it. Raises DocumentError. Doubled keys are kept in `problems`."""
    written = _decoded(content, name)
    parsed = _parsed(written, name) if len(written) <= REMEMBERED_CHARS else _parsed.__wrapped__(written, name)
    return replace(parsed, mapping=copy.deepcopy(parsed.mapping))  # callers change what they are given


@lru_cache(maxsize=64)
def _parsed(written: str, name: str) -> YamlDocument:
    """A page asks for the same few files a dozen times each time it is drawn: parsing them was a fifth of its work."""
    try:
        _refuse_unreasonable(written, name)
        root = yaml.compose(written, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise _syntax_error(error, written, name) from error
    if root is None or (isinstance(root, yaml.ScalarNode) and root.value == ""):
        raise DocumentError("document.empty", name=name)
    if not isinstance(root, yaml.MappingNode):
        raise _not_a_mapping(root, written, name)
    reader = _Reader(name)
    mapping = reader.value(root, ())
    return YamlDocument(name, mapping, reader.lines, reader.texts, tuple(reader.problems))


def _decoded(content: str | bytes, name: str) -> str:
    if len(content) > MAX_BYTES:
        raise DocumentError("document.too_large", name=name, size=len(content), limit=MAX_BYTES)
    try:
        return (content.encode() if isinstance(content, str) else content).decode("utf-8-sig")
    except (UnicodeDecodeError, UnicodeEncodeError) as error:  # the latter of half a surrogate
        encoding = _likely_encoding(content) if isinstance(content, bytes) else "UTF-16"
        raise DocumentError("document.not_utf8", name=name, encoding=encoding, position=error.start) from error


def _likely_encoding(content: bytes) -> str:
    for mark, encoding in ((b"\xff\xfe", "UTF-16"), (b"\xfe\xff", "UTF-16")):
        if content.startswith(mark):
            return encoding
    from charset_normalizer import from_bytes

    best = from_bytes(content, cp_isolation=_LEGACY_ENCODINGS).best()
    return best.encoding.upper().replace("_", "-") if best else "?"


def _refuse_unreasonable(written: str, name: str) -> None:
    """Looks at the events alone, which costs no recursion, before anything is built from them."""
    depth = documents = 0
    for event in yaml.parse(written, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.DocumentStartEvent):
            documents += 1
        line = event.start_mark.line + 1 if event.start_mark else 1
        if depth > MAX_DEPTH:
            raise DocumentError("document.too_deep", name=name, line=line, limit=MAX_DEPTH)
        if documents > 1:
            raise DocumentError("document.several", name=name, line=line)


class _Reader:
    """Walks composed nodes once and keeps values, lines, source texts and doubled keys."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: dict[KeyPath, int] = {}
        self.texts: dict[KeyPath, str] = {}
        self.problems: list[Problem] = []
        self._nodes = 0
        self._scalars = yaml.constructor.SafeConstructor()

    def value(self, node: yaml.Node, path: KeyPath) -> YamlValue:
        self._nodes += 1
        line = node.start_mark.line + 1
        self.lines.setdefault(path, line)
        if self._nodes > MAX_NODES or len(path) > MAX_DEPTH:
            raise DocumentError("document.expands", name=self.name, line=line, limit=MAX_NODES)
        if node.tag not in _TAGS:
            raise DocumentError("document.tag", name=self.name, line=line, tag=node.tag.replace("tag:yaml.org,2002:", "!!"))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(child, (*path, index)) for index, child in enumerate(node.value)]
        return self._scalar(node, path)

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, YamlValue]:
        mapping: dict[str, YamlValue] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise DocumentError("document.key_not_text", name=self.name, line=line)
            key_path = (*path, key_node.value)
            if key_node.value in mapping:
                data = {"key": key_node.value, "first_line": self.lines[key_path]}
                self.problems.append(Problem(readable_path(key_path), line, "duplicate_key", data))
                continue
            self.lines[key_path] = line
            mapping[key_node.value] = self.value(value_node, key_path)
        return mapping

    def _scalar(self, node: yaml.Node, path: KeyPath) -> YamlValue:
        self.texts[path] = node.value
        try:
            return self._scalars.construct_object(node)
        except (ValueError, LookupError, AttributeError, yaml.YAMLError):  # 2026-02-30, `!!int x`, `!!bool`: taken as written
            return node.value


def _syntax_error(error: yaml.YAMLError, written: str, name: str) -> DocumentError:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    position = getattr(error, "position", None)
    line = mark.line + 1 if mark else written.encode()[:position].count(b"\n") + 1 if position is not None else 1
    lines = written.split("\n")
    if fullwidth := _fullwidth_colon(lines, max(0, line - 1 - _LINES_BEFORE), line, name):
        return fullwidth
    near = lines[line - 1 : line] or [""]
    if "\t" in near[0][: len(near[0]) - len(near[0].lstrip())]:
        return DocumentError("document.tab", name=name, line=line)
    reason = str(getattr(error, "problem", None) or getattr(error, "reason", None) or "YAML")
    fault = next((fault for words, fault in _FAULTS.items() if words in reason), "other")
    if "flow" in (getattr(error, "context", None) or "") or (fault == "indentation" and _OPENS_WITH_BRACKET.match(near[0])):
        fault = "bracket"
    opened = getattr(error, "context_mark", None)
    if fault in ("quote", "bracket", "key") and opened:  # seen only further down: what matters is where it began
        line = max((number for number, there in enumerate(lines[: opened.line + 1], start=1) if there.strip()), default=1)
        near = [lines[line - 1]]
    cause = {"key": f"document.syntax_cause.{fault}", "data": {"reason": reason}}
    return DocumentError("document.syntax", name=name, line=line, near=near[0].strip()[:60], cause=cause)


def _fullwidth_colon(lines: list[str], first: int, last: int, name: str) -> DocumentError | None:
    """The complaint about a key with a full-width colon in `lines[first:last]`, where there is one."""
    for number, written in enumerate(lines[first:last], start=first + 1):
        if found := _FULLWIDTH_COLON.match(written):
            return DocumentError("document.fullwidth_colon", name=name, line=number, near=found.group().strip())
    return None


def _not_a_mapping(root: yaml.Node, written: str, name: str) -> DocumentError:
    lines = written.split("\n")
    if fullwidth := _fullwidth_colon(lines, 0, len(lines), name):
        return fullwidth
    kind = "list" if isinstance(root, yaml.SequenceNode) else "text"
    return DocumentError(f"document.not_a_mapping_but_{kind}", name=name)
