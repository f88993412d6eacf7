"""Converts tables to the frame library of the caller."""

from __future__ import annotations

import sys
from typing import Any

from leaktrend import _native


def like(table: _native.Table, given: Any) -> Any:
    """The table as a frame of the library of ``given``; unchanged if that library is unknown."""
    library = type(given).__module__.partition(".")[0]
    if library == "polars":
        return sys.modules["polars"].DataFrame(table)
    if library == "pandas":
        return to_pandas(table)
    if library == "pyarrow":
        return sys.modules["pyarrow"].table(table)
    if library in ("duckdb", "_duckdb"):
        import pyarrow

        return sys.modules["duckdb"].from_arrow(pyarrow.table(table))
    return table


def to_pandas(table: _native.Table) -> Any:
    """The table as a ``pandas.DataFrame``; needs pyarrow."""
    import pyarrow

    return pyarrow.table(table).to_pandas()
