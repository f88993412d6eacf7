"""leaktrend on Ray: one container is one group, judged where its rows are stored.

Needs Ray Data and pyarrow.
"""

from __future__ import annotations

from typing import Any

from leaktrend import _native, _values
from leaktrend._engines import KINDS, Kernel, all_p_values


def judge(dataset: Any, series: str = "unique_id", time: str = "ds", value: str = "y", **terms: Any) -> Any:
    """Judges every series of a Ray Dataset. The verdicts are identical to those of `leaktrend.judge`.

    Args:
        dataset: one row per sample, in any order.
        series, time, value: names of its columns.
        terms: the other arguments of `leaktrend.judge`.

    Returns:
        A Ray Dataset with a row for each series: the column ``series``, then `leaktrend.COLUMNS`.

    Raises:
        TypeError, ValueError: as `leaktrend.judge`, wrapped in an exception of Ray.
    """
    import pyarrow

    settings = terms.get("settings")
    path, text = _values.settings(settings)
    since, until = terms.pop("since", None), terms.pop("until", None)
    if since is None or until is None:

        def bounds(table: Any) -> Any:
            found = _native.bounds(table, time, value)
            columns = ([], []) if found is None else ([found[0]], [found[1]])
            return pyarrow.table({"first": pyarrow.array(columns[0], "int64"), "last": pyarrow.array(columns[1], "int64")})

        ends = dataset.map_batches(bounds, batch_format="pyarrow").materialize()
        begin, end = _native.window(ends.min("first") or 0, ends.max("last") or 0, path, text)
        since = begin if since is None else since
        until = end if until is None else until
    kernel = Kernel(
        series=series,
        time=time,
        value=value,
        since=_values.milliseconds(since, "since"),
        until=_values.milliseconds(until, "until"),
        **terms,
    )

    def judge_group(table: Any) -> Any:
        return kernel(table)

    judged = dataset.groupby(series).map_groups(judge_group, batch_format="pyarrow").materialize()
    p_values = all_p_values(
        pyarrow.table({"p_value": [row["p_value"] for row in judged.select_columns(["p_value"]).iter_rows()]})
    )

    def settled(table: Any) -> Any:
        return KINDS.cast(pyarrow.table(_native.settle_frame(table, p_values)))

    return judged.map_batches(settled, batch_format="pyarrow")
