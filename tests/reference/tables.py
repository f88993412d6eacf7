#!/usr/bin/env python3
"""Writes the small tables in tables/ with Python polars, pyarrow, pandas and DuckDB.

    python3 -m venv /tmp/tables && /tmp/tables/bin/pip install polars pyarrow pandas duckdb
    /tmp/tables/bin/python tests/reference/tables.py

All of them hold the readings of long.csv (or wide.csv), which is written first: 2 containers, 48 readings every
15 minutes, whole bytes. The tests compare each of them with it. Written with the versions in tables/versions.txt.
"""

import datetime
import decimal
import pathlib
import random
import shutil

import duckdb
import pandas
import polars
import pyarrow
import pyarrow.feather
import pyarrow.parquet

folder = pathlib.Path(__file__).parent / "tables"
shutil.rmtree(folder, ignore_errors=True)
folder.mkdir()

START = 1_795_464_000
times = [START + 900 * n for n in range(48)]
names = ["web", "a-container-with-a-long-name"]
MIB = 1 << 20
# Multiples of 1024 bytes, so that KiB and MiB with decimals are exact.
readings = [(time, name, (200 + 10 * who) * MIB + 1024 * (77 * n * (1 + who) % 4096))
            for n, time in enumerate(times) for who, name in enumerate(names)]

(folder / "long.csv").write_text(
    "time,container,used_bytes\n" + "".join(f"{time},{name},{used}\n" for time, name, used in readings))
wide = {}
for time, name, used in readings:
    wide.setdefault(time, {})[name] = used
(folder / "wide.csv").write_text(
    "time," + ",".join(names) + "\n"
    + "".join(f"{time},{','.join(str(row[name]) for name in names)}\n" for time, row in wide.items()))

moments = [datetime.datetime.fromtimestamp(time, datetime.timezone.utc) for time, _, _ in readings]
naive = [moment.replace(tzinfo=None) for moment in moments]
who = [name for _, name, _ in readings]
used = [used for _, _, used in readings]
epochs = [time for time, _, _ in readings]
shuffled = random.Random(1).sample(range(len(readings)), len(readings))


def pick(values):
    return [values[at] for at in shuffled]


# polars: every unit of time, categories, shuffled rows, all its compressions, IPC as file and stream.
long = polars.DataFrame({"time": moments, "container": who, "used_bytes": used})
for unit in ["ms", "us", "ns"]:
    table = long.with_columns(polars.col("time").dt.cast_time_unit(unit))
    table.write_parquet(folder / f"polars-{unit}.parquet")
berlin = long.with_columns(polars.col("time").dt.convert_time_zone("Europe/Berlin"))
berlin.write_parquet(folder / "polars-zone.parquet", compression="snappy")
berlin.write_ipc(folder / "polars-zone.arrow", compression="zstd")
long[shuffled].write_parquet(folder / "polars-shuffled.parquet", row_group_size=10, compression="lz4")
long.with_columns(polars.col("container").cast(polars.Categorical)).write_parquet(
    folder / "polars-categorical.parquet", compression="gzip")
long.with_columns(polars.col("container").cast(polars.Enum(names))).write_ipc(folder / "polars-enum.arrow")
long.rename({"time": "ds", "container": "unique_id", "used_bytes": "y"}).with_columns(
    polars.col("y").cast(polars.Float64)).write_parquet(folder / "polars-forecast.parquet", compression="brotli")
long[shuffled].write_ipc(folder / "polars-shuffled.feather", compression="lz4", record_batch_size=7)
long.write_ipc_stream(folder / "polars-stream.ipc")
polars.DataFrame({"time": times, **{name: [wide[time][name] for time in times] for name in names}}).write_parquet(
    folder / "polars-wide.parquet")

# pyarrow: types of columns that polars does not write.
def write(name, columns, **options):
    pyarrow.parquet.write_table(pyarrow.table(columns), folder / name, **options)


write("pyarrow-int96.parquet", {"time": pyarrow.array(naive, pyarrow.timestamp("ns")), "container": who,
      "used_bytes": used}, use_deprecated_int96_timestamps=True, store_schema=False)
write("pyarrow-decimal.parquet", {"timestamp": epochs, "pod": who, "memory_kib": pyarrow.array(
    [decimal.Decimal(value // 1024) for value in used], pyarrow.decimal128(20, 2))}, row_group_size=17)
write("pyarrow-float32-mib.parquet", {"epoch_ms": [time * 1000 for time in epochs], "service": who, "rss_mib":
      pyarrow.array([value / MIB for value in used], pyarrow.float32())}, use_dictionary=False)
write("pyarrow-uint64.parquet", {"ts": pyarrow.array([float(time) for time in epochs]), "name": pyarrow.array(
    who, pyarrow.large_string()), "value": pyarrow.array(used, pyarrow.uint64())}, data_page_version="2.0",
    column_encoding={"value": "DELTA_BINARY_PACKED", "ts": "BYTE_STREAM_SPLIT", "name": "DELTA_BYTE_ARRAY"},
    use_dictionary=False)
write("pyarrow-dictionary.parquet", {"time": pyarrow.array(naive, pyarrow.timestamp("s")), "container":
      pyarrow.array(who).dictionary_encode(), "used_bytes": used})
write("pyarrow-text.parquet", {"time": [moment.isoformat() for moment in moments], "container": who,
      "memory": [f"{value // 1024}KiB" for value in used]})
write("pyarrow-limit.parquet", {"time": moments, "namespace": ["shop"] * len(who), "pod": who, "container":
      ["main"] * len(who), "used_bytes": used, "limit_bytes": [1 << 30] * len(who), "note": ["x"] * len(who)})
for name, compression in [("pyarrow-dictionary.feather", "lz4"), ("pyarrow-plain.feather", "uncompressed")]:
    columns = {"time": pyarrow.array(naive, pyarrow.timestamp("ms")), "used_bytes": used, "container":
               pyarrow.array(who).dictionary_encode() if compression == "lz4" else who}
    pyarrow.feather.write_feather(pyarrow.table(columns), folder / name, compression=compression, chunksize=20)

# Other names of columns, which only the user can know; nulls; what is no reading.
write("given.parquet", {"at": naive, "who": who, "where": ["eu"] * len(who), "m": used})
write("nulls.parquet", {
    "time": [None if n == 3 else moment for n, moment in enumerate(moments)],
    "container": [None if n == 4 else name for n, name in enumerate(who)],
    "used_bytes": pyarrow.array([{5: None, 6: float("nan"), 7: -1.0, 8: 1e300}.get(n, float(value))
                                 for n, value in enumerate(used)], pyarrow.float64(), from_pandas=False)})
write("absurd-times.parquet", {"time": [{0: -5, 1: 12, 2: 2**62}.get(n, time) for n, time in enumerate(epochs)],
      "container": who, "used_bytes": used})

# What is refused.
write("no-time.parquet", {"container": who, "used_bytes": used})
write("nested.parquet", {"time": moments, "container": who, "used_bytes": [[value] for value in used]})
write("nested-names.parquet", {"time": moments, "container": [{"name": name} for name in who], "used_bytes": used})
write("truths.parquet", {"time": [True] * len(who), "container": who, "used_bytes": used})
write("text-beside.parquet", {"time": moments, "zone": who, "m1": used, "m2": used})
write("no-rows.parquet", {"time": pyarrow.array([], pyarrow.timestamp("ms")), "container": pyarrow.array([],
      pyarrow.string()), "used_bytes": pyarrow.array([], pyarrow.int64())})
write("small.parquet", {"time": moments, "container": who, "value": [value / MIB for value in used]})
pyarrow.parquet.write_table(pyarrow.table([pyarrow.array(moments), pyarrow.array(who), pyarrow.array(used),
                            pyarrow.array(used)], names=["time", "container", "value", "value"]),
                            folder / "twice.parquet", store_schema=False)
twice = pyarrow.schema([("time", pyarrow.int64()), ("value", pyarrow.int64()), ("value", pyarrow.string())])
with pyarrow.ipc.new_file(folder / "twice.arrow", twice) as file:
    file.write_batch(pyarrow.record_batch([pyarrow.array(epochs), pyarrow.array(used), pyarrow.array(who)], schema=twice))

# pandas: its index and its categories.
frame = pandas.DataFrame({"time": pandas.to_datetime(epochs, unit="s", utc=True), "container": pandas.Categorical(who),
                          "used_bytes": used})
frame.to_parquet(folder / "pandas-categorical.parquet")

# DuckDB: TIMESTAMP, TIMESTAMPTZ and HUGEINT, a folder of partitions, several files of one table.
db = duckdb.connect()
db.execute("set timezone='UTC'; set threads=1")
db.execute(f"create table long as select to_timestamp(time) as time, container, used_bytes "
           f"from read_csv('{folder}/long.csv')")
db.execute(f"copy (select * from long order by random()) to '{folder}/duckdb-zone.parquet' (format parquet)")
db.execute(f"copy (select time::timestamp as time, container, used_bytes::hugeint as used_bytes from long) "
           f"to '{folder}/duckdb-naive.parquet' (format parquet, compression zstd)")
db.execute(f"copy (select *, 'shop' as namespace, time::date::varchar as day from long) to '{folder}/hive' "
           f"(format parquet, partition_by (namespace, day))")
(folder / "hive" / "_SUCCESS").write_text("")
parts = folder / "parts"
parts.mkdir()
for part in range(3):
    rows = long[[at for at in shuffled if at % 3 == part]]
    rows.write_parquet(parts / f"part-0000{part}-0c1e.snappy.parquet")

# Numbers that are no memory: jobs and a queue, with a gap, beside a text; the same as CSV.
jobs = [5 * n + n % 3 for n in range(48)]
queue = [None if n == 7 else 10 + n * n % 17 for n in range(48)]
(folder / "numbers.csv").write_text("time,jobs_total,queue_length\n" + "".join(
    f"{time},{done},{'' if waiting is None else waiting}\n" for time, done, waiting in zip(times, jobs, queue)))
numbers = polars.DataFrame({
    "host": ["a"] * 48,
    "jobs_total": polars.Series(jobs, dtype=polars.UInt32),
    "queue_length": polars.Series(queue, dtype=polars.Float32),
    "at": polars.Series([time * 1000 for time in times]).cast(polars.Datetime("ms", "UTC")),
})
numbers.write_parquet(folder / "numbers.parquet")
numbers.write_ipc(folder / "numbers.arrow")
numbers.select("host", "at").write_parquet(folder / "numbers-none.parquet")
numbers.reverse().write_parquet(folder / "numbers-reversed.parquet")

(folder / "versions.txt").write_text("".join(
    f"{module.__name__} {module.__version__}\n" for module in [polars, pyarrow, pandas, duckdb]))
