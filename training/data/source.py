"""The shape of `data_source.yaml`: where rows come from, how they are merged and split (contract: companions.md section 2).

Owns keys, defaults, the rule that no secret and no path out of the task folder stands in it, its hash, and writing a first one.
Running it is `build.py`'s. Of the five types only file_import runs so far; the others are read and refused when they would run.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, field_validator
from pydantic_core import PydanticCustomError

from coach.problems import Problem, errors_in, readable_path, refuse
from coach.task_schema import Strict, TaskFile
from coach.validation import examine
from coach.yaml_document import YamlDocument, parse_document, read_document
from coach.yaml_writing import dump
from training.data.split import Part
from training.data.table import FileFormat

SourceType = Literal["file_import", "database", "api", "web_scrape", "llm_generated"]
OUTPUT_FIELD = "label"  # what a mapping calls the answer where it is a text, not an object
OUTPUT_FIELDS = (OUTPUT_FIELD, "output")
_SOURCE_KEYS = ("name", "type", "enabled", "config", "mapping", "output")
DEFAULT_RATIOS: dict[Part, float] = {"train": 0.7, "valid": 0.15, "test": 0.15}
_SECRET_KEY = re.compile(
    r"(^|[_-])(password|passwd|pwd|secret|token|credentials?|authorization|api[_-]?key|access[_-]?key|private[_-]?key|secret[_-]?key)$",
    re.IGNORECASE,
)
_FROM_ENVIRONMENT = re.compile(r"^\s*((Bearer|Basic|Token)\s+)?\$\{[A-Za-z_][A-Za-z0-9_]*\}\s*$")
_URL_WITH_PASSWORD = re.compile(r"://[^/\s:@]+:(?!\$\{)[^/\s@]+@")


def _inside(value: str | None) -> str | None:
    """A path within the task folder, as a relative path with forward slashes."""
    if value is None:
        return None
    posix, windows = PurePosixPath(value.replace("\\", "/")), PureWindowsPath(value)
    if posix.is_absolute() or windows.drive or ".." in posix.parts or not posix.parts or "\x00" in value:
        raise PydanticCustomError("source.path_outside", "path outside the task folder", {"shown": value})
    return str(posix)


def _in_raw(value: str) -> str:
    """A path under data/raw, where a build may write."""
    path = _inside(value)
    if path is None or not path.startswith("data/raw/"):
        raise PydanticCustomError("source.not_in_raw", "output outside data/raw", {"shown": value})
    return path


class FileConfig(Strict):
    """What file_import needs; what is left out is found out."""

    source_path: str
    format: FileFormat | None = None
    encoding: str | None = None
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)

    _path = field_validator("source_path")(_inside)


class RawOutput(Strict):
    format: Literal["jsonl"] = "jsonl"
    path: str

    _path = field_validator("path")(_in_raw)


class _AnySource(Strict):
    """What every source has; `mapping` goes from placeholder or output field to column."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$")
    type: SourceType
    enabled: bool = True
    mapping: dict[str, str] = Field(default_factory=dict)
    output: RawOutput | None = None

    @property
    def raw_path(self) -> str:
        return self.output.path if self.output else f"data/raw/{self.name}.jsonl"


class FileSource(_AnySource):
    config: FileConfig


class LaterSource(_AnySource):
    """A type that is read but does not run yet; its `config` is its own."""

    config: dict[str, Any] = Field(default_factory=dict)


def _kind_of(value: Any) -> str:
    kind = value.get("type") if isinstance(value, dict) else getattr(value, "type", None)
    return "file" if kind == "file_import" else "later"


Source = Annotated[Annotated[FileSource, Tag("file")] | Annotated[LaterSource, Tag("later")], Discriminator(_kind_of)]


class Deduplication(Strict):
    """Rows with the same normalised `key` are one row; without a key, rows with the same whole input."""

    enabled: bool = True
    key: str | list[str] | None = None

    @property
    def fields(self) -> list[str] | None:
        return [self.key] if isinstance(self.key, str) else self.key


class Merge(Strict):
    enabled: bool = True
    output_path: str = "data/raw/merged.jsonl"
    deduplication: Deduplication = Field(default_factory=Deduplication)
    shuffle: bool = True
    random_seed: int = Field(default=42, ge=0, le=2**32 - 1)

    _path = field_validator("output_path")(_in_raw)


class SplitOutput(Strict):
    train: Literal["data/train.jsonl"] = "data/train.jsonl"
    valid: Literal["data/valid.jsonl"] = "data/valid.jsonl"
    test: Literal["data/test.jsonl"] = "data/test.jsonl"


class Split(Strict):
    """`test_file` and `valid_file` are parts that came with the data; the ratios then share out what is left."""

    enabled: bool = True
    ratios: dict[Part, float] = Field(default_factory=lambda: dict(DEFAULT_RATIOS))
    test_file: str | None = None
    valid_file: str | None = None
    stratify_by: str | None = None
    group_by: str | None = None
    random_seed: int = Field(default=42, ge=0, le=2**32 - 1)
    output: SplitOutput = Field(default_factory=SplitOutput)

    _paths = field_validator("test_file", "valid_file")(_inside)

    @field_validator("ratios")
    @classmethod
    def _sum_to_one(cls, ratios: dict[Part, float]) -> dict[Part, float]:
        if any(share < 0 for share in ratios.values()) or abs(sum(ratios.values()) - 1) > 0.01:
            raise PydanticCustomError("source.ratios", "ratios must sum to 1", {"sum": round(sum(ratios.values()), 4)})
        return ratios


class Regeneration(Strict):
    last_run: datetime | None = None
    triggers: list[str] = Field(default_factory=lambda: ["source_config_changed", "manual"])


class DataSource(Strict):
    """A whole data_source.yaml."""

    version: str = "1.0"
    created: datetime | None = None
    updated: datetime | None = None
    sources: list[Source] = Field(min_length=1)
    merge: Merge = Field(default_factory=Merge)
    split: Split = Field(default_factory=Split)
    regeneration: Regeneration = Field(default_factory=Regeneration)

    @field_validator("sources")
    @classmethod
    def _names_once(cls, sources: list[Source]) -> list[Source]:
        names = [source.name for source in sources]
        doubled = sorted({name for name in names if names.count(name) > 1})
        if doubled:
            raise PydanticCustomError("source.doubled_name", "source names must differ", {"shown": ", ".join(doubled)})
        return sources

    def config_hash(self) -> str:
        """sha256 of what decides the data: everything but times and triggers, in one canonical spelling."""
        deciding = self.model_dump(mode="json", exclude={"created", "updated", "regeneration"})
        return hashlib.sha256(json.dumps(deciding, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def read_data_source(path: Path) -> DataSource:
    """The data source in a file. Raises DocumentError with every problem, literal secrets among them."""
    return _checked(read_document(path))


def raw_files(source: DataSource) -> list[str]:
    """The files the enabled sources and given parts are read from, relative to the task's folder."""
    paths = [entry.config.source_path for entry in source.sources if entry.enabled and isinstance(entry, FileSource)]
    return paths + [path for path in (source.split.test_file, source.split.valid_file) if path]


def parse_data_source(content: str | bytes, name: str = "data_source.yaml") -> DataSource:
    """The same for content at hand; `name` is what errors call it."""
    return _checked(parse_document(content, name))


def source_document(
    task: TaskFile,
    mapping: Mapping[str, str],
    source_path: str,
    *,
    now: datetime,
    table_format: FileFormat | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    test_file: str | None = None,
    valid_file: str | None = None,
    group_by: str | None = None,
) -> DataSource:
    """A first data source for a task with one raw file, `source_path` being relative to the task folder."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", Path(source_path).stem).strip("_-") or "rows"
    targets = list(task.targets)
    source = FileSource(
        name=name[:63],
        type="file_import",
        config=FileConfig(source_path=source_path, format=table_format, encoding=encoding, delimiter=delimiter),
        mapping=dict(mapping),
        output=RawOutput(path=f"data/raw/{name[:63]}.jsonl"),
    )
    seed = task.data.seed
    keys = task.placeholders
    merge = Merge(deduplication=Deduplication(key=keys[0] if len(keys) == 1 else keys), random_seed=seed)
    stratify = (targets[0] or OUTPUT_FIELD) if targets else None
    split = Split(stratify_by=stratify, group_by=group_by, random_seed=seed, test_file=test_file, valid_file=valid_file)
    return DataSource(created=now, updated=now, sources=[source], merge=merge, split=split)


def data_source_to_yaml(source: DataSource) -> str:
    """The document as a file holds it. `ratios` leaves out parts that came as files."""
    document = source.model_dump(mode="python", exclude_none=True)
    document["sources"] = [_in_order(entry, _SOURCE_KEYS) for entry in document["sources"]]
    document["split"] = _in_order({"group_by": None, **document["split"]}, tuple(Split.model_fields))
    given = [name for name in ("valid", "test") if document["split"].get(f"{name}_file")]
    if len(given) == 2:
        del document["split"]["ratios"]
    return dump(document)


def _in_order(mapping: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    return {key: mapping[key] for key in keys if key in mapping}


def _checked(document: YamlDocument) -> DataSource:
    source, problems = examine(document, DataSource)
    problems += [
        Problem(readable_path(path), document.line_of(path), "source.literal_secret", {"key": str(path[-1])})
        for path in literal_secrets(document.mapping)
    ]
    refuse("data.source_problems", errors_in(problems), name=document.name)
    assert source is not None
    return source


def literal_secrets(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where a secret stands written out: under a key that names one and not as `${NAME}`, or inside a URL. Never its value."""
    if isinstance(value, Mapping):
        for key, child in value.items():
            if _SECRET_KEY.search(str(key)) and isinstance(child, (str, int, float)) and not isinstance(child, bool):
                if str(child).strip() and not _FROM_ENVIRONMENT.match(str(child)):
                    yield (*path, str(key))
            else:
                yield from literal_secrets(child, (*path, str(key)))
    elif isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        for place, child in enumerate(value):
            yield from literal_secrets(child, (*path, place))
    elif isinstance(value, str) and _URL_WITH_PASSWORD.search(value):
        yield path
