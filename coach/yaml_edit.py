"""Changing single values of a YAML document where they stand, so that comments, order and spacing a person wrote stay.

Covers what task.yaml needs: scalars, keys added to a mapping, keys taken out. Knows no keys itself; whoever calls compares the result.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from coach.yaml_document import KeyPath, dump, with_plain_numbers

REMOVED = object()  # as a new value: the key goes


def edited(content: str, changes: Mapping[KeyPath, Any]) -> str:
    """`content` with each path's value replaced, added or taken out. Raises ValueError where that cannot be done in place."""
    for path, value in changes.items():
        root = yaml.compose(content, Loader=yaml.SafeLoader)
        holder = _find(root, path[:-1])
        if not isinstance(holder, yaml.MappingNode):
            raise ValueError(f"{path}: nothing to hold it")
        content = _changed(content, holder, str(path[-1]), value)
    return content


def _changed(content: str, holder: yaml.MappingNode, key: str, value: Any) -> str:
    found = next(((name, node) for name, node in holder.value if name.value == key), None)
    if found is None:
        return content if value is REMOVED else _added(content, holder, key, value)
    name, node = found
    if value is REMOVED:
        return _without(content, holder, name, node)
    if not isinstance(node, yaml.ScalarNode):
        raise ValueError(f"{key}: not a single value")
    return content[: node.start_mark.index] + _written(value) + content[node.end_mark.index :]


def _added(content: str, holder: yaml.MappingNode, key: str, value: Any) -> str:
    if not holder.value:
        raise ValueError(f"{key}: an empty mapping")
    if holder.flow_style:
        end = holder.end_mark.index - 1  # before the brace
        return content[:end] + f", {key}: {_written(value)}" + content[end:]
    lines = content.split("\n")
    indent = " " * holder.value[0][0].start_mark.column
    lines.insert(_last(holder).end_mark.line + 1, f"{indent}{key}: {_written(value)}")
    return "\n".join(lines)


def _without(content: str, holder: yaml.MappingNode, name: yaml.Node, node: yaml.Node) -> str:
    if holder.flow_style or len(holder.value) < 2:
        raise ValueError(f"{name.value}: stands in a line with others")
    lines = content.split("\n")
    del lines[name.start_mark.line : _last(node).end_mark.line + 1]
    return "\n".join(lines)


def _find(root: yaml.Node | None, path: KeyPath) -> yaml.Node | None:
    here = root
    for key in path:
        pairs = here.value if isinstance(here, yaml.MappingNode) else []
        here = next((node for name, node in pairs if name.value == key), None)
    return here


def _last(node: yaml.Node) -> yaml.Node:
    """The node that ends last within `node`: a block's own end mark lies on the line after it."""
    if not isinstance(node, yaml.CollectionNode) or node.flow_style or not node.value:
        return node
    last = node.value[-1]
    return _last(last[1] if isinstance(last, tuple) else last)


def _written(value: Any) -> str:
    """`value` as it stands after a key: a mapping in one line, everything else as `dump` writes it."""
    plain = with_plain_numbers(value)
    if isinstance(plain, Mapping):
        return "{" + ", ".join(f"{key}: {_written(inner)}" for key, inner in plain.items()) + "}"
    return dump({"k": plain}).removeprefix("k:").strip()
