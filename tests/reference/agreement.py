#!/usr/bin/env python3
"""The verdicts of this program beside those of the prototype that its procedure was designed with.

  cargo run --release -p leaktrend-core --example series -- 3 > series.jsonl
  leaktrend analyze --json verdict.json CAPTURE/trend-*.csv
  python3 agreement.py PROTOTYPE series.jsonl verdict.json CAPTURE > agreement.json

PROTOTYPE holds `verdict.py` (`verdict(t, y, restarts=...)`), which needs numpy, scipy, numba. The tables that
`reports/agreement.md` explains go to standard error, both verdicts of every series to standard output.
"""
import collections
import json
import pathlib
import re
import sys

import numpy

LEAKS = {"leak", "leak-masked-by-restarts", "stepping-growth"}
UNITS = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


def outcome(verdict):
    if verdict in LEAKS:
        return "fail"
    return {"leak-suspected": "warn", "step": "warn", "inconclusive": "open"}.get(verdict, "pass")


def read_trend(path):
    rows = [re.fullmatch(r"(\d+),([\d.]+)([A-Za-z]+)", line) for line in path.read_text().split()]
    rows = [row for row in rows if row]
    return [float(row[1]) for row in rows], [float(row[2]) * UNITS[row[3]] for row in rows]


def main(prototype, series, verdicts, capture):
    sys.path.insert(0, prototype)
    from verdict import verdict

    pairs = []
    with open(series) as file:
        for line in file:
            one = json.loads(line)
            theirs = verdict(
                numpy.array(one["seconds"]), numpy.array(one["bytes"]), restarts=one["known_restarts"] or None
            )[0]
            pairs.append((f"{one['mechanism']}, {one['sampling']}, {one['index']}", one["mechanism"], one["verdict"], theirs))
    for one in json.load(open(verdicts))["series"]:
        t, y = read_trend(pathlib.Path(capture) / f"{one['id']}.csv")
        pairs.append((f"capture {one['id']}", "captures", one["verdict"], verdict(numpy.array(t), numpy.array(y))[0]))

    say = lambda *words: print(*words, file=sys.stderr)
    same = sum(ours == theirs for *_, ours, theirs in pairs)
    alike = sum(outcome(ours) == outcome(theirs) for *_, ours, theirs in pairs)
    say(f"{len(pairs)} series, {same} the same verdict, {alike} the same outcome\n")
    say("| mechanism | series | same verdict | same outcome |\n|---|---|---|---|")
    for mechanism in dict.fromkeys(pair[1] for pair in pairs):
        of = [pair for pair in pairs if pair[1] == mechanism]
        say(
            f"| {mechanism} | {len(of)} | {sum(a == b for *_, a, b in of)} "
            f"| {sum(outcome(a) == outcome(b) for *_, a, b in of)} |"
        )
    say("\n| mechanism | leaktrend | prototype | series |\n|---|---|---|---|")
    different = collections.Counter((m, a, b) for _, m, a, b in pairs if a != b)
    for (mechanism, ours, theirs), count in different.most_common():
        say(f"| {mechanism} | {ours} | {theirs} | {count} |")
    rows = [{"series": name, "leaktrend": ours, "prototype": theirs} for name, _, ours, theirs in pairs]
    print("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]")


if __name__ == "__main__":
    main(*sys.argv[1:])
