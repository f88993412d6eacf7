#!/usr/bin/env python3
"""The picture of benches/charts.rs with matplotlib: CPU time of one 1280 x 720 PNG, imports not counted.

    charts_matplotlib.py [SAMPLES] [FILE.png]
"""
import io
import sys
import time

import matplotlib

matplotlib.use("Agg")
import matplotlib.dates as dates
import matplotlib.pyplot as plt
import numpy as np

n = int(sys.argv[1]) if len(sys.argv) > 1 else 5760
i = np.arange(n)
share = i / n
noise = (i * 0.618034) % 1 + (i * 0.414214) % 1 - 1
used = 250 + 180 * share + 20 * np.sin(2 * np.pi * share) + 14 * noise
start = np.datetime64("2026-03-04T00:00:00")
times = start + (share * 86_400_000).astype("timedelta64[ms]")
hour = np.timedelta64(1, "h")
end = start + 24 * hour
limit_at = end + 12 * hour


def draw():
    figure, (plot, strip) = plt.subplots(
        2, figsize=(12.8, 7.2), dpi=100, sharex=True, height_ratios=[25, 1], layout="constrained"
    )
    plot.plot(times, used, color="#8ca3b9", linewidth=1)
    for xs, ys, reach, style in [([start, end], [250, 430], [4, 4], "-"), ([end, limit_at], [430, 512], [4, 20], "--")]:
        low, high = np.subtract(ys, reach), np.add(ys, reach)
        plot.fill_between(xs, low, high, color="#005aa0", alpha=0.22, linewidth=0)
        plot.plot(xs, ys, color="#005aa0", linewidth=2.2, linestyle=style)
    plot.axhline(512, color="#c44100", linestyle="--")
    plot.axhline(460.8, color="#965f00", linestyle=":")
    plot.axvline(start + 6 * hour, color="#6e4682", linestyle=":", linewidth=1)
    plot.axvspan(start + 8 * hour, start + 12 * hour, color="#eef0f3", zorder=0)
    plot.annotate("180 MiB a day", (start + 16 * hour, 340), color="#005aa0")
    plot.annotate("limit in 10 h 55 min", (end + 2 * hour, 470), color="#005aa0")
    plot.annotate("limit 512 MiB", (start + hour, 516), color="#c44100")
    plot.annotate("high-memory above 460.8 MiB", (start + hour, 464), color="#965f00")
    plot.annotate("restart", (start + 6 * hour, 560), color="#6e4682", ha="center")
    plot.set_title("orders: leak\n180 MiB a day (178 to 182), 90 % confidence, limit in 10 h 55 min", loc="left")
    plot.set_ylim(0, 580)
    plot.yaxis.set_major_formatter("{x:.0f} MiB")
    plot.grid(axis="y", color="#e2e6ea")
    plot.spines[["top", "right", "left"]].set_visible(False)
    strip.axvspan(start + 20 * hour, start + 21 * hour, color="#f0b43c")
    strip.axvspan(start + 21 * hour, start + 24 * hour, color="#be3e00")
    strip.set_yticks([])
    strip.xaxis.set_major_formatter(dates.ConciseDateFormatter(strip.xaxis.get_major_locator()))
    file = io.BytesIO()
    figure.savefig(file, format="png")
    plt.close(figure)
    return file.getvalue()


picture = draw()
rounds = 10
before = time.process_time()
for _ in range(rounds):
    draw()
each = (time.process_time() - before) / rounds
print(f"matplotlib {matplotlib.__version__}: {each * 1000:.1f} ms CPU for {n} samples, {len(picture)} bytes")
if len(sys.argv) > 2:
    with open(sys.argv[2], "wb") as file:
        file.write(picture)
