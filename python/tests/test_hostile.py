"""Inputs that nobody would send: exceptions of ours or rows with a reason, never a panic or an abort."""

from __future__ import annotations

import gc
import os
import warnings

import numpy as np
import polars
import pyarrow
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import leaktrend as lt
from conftest import START_MS, leak

CASES = int(os.environ.get("LEAKTREND_HOSTILE_CASES", "1000"))
QUIET = settings(max_examples=CASES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))

times = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.integers(START_MS, START_MS + 10**7),
    st.integers(0, 50),
    st.none(),
)
values = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True),
    st.floats(0, 1e9),
    st.integers(0, 5).map(float),
    st.sampled_from([0.0, -0.0, 2.0**53, 5e-324, 1e308]),
    st.none(),
)
names = st.one_of(st.sampled_from(["a", "b"]), st.text(max_size=4), st.none())
terms = st.fixed_dictionaries(
    {},
    optional={
        "limit": st.one_of(st.floats(), st.sampled_from(["y", "nowhere"]), st.dictionaries(st.text(max_size=2), st.floats())),
        "resolution": st.one_of(st.floats(), st.just("y")),
        "since": times.filter(lambda time: time is not None),
        "until": times.filter(lambda time: time is not None),
        "settings": st.dictionaries(
            st.sampled_from(["verdict", "window", "x"]),
            st.dictionaries(st.sampled_from(["max_p_value", "confidence", "last_seconds"]), st.floats() | st.text(max_size=3)),
        ),
    },
)


@QUIET
@given(
    st.lists(st.tuples(names, times, values), max_size=12),
    terms,
    st.sampled_from(["ms", "us", "ns", None]),
    st.sampled_from([0, 1, 60_000]),
)
def test_any_rows_give_rows_or_an_exception_of_ours(rows, terms, unit, step):
    # Few rows are drawn; with others after them they are as many as the judge needs.
    more = [(name, at + step * again, used) for again in range(1, 6) for name, at, used in rows if at and abs(at) < 2**62]
    ids, at, used = ([row[place] for row in rows + (more if step else [])] for place in range(3))
    kind = pyarrow.timestamp(unit) if unit else pyarrow.int64()
    frame = pyarrow.table(
        {
            "unique_id": pyarrow.array(ids, pyarrow.string()),
            "ds": pyarrow.array(at, pyarrow.int64()).cast(kind),
            "y": pyarrow.array(used, pyarrow.float64()),
        }
    )
    try:
        found = lt.judge(frame, **terms)
    except (ValueError, TypeError) as error:
        assert str(error)
        return
    told = found.to_pylist()
    assert len(told) == len({*ids})
    for row in told:
        assert (row["verdict"] == "error") == bool(row["error"])
        assert row["reason"]
    assert lt.settle(found).equals(found)


@QUIET
@given(
    st.lists(st.one_of(times, st.floats(), st.text(max_size=3), st.datetimes(), st.dates()), max_size=20),
    st.lists(st.one_of(values, st.text(max_size=3), st.integers(), st.complex_numbers()), max_size=20),
)
def test_any_series_gives_a_verdict_or_an_exception_of_ours(times, values):
    try:
        verdict = lt.judge_series(times, values)
    except (ValueError, TypeError) as error:
        assert str(error)
        return
    assert verdict.reason


@QUIET
@given(st.binary(max_size=60), st.lists(st.sampled_from(list(lt.COLUMNS)), max_size=4))
def test_any_columns_in_place_of_verdicts_are_rows_or_an_exception_of_ours(noise, columns):
    times, values = leak(n=30)
    frame = lt.judge(polars.DataFrame({"unique_id": ["a"] * 30, "ds": times, "y": values}))
    for at, name in enumerate(columns):
        odd = [noise.decode("latin-1"), noise[:8].hex(), float(len(noise)), None, bool(noise), at][len(noise) % 6]
        frame = frame.with_columns(polars.lit(odd).alias(name))
    try:
        lt.settle(frame)
    except ValueError as error:
        assert str(error)


@QUIET
@given(st.dictionaries(st.text(st.characters(codec="ascii", categories=["Ll"]), min_size=1, max_size=12),
                       st.one_of(st.text(max_size=6), st.integers(), st.floats(), st.none(), st.lists(st.text(max_size=3)))))
def test_any_options_are_a_report_or_an_exception_of_ours(options):
    path = os.path.join(os.path.dirname(__file__), "nothing.csv")
    for name in ("quiet", "verbose", "color", "path", "out", "json", "html", "junit", "parquet", "help", "version"):
        options.pop(name, None)
    try:
        assert lt.analyze(path, **options).outcome == "error"
    except (ValueError, OSError, TypeError) as error:
        assert str(error)


def resident():
    with open("/proc/self/statm") as status:
        return int(status.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="memory is read from /proc")
def test_ten_thousand_calls_leave_no_memory_behind():
    """A call that lost its columns, its rows or its frame would lose at least 20 kB: 200 MB in all."""
    times, values = leak(n=1_000)
    table = pyarrow.table({"unique_id": ["a"] * 1_000, "ds": times, "y": values})
    few = table.slice(0, 12)
    bad = pyarrow.table({"unique_id": [1.0] * 1_000, "ds": times, "y": values})

    def calls(n):
        with warnings.catch_warnings():
            for call in range(n):
                lt.settle(lt.judge(few))
                lt.judge(table, until=START_MS)
                lt.judge_series(times[:12], values[:12])
                try:
                    lt.judge(bad)
                except ValueError:
                    pass
        gc.collect()

    calls(1_000)
    before = resident()
    calls(10_000)
    grown = resident() - before
    assert grown < 20_000_000, f"{grown / 1e6:.1f} MB after 10,000 calls"


def test_the_interpreter_runs_on_while_a_frame_is_judged():
    """The GIL is released: a thread counts while another judges."""
    import threading

    times, values = leak(n=2_000)
    ids = np.repeat(np.arange(60), 2_000)
    frame = pyarrow.table({"unique_id": ids, "ds": np.tile(times, 60), "y": np.tile(values, 60)})
    done = threading.Event()
    counted = 0

    def work():
        lt.judge(frame)
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    while not done.is_set():
        counted += 1
    thread.join()
    assert counted > 1_000, "with the GIL held it would not count at all"
