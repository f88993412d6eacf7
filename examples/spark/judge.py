"""Judges a folder of Parquet on Spark: `spark-submit examples/spark/judge.py SAMPLES OUT [MASTER]`.

SAMPLES is what `leaktrend analyze --parquet` wrote, or any Parquet with the columns `series`, `time` and `used_bytes`;
OUT becomes a Parquet file of verdicts. MASTER is `local[2]` unless given.
"""

import os
import sys

import pyarrow.parquet
from pyspark.sql import SparkSession

import leaktrend as lt


def main(samples: str, out: str, master: str = "local[2]") -> None:
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    spark = (
        SparkSession.builder.master(master)
        .appName("leaktrend")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "8")
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("ERROR")
    frame = spark.read.parquet(samples)
    own = {name: name for name in ("flags", "metric") if name in frame.columns}
    if "resolution_bytes" in frame.columns:
        own["resolution"] = "resolution_bytes"
    verdicts = lt.spark.judge(frame, "series", "time", "used_bytes", **own)
    table = verdicts.toArrow()
    pyarrow.parquet.write_table(table, out)
    for row in table.group_by("verdict").aggregate([("verdict", "count")]).to_pylist():
        print(f"{row['verdict']}: {row['verdict_count']}")
    spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
