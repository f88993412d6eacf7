"""On Spark, with two workers: the verdicts are those of one machine, also when a worker is killed in the middle.

Needs Java and PySpark 4: `apt-get install default-jre-headless`, `pip install 'pyspark>=4'`.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
import time

import polars
import pyarrow
import pytest

import leaktrend as lt
from conftest import ROOT, bits, run

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
if os.environ.get("LEAKTREND_REQUIRE_SPARK"):
    import pyspark  # noqa: F401
else:
    pytest.importorskip("pyspark")
    if shutil.which("java") is None:
        pytest.skip("Java is not here: `apt-get install default-jre-headless`", allow_module_level=True)


@pytest.fixture(scope="module", params=["local[2]", "local-cluster[2,1,1024]"])
def spark(request, tmp_path_factory):
    from pyspark.sql import SparkSession

    os.environ.update(SPARK_LOCAL_IP="127.0.0.1", PYSPARK_PYTHON=sys.executable, PYSPARK_DRIVER_PYTHON=sys.executable)
    folder = tmp_path_factory.mktemp("spark")
    session = (
        SparkSession.builder.master(request.param)
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "8")
        .config("spark.executor.memory", "1g")
        .config("spark.local.dir", str(folder))
        .config("spark.sql.warehouse.dir", str(folder / "warehouse"))
        .config("spark.sql.session.timeZone", "Asia/Kolkata")
        .config("spark.sql.adaptive.coalescePartitions.enabled", "false")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("OFF")
    yield session
    session.stop()


def own(rows):
    """Rows of Spark, whose times have another unit."""
    rows = pyarrow.table(rows) if not isinstance(rows, pyarrow.Table) else rows
    return bits(polars.DataFrame(rows))


@pytest.fixture(scope="module")
def samples(made, export, tmp_path_factory):
    """What `leaktrend analyze --parquet` writes."""
    path = tmp_path_factory.mktemp("parquet") / "samples.parquet"
    lt.analyze(export, parquet=path)
    return path


def expected(samples):
    return bits(lt.judge(polars.read_parquet(samples)))


TERMS = {"resolution": "resolution_bytes", "flags": "flags", "metric": "metric"}


def test_the_verdicts_are_those_of_one_machine(spark, samples):
    frame = spark.read.parquet(str(samples)).repartition(5)
    found = lt.spark.judge(frame, "series", "time", "used_bytes", **TERMS).toArrow()
    assert own(found) == expected(samples)


def test_a_group_that_cannot_be_judged_is_a_row(spark, made):
    frame = pyarrow.table({name: column[: 96 * 3] for name, column in made.items()})
    values = frame["y"].cast(pyarrow.float64()).to_pylist()
    values[5] = -1.0
    frame = frame.set_column(2, "y", pyarrow.array(values))
    found = lt.spark.judge(spark.createDataFrame(frame)).toArrow().to_pylist()
    assert sorted(row["verdict"] == "error" for row in found) == [False, False, True]
    assert bits(found) == bits(lt.judge(frame).to_pylist())
    with pytest.raises(ValueError, match="the frame has no column `rss` \\(found unique_id, ds, y\\)"):
        lt.spark.judge(spark.createDataFrame(frame), value="rss")


def test_a_worker_that_is_killed_changes_nothing(spark, samples, tmp_path, monkeypatch):
    if not spark.sparkContext.master.startswith("local-cluster"):
        pytest.skip("`local` has no worker to lose")
    begun = tmp_path / "begun"

    frame = spark.read.parquet(str(samples)).repartition(5)
    killed = []

    def kill():
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline:
            workers = [pid for pid in descendants(os.getpid()) if "CoarseGrainedExecutorBackend" in words(pid)]
            # A kernel is at work: the worker that runs it has a Python process.
            busy = [pid for pid in workers if any("pyspark" in words(child) for child in descendants(pid))]
            if busy and begun.exists():
                os.kill(busy[0], signal.SIGKILL)
                killed.append(busy[0])
                return
            time.sleep(0.02)

    from leaktrend import _engines

    class Slow(_engines.Kernel):
        """Says that it has begun, and takes its time."""

        def __call__(self, table):
            begun.touch()
            time.sleep(0.01)
            return super().__call__(table)

    monkeypatch.setattr(lt.spark, "Kernel", Slow)
    thread = threading.Thread(target=kill)
    thread.start()
    found = lt.spark.judge(frame, "series", "time", "used_bytes", **TERMS).toArrow()
    thread.join()
    assert len(killed) == 1, "a worker was killed while it judged"
    assert own(found) == expected(samples)


def test_the_example_runs(samples, tmp_path):
    out = tmp_path / "verdicts.parquet"
    done = run(sys.executable, ROOT / "examples/spark/judge.py", samples, out)
    assert done.returncode == 0, done.stderr
    rows = polars.read_parquet(out)
    assert rows.height == 2_000
    for verdict, count in rows["verdict"].value_counts().iter_rows():
        assert f"{verdict}: {count}\n" in done.stdout


def words(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def descendants(pid):
    try:
        children = [
            int(child)
            for task in os.listdir(f"/proc/{pid}/task")
            for child in open(f"/proc/{pid}/task/{task}/children").read().split()
        ]
    except OSError:
        return []
    return [one for child in children for one in [child, *descendants(child)]]
