"""How the columns of a file may be chosen: which fields there are to fill, and a choice put together as a mapping.

Before there is a task.yaml a person may let the model read further columns beside the text; afterwards the template says which.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from training.attached_file import Inspection
from training.data.columns import PLACEHOLDER_NAMES
from training.data.row_ids import same_text
from training.data.source_fit import TEXT_FIELD

_NOT_IN_A_FIELD = re.compile(r"\W+")


def text_field(inspection: Inspection) -> str:
    """The field of the main text."""
    inputs = [field for field in inspection.mapping if field not in inspection.outputs]
    return TEXT_FIELD if TEXT_FIELD in inputs or not inputs else inputs[-1]


def beside_columns(inspection: Inspection) -> list[str]:
    """The columns the model reads beside the text."""
    main = text_field(inspection)
    return [column for field, column in inspection.mapping.items() if field not in (main, *inspection.outputs)]


def chosen_mapping(inspection: Inspection, text: str | None, beside: Sequence[str], label: str | None) -> dict[str, str]:
    """The mapping of a choice made before there is a task.yaml; a column that had a field keeps it, a new one gets a name."""
    main = text_field(inspection)
    kept = {column: field for field, column in inspection.mapping.items() if field not in (main, *inspection.outputs)}
    mapping: dict[str, str] = {}
    for column in [name for name in beside if name not in (text, label)]:
        taken = {*kept.values(), *mapping, main, *inspection.outputs}
        mapping[kept.get(column) or _field_name(column, taken)] = column
    if text:
        mapping[main] = text
    if label:
        mapping[inspection.outputs[0]] = label
    return mapping


def doubled_column(mapping: Mapping[str, str]) -> str | None:
    """A column that stands for two fields, or None."""
    columns = list(mapping.values())
    return next((column for column in columns if columns.count(column) > 1), None)


def _field_name(column: str, taken: set[str]) -> str:
    """`entity` for a column called company, `title` for 標題, else the column's own name as far as it can stand in braces."""
    known = next((field for field in ("entity", "title") if same_text(column) in map(same_text, PLACEHOLDER_NAMES[field])), None)
    plain = _NOT_IN_A_FIELD.sub("_", column).strip("_")
    name = known or (plain if plain.isidentifier() else f"column_{plain}")
    if not name.isidentifier():
        name = "column"
    count = 1
    while (free := name if count == 1 else f"{name}_{count}") in taken:
        count += 1
    return free
