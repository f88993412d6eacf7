"""`judge_series` and its `Verdict`."""

from __future__ import annotations

import datetime
from array import array

import numpy as np
import polars
import pytest

import leaktrend as lt
from conftest import MIB, START_MS, leak


def refused(error, *arguments, **terms):
    with pytest.raises(error) as raised:
        lt.judge_series(*arguments, **terms)
    return str(raised.value)


def test_a_leak_is_found_with_its_limit_and_its_chart():
    times, values = leak()
    verdict = lt.judge_series(times, values, limit=512 * MIB, name="api")
    assert verdict.is_leak and verdict.verdict == "leak"
    rate = verdict.growth_bytes_per_second
    assert verdict.growth_lower < rate < verdict.growth_upper
    assert rate == pytest.approx(0.5 * MIB / 60, rel=0.02)
    assert verdict.seconds_to_limit == pytest.approx((512 - 259.5) * MIB / rate, rel=0.05)
    assert verdict.start == datetime.datetime(2026, 11, 18, 11, 6, 40, tzinfo=datetime.timezone.utc)
    told = verdict.to_dict()
    assert told["verdict"] == "leak" and told["n_samples"] == 120 and "_draw" not in told
    assert verdict.chart().startswith("<svg") and "limit 512 MiB" in verdict.chart() and "\napi\n" in verdict.chart()
    shown = verdict._repr_html_()
    assert "<strong>leak</strong>: " in shown and "data:image/svg+xml;base64," in shown


def test_times_and_values_may_be_of_any_kind():
    times, values = leak()
    verdict = lt.judge_series(times, values)
    dates = [datetime.datetime.fromtimestamp(int(at) / 1000, datetime.timezone.utc) for at in times]
    zone = datetime.timezone(datetime.timedelta(hours=5, minutes=30))
    for same in [
        times.tolist(),
        array("q", times.tolist()),
        times.astype("datetime64[ms]"),
        times.astype("datetime64[ms]").astype("datetime64[us]"),
        dates,
        [at.replace(tzinfo=None) for at in dates],
        [at.astimezone(zone) for at in dates],
        polars.Series(dates),
        polars.Series(dates).to_arrow(),
        times.astype("uint64"),
        list(times),
    ]:
        assert lt.judge_series(same, values) == verdict
    for same in [values.tolist(), array("d", values), polars.Series(values), values[::1], memoryview(values)]:
        assert lt.judge_series(times, same) == verdict
    strided = np.empty((120, 2))
    strided[:, 1] = values
    assert lt.judge_series(times, strided[:, 1]) == verdict


def test_gaps_and_restarts():
    times, values = leak()
    holes = values.copy()
    holes[5::10] = np.nan
    verdict = lt.judge_series(times, holes)
    assert (verdict.n_samples, verdict.n_gaps, verdict.verdict) == (108, 12, "leak")
    assert lt.judge_series(times, [None if np.isnan(value) else value for value in holes]) == verdict
    # Every 30 minutes it begins again: a restart where events say so.
    sawtooth = (200 + 2.0 * (np.arange(480) % 30) + np.random.default_rng(2).normal(0, 0.3, 480)) * MIB
    times = START_MS + 60_000 * np.arange(480)
    told = lt.judge_series(times, sawtooth, restarts=times[30::30])
    assert told.verdict == "leak-masked-by-restarts"
    assert lt.judge_series(times, sawtooth, restarts=[]).verdict != "leak-masked-by-restarts"


def test_causes_are_those_of_the_counts():
    random = np.random.default_rng(4)
    n = 600
    times = START_MS + 60_000 * np.arange(n)
    leaking, other = (np.repeat(random.integers(5, 40, n // 15), 15) + random.integers(0, 5, n) for _ in range(2))
    values = (200 + 0.01 * np.cumsum(leaking) + random.normal(0, 0.3, n)) * MIB
    counts = {"POST /a": (times, leaking), "GET /b": (times, other)}
    verdict = lt.judge_series(times, values, requests=counts)
    [cause] = verdict.causes
    assert (cause["kind"], cause["name"], cause["named"]) == ("request", "POST /a", True)
    bytes_per_unit = cause["bytes_per_unit"]
    assert bytes_per_unit["lower"] <= 0.01 * MIB <= bytes_per_unit["upper"]
    # A time for each request says the same.
    each = {name: np.repeat(times, many) for name, (_, many) in counts.items()}
    assert lt.judge_series(times, values, requests=each) == verdict
    # The verdict itself does not depend on it.
    alone = lt.judge_series(times, values)
    assert alone.causes is None and alone.reason == verdict.reason
    flat = lt.judge_series(times, values - 0.01 * np.cumsum(leaking) * MIB, requests=counts)
    assert flat.causes is None
    # A level that holds memory, and a change with which growth begins.
    level = 50 + 0.3 * np.arange(n) + np.repeat(random.integers(0, 40, n // 20), 20)
    held = (200 + 0.5 * level + random.normal(0, 0.3, n)) * MIB
    verdict = lt.judge_series(times, held, covariates={"open_connections": (times, level)})
    assert (verdict.causes[0]["name"], verdict.causes[0]["unit"]) == ("open_connections", "level")
    bent = (200 + 0.4 * np.maximum(0, np.arange(n) - 240) + random.normal(0, 0.3, n)) * MIB
    changes = {"deploy a1": int(times[240]), "flag on": int(times[500])}
    verdict = lt.judge_series(times, bent, changes=changes)
    assert [(one["name"], one["named"]) for one in verdict.causes] == [("deploy a1", True)]
    assert [one["label"] for one in verdict.growth_began["changes"]] == ["deploy a1"]
    assert lt.judge_series(times, bent, changes=[(at, label) for label, at in changes.items()]) == verdict


def test_counts_that_cannot_be_are_refused_in_words():
    times, values = leak(n=30)
    assert refused(TypeError, times, values, requests=["GET /"]).startswith("`requests` is of type list (expected a dict")
    assert "`covariates['jobs']` is of type ndarray (expected a pair" in refused(
        TypeError, times, values, covariates={"jobs": times}
    )
    assert refused(ValueError, times, values, requests={"GET /": (times, -values)}).startswith(
        "`requests`: \"GET /\" holds -"
    )
    assert "has 30 times and 2 numbers (expected as many)" in refused(
        ValueError, times, values, covariates={"jobs_total": (times, [1, 2])}
    )
    assert "`changes` holds 'deploy' (expected pairs" in refused(TypeError, times, values, changes=["deploy"])


def test_what_cannot_be_is_refused_in_words():
    times, values = leak(n=3)
    assert refused(ValueError, times, values[:2]) == "there are 3 times and 2 values (expected as many)"
    assert refused(ValueError, [], []) == "there is no sample (expected at least one)"
    assert refused(ValueError, times, [1, 2, -3]) == (
        "value 2 is -3 (expected bytes: a finite number, 0 or more)"
    )
    assert refused(ValueError, times, [1, 2, float("inf")]) == "a value is inf (expected bytes: 0 to 2^53)"
    assert refused(ValueError, times // 1000, values).startswith("column `times` holds 1795000000 to 1795000120: these are seconds")
    assert refused(TypeError, times / 1.0, values) == (
        "`times` is an array of float64 (expected datetime64, or whole numbers: milliseconds since 1970)"
    )
    assert refused(TypeError, "noon", values) == "`times` is of type str (expected an array, a column or a list)"
    assert refused(TypeError, ["noon"], [1]) == (
        "`times` holds 'noon' of type str (expected datetimes, dates, datetime64, or whole milliseconds since 1970)"
    )
    assert refused(TypeError, times, ["1", 2, 3]) == "`values` holds '1' (expected numbers: bytes)"
    assert refused(ValueError, [None, 2, 3], values) == "time 0 is missing (expected one for every value)"
    assert refused(ValueError, np.array(["NaT"], "datetime64[ms]"), [1]) == (
        "time 0 is missing (expected one for every value)"
    )
    assert refused(ValueError, times.reshape(3, 1), values) == "`times` has the shape (3, 1) (expected one dimension)"
    assert refused(ValueError, times, values, limit=0) == "`limit` is 0 (expected bytes: more than 0, or None)"
    assert refused(ValueError, times, values, resolution=-1) == "`resolution` is -1 (expected bytes above 0)"
    assert refused(ValueError, times, values, metric="ram") == (
        '`metric` is "ram" (expected one of docker-usage, usage-bytes, working-set, rss, heap, other)'
    )
    assert refused(ValueError, [2**70], [1]) == (
        "`times` holds a number that is not a time (expected milliseconds since 1970)"
    )
