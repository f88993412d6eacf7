#!/usr/bin/env python3
"""Makes the logs of docs/nightly.md: six days as the runbook's cron line writes them, and a seventh as its successor does.

On the seventh day `vedfinance-api` begins to keep 6 MiB an hour, `vedfinance-report` is gone and `vedfinance-mail` is
new.  Nothing in here is recorded; the same files come out on every machine.
"""

import json
import math
import os
import random
from datetime import datetime, timezone

START = 1793491200  # 2026-11-01T00:00:00Z, a Sunday
DAY, INTERVAL = 86400, 900
MIB = 1048576
HERE = os.path.dirname(os.path.abspath(__file__))


def size(n_bytes):
    """As docker prints it: four significant digits, binary units."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if n_bytes < 1024:
            return f"{n_bytes:.4g}{unit}"
        n_bytes /= 1024
    raise ValueError(n_bytes)


def rows(at, noise):
    """Name, limit and memory of each container, `at` seconds after the start."""
    evening = 0.5 - 0.5 * math.cos(2 * math.pi * (at / DAY - 0.125))
    leak = max(0, at - 6 * DAY) / 3600 * 6
    yield "vedfinance-api", 2048, 480 + 30 * evening + leak + noise.gauss(0, 3)
    yield "vedfinance-web", 1024, 210 + 55 * evening + noise.gauss(0, 4)
    yield "vedfinance-redis", 1024, 92 + noise.gauss(0, 0.4)
    if at < 6 * DAY:
        yield "vedfinance-report", 512, 64 + noise.gauss(0, 0.3)
    else:
        yield "vedfinance-mail", 512, 71 + noise.gauss(0, 0.3)


def write(path, start, end, line):
    noise = random.Random(start)
    with open(os.path.join(HERE, path), "w") as log:
        for at in range(start, end, INTERVAL):
            for name, limit, mib in rows(at, noise):
                log.write(line(at, name, size(mib * MIB), size(limit * MIB), f"{100 * mib / limit:.2f}%") + "\n")


def container(name):
    return f"{sum(map(ord, name)) * 0x9E3779B97F4A7C15 % 2**48:012x}"


def table(at, name, used, limit, share):
    return f"{container(name)}   {name:<18} 0.31%     {used} / {limit}   {share}     {at // 9}kB / 0B     0B / 0B     11"


def stamped_json(at, name, used, limit, share):
    row = {"Container": container(name), "MemPerc": share, "MemUsage": f"{used} / {limit}", "Name": name, "PIDs": "11"}
    time = datetime.fromtimestamp(START + at, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"{time} {json.dumps(row, separators=(',', ':'))}"


write("saturday/memory-usage.log", 0, 6 * DAY, table)
write("sunday/memory-usage.log", 6 * DAY, 7 * DAY, stamped_json)
