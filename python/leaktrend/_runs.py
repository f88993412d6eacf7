"""`read` and `analyze`: the work of the command line."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from typing import Any

from leaktrend import _native, _values
from leaktrend._results import Report, Table

Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]
Beside = Paths | Mapping[str, Paths]


def read(path: Paths, **options: Any) -> Table:
    """Reads files of any format that the command line supports. Rotated files are one log.

    Args:
        path: one file, or several.
        options: the options of ``leaktrend analyze`` for reading: ``format``, ``column``, ``interval``, ``end``,
            ``unit``, ``sampling``, ``container``, ``namespace``, ``pod``, ``label``, ``limit``, ``host_memory``, ``config``.

    Returns:
        One row per sample, ordered by series and time: ``series``, ``container``, ``labels`` (JSON), ``metric``, ``time``
        (UTC; readings without times count back from the last one, which is at 1970), ``used_bytes``,
        ``resolution_bytes``, ``limit_bytes`` (as printed), ``own_limit_bytes`` (null if that is the memory of the
        host) and ``flags`` (evidence of restarts). Its ``inputs`` account for every line.

    Raises:
        ValueError: no file holds a sample, or an option cannot be used.
        OSError: a file cannot be read.
    """
    table, inputs = _native.read([*_words(options), "--", *_values.paths(path)])
    return Table(table, json.loads(inputs))


def analyze(
    path: Paths,
    *,
    out: str | os.PathLike[str] | None = None,
    requests: Beside | None = None,
    covariates: Beside | None = None,
    changes: Paths | None = None,
    **options: Any,
) -> Report:
    """Runs ``leaktrend analyze``: reads, judges, and writes the files that the options name. Prints nothing.

    Args:
        path: one file, or several.
        out: the folder of the report; without it no files are written.
        requests: access logs that growth is compared with: one or several, or a dict from a series to its log.
        covariates: other numbers over time, in files of the forms of ``--covariate``: in the same way.
        changes: lists of deploys, flags and other changes: one or several.
        options: every option of ``leaktrend analyze``, as a keyword: ``load="20m..50m"``, ``limit={"api": "2GiB"}``,
            ``since=...``, ``rules=[...]``, ``json="verdict.json"``, ``html="report.html"``, ``strict=True``.
            A list repeats the option.

    Returns:
        The report: `Report.outcome`, `Report.exit_code`, `Report.to_dict`, `Report.verdicts`.

    Raises:
        ValueError: an option or the settings cannot be used.
        OSError: a file cannot be written. An input that cannot be read does not raise; the report names it.
    """
    beside = {
        "requests": _beside(requests),
        "covariate": _beside(options.pop("covariate", covariates) if covariates is None else covariates),
        "changes": _beside(changes),
    }
    return Report(_native.analyze([*_words({"out": out, **beside, **options}), "--", *_values.paths(path)]))


def _beside(given: Beside | None) -> list[str] | None:
    """Files to compare with, as `_values.words` takes them."""
    if given is None:
        return None
    if isinstance(given, Mapping):
        return [f"{series}={path}" for series, paths in given.items() for path in _values.paths(paths)]
    return _values.paths(given)


def _words(options: dict[str, Any]) -> list[str]:
    unheard = {"quiet", "verbose", "color"} & options.keys()
    if unheard:
        raise TypeError(f"{', '.join(f'`{name}`' for name in sorted(unheard))}: nothing is printed here")
    return _values.words(options)
