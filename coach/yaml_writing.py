"""Writing YAML that people read: block style, keys in their own order, and nothing another reader takes for something else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import yaml

from coach.yaml_document import YamlValue

_RARE_LINE_ENDS = re.compile("[\x85\u2028\u2029]")
_YAML12_NUMBER = re.compile(r"^[-+]?(\d[\d_]*\.?\d*|\.\d+)([eE][-+]?\d+)?$")


def dump(value: Mapping[str, Any]) -> str:
    """`value` as YAML in block style, keys in their own order; what it writes reads back as the same values."""
    return yaml.dump(dict(value), Dumper=_Writer, allow_unicode=True, sort_keys=False, default_flow_style=False, width=4096)


def with_plain_numbers(value: YamlValue) -> YamlValue:
    """`value` with 8.0 as 8 wherever a person would write it so (zero stays 0.0); reads back as the same number."""
    if isinstance(value, dict):
        return {key: with_plain_numbers(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [with_plain_numbers(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() and value else value


class _Writer(yaml.SafeDumper):
    """Block literals for several lines, ISO dates, and quotes around text that another reader would take for a number."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _write_text(writer: _Writer, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else "'" if _YAML12_NUMBER.match(value) else None
    if _RARE_LINE_ENDS.search(value):  # PyYAML folds them to a space in every other style
        style = '"'
    return writer.represent_scalar("tag:yaml.org,2002:str", value, style=style)


def _write_date(writer: _Writer, value: date | datetime) -> yaml.ScalarNode:
    return writer.represent_scalar("tag:yaml.org,2002:timestamp", value.isoformat())


_Writer.add_representer(str, _write_text)
_Writer.add_representer(date, _write_date)
_Writer.add_representer(datetime, _write_date)
