"""leaktrend on Spark: one container is one group, judged where its rows are stored.

Needs PySpark 4 and pyarrow on the driver, and this package and pyarrow on the workers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import leaktrend
from leaktrend import _native, _values
from leaktrend._engines import KINDS, Kernel, all_p_values

_SPARK = {"text": "string", "number": "double", "whole": "bigint", "truth": "boolean", "time": "timestamp"}


def judge(
    df: Any,
    series: str = "unique_id",
    time: str = "ds",
    value: str = "y",
    *,
    limit: float | str | Mapping[Any, float] | None = None,
    resolution: float | str | None = None,
    flags: str | None = None,
    metric: str | None = None,
    since: Any = None,
    until: Any = None,
    settings: Any = None,
) -> Any:
    """Judges every series of a Spark DataFrame. The verdicts are identical to those of `leaktrend.judge`, bit for bit.

    Three passes: the first and the last time of all rows (unless ``since`` and ``until`` are given), a kernel for each
    group (`groupBy().applyInArrow`), and the false discovery rate, for which the driver collects 8 bytes per series.
    Spark repeats lost tasks. Between the passes, the workers keep the verdicts in memory and on disk
    (`DataFrame.persist`).

    Args:
        df: one row per sample, in any order. If several values have the same time, any of them may count.
        series, time, value, limit, resolution, flags, metric, since, until, settings: as for `leaktrend.judge`.

    Returns:
        A Spark DataFrame with a row for each series: the column ``series``, then `leaktrend.COLUMNS`. A group that
        cannot be judged is a row with the verdict ``error`` and its reason.

    Raises:
        TypeError, ValueError: as `leaktrend.judge`. Missing columns raise at once; other errors come wrapped in an
            exception of Spark.
    """
    from pyspark import StorageLevel
    from pyspark.sql import functions as F

    used = [name for name in (series, time, value, limit, resolution, flags, metric) if isinstance(name, str)]
    missing = [name for name in dict.fromkeys(used) if name not in df.columns]
    if missing:
        raise ValueError(
            f"the frame has no column {', '.join(f'`{name}`' for name in missing)} (found {', '.join(df.columns)})"
        )
    df = df.select(*dict.fromkeys(used))
    path, text = _values.settings(settings)
    if since is None or until is None:
        bounds = df.select(time, value).mapInArrow(_bounds(time, value), "first bigint, last bigint")
        first, last = bounds.agg(F.min("first"), F.max("last")).first()
        begin, end = _native.window(first or 0, last or 0, path, text)
        since = begin if since is None else since
        until = end if until is None else until
    kernel = Kernel(
        series=series,
        time=time,
        value=value,
        limit=dict(limit) if isinstance(limit, Mapping) else limit,
        resolution=resolution,
        flags=flags,
        metric=metric,
        since=_values.milliseconds(since, "since"),
        until=_values.milliseconds(until, "until"),
        settings=settings if settings is None or isinstance(settings, (str, Mapping)) else str(settings),
    )
    whole = df.schema[series].dataType.typeName() in ("byte", "short", "integer", "long")
    key = f"`{series.replace('`', '``')}` {'bigint' if whole else 'string'}"
    schema = ", ".join([key, *(f"`{name}` {_SPARK[kind]}" for name, kind in leaktrend.COLUMNS.items())])
    # A function of one argument: of an object Spark would count `self` among them.
    groups = df.groupBy(series).applyInArrow(lambda table: kernel(table), schema)
    judged = groups.persist(StorageLevel.MEMORY_AND_DISK)
    p_values = all_p_values(judged.select("p_value").toArrow())
    return judged.mapInArrow(_settled(p_values), schema)


def _bounds(time: str, value: str) -> Any:
    def bounds(batches: Iterator[Any]) -> Iterator[Any]:
        import pyarrow

        for batch in batches:
            found = _native.bounds(pyarrow.table(batch), time, value)
            if found is not None:
                yield pyarrow.record_batch({"first": [found[0]], "last": [found[1]]})

    return bounds


def _settled(p_values: bytes) -> Any:
    def settled(batches: Iterator[Any]) -> Iterator[Any]:
        import pyarrow

        for batch in batches:
            table = pyarrow.Table.from_batches([batch])
            yield from KINDS.cast(pyarrow.table(_native.settle_frame(table, p_values))).to_batches()

    return settled
