"""What the engines share: the kernel for one group, and the p-values of all groups."""

from __future__ import annotations

from array import array
from typing import Any

import leaktrend


class Kinds:
    """The column types for engines: timestamps are in microseconds, because Spark supports no others."""

    def cast(self, table: Any) -> Any:
        """A `pyarrow.Table` of verdicts, cast to these types."""
        import pyarrow

        types = {
            "text": pyarrow.string(),
            "number": pyarrow.float64(),
            "whole": pyarrow.int64(),
            "truth": pyarrow.bool_(),
            "time": pyarrow.timestamp("us", tz="UTC"),
        }
        first = table.schema.field(0)
        key = pyarrow.int64() if pyarrow.types.is_integer(first.type) else pyarrow.string()
        fields = [pyarrow.field(first.name, key)]
        fields += [pyarrow.field(name, types[kind]) for name, kind in leaktrend.COLUMNS.items()]
        return table.cast(pyarrow.schema(fields))


KINDS = Kinds()


class Kernel:
    """Judges one group: takes its rows as a `pyarrow.Table`, gives a `pyarrow.Table` of one row.

    ``terms``: the arguments of `leaktrend.judge`.
    """

    def __init__(self, **terms: Any) -> None:
        self.terms = terms

    def __call__(self, table: Any) -> Any:
        return KINDS.cast(leaktrend.judge(table, **self.terms))


def all_p_values(table: Any) -> bytes:
    """The p-values of all rows as 8-byte floats in native byte order, ascending; nulls are left out."""
    found = [value for value in table.column("p_value").to_pylist() if value is not None]
    return array("d", sorted(found)).tobytes()
