"""`judge_series`, `judge` and `settle`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from leaktrend import _frames, _native, _values
from leaktrend._results import Table, Verdict

Settings = Mapping[str, Any] | str | os.PathLike[str] | None
"""Settings: a dict with the tables of ``leaktrend.toml``, or the path of such a file."""

Counted = Mapping[str, Any]
"""What was counted: a name, and its times, or a pair of times and numbers."""

Changes = Mapping[str, Any] | Iterable[tuple[Any, str]]
"""Changes: a label and its time, or pairs of time and label."""

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
"""The columns of a table of verdicts after the one that names the series, and the kind of value in each."""


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
    requests: Counted | None = None,
    covariates: Counted | None = None,
    changes: Changes | None = None,
) -> Verdict:
    """Judges one series.

    Args:
        times: n times in any order: an array of ``datetime64`` or of whole milliseconds since 1970, a column of polars,
            pandas or pyarrow, or a list of datetimes, dates or whole numbers. Without a zone they are UTC.
        values: n numbers: memory in bytes, 0 to 2^53. NaN, ``None`` and null are gaps. If several values have the
            same time, the last one counts.
        limit: the memory limit in bytes.
        restarts: when the process restarted, in the form of ``times``. If given, even as an empty list, no other drop
            counts as a restart. ``None``: restarts are inferred from the values.
        resolution: spacing of the values that could have been printed, in bytes: 1 for exact values, about 1e5 for
            ``123.4MiB``.
        metric: the kind of memory: ``heap`` if a garbage collector manages it. Other kinds make no difference.
        name: the name of the series, for its chart.
        settings: thresholds, as a dict with the tables of ``leaktrend.toml`` or the path of such a file.
        requests: what its growth may follow: a dict from each kind of request (``"POST /upload"``) to the times of its
            requests, or to a pair of times and how many came at each of them. Times in the form of ``times``.
        covariates: other numbers: a dict from a name to a pair of times and numbers. The name says whether it is a
            counter (``jobs_total``) or a level (``open_connections``), as for ``leaktrend analyze --covariate``.
        changes: deploys, flags: a dict from a label to its time, or pairs of time and label.

    Returns:
        The verdict. It does not account for other series, as `judge` does. If it grows, and requests, covariates or changes
        were given, `Verdict.causes` says what its growth follows.

    Raises:
        TypeError: ``times``, ``values`` or what its growth is compared with has an unsupported type.
        ValueError: ``times`` and ``values`` differ in length or are empty, or a value or an argument is out of range.

    Method: growth of troughs and means under AR(1) noise, averaged over shapes (ARCHITECTURE.md, "How a verdict is
    reached").
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
    found: dict[str, Any] = {"causes": None, "growth_began": None}
    if requests is not None or covariates is not None or changes is not None:
        told = _native.causes_one(
            *columns,
            _values.counted(requests, "requests"),
            _values.counted(covariates, "covariates"),
            None if changes is None else _values.changes(changes),
        )
        found = found if told is None else json.loads(told)
    return Verdict(**known, **found, _draw=lambda: _native.chart_one(*columns))


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
    """Judges every series of a frame. Gives a row for each, in the order of their first rows.

    A frame from `read`, or from a file of ``leaktrend analyze --parquet``, needs no column names.

    Args:
        frame: one row per sample, in any order: a frame of polars, pandas (from 2.2), pyarrow or DuckDB, or anything else
            with ``__arrow_c_stream__``.
        series: the column that names the series: text, categories or whole numbers.
        time: the column of times: timestamps of any unit, dates, or whole milliseconds since 1970. Times with a zone
            are converted; times without one are UTC.
        value: the column of memory in bytes: whole numbers, floats or decimals. Null and NaN are gaps.
        limit: the limit in bytes: a number for all, the name of a column (the last value of a series counts), or a
            dict by series.
        resolution: spacing of the values that could have been printed, in bytes: a number (1 by default) or a column.
        flags: the column with evidence of restarts, in the form of `read`.
        metric: the column with the kind of memory (``heap`` if a garbage collector manages it).
        since: start of the judged window; by default 30 days before the last value of the frame
            (``window.last_seconds`` in the settings). Pass it if the frame holds only some of the series.
        until: end of the judged window; by default the last value of the frame.
        settings: thresholds, as a dict with the tables of ``leaktrend.toml`` or the path of such a file.

    Returns:
        A frame of the same library, otherwise a `Table`: the column ``series``, then `COLUMNS`. A series that cannot be
        judged has the verdict ``error`` and its reason. The false discovery rate is controlled over these rows
        (Benjamini, Hochberg 1995); `settle` controls it over the rows of several calls.

    Raises:
        TypeError: ``frame`` does not support Arrow, or an argument has an unsupported type.
        ValueError: a column is missing or has an unsupported type, or the settings cannot be used.
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
    """Controls the false discovery rate over all rows, wherever they were judged.

    Among many series, some grow by chance. Each row of `judge` carries its ``p_value``, and in ``otherwise`` the verdict
    that applies if its growth may be chance. The result is identical to that of one call over all rows, bit for bit.
    Settling again changes nothing. Takes O(n log n) time.

    Args:
        verdicts: concatenated rows of `judge`; additional columns are kept.

    Returns:
        A frame of the same library, otherwise a `Table`, with ``q_value`` and the verdicts that follow from it.

    Raises:
        TypeError: ``verdicts`` does not support Arrow.
        ValueError: a column of `judge` is missing, or cannot be read.

    Benjamini, Hochberg (1995), "Controlling the false discovery rate".
    """
    table = _native.settle_frame(verdicts)
    given = _frames.like(table, verdicts)
    return Table(given) if given is table else given
