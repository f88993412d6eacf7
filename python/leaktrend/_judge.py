"""`judge_series`, `judge` and `settle`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from leaktrend import _frames, _native, _values
from leaktrend._results import Table, Verdict

Settings = Mapping[str, Any] | str | os.PathLike[str] | None
"""Settings: a dict with the tables of ``leaktrend.toml``, or the path of such a file."""

COLUMNS = {
    "verdict": "text",
    "shape": "text",
    "reason": "text",
    "would_change": "text",
    "error": "text",
    "growth_bytes_per_second": "number",
    "growth_lower": "number",
    "growth_upper": "number",
    "growth_confidence": "number",
    "growth_p_value": "number",
    "p_value": "number",
    "q_value": "number",
    "may_be_chance": "truth",
    "onset": "time",
    "regime_start": "time",
    "regime": "text",
    "tolerance_bytes_per_second": "number",
    "detectable_bytes_per_second": "number",
    "needed_seconds": "number",
    "limit_bytes": "number",
    "seconds_to_limit": "number",
    "seconds_to_limit_lower": "number",
    "seconds_to_limit_upper": "number",
    "last_bytes": "number",
    "n_samples": "whole",
    "n_gaps": "whole",
    "start": "time",
    "end": "time",
    "false_discovery_rate": "number",
    "otherwise": "text",
}
"""The columns of a table of verdicts behind the one that names the series, and what they hold."""


def judge_series(
    times: Any,
    values: Any,
    *,
    limit: float | None = None,
    restarts: Any = None,
    resolution: float = 1.0,
    metric: str = "other",
    name: str = "",
    settings: Settings = None,
) -> Verdict:
    """Judges one series.

    Args:
        times: n times in any order: an array of ``datetime64`` or of whole milliseconds since 1970, a column of polars,
            pandas or pyarrow, or a list of datetimes, dates or whole numbers. Without a zone they are UTC.
        values: n numbers: memory in bytes, 0 to 2^53. NaN, ``None`` and null are gaps. Of several values of one time
            the last counts.
        limit: the memory limit in bytes.
        restarts: when the process began anew, as ``times``. With them, an empty list too, no other fall is taken for a
            restart; ``None``: restarts are concluded from the values.
        resolution: spacing of the values that could have been printed, in bytes: 1 for exact values, about 1e5 for
            ``123.4MiB``.
        metric: what is counted: ``heap`` for what a garbage collector manages; else it makes no difference.
        name: of the series, for its chart.
        settings: thresholds, as a dict with the tables of ``leaktrend.toml`` or the path of such a file.

    Returns:
        The verdict. Growth is not compared with that of other series: `judge` does that.

    Raises:
        TypeError: times or values are of a type that cannot be.
        ValueError: there are not as many times as values, there is none, or one cannot be.

    How: the growth of troughs and means under AR(1) noise, averaged over shapes (ARCHITECTURE.md, "How a verdict comes
    about").
    """
    path, text = _values.settings(settings)
    columns = (
        _values.times(times),
        _values.values(values),
        None if restarts is None else [_values.milliseconds(moment, "restarts") for moment in restarts],
        None if limit is None else float(limit),
        float(resolution),
        metric,
        name,
        path,
        text,
    )
    row = _native.judge_one(*columns).to_dicts()[0]
    unused = ("series", "error", "q_value", "may_be_chance", "false_discovery_rate", "otherwise")
    known = {key: value for key, value in row.items() if key not in unused}
    return Verdict(**known, _draw=lambda: _native.chart_one(*columns))


def judge(
    frame: Any,
    series: str = "unique_id",
    time: str = "ds",
    value: str = "y",
    *,
    limit: float | str | Mapping[Any, float] | None = None,
    resolution: float | str | None = None,
    flags: str | None = None,
    metric: str | None = None,
    since: datetime | date | int | None = None,
    until: datetime | date | int | None = None,
    settings: Settings = None,
) -> Any:
    """Judges every series of a frame: a row for each, in the order of their first rows.

    A frame of `read`, or of a file of ``leaktrend analyze --parquet``, needs no names of columns.

    Args:
        frame: one row a sample, in any order: a frame of polars, pandas (from 2.2), pyarrow or DuckDB, or anything else
            with ``__arrow_c_stream__``.
        series: the column that names the series: text, categories or whole numbers.
        time: the column of times: timestamps of any unit, dates, or whole milliseconds since 1970. Zones are converted,
            and without one a time is UTC.
        value: the column of memory in bytes: whole numbers, floats or decimals. Null and NaN are gaps.
        limit: the limit in bytes: a number for all, the name of a column (the last value of a series holds), or a dict
            by series.
        resolution: spacing of the values that could have been printed, in bytes: a number (1 by default) or a column.
        flags: the column of evidence that `read` gives.
        metric: the column that says what is counted (``heap`` for what a garbage collector manages).
        since: the first time that is judged; by default 30 days before the last value of the frame, as
            ``window.last_seconds`` of the settings says. Hand it in where a frame is a part of all.
        until: the last time that is judged.
        settings: thresholds, as a dict with the tables of ``leaktrend.toml`` or the path of such a file.

    Returns:
        A frame of the same library, otherwise a `Table`: the column ``series``, then `COLUMNS`. A series that cannot be
        judged has the verdict ``error`` and its reason. The false discovery rate is taken over the rows
        (Benjamini, Hochberg 1995); `settle` takes it anew over rows of several calls.

    Raises:
        TypeError: ``frame`` speaks no Arrow, or an argument is of a type that cannot be.
        ValueError: a column is missing or of a type that cannot be, or settings cannot be.
    """
    path, text = _values.settings(settings)
    table = _native.judge_frame(
        frame,
        series,
        time,
        value,
        dict(limit) if isinstance(limit, Mapping) else limit,
        resolution,
        flags,
        metric,
        None if since is None else _values.milliseconds(since, "since"),
        None if until is None else _values.milliseconds(until, "until"),
        path,
        text,
    )
    given = _frames.like(table, frame)
    return Table(given) if given is table else given


def settle(verdicts: Any) -> Any:
    """Takes the false discovery rate over all rows, wherever they were judged.

    Among many series some grow by chance. A row of `judge` carries ``p_value``, and in ``otherwise`` the answer that
    holds if its growth is no discovery, so that rows judged apart become those that one call would have given, to the
    bit. Settling again changes nothing. Takes O(n log n) time.

    Args:
        verdicts: rows of `judge`, put together; columns of others are kept.

    Returns:
        A frame of the same library, otherwise a `Table`, with ``q_value``, and the verdicts that belong to it.

    Raises:
        TypeError: ``verdicts`` speaks no Arrow.
        ValueError: a column of `judge` is missing, or cannot be read.

    Benjamini, Hochberg (1995), "Controlling the false discovery rate".
    """
    table = _native.settle_frame(verdicts)
    given = _frames.like(table, verdicts)
    return Table(given) if given is table else given
