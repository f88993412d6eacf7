"""Every block of the documentation runs, and so does the README's example of the package."""

from __future__ import annotations

import doctest
import re
import shutil
import subprocess
import sys

import pytest

import leaktrend
from conftest import ROOT

PAGE = (ROOT / "docs/python.md").read_text()
BLOCKS = re.findall(r"^```python *(\w*)\n(.*?)^```", PAGE, re.M | re.S)


def check(code, folder, warnings="error::FutureWarning"):
    for name in ("data", "tests"):
        (folder / name).symlink_to(ROOT / name)
    done = subprocess.run([sys.executable, "-W", warnings, "-c", code], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("code", [code for engine, code in BLOCKS if not engine])
def test_a_block_runs(code, tmp_path):
    shown = check(code, tmp_path)
    assert shown or "assert" in code


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["spark", "ray"])
def test_a_block_of_an_engine_runs(engine, tmp_path):
    pytest.importorskip("pyspark" if engine == "spark" else "ray")
    if engine == "spark" and shutil.which("java") is None:
        pytest.skip("Java is not here")
    (code,) = [code for name, code in BLOCKS if name == engine]
    assert "leak" in check(code, tmp_path, "ignore")


def test_the_first_example_says_what_it_prints(tmp_path):
    assert check(BLOCKS[0][1], tmp_path).startswith("leak\n")


def test_the_examples_of_the_package_hold():
    assert doctest.testmod(leaktrend).attempted > 2
    assert doctest.testmod(leaktrend).failed == 0


def test_every_argument_is_documented():
    """Each argument of a public function stands in its docstring."""
    import inspect

    for function in (leaktrend.judge, leaktrend.judge_series, leaktrend.settle, leaktrend.read, leaktrend.analyze):
        told = inspect.getdoc(function)
        for name in inspect.signature(function).parameters:
            assert re.search(rf"^    {name}: ", told, re.M), f"{function.__name__}: {name}"
        assert "Returns:" in told and "Raises:" in told
