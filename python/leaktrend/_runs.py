"""`read` and `analyze`: the command line's own work."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from typing import Any

from leaktrend import _native, _values
from leaktrend._results import Report, Table

Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]


def read(path: Paths, **options: Any) -> Table:
    """Reads files of any format that the command line knows; rotated files are one log.

    Args:
        path: one file, or several.
        options: those of ``leaktrend analyze`` that say how to read: ``format``, ``interval``, ``end``, ``unit``,
            ``samples``, ``container``, ``namespace``, ``pod``, ``label``, ``limit``, ``host_memory``, ``config``.

    Returns:
        One row a sample, ordered by series and time: ``series``, ``container``, ``labels`` (JSON), ``metric``, ``time``
        (UTC; before 1970 where the readings have no times: then they count back from the last), ``used_bytes``,
        ``resolution_bytes``, ``limit_bytes`` (as printed), ``own_limit_bytes`` (null where that is the memory of the
        host) and ``flags`` (evidence of restarts). Its ``inputs`` account for every line.

    Raises:
        ValueError: no file holds a sample, or an option cannot be: what was found and what was expected.
        OSError: a file cannot be read.
    """
    table, inputs = _native.read([*_words(options), "--", *_values.paths(path)])
    return Table(table, json.loads(inputs))


def analyze(path: Paths, *, out: str | os.PathLike[str] | None = None, **options: Any) -> Report:
    """``leaktrend analyze``: reads, judges, and writes what the options name. Prints nothing.

    Args:
        path: one file, or several.
        out: the folder of the report; without it no files are written.
        options: every option of ``leaktrend analyze``, as a keyword: ``load="20m..50m"``, ``limit={"api": "2GiB"}``,
            ``since=...``, ``rules=[...]``, ``json="verdict.json"``, ``html="report.html"``, ``strict=True``.
            A list is the option once for each.

    Returns:
        The report: `Report.outcome`, `Report.exit_code`, `Report.to_dict`, `Report.verdicts`.

    Raises:
        ValueError: an option cannot be, or the settings: what was found and what was expected.
        OSError: a file cannot be written. Inputs that cannot be used are part of the report.
    """
    return Report(_native.analyze([*_words({"out": out, **options}), "--", *_values.paths(path)]))


def _words(options: dict[str, Any]) -> list[str]:
    unheard = {"quiet", "verbose", "color"} & options.keys()
    if unheard:
        raise TypeError(f"{', '.join(f'`{name}`' for name in sorted(unheard))}: nothing is printed here")
    return _values.words(options)
