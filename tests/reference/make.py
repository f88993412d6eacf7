#!/usr/bin/env python3
"""Reference values for the statistics, from independent programs: python3 make.py > values.json

Each value comes from dense matrices, from every window written out, or from a library; not from the recursions that
the program uses. Needs numpy, scipy, statsmodels, pymannkendall, ruptures (versions used: see "made_with" in the
output).
"""
import importlib.metadata
import json

import numpy
import pymannkendall
import ruptures
import statsmodels.api as sm
from scipy import optimize, stats
from statsmodels.stats.sandwich_covariance import S_hac_simple
from statsmodels.stats.multitest import multipletests

PHI = [0, 0.2, 0.4, 0.55, 0.7, 0.8, 0.87, 0.92, 0.95, 0.97, 0.985, 0.995, 0.9995]


def covariance(x, phi):
    """Of AR(1) noise sampled at x, whose innovation over one usual step has variance 1."""
    step = numpy.median(numpy.diff(x))
    ages = numpy.concatenate([[0], numpy.cumsum(numpy.maximum(numpy.round(numpy.diff(x) / step / 0.25), 1) * 0.25)])
    distance = numpy.abs(ages[:, None] - ages[None, :])
    return (numpy.eye(len(x)) if phi == 0 else phi**distance) / (1 - phi**2)


def slope_posterior(x, y, floor):
    n = len(x)
    span = x[-1] - x[0]
    unit = numpy.std(y) + 1e-9
    X = numpy.column_stack([numpy.ones(n), (x - x[0]) / span])
    z = (y - y.mean()) / unit
    parts = []
    for phi in PHI:
        V = covariance(x, phi)
        fit = sm.GLS(z, X, sigma=V).fit()
        # statsmodels leaves the residuals as they are; whitened they are what the long-run variance is of.
        residual = fit.model.whiten(z - X @ fit.params)
        rss = residual @ residual + n * floor / unit**2
        ratio = S_hac_simple(residual[:, None], nlags=int(1.3 * n ** (1 / 3)))[0, 0] / (residual @ residual)
        information = X.T @ numpy.linalg.solve(V, X)
        error = numpy.sqrt(rss / (n - 2) * max(1, ratio) * numpy.linalg.inv(information)[1, 1])
        slope = fit.params
        weight = -0.5 * (
            (n - 2) * numpy.log(rss) + numpy.linalg.slogdet(V)[1] + numpy.linalg.slogdet(information)[1]
        )
        parts.append((weight, slope[1] * unit / span, error * unit / span))
    weights, slopes, errors = map(numpy.array, zip(*parts))
    weights = numpy.exp(weights - weights.max())
    weights /= weights.sum()

    def below(value):
        return float(weights @ stats.t.cdf((value - slopes) / errors, n - 2))

    reach = 50 * errors.max()
    quantile = lambda p: float(optimize.brentq(lambda v: below(v) - p, slopes.min() - reach, slopes.max() + reach, xtol=1e-14))
    return {"mean": float(weights @ slopes), "below_zero": below(0.0), "lower": quantile(0.05), "upper": quantile(0.95)}


def ar1(rng, n, phi):
    noise = numpy.zeros(n)
    for i in range(1, n):
        noise[i] = phi * noise[i - 1] + rng.standard_normal()
    return noise


def hampel(y):
    """Indices of runs of up to three samples that are off the median of the fifteen around them."""
    off = []
    for i in range(len(y)):
        window = y[max(0, i - 7) : i + 8]
        centre = numpy.median(window)
        spread = 1.4826 * numpy.median(numpy.abs(window - centre))
        off.append(abs(y[i] - centre) > max(5 * spread, 0.005 * abs(centre)))
    runs = numpy.split(numpy.arange(len(y)), numpy.flatnonzero(numpy.diff(off)) + 1)
    return [int(i) for run in runs if off[run[0]] and len(run) <= 3 and run[-1] < len(y) - 1 for i in run]


def sharp_falls(y):
    """First samples after falls from one sample to the next, largest first, none within two of a larger one."""
    change = numpy.diff(y)
    threshold = max(6 * 1.4826 * stats.median_abs_deviation(change), 0.03 * numpy.median(y))
    kept = []
    for i in numpy.argsort(change):
        if change[i] < -threshold and all(abs(i + 1 - other) > 2 for other in kept):
            kept.append(int(i + 1))
    return sorted(kept)


def as_docker_prints(y):
    """Four significant digits of MiB, in bytes."""
    return numpy.array([float(f"{value:.4g}") for value in y]) * 1048576


rng = numpy.random.default_rng(20261123)
cases = []
for n, phi, slope in [(24, 0.0, 0.0), (60, 0.5, 0.02), (96, 0.8, 0.0), (96, 0.95, 0.1), (150, 1.0, 0.0), (200, 0.3, 0.01)]:
    x = numpy.cumsum(rng.choice([1.0, 1.0, 1.0, 1.0, 2.0, 0.9], n))
    y = numpy.round(100 + slope * x + ar1(rng, n, phi), 3)
    case = {"x": x.round(3).tolist(), "y": y.tolist(), "floor": 0.01}
    x = x.round(3)
    case["posterior"] = slope_posterior(x, y, 0.01)
    case["theil_sen"] = float(stats.theilslopes(y, x)[0])
    case["median"] = float(numpy.median(y))
    case["mad"] = 1.4826 * float(stats.median_abs_deviation(y))
    cases.append(case)
p_values = rng.uniform(0, 1, 40) ** 3

# Evenly spaced, as pymannkendall takes them to be; with the ties that docker's four digits make.
trends = []
for n, phi, slope, sd in [(20, 0.0, 0.0, 1.0), (96, 0.5, 0.02, 0.3), (288, 0.9, 0.0, 0.2), (288, 0.0, 0.01, 0.05), (500, 0.95, -0.01, 0.5)]:
    y = as_docker_prints(512 + slope * numpy.arange(n) + sd * ar1(rng, n, phi))
    plain, corrected = pymannkendall.original_test(y), pymannkendall.hamed_rao_modification_test(y)
    line = stats.linregress(numpy.arange(n), y)
    trends.append(
        {
            "y": y.tolist(),
            "s": float(plain.s),
            "independent_variance": float(plain.var_s),
            "corrected_variance": float(corrected.var_s),
            "z": float(corrected.z),
            "sen": float(stats.theilslopes(y, numpy.arange(n))[0]),
            "least_squares": float(line.slope),
            "r2": float(line.rvalue**2),
        }
    )

# White noise around levels: where all shifts lie together, by dynamic programming.
shifts = []
for levels in [[0, 4], [0, 3, 7], [5, 1, 4], [0, 6, 2]]:
    lengths = rng.integers(25, 60, len(levels))
    y = numpy.concatenate([numpy.full(length, level, float) for length, level in zip(lengths, levels)])
    y += rng.standard_normal(len(y)) * 0.5
    found = ruptures.Dynp(model="l2", min_size=3, jump=1).fit(y).predict(n_bkps=len(levels) - 1)
    shifts.append({"y": y.tolist(), "at": found[:-1]})

# A level with spikes of one to five samples, and falls of a sawtooth.
jumps = []
for n, teeth in [(120, 0), (200, 4), (300, 9)]:
    y = 300 + ar1(rng, n, 0.6) * 0.8 + (60 * ((numpy.arange(n) * teeth / n) % 1) if teeth else 0)
    for width in [1, 2, 3, 4, 5]:
        at = int(rng.integers(0, n - width))
        y[at : at + width] += 90
    y = as_docker_prints(y)
    jumps.append({"y": y.tolist(), "spikes": hampel(y), "falls": sharp_falls(y)})

print(
    json.dumps(
        {
            "made_with": {
                name: importlib.metadata.version(name)
                for name in ["numpy", "scipy", "statsmodels", "pymannkendall", "ruptures"]
            },
            "series": cases,
            "trends": trends,
            "shifts": shifts,
            "jumps": jumps,
            "p_values": p_values.tolist(),
            "q_values": multipletests(p_values, method="fdr_bh")[1].tolist(),
        }
    )
)
