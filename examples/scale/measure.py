"""Measures what judging many series costs: the table of `reports/scale.md`.

    python examples/scale/measure.py PROGRAM [--series 1000,10000] [--length 96] [--engines program,wheel,polars,spark1,spark2]

For each number of series it makes one Parquet file of samples (a quarter of an hour apart; noise that wanders, of which
one in twenty leaks), and lets each engine judge it in a process of its own. Prints CPU seconds of the process and its
children, wall seconds, the largest resident memory (of Spark: of all its processes together), and CPU seconds over those of the program in the
same run. Verdicts are compared: an engine that differs fails.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

START_MS = 1_795_000_000_000


def make(folder: Path, n: int, length: int) -> Path:
    """Samples of `n` series as Parquet, in chunks of 10,000 series."""
    import numpy as np
    import pyarrow
    import pyarrow.parquet

    path = folder / f"samples-{n}-{length}.parquet"
    random = np.random.default_rng(n)
    schema = pyarrow.schema(
        [("unique_id", pyarrow.string()), ("ds", pyarrow.timestamp("ms", tz="UTC")), ("y", pyarrow.int64())]
    )
    with pyarrow.parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        for begin in range(0, n, 10_000):
            count = min(10_000, n - begin)
            level = random.uniform(100, 900, (count, 1))
            noise = random.normal(0, 1, (count, length))
            for at in range(1, length):
                noise[:, at] += 0.5 * noise[:, at - 1]
            growth = (random.random((count, 1)) < 0.05) * np.arange(length)[None, :] * level * 0.003
            used = (np.maximum(1, level + growth + noise * level / 100) * 2**20).round().astype("int64")
            ids = np.repeat([f"c{begin + index:07}" for index in range(count)], length)
            times = np.tile(START_MS + 900_000 * np.arange(length), count)
            table = pyarrow.table({"unique_id": ids, "ds": times.astype("datetime64[ms]"), "y": used.ravel()})
            writer.write_table(table.set_column(1, "ds", table["ds"].cast(schema.field("ds").type)).cast(schema))
    return path


def judged(engine: str, samples: Path, program: str) -> dict[str, str]:
    """The verdict of each series, by this engine."""
    if engine == "program":
        out = samples.with_suffix(".json")
        subprocess.run([program, "analyze", str(samples), "--json", str(out), "--quiet"], check=False)
        return {one["id"]: one["verdict"] for one in json.loads(out.read_text())["series"]}
    import leaktrend as lt

    if engine == "wheel":
        import polars

        rows = lt.judge(polars.read_parquet(samples))
        return dict(zip(rows["unique_id"], rows["verdict"], strict=True))
    if engine == "polars":
        import polars

        frame = polars.read_parquet(samples)
        window = {"since": frame["ds"].min(), "until": frame["ds"].max()}
        rows = lt.settle(frame.group_by("unique_id").map_groups(lambda group: lt.judge(group, **window)))
        return dict(zip(rows["unique_id"], rows["verdict"], strict=True))
    from pyspark.sql import SparkSession

    os.environ.update(SPARK_LOCAL_IP="127.0.0.1", PYSPARK_PYTHON=sys.executable)
    builder = SparkSession.builder.master(f"local[{engine.removeprefix('spark')}]")
    builder = builder.config("spark.ui.enabled", "false").config("spark.driver.memory", "3g")
    spark = builder.config("spark.sql.shuffle.partitions", "8").getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    rows = lt.spark.judge(spark.read.parquet(str(samples))).select("unique_id", "verdict").toArrow()
    # The virtual machine and the workers are not waited for: what they took is asked before they end.
    global beside
    beside = of_descendants(os.getpid())
    return dict(zip(rows["unique_id"].to_pylist(), rows["verdict"].to_pylist(), strict=True))


beside = (0.0, 0.0)


def of_descendants(pid: int) -> tuple[float, float]:
    """CPU seconds and the sum of the largest resident memories, in MiB, of all processes below this one."""
    cpu, peak = 0.0, 0.0
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            children = (task / "children").read_text().split()
        except (FileNotFoundError, ProcessLookupError):
            # Threads end, too.
            continue
        for child in children:
            try:
                fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
                status = Path(f"/proc/{child}/status").read_text()
                below = of_descendants(int(child))
            except (FileNotFoundError, ProcessLookupError, IndexError):
                # It has just ended, or has no memory any more: what it took is counted with its parent.
                continue
            cpu += sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK") + below[0]
            peak += int(status.split("VmHWM:")[1].split()[0]) / 1024 + below[1]
    return cpu, peak


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("program")
    arguments.add_argument("--series", default="1000,10000")
    arguments.add_argument("--length", type=int, default=96)
    arguments.add_argument("--engines", default="wheel,polars,spark1,spark2")
    arguments.add_argument("--worker", help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.worker:
        engine, samples = given.worker.split(":", 1)
        rows = sorted(judged(engine, Path(samples), given.program).items())
        print(json.dumps({"n": len(rows), "digest": hashlib.sha256(json.dumps(rows).encode()).hexdigest(), "beside": beside}))
        return
    print("| series | engine | CPU s | wall s | peak MiB | series per CPU second | ratio |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for n in map(int, given.series.split(",")):
            samples = make(Path(folder), n, given.length)
            digest, first = None, None
            for engine in given.engines.split(","):
                before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
                words = [sys.executable, __file__, given.program, "--worker", f"{engine}:{samples}"]
                # One process at a time is waited for, so that its peak is its own.
                process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
                said = process.stdout.read()
                _, status, used = os.wait4(process.pid, 0)
                after = resource.getrusage(resource.RUSAGE_CHILDREN)
                if status != 0:
                    sys.exit(f"{engine} failed on {n} series")
                told = json.loads(said.strip().splitlines()[-1])
                if digest not in (None, told["digest"]) or told["n"] != n:
                    sys.exit(f"{engine} gives other verdicts on {n} series")
                digest = told["digest"]
                cpu = told["beside"][0] + (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)
                first = first or cpu
                print(
                    f"| {n:,} | {engine} | {cpu:.1f} | {time.monotonic() - begin:.1f} | {used.ru_maxrss / 1024 + told['beside'][1]:.0f} "
                    f"| {n / cpu:.0f} | {cpu / first:.2f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
