"""What the functions return: `Verdict`, `Table` and `Report`."""

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
    """The verdict on one series, with the numbers behind it. Unknown values are ``None``."""

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
    """The growth on which the verdict is based."""
    growth_lower: float | None
    """Lower end of the interval of growth, in bytes per second."""
    growth_upper: float | None
    """Upper end of the interval of growth, in bytes per second."""
    growth_confidence: float | None
    """Confidence of that interval, 0 to 1."""
    growth_p_value: float | None
    """The probability that there is no growth."""
    p_value: float | None
    """The same for the view (troughs or means) on which a verdict of growth would be based. `settle` uses it."""
    onset: datetime | None
    """When growth began, in UTC."""
    regime_start: datetime | None
    """Start of the time that the verdict covers, in UTC."""
    regime: str | None
    """Why it starts there: ``whole``, ``start-up``, ``restart``, ``growth-began``, ``growth-changed``, ``shift`` or
    ``later-half``."""
    tolerance_bytes_per_second: float | None
    """The smallest growth that would matter."""
    detectable_bytes_per_second: float | None
    """The smallest growth that would have been detected in 80 % of cases."""
    needed_seconds: float | None
    """How much longer to measure; ``None`` if the verdict is not ``inconclusive``, or no length of time would help."""
    limit_bytes: float | None
    """The memory limit."""
    seconds_to_limit: float | None
    """Time from the last value until the limit is reached: the median."""
    seconds_to_limit_lower: float | None
    """Lower end of its interval."""
    seconds_to_limit_upper: float | None
    """Upper end of its interval; ``None`` if the limit may never be reached."""
    last_bytes: float | None
    """The last value."""
    n_samples: int
    """How many values were judged."""
    n_gaps: int
    """How many were missing."""
    start: datetime | None
    """Time of the first value, in UTC."""
    end: datetime | None
    """Time of the last value, in UTC."""
    causes: list[dict[str, Any]] | None
    """What the growth follows, named causes first, as ``causes`` of the JSON verdict: ``kind``, ``name``, ``named``,
    ``unit``, ``bytes_per_unit``, ``share_of_growth``, ``margin``, ``indistinguishable``, ``at``. Correlation, not proof.
    ``None`` if it does not grow, or nothing was given to compare with."""
    growth_began: dict[str, Any] | None
    """When growth began, with the changes in the interval, as in the JSON verdict; ``None`` without changes, or if it grew
    from the first value on."""
    _draw: Callable[[], str] = field(repr=False, compare=False)

    @property
    def is_leak(self) -> bool:
        """Whether the verdict is one of the three that mean a leak."""
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
    """A table in memory. It supports Arrow: ``polars.DataFrame(table)``, ``pyarrow.table(table)``."""

    def __init__(self, native: _native.Table, inputs: list[dict[str, Any]] | None = None) -> None:
        self._native = native
        self.inputs = inputs or []
        """From `read`: the line counts of each input, with its rejected lines and the reasons; otherwise empty."""

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
    """A run of `analyze`: its outcome and all of its findings."""

    def __init__(self, native: _native.NativeReport) -> None:
        self._native = native

    @property
    def outcome(self) -> str:
        """``pass``, ``warn``, ``fail``, ``inconclusive`` or ``error``."""
        return self._native.outcome

    @property
    def exit_code(self) -> int:
        """The exit code of the command line: 0 to 3."""
        return self._native.exit_code

    @property
    def series(self) -> list[str]:
        """The ids of the series, worst first."""
        return self._native.series

    @property
    def verdicts(self) -> Table:
        """The verdicts, with the columns of `judge`. They are settled: ``p_value`` and ``otherwise`` are null."""
        return Table(self._native.verdicts())

    @property
    def causes(self) -> dict[str, list[dict[str, Any]]]:
        """What the growth of each series follows, by its id, as ``causes`` of the JSON verdict. Only series that grow, and
        only if ``requests``, ``covariates`` or ``changes`` were given."""
        return {one["id"]: one["causes"] for one in self.to_dict()["series"] if one.get("causes") is not None}

    def to_json(self) -> str:
        """The JSON verdict, as ``--json`` writes it (``leaktrend schema`` describes it)."""
        return self._native.to_json()

    def to_dict(self) -> dict[str, Any]:
        """The JSON verdict as a dictionary."""
        found: dict[str, Any] = json.loads(self.to_json())
        return found

    def to_html(self) -> str:
        """The report as one self-contained HTML page, as ``--html`` writes it."""
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
