"""The verdicts of the wheel are those of the program, to the bit."""

from __future__ import annotations

import json

import numpy as np
import pandas
import polars
import pyarrow
import pytest

import leaktrend as lt
from conftest import CAPTURE, bits, run

UNTIMED = {"interval": "10s", "end": "2026-11-23T21:21:15Z"}
FORMS = {
    "memory-usage.log": UNTIMED,
    "memory-trend.csv": {},
    "stamped-lines.log": {},
    "stamped-blocks.log": {},
    "stats.jsonl": UNTIMED,
    "stream-20.10.log": {"interval": "500ms"},
    "stream-28.2.log": {"interval": "500ms"},
    "prometheus-raw.json": {},
    "prometheus-working-set-raw.json": {},
    "prometheus-range-15s.json": {},
    "prometheus-range-60s.json": {},
}
# What a report has settled already, and does not carry.
SETTLED = {"p_value", "otherwise", "may_be_chance", "false_discovery_rate", "n_gaps", "error"}
# A report gives none for a series that has ended while others went on.
UNTIL_LIMIT = {"seconds_to_limit", "seconds_to_limit_lower", "seconds_to_limit_upper"}


def assert_same(apart, report):
    """Rows of `judge` are those of a report, to the bit."""
    assert bits(apart, SETTLED | UNTIL_LIMIT) == bits(report.verdicts, SETTLED | UNTIL_LIMIT)
    ours = bits(apart)
    for series, row in bits(report.verdicts).items():
        for name in UNTIL_LIMIT:
            assert row[name] in (None, ours[series][name])


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_the_capture(form, program):
    path = CAPTURE / form
    if not path.is_file():
        pytest.skip(f"{path} is not here")
    options = FORMS[form]
    report = lt.analyze(path, **options)
    words = [f"--{name}={value}" for name, value in options.items()]
    done = run(program, "analyze", path, "--json", "-", *words)
    assert done.returncode == report.exit_code, done.stderr
    assert done.stdout == report.to_json()

    apart = lt.settle(lt.judge(lt.read(path, **options)))
    assert_same(apart, report)
    assert len(report.series) > 1


def test_two_thousand_series(made, export, judged, program):
    rows = bits(judged)
    assert len(rows) == 2_000
    assert sum(row["may_be_chance"] for row in rows.values()) > 0, "some growth is chance, and settled as that"
    assert len({row["verdict"] for row in rows.values()}) >= 6
    report = lt.analyze(export)
    assert_same(judged, report)
    done = run(program, "analyze", export, "--json", "-")
    assert done.stdout == report.to_json()
    told = {one["id"]: one for one in json.loads(done.stdout)["series"]}
    for row in judged.to_dicts():
        one = told[row["unique_id"]]
        assert (one["verdict"], one["reason"]) == (row["verdict"], row["reason"])
        if row["q_value"] is not None:
            assert float(f"{row['q_value']:.5e}") == one["growth"]["q_value"]


def frames(made):
    """The same samples in other forms."""
    plain = polars.DataFrame(made)
    times = polars.col("ds").cast(polars.Datetime("ms"))
    shuffled = plain.sample(fraction=1.0, shuffle=True, seed=3)
    yield "shuffled", shuffled
    yield "chunked", polars.concat([shuffled.slice(at, 10_007) for at in range(0, shuffled.height, 10_007)], rechunk=False)
    yield "categories", plain.with_columns(polars.col("unique_id").cast(polars.Categorical))
    yield "naive times", plain.with_columns(times)
    yield "nanoseconds", plain.with_columns(times.cast(polars.Datetime("ns")))
    yield "a zone", plain.with_columns(times.dt.replace_time_zone("UTC").dt.convert_time_zone("Asia/Kolkata"))
    yield "floats", plain.with_columns(polars.col("y").cast(polars.Float64))
    yield "unsigned", plain.with_columns(polars.col("y").cast(polars.UInt64))
    yield "decimals", plain.with_columns(polars.col("y").cast(polars.Decimal(20, 2)))
    gaps = plain.group_by("unique_id", maintain_order=True).head(3)
    gaps = gaps.with_columns(polars.col("ds") + 1_000, polars.lit(None, polars.Int64).alias("y"))
    yield "gaps", polars.concat([plain, gaps])
    nan = gaps.with_columns(polars.lit(float("nan")).alias("y"))
    yield "not a number", polars.concat([plain.with_columns(polars.col("y").cast(polars.Float64)), nan])
    yield "pandas", pandas.DataFrame(made)
    yield "pandas, dated", pandas.DataFrame(made).assign(ds=lambda table: pandas.to_datetime(table.ds, unit="ms", utc=True))
    yield "pyarrow", pyarrow.table(made)
    yield "dictionary", pyarrow.table({**made, "unique_id": pyarrow.array(made["unique_id"]).dictionary_encode()})
    yield "strings of views", pyarrow.table(made).set_column(
        0, "unique_id", pyarrow.array(made["unique_id"]).cast(pyarrow.string_view())
    )


def test_every_form_of_a_frame(made, judged):
    expected = bits(judged, {"n_gaps"})
    for name, frame in frames(made):
        found = lt.judge(frame)
        found = found.to_dict("records") if isinstance(found, pandas.DataFrame) else found
        rows = found.to_pylist() if isinstance(found, pyarrow.Table) else found
        if isinstance(rows, list) and "pandas" in name:
            plain = lt.judge(pyarrow.table(made)).to_pandas().to_dict("records")
            for ours, theirs in zip(rows, plain, strict=True):
                assert {k: str(v) for k, v in ours.items()} == {k: str(v) for k, v in theirs.items()}, name
            continue
        assert bits(rows, {"n_gaps"}) == expected, name


def test_gaps_are_counted(made):
    plain = polars.DataFrame(made).head(192)
    gap = plain.head(1).with_columns(polars.col("ds") + 1_000, polars.lit(None, polars.Int64).alias("y"))
    assert lt.judge(polars.concat([plain, gap]))["n_gaps"].to_list() == [1, 0]


def test_single_precision_is_judged_as_its_rounded_values(made):
    plain = polars.DataFrame(made).head(9_600)
    narrow = plain.with_columns(polars.col("y").cast(polars.Float32))
    rounded = narrow.with_columns(polars.col("y").cast(polars.Float64))
    assert bits(lt.judge(narrow)) == bits(lt.judge(rounded))
    assert bits(lt.judge(narrow)) != bits(lt.judge(plain))


def test_days_are_midnights(made):
    days = polars.DataFrame({"unique_id": ["a"] * 60, "ds": range(20_000, 20_060), "y": range(500, 560)})
    days = days.with_columns(polars.col("y") * 1_000_000)
    dates = days.with_columns(polars.col("ds").cast(polars.Int32).cast(polars.Date))
    midnights = days.with_columns(polars.col("ds") * 86_400_000)
    assert bits(lt.judge(dates)) == bits(lt.judge(midnights))


def test_one_series_alone(made, judged):
    """`judge_series` gives what `judge` gives of the series alone, but for what others have to say of chance."""
    for at in range(0, 96 * 40, 96):
        times, values = made["ds"][at : at + 96], made["y"][at : at + 96]
        alone = lt.judge_series(times, values)
        row = lt.judge(pyarrow.table({name: made[name][at : at + 96] for name in made})).to_pylist()[0]
        assert alone.verdict == row["verdict"]
        assert (alone.p_value, alone.growth_lower) == (row["p_value"], row["growth_lower"])
        dated = lt.judge_series(times.astype("datetime64[ms]").astype("datetime64[ns]"), list(values))
        assert dated == alone
        assert lt.judge_series(polars.Series(times), polars.Series(values)) == alone
        assert lt.judge_series(pandas.Series(times), pandas.Series(values)) == alone
        order = np.random.default_rng(at).permutation(96)
        assert lt.judge_series(times[order], values[order]) == alone


def test_a_part_with_the_window_of_all_is_judged_as_in_all(made):
    import datetime

    plain = polars.DataFrame(made).head(96 * 20)
    late = plain.head(96).with_columns(polars.lit("late").alias("unique_id"), polars.col("ds") + 40 * 86_400_000)
    every = polars.concat([plain, late])
    whole = bits(lt.judge(every))
    assert whole["c0000"]["verdict"] == "error", "it lies before the 30 days that are judged"
    end = int(every["ds"].max())
    since = datetime.datetime.fromtimestamp((end - 30 * 86_400_000) / 1000, datetime.timezone.utc)
    parts = [lt.judge(part, since=since, until=end) for part in every.partition_by("unique_id")]
    assert bits(lt.settle(polars.concat(parts))) == whole
