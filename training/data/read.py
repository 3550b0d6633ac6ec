"""What people bring, read as a table: CSV, TSV, JSON, JSONL, Parquet, Excel.

Owns the choice of reader and the refusals that come before one: no such file, a folder, too large, a kind we do not read. One bad
line never stops a file; it becomes a problem with its row number. Nothing that could run code is ever opened.
"""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from coach.errors import DataError
from training.data.decode import decode
from training.data.read_columnar import read_parquet, read_xlsx
from training.data.read_delimited import parse_delimited
from training.data.read_json import parse_json, parse_jsonl
from training.data.table import FileFormat, Table

MAX_FILE_BYTES = 300_000_000  # the file stands in memory several times over while it is read and audited: about 3 GB at this size
SUFFIXES: dict[str, FileFormat] = {
    ".csv": "csv",
    ".txt": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
}
_RUNS_CODE = {".pkl", ".pickle", ".joblib", ".pt", ".pth", ".bin", ".npy", ".npz", ".dill"}
_PACKED = {".zip", ".gz", ".7z", ".rar", ".tar", ".tgz", ".bz2", ".xz"}


def read_table(
    path: Path | str, *, format: FileFormat | None = None, encoding: str | None = None, delimiter: str | None = None
) -> Table:
    """The table in a file; format by its suffix, encoding and delimiter found out unless given.

    Raises DataError for a file that cannot be read at all; lines that cannot are in `Table.problems`.
    """
    path = Path(path)
    data_format = _checked_format(path, format)
    size = _checked_size(path)
    if size == 0:
        raise DataError("data.empty", path=path.name)
    if data_format == "parquet":
        return read_parquet(path)
    if data_format == "xlsx":
        return read_xlsx(path)
    decoded = decode(_bytes(path), path, encoding)
    if data_format == "jsonl":
        return parse_jsonl(decoded, path)
    if data_format == "json":
        return parse_json(decoded, path)
    return parse_delimited(decoded, path, delimiter, tabs=data_format == "tsv")


def format_of(path: Path) -> FileFormat:
    """The format a file's suffix stands for. Raises DataError with the reason for a suffix that is refused."""
    suffix = path.suffix.lower()
    if suffix in SUFFIXES:
        return SUFFIXES[suffix]
    if suffix in _RUNS_CODE:
        raise DataError("data.suffix_runs_code", path=path.name, suffix=suffix)
    if suffix in _PACKED:
        raise DataError("data.suffix_packed", path=path.name, suffix=suffix)
    if suffix == ".xls":
        raise DataError("data.suffix_old_excel", path=path.name)
    raise DataError("data.suffix_unknown", path=path.name, suffix=suffix or "—", known=", ".join(SUFFIXES))


def _checked_format(path: Path, format: FileFormat | None) -> FileFormat:
    try:
        is_folder, is_there = path.is_dir(), path.exists()
    except OSError as error:  # a name too long, a folder that may not be entered
        raise DataError("data.unreadable", path=str(path), problem=error.strerror or str(error)) from error
    if is_folder:
        raise DataError("data.is_folder", path=str(path))
    if not is_there:
        raise DataError("data.file_missing", path=str(path))
    if format is None:
        return format_of(path)
    if path.suffix.lower() in _RUNS_CODE or format not in get_args(FileFormat):
        return format_of(path)
    return format


def _checked_size(path: Path) -> int:
    size = path.stat().st_size
    if size > MAX_FILE_BYTES:
        raise DataError("data.file_too_large", path=path.name, size_mb=round(size / 1e6), limit_mb=round(MAX_FILE_BYTES / 1e6))
    return size


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError("data.unreadable", path=str(path), problem=error.strerror or str(error)) from error
