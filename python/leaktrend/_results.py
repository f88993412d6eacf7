"""What the functions give: `Verdict`, `Table` and `Report`."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from leaktrend import _native
from leaktrend._frames import to_pandas


@dataclass(frozen=True)
class Verdict:
    """The verdict on one series, with what it rests on. What is not known is ``None``."""

    verdict: str
    """``leak``, ``leak-masked-by-restarts``, ``stepping-growth``, ``leak-suspected``, ``step``, ``inconclusive``,
    ``negligible-growth``, ``warmed-up``, ``shrinking`` or ``flat``."""
    shape: str | None
    """``flat``, ``linear``, ``hinge``, ``plateau``, ``step``, ``staircase``, ``sawtooth`` or ``unknown``."""
    reason: str
    """Why, in a sentence with its numbers."""
    would_change: str | None
    """What would change the verdict."""
    growth_bytes_per_second: float | None
    """The growth that it rests on."""
    growth_lower: float | None
    """Lower end of the interval of growth, in bytes per second."""
    growth_upper: float | None
    """Upper end of it."""
    growth_confidence: float | None
    """Confidence of that interval, 0 to 1."""
    growth_p_value: float | None
    """The probability that there is no growth."""
    p_value: float | None
    """The same, of the view that a verdict of growth would rest on: what `settle` takes."""
    onset: datetime | None
    """When growth began, in UTC."""
    regime_start: datetime | None
    """From when on the verdict holds, in UTC."""
    regime: str | None
    """Why from then on: ``whole``, ``start-up``, ``restart``, ``growth-began``, ``growth-changed``, ``shift`` or
    ``later-half``."""
    tolerance_bytes_per_second: float | None
    """The smallest growth that matters."""
    detectable_bytes_per_second: float | None
    """The smallest growth that would have been found in 80 % of cases."""
    needed_seconds: float | None
    """How much longer to measure; ``None`` when a verdict was reached."""
    limit_bytes: float | None
    """The limit of the container."""
    seconds_to_limit: float | None
    """When that is reached, from the last value on: the median."""
    seconds_to_limit_lower: float | None
    """The earliest."""
    seconds_to_limit_upper: float | None
    """The latest."""
    last_bytes: float | None
    """The last value."""
    n_samples: int
    """How many values were judged."""
    n_gaps: int
    """How many were missing."""
    start: datetime | None
    """When the first value was taken, in UTC."""
    end: datetime | None
    """When the last was."""
    _draw: Callable[[], str] = field(repr=False, compare=False)

    @property
    def is_leak(self) -> bool:
        """Whether it is one of the three verdicts of a leak."""
        return self.verdict in ("leak", "leak-masked-by-restarts", "stepping-growth")

    def to_dict(self) -> dict[str, Any]:
        """The attributes as a dictionary."""
        return {one.name: getattr(self, one.name) for one in fields(self) if one.name != "_draw"}

    def chart(self) -> str:
        """The chart of the series with its fit, as an SVG document of 1280 x 720."""
        return self._draw()

    def _repr_html_(self) -> str:
        head = f"<p><strong>{html.escape(self.verdict)}</strong>: {html.escape(self.reason)}</p>"
        return head + _picture(self.chart(), self.verdict)


class Table:
    """A table in memory. It speaks Arrow: ``polars.DataFrame(table)``, ``pyarrow.table(table)``."""

    def __init__(self, native: _native.Table, inputs: list[dict[str, Any]] | None = None) -> None:
        self._native = native
        self.inputs = inputs or []
        """Of `read`: the account of each input, with every line that was rejected and why."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> Any:
        return self._native.__arrow_c_stream__(requested_schema)

    def __arrow_c_schema__(self) -> Any:
        return self._native.__arrow_c_schema__()

    def __len__(self) -> int:
        return len(self._native)

    def __repr__(self) -> str:
        return repr(self._native)

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return self._native.columns

    def to_dicts(self) -> list[dict[str, Any]]:
        """The rows as dictionaries, times as ``datetime`` in UTC."""
        return self._native.to_dicts()

    def to_polars(self) -> Any:
        """As a ``polars.DataFrame``, without a copy of the columns."""
        import polars

        return polars.DataFrame(self)

    def to_arrow(self) -> Any:
        """As a ``pyarrow.Table``, without a copy of the columns."""
        import pyarrow

        return pyarrow.table(self)

    def to_pandas(self) -> Any:
        """As a ``pandas.DataFrame``; needs pyarrow."""
        return to_pandas(self._native)


class Report:
    """A run of `analyze`: its outcome, and everything that was found."""

    def __init__(self, native: _native.NativeReport) -> None:
        self._native = native

    @property
    def outcome(self) -> str:
        """``pass``, ``warn``, ``fail``, ``inconclusive`` or ``error``."""
        return self._native.outcome

    @property
    def exit_code(self) -> int:
        """What the command line would have ended with."""
        return self._native.exit_code

    @property
    def series(self) -> list[str]:
        """The ids of the series, the worst first."""
        return self._native.series

    @property
    def verdicts(self) -> Table:
        """The verdicts, with the columns of `judge`; ``p_value`` and ``otherwise`` are null: they are settled."""
        return Table(self._native.verdicts())

    def to_json(self) -> str:
        """The JSON verdict, as ``--json`` writes it (``leaktrend schema`` describes it)."""
        return self._native.to_json()

    def to_dict(self) -> dict[str, Any]:
        """The JSON verdict as a dictionary."""
        found: dict[str, Any] = json.loads(self.to_json())
        return found

    def to_html(self) -> str:
        """The report as one page that needs nothing else, as ``--html`` writes it."""
        return self._native.to_html()

    def chart(self, series: str) -> str:
        """The chart of a series, as an SVG document of 1280 x 720.

        Raises:
            KeyError: no series has this id.
        """
        return self._native.chart(series)

    def __repr__(self) -> str:
        return f"leaktrend.Report({self.outcome}: {len(self.series)} series)"

    def _repr_html_(self) -> str:
        headings, *rows = self._native.cells()
        head = "".join(f"<th>{html.escape(cell)}</th>" for cell in headings)
        body = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows[:50])
        more = f"<p>and {len(rows) - 50} more</p>" if len(rows) > 50 else ""
        charts = "".join(_picture(self.chart(row[1]), row[1]) for row in rows[:4] if row[0] in ("fail", "warn"))
        return (
            f"<p><strong>{html.escape(self.outcome)}</strong>: {len(rows)} series</p>"
            f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}{charts}"
        )


def _picture(svg: str, label: str) -> str:
    """An SVG as an image of its own, so that several on a page do not share names."""
    data = base64.b64encode(svg.encode()).decode()
    return f'<img alt="{html.escape(label, quote=True)}" style="max-width: 100%" src="data:image/svg+xml;base64,{data}">'
