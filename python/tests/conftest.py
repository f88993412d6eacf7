"""What the tests share: the program, the captures, and series that are made."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import leaktrend as lt

ROOT = Path(__file__).parents[2]
CAPTURE = Path(os.environ.get("LEAKTREND_CAPTURE", "/work/shared/data/capture"))
START_MS = 1_795_000_000_000
QUARTER_MS = 900_000
MIB = 1024.0 * 1024.0


def bits(rows, without=()):
    """The rows of a table of verdicts, each number as its bits, by series."""
    if not isinstance(rows, list):
        rows = rows.to_dicts()
    key = next(iter(rows[0]))

    def exact(value):
        return value.hex() if isinstance(value, float) else value

    return {row[key]: {name: exact(row[name]) for name in lt.COLUMNS if name not in without} for row in rows}


@pytest.fixture(scope="session")
def program():
    """The program, built apart from the wheel."""
    targets = [os.environ.get("LEAKTREND_PROGRAM")]
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    targets += [target / "dist" / "leaktrend", target / "release" / "leaktrend", target / "debug" / "leaktrend"]
    found = next((Path(path) for path in targets if path and Path(path).is_file()), None)
    if found is None:
        if os.environ.get("LEAKTREND_REQUIRE_PROGRAM"):
            pytest.fail("no program is built (expected LEAKTREND_PROGRAM, or target/*/leaktrend)")
        pytest.skip("no program is built: `cargo build --release`")
    return found


@pytest.fixture(scope="session")
def script():
    """The console script of the wheel."""
    found = shutil.which("leaktrend", path=os.path.dirname(sys.executable))
    assert found, "the wheel installs the console script `leaktrend`"
    return found


def run(program, *arguments, **options):
    return subprocess.run([str(program), *map(str, arguments)], capture_output=True, text=True, **options)


@pytest.fixture(scope="session")
def made():
    """2,000 series of a day: noise, steps, sawtooths, leaks, and growth so faint that some of it may be chance.

    Columns by name: the id of each row, its time in milliseconds, and whole bytes.
    """
    random = np.random.default_rng(18)
    n, length = 2_000, 96
    level = random.uniform(100, 900, n)[:, None]
    time = np.arange(length)[None, :]
    fast = (random.random(n) < 0.01)[:, None] * random.uniform(1.0, 3.0, n)[:, None] * time
    faint = (random.random(n) < 0.06)[:, None] * random.uniform(0.1, 0.35, n)[:, None] * level / 100 * time
    noise = random.normal(0, 1, (n, length))
    wander = random.choice([0.0, 0.4, 0.8], n)[:, None]
    for at in range(1, length):
        noise[:, at] += wander[:, 0] * noise[:, at - 1]
    loud = np.where(faint[:, -1:] > 0, random.choice([3.0, 6.0, 12.0], n)[:, None], 1.0)
    saw = (random.random(n) < 0.2)[:, None] * (time % random.integers(5, 24, n)[:, None]) * 3.0
    step = (random.random(n) < 0.1)[:, None] * (time > 40) * random.uniform(10, 80, n)[:, None]
    used = np.maximum(1.0, level + fast + faint + loud * noise * level / 100 + saw + step) * MIB
    return {
        "unique_id": np.repeat([f"c{index:04}" for index in range(n)], length),
        "ds": np.tile(START_MS + QUARTER_MS * np.arange(length), n),
        "y": used.round().astype("int64").ravel(),
    }


@pytest.fixture(scope="session")
def export(made, tmp_path_factory):
    """The same as an export of Prometheus, which the program reads."""
    length = 96
    values = [
        {
            "metric": {"__name__": "container_memory_rss", "container": str(made["unique_id"][at])},
            "values": [
                [int(made["ds"][row]) / 1000, str(int(made["y"][row]))] for row in range(at, at + length)
            ],
        }
        for at in range(0, len(made["y"]), length)
    ]
    path = tmp_path_factory.mktemp("made") / "export.json"
    path.write_text(json.dumps({"status": "success", "data": {"resultType": "matrix", "result": values}}))
    return path


@pytest.fixture(scope="session")
def judged(made):
    """The verdicts on them, from a frame of polars."""
    import polars

    return lt.judge(polars.DataFrame(made))


def leak(n=120, step_ms=60_000, start_ms=START_MS):
    """Times and bytes of a leak."""
    times = start_ms + step_ms * np.arange(n)
    noise = np.random.default_rng(1).normal(0, 0.2, n)
    return times, (200.0 + 0.5 * np.arange(n) + noise) * MIB
