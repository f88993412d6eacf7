"""`read`, `analyze`, and the console script."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import leaktrend as lt
from conftest import ROOT, run

DATA = ROOT / "data"


def test_read_gives_samples_and_accounts_for_every_line(tmp_path):
    samples = lt.read(DATA / "memory-trend.csv")
    frame = samples.to_polars()
    assert frame.columns[:2] == ["series", "container"] and frame.height == len(samples) > 100
    assert samples.inputs[0]["samples"] == frame.height
    path = tmp_path / "odd.csv"
    path.write_text("1795000000,512.3MiB\n1795000060,512.3Mib\n1795000120,513.3MiB\n")
    samples = lt.read([path])
    assert [line["line"] for line in samples.inputs[0]["rejected"]] == [2]
    with pytest.raises(ValueError, match="cannot use `.*nothing`: "):
        lt.read(tmp_path / "nothing")
    with pytest.raises(ValueError, match="unexpected argument '--colour' found"):
        lt.read(path, colour="red")


def test_analyze_writes_what_the_program_writes(tmp_path, script, capfd):
    # The README's own command.
    words = ["--load", "20m..50m", "--inconclusive", "fail", "--markdown-limit", "64kB", "--limit", "c1=2GiB"]
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    path = DATA / "memory-trend.csv"
    name = lt.read(path).to_polars()["container"][0]
    words[-1] = f"{name}=2147483648B"
    report = lt.analyze(
        path, out=ours, load="20m..50m", inconclusive="fail", markdown_limit="64kB", limit={name: 2 * 1024**3}
    )
    assert capfd.readouterr() == ("", ""), "nothing is printed"
    done = run(script, "analyze", path, "--out", theirs, *words)
    assert (report.outcome, report.exit_code) == ("fail", done.returncode)
    files = sorted(file.relative_to(theirs) for file in theirs.rglob("*") if file.is_file())
    assert [file for file in files if (ours / file).read_bytes() != (theirs / file).read_bytes()] == []
    assert len(files) > 3
    told = report.to_dict()
    assert told["outcome"] == "fail" and [one["id"] for one in told["series"]] == report.series
    shown = report._repr_html_()
    assert shown.count("<tr>") == len(report.series) + 1 and "data:image/svg+xml;base64," in shown
    assert report.chart(report.series[0]).startswith("<svg")
    assert report.to_html().startswith("<!DOCTYPE html>")
    with pytest.raises(KeyError, match="no series is named"):
        report.chart("nobody")
    with pytest.raises(TypeError, match="`quiet`: nothing is printed here"):
        lt.analyze(path, quiet=True)
    with pytest.raises(ValueError, match="`--daily-swing 7`: not a share"):
        lt.analyze(path, daily_swing=7)


def test_analyze_says_what_growth_follows(tmp_path):
    case = ROOT / "tests/cases/leaky-node"
    memory, log = case / "memory.jsonl", case / "access.log.gz"
    report = lt.analyze(memory, container="rss", requests=log, changes=[case / "changes.csv"])
    [cause] = report.causes["memory/rss"]
    assert (cause["name"], cause["named"]) == ("POST /upload", True)
    assert cause["bytes_per_unit"]["value"] == pytest.approx(40 * 1024, rel=0.1)
    same = lt.analyze(memory, container="rss", requests={"memory/rss": log}, changes=case / "changes.csv")
    assert same.causes == report.causes
    assert lt.analyze(memory, container="rss").causes == {}
    table = tmp_path / "jobs.csv"
    table.write_text("time,jobs_total\n2026-11-29T06:10:00Z,1\n2026-11-29T06:16:00Z,9\n")
    for given in ({"covariates": table}, {"covariates": [table]}, {"covariate": table}):
        assert lt.analyze(memory, **given).to_dict()["inputs"][-1]["path"] == str(table)


def test_the_script_has_every_subcommand_and_exit_code(script, tmp_path):
    commands = re.findall(r"^  (\w+) ", run(script, "--help").stdout.split("Commands:")[1].split("Options:")[0], re.M)
    assert {"analyze", "compare", "nightly", "config", "schema", "completions"} <= set(commands)
    for command in commands:
        if command != "help":
            assert run(script, command, "--help").returncode == 0
    assert run(script, "--version").stdout == f"leaktrend {lt.__version__}\n"
    data = DATA / "memory-trend.csv"
    done = run(script, "analyze", data, "--json", tmp_path / "one.json")
    assert done.returncode == 1 and "FAIL" in done.stdout.upper()
    assert run(script, "analyze", tmp_path / "nothing").returncode == 2
    wrong = run(script, "analyze", "--no-such", data)
    assert wrong.returncode == 2 and "unexpected argument" in wrong.stderr and "Traceback" not in wrong.stderr
    short = tmp_path / "short.csv"
    short.write_text("1795000000,512.3MiB\n1795000060,512.4MiB\n")
    assert run(script, "analyze", short).returncode == 3
    assert run(sys.executable, "-m", "leaktrend", "analyze", short).returncode == 3


@pytest.mark.parametrize(
    "words",
    [
        ["analyze", "data/memory-trend.csv", "--color", "always", "--verbose"],
        ["analyze", "data/memory-usage.log", "data/nothing", "--interval", "10s", "--strict"],
        ["analyze", "--since", "never", "data/memory-trend.csv"],
        ["analyze"],
        ["config"],
        ["config", "--config", "nothing.toml"],
        ["schema", "--of", "comparison"],
        ["completions", "bash"],
        ["help", "nightly"],
        ["no-such"],
        ["--version"],
    ],
    ids=" ".join,
)
def test_the_script_says_what_the_program_says(words, script, program):
    ours, theirs = (run(one, *words, cwd=ROOT) for one in (script, program))
    assert (ours.returncode, ours.stdout, ours.stderr) == (theirs.returncode, theirs.stdout, theirs.stderr)
    assert ours.stdout or ours.stderr


def test_the_script_colours_as_the_program_does(script):
    data = DATA / "memory-trend.csv"
    assert "\x1b[" not in run(script, "analyze", data).stdout
    assert "\x1b[" in run(script, "analyze", data, "--color", "always").stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_script_ends_on_signals_as_the_program_does(script, number):
    """It waits for standard input, and is told to end."""

    def heed():
        """A program ignores what whoever starts it ignores, such as `nohup`."""
        for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(ignored, signal.SIG_DFL)

    words, pipe = [script, "analyze", "-"], subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stderr=pipe, text=True, preexec_fn=heed) as running:
        status = Path(f"/proc/{running.pid}/status")
        deadline = time.monotonic() + 60
        while True:
            assert time.monotonic() < deadline, "the program sets its handlers"
            caught = int(re.search(r"SigCgt:\s*(\w+)", status.read_text())[1], 16)
            if caught >> (signal.SIGHUP - 1) & 1 and caught >> (signal.SIGTERM - 1) & 1:
                break
            time.sleep(0.01)
        running.send_signal(number)
        running.wait(timeout=30)
        told = running.stderr.read()
    assert running.returncode == 128 + number
    assert told == f"error: ended by {number.name}: incomplete files were not written\n"


def test_a_closed_pipe_is_no_error(script):
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([script, "schema"], stdout=writer, stderr=subprocess.PIPE, text=True)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


def test_an_import_brings_nothing_that_is_not_used(script):
    """The command line starts as fast as Python and the extension do."""
    code = "import sys; before = set(sys.modules); import leaktrend; print(sorted(set(sys.modules) - before))"
    assert run(sys.executable, "-c", code).stdout.strip() == "['__future__', 'leaktrend']"
    assert set(lt.__all__) <= set(dir(lt)) and all(getattr(lt, name) is not None for name in lt.__all__)
    with pytest.raises(AttributeError, match="module 'leaktrend' has no attribute 'jugde'"):
        lt.jugde  # noqa: B018


def test_the_stubs_name_what_the_extension_has():
    from leaktrend import _native

    stubs = (ROOT / "python/leaktrend/_native.pyi").read_text()
    named = set(re.findall(r"^(?:def|class) (\w+)", stubs, re.M))
    assert named == {name for name in dir(_native) if not name.startswith("_")}
    for kind in ("Table", "NativeReport"):
        methods = re.findall(r"^    def (\w+)", stubs.split(f"class {kind}:")[1].split("\nclass ")[0].split("\ndef ")[0], re.M)
        public = {name for name in dir(getattr(_native, kind)) if not name.startswith("_")}
        assert public == {name for name in methods if not name.startswith("_")}
