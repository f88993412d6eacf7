"""Finds memory leaks in containers from memory readings over time, with proof.

>>> import leaktrend as lt
>>> hours = range(72)
>>> verdict = lt.judge_series([3_600_000 * hour for hour in hours], [3e8 + 2e6 * hour for hour in hours])
>>> verdict.verdict
'leak'

`judge_series` judges one series, `judge` every series of a frame (polars, pandas, pyarrow, DuckDB, or anything else with
``__arrow_c_stream__``), `settle` combines verdicts that were judged separately (by `spark.judge`, by `ray.judge`, by
any engine), `read` reads every format that the command line knows, and `analyze` is the command ``leaktrend
analyze``.

Memory is in bytes, growth in bytes per second, durations in seconds. Times without a zone are UTC, and integers are
milliseconds since 1970. The project's ARCHITECTURE.md describes how a verdict is reached, reports/accuracy.md how often
it is right.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from leaktrend import ray, spark
    from leaktrend._judge import COLUMNS, judge, judge_series, settle
    from leaktrend._native import __version__
    from leaktrend._results import Report, Table, Verdict
    from leaktrend._runs import analyze, read

# Each name with its module, imported on first use: the command line needs none of them, and an engine is imported only if
# it is used.
_MODULES = {
    "COLUMNS": "_judge",
    "Report": "_results",
    "Table": "_results",
    "Verdict": "_results",
    "__version__": "_native",
    "analyze": "_runs",
    "judge": "_judge",
    "judge_series": "_judge",
    "ray": "",
    "read": "_runs",
    "settle": "_judge",
    "spark": "",
}

__all__ = [
    "COLUMNS",
    "Report",
    "Table",
    "Verdict",
    "__version__",
    "analyze",
    "judge",
    "judge_series",
    "ray",
    "read",
    "settle",
    "spark",
]


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module 'leaktrend' has no attribute {name!r}")
    import importlib

    module = _MODULES[name]
    if not module:
        return importlib.import_module(f"leaktrend.{name}")
    found: object = getattr(importlib.import_module(f"leaktrend.{module}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
