"""What `judge` and `settle` take and give, and what they refuse."""

from __future__ import annotations

import duckdb
import pandas
import polars
import pyarrow
import pytest

import leaktrend as lt
from conftest import QUARTER_MS, START_MS, bits, leak


def small(**more):
    times, values = leak()
    table = {"unique_id": ["a"] * len(times), "ds": times, "y": values, **more}
    return polars.DataFrame(table)


def refused(error, *arguments, **terms):
    with pytest.raises(error) as raised:
        lt.judge(*arguments, **terms)
    return str(raised.value)


def test_the_frame_that_comes_back_is_of_the_callers_kind():
    frame = small()
    assert isinstance(lt.judge(frame), polars.DataFrame)
    assert isinstance(lt.judge(frame.to_arrow()), pyarrow.Table)
    assert isinstance(lt.judge(frame.to_pandas()), pandas.DataFrame)
    relation = duckdb.from_arrow(frame.to_arrow())
    assert isinstance(lt.judge(relation), duckdb.DuckDBPyRelation)
    assert lt.judge(relation).select("verdict").fetchall() == [("leak",)]

    class Other:
        def __arrow_c_stream__(self, requested_schema=None):
            return frame.__arrow_c_stream__()

    given = lt.judge(Other())
    assert isinstance(given, lt.Table)
    assert given.columns == ["unique_id", *lt.COLUMNS]
    assert polars.DataFrame(given).equals(lt.judge(frame))
    assert pyarrow.table(given).equals(given.to_arrow())
    assert given.to_pandas().shape == (1, 31) and len(given) == 1
    assert given.to_dicts()[0]["start"].isoformat() == "2026-11-18T11:06:40+00:00"
    assert bits(given) == bits(lt.judge(frame))


def test_the_columns_are_those_that_are_documented():
    kinds = {polars.String: "text", polars.Float64: "number", polars.Int64: "whole", polars.Boolean: "truth"}
    schema = lt.judge(small()).schema
    found = {name: kinds.get(type(kind) if not isinstance(kind, type) else kind, "time") for name, kind in schema.items()}
    found.pop("unique_id")
    assert found == lt.COLUMNS


def test_series_may_be_numbered():
    frame = small().with_columns(polars.lit(7, polars.Int32).alias("unique_id"))
    assert lt.judge(frame, limit={7: 2e9})["limit_bytes"].to_list() == [2e9]
    assert lt.judge(frame).schema["unique_id"] == polars.Int64


def test_columns_have_names_of_their_own_and_rows_of_read_none():
    frame = small().rename({"unique_id": "pod", "ds": "at", "y": "rss"})
    assert lt.judge(frame, "pod", "at", "rss")["pod"].to_list() == ["a"]
    assert lt.judge(frame, series="pod", time="at", value="rss")["verdict"].to_list() == ["leak"]


def test_limits_are_numbers_columns_or_by_series():
    frame = small(cap=[1e9] * 119 + [3e9])
    assert lt.judge(frame, limit=2e9)["limit_bytes"].to_list() == [2e9]
    assert lt.judge(frame, limit="cap")["limit_bytes"].to_list() == [3e9]
    assert lt.judge(frame, limit={"a": 5e8})["limit_bytes"].to_list() == [5e8]
    assert lt.judge(frame, limit={"b": 5e8})["limit_bytes"].to_list() == [None]
    assert lt.judge(frame, limit=2e9)["seconds_to_limit"][0] > 0
    wrong = lt.judge(frame, limit=-1.0)
    assert wrong["error"].to_list() == ["its limit is -1 (expected bytes: more than 0, or none)"]


def test_settings_are_a_dict_or_a_file(tmp_path):
    frame = small()
    strict = {"verdict": {"max_p_value": 1e-300}}
    assert lt.judge(frame, settings=strict)["verdict"].to_list() != ["leak"]
    path = tmp_path / "leaktrend.toml"
    path.write_text('[[series]]\nmatch = "a"\nlimit_bytes = "2GB"\n')
    assert lt.judge(frame, settings=path)["limit_bytes"].to_list() == [2e9]
    path.write_text('[[series]]\nmatch = "a"\nignore = true\n')
    assert len(lt.judge(frame, settings=str(path))) == 0
    assert refused(ValueError, frame, settings={"verdict": {"sense": 1}}).startswith(
        "cannot use the settings: TOML parse error at line 2, column 1"
    )
    assert refused(TypeError, frame, settings=7) == (
        "`settings` is of type int (expected a dict as in leaktrend.toml, or the path of such a file)"
    )
    assert "cannot read `nowhere.toml`" in refused(OSError, frame, settings="nowhere.toml")


def test_a_series_that_cannot_be_judged_is_a_row_with_its_reason():
    bad = polars.DataFrame(
        {
            "unique_id": ["few", "below", "below", "endless", None, "none", "timeless"],
            "ds": [START_MS, START_MS, START_MS + QUARTER_MS, START_MS, START_MS, START_MS, None],
            "y": [5.0, 3.0, -2.0, float("inf"), 1.0, None, 3.0],
        }
    )
    rows = lt.judge(polars.concat([bad, small()], how="vertical_relaxed")).to_dicts()
    told = {row["unique_id"]: (row["verdict"], row["error"]) for row in rows}
    assert told == {
        "few": ("inconclusive", None),
        "below": ("error", "its value at 2026-11-18T11:21:40Z is -2 (expected bytes: 0 to 2^53)"),
        "endless": ("error", "its value at 2026-11-18T11:06:40Z is inf (expected bytes: 0 to 2^53)"),
        None: ("error", "1 rows have no `unique_id` (expected one in every row)"),
        "none": ("error", "it has no value (expected at least one)"),
        "timeless": ("error", "1 rows have no `ds` (expected one in every row)"),
        "a": ("leak", None),
    }
    assert all(row["reason"] == row["error"] for row in rows if row["error"])


def test_what_is_no_frame_of_samples_is_refused_in_words():
    frame = small()
    assert refused(TypeError, [1, 2]) == (
        "the frame is of type list (expected a frame with `__arrow_c_stream__`: "
        "of polars, pandas from 2.2, pyarrow or DuckDB)"
    )
    assert refused(TypeError, frame["y"]) == "the frame is one column of type float64 (expected a frame with columns)"
    assert refused(ValueError, frame, value="rss") == (
        "the frame has no column `rss` (found `unique_id` (text), `ds` (int64), `y` (float64)): "
        "name the column by an argument"
    )
    texts = frame.with_columns(polars.col("y").cast(polars.String))
    assert refused(ValueError, texts) == "column `y` is of type text (expected numbers)"
    assert refused(ValueError, frame, time="unique_id") == (
        "column `unique_id` is of type text (expected timestamps, dates, or whole milliseconds since 1970)"
    )
    assert refused(ValueError, frame, series="y") == "column `y` is of type float64 (expected text or whole numbers)"
    seconds = frame.with_columns(polars.col("ds") // 1000)
    assert refused(ValueError, seconds) == (
        "column `ds` holds 1795000000 to 1795007140: these are seconds since 1970 "
        "(expected milliseconds since 1970, or timestamps)"
    )
    micro = frame.with_columns(polars.col("ds") * 1000)
    assert refused(ValueError, micro) == (
        "column `ds` holds 1795000000000000 to 1795007140000000: these are not milliseconds "
        "(expected milliseconds since 1970, or timestamps)"
    )
    assert refused(TypeError, frame, limit=[1]) == (
        "`limit` is of type list (expected a number of bytes, the name of a column, or a dict of them by series)"
    )
    assert refused(ValueError, frame, since=START_MS + 1, until=START_MS) == (
        "the window ends before it begins: 2026-11-18T11:06:40.001Z to 2026-11-18T11:06:40Z"
    )
    truths = frame.with_columns(polars.lit(True).alias("y"))
    assert refused(ValueError, truths) == "column `y` is of type boolean (expected numbers)"


def test_a_frame_without_rows_is_a_table_without_rows():
    assert lt.judge(small().clear()).shape == (0, 31)
    assert lt.settle(lt.judge(small().clear())).shape == (0, 31)


def test_rows_judged_apart_settle_as_judged_together(made, judged):
    together = bits(judged)
    frame = polars.DataFrame(made)
    apart = [lt.judge(part, until=int(made["ds"].max())) for part in frame.partition_by("unique_id")]
    alone = polars.concat(apart)
    assert bits(alone) != together
    assert bits(lt.settle(alone)) == together
    backwards = alone.reverse()
    assert bits(lt.settle(backwards)) == together
    assert lt.settle(judged).equals(judged), "settling again changes nothing"
    half = lt.settle(judged.head(1_000))
    assert bits(lt.settle(polars.concat([half, lt.settle(judged.tail(1_000))]))) == together


def test_rows_settle_after_they_went_through_anything(judged, tmp_path):
    together = bits(judged)
    alone = lt.settle(judged.head(0)) if False else judged
    through = pyarrow.Table.from_pandas(alone.to_pandas(), preserve_index=False)
    assert bits(polars.DataFrame(lt.settle(through))) == together
    path = tmp_path / "rows.parquet"
    alone.write_parquet(path)
    relation = duckdb.sql(f"select *, 'sre' as team from '{path}'")
    settled = lt.settle(relation).pl()
    assert settled["team"].unique().to_list() == ["sre"]
    assert bits(settled.drop("team")) == together


def test_what_is_no_table_of_verdicts_is_refused_in_words(judged):
    with pytest.raises(ValueError) as raised:
        lt.settle(judged.drop("p_value", "otherwise"))
    assert str(raised.value) == (
        "the frame has no column `p_value`, `otherwise`: it is not a table of verdicts "
        "(expected all columns that `judge` returns)"
    )
    with pytest.raises(ValueError, match="row 0 has 7 as `p_value` \\(expected a probability: 0 to 1\\)"):
        lt.settle(judged.with_columns(polars.lit(7.0).alias("p_value")))
    with pytest.raises(ValueError, match="row 0 has an `otherwise` that cannot be read: "):
        lt.settle(judged.with_columns(polars.lit("{").alias("otherwise")))
