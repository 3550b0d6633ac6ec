"""Changing one value in YAML that a person wrote, so that comments, order and spelling everywhere else stay as they are.

Owns where an entry begins and ends in the text. Every edit is read back: where the text does not then say what it should (anchors,
a mapping in braces), the document is written anew and only its comments are lost. Knows no document's keys.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from coach.yaml_document import YamlValue, parse_document
from coach.yaml_writing import dump, with_plain_numbers

Keys = Sequence[str]


def with_value(document: str, path: Keys, value: YamlValue, name: str = "YAML") -> str:
    """`document` with `value` at `path`: replaced, added where it is missing (its sections too), removed where it is None.

    Comments inside a replaced value go with it. Raises DocumentError where `document` is not one readable YAML mapping.
    """
    return with_values(document, {tuple(path): value}, name)[0]


def with_values(document: str, changes: Mapping[tuple[str, ...], YamlValue], name: str = "YAML") -> tuple[str, bool]:
    """`with_value` for several; False where the document had to be written anew and has lost its comments."""
    text, kept = document.replace("\r\n", "\n").removeprefix("\ufeff"), True
    for path, value in changes.items():
        said = parse_document(text, name).mapping
        wanted = _set(said, path, with_plain_numbers(value))
        if wanted == said:
            continue
        edited = _edited(text, path, with_plain_numbers(value))
        in_place = edited is not None and _says(edited, wanted)
        text, kept = edited if edited is not None and in_place else dump(wanted), kept and in_place
    return text, kept


def _set(mapping: dict[str, Any], path: Keys, value: YamlValue) -> dict[str, Any]:
    changed = copy.copy(mapping)
    if len(path) > 1:
        inner = changed.get(path[0])
        if value is None and not isinstance(inner, dict):
            return changed
        changed[path[0]] = _set(inner if isinstance(inner, dict) else {}, path[1:], value)
    elif value is None:
        changed.pop(path[0], None)
    else:
        changed[path[0]] = value
    return changed


def _says(text: str, wanted: dict[str, Any]) -> bool:
    try:
        return parse_document(text, "").mapping == wanted
    except ValueError:  # DocumentError is one
        return False


def _edited(text: str, path: Keys, value: YamlValue) -> str | None:
    """The text with the entry changed in place, or None where it has to be written anew."""
    lines = text.split("\n")
    mapping = yaml.compose(text, Loader=yaml.SafeLoader)
    for depth, key in enumerate(path):
        if not isinstance(mapping, yaml.MappingNode) or mapping.flow_style:
            return None
        entry = next(((name, node) for name, node in mapping.value if name.value == key), None)
        if entry is None:
            return _added(lines, mapping, path[depth:], value)
        name_node, node = entry
        is_section = isinstance(node, yaml.MappingNode) and node.value and not node.flow_style
        if depth == len(path) - 1 or not is_section:
            inside = _set(_value_of(node), path[depth + 1 :], value) if depth < len(path) - 1 else value
            return _replaced(lines, name_node, node, inside)
        mapping = node
    return None


def _value_of(node: yaml.Node) -> dict[str, Any]:
    found = yaml.SafeLoader("").construct_document(node)
    return found if isinstance(found, dict) else {}


def _added(lines: list[str], mapping: yaml.MappingNode, path: Keys, value: YamlValue) -> str | None:
    if not mapping.value or value is None:
        return None
    for key in reversed(path[1:]):
        value = {key: value}
    last_name, last_value = mapping.value[-1]
    at = _last_line(lines, last_value if _has_lines(last_value) else last_name) + 1
    written = _entry(path[0], value, mapping.value[0][0].start_mark.column)
    return "\n".join([*lines[:at], *written, *(lines[at:] or [""])])


def _replaced(lines: list[str], name: yaml.ScalarNode, node: yaml.Node, value: YamlValue) -> str:
    first, last = name.start_mark.line, _last_line(lines, node if _has_lines(node) else name)
    written = [] if value is None else _entry(name.value, value, name.start_mark.column)
    one_line = isinstance(node, yaml.ScalarNode) and _has_lines(node) and node.style not in ("|", ">") and first == last
    if one_line and len(written) == 1:  # what stands behind the value, such as a comment, stays
        written[0] += lines[last][node.end_mark.column :]
    return "\n".join([*lines[:first], *written, *lines[last + 1 :]])


def _entry(key: str, value: YamlValue, column: int) -> list[str]:
    written = dump({key: value}).rstrip("\n").split("\n")
    return [" " * column + line if line else "" for line in written]


def _has_lines(node: yaml.Node) -> bool:
    """Whether anything is written for the node: the value of `key:` is not."""
    return bool(node.start_mark.index != node.end_mark.index)


def _last_line(lines: list[str], node: yaml.Node) -> int:
    """The last line, from 0, that belongs to the node: not the blank lines and comments behind it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        name, value = last if isinstance(last, tuple) else (last, last)
        return _last_line(lines, value if _has_lines(value) else name)
    end = node.end_mark
    if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
        line = end.line if end.column else end.line - 1
        while line > node.start_mark.line and not lines[line].strip():
            line -= 1
        return int(line)
    return int(end.line)
