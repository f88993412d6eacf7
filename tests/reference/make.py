#!/usr/bin/env python3
"""Reference values for the statistics, from numpy, scipy, statsmodels: python3 make.py > values.json

Each value comes from dense matrices or a library, not from the recursions that the program uses.
Needs numpy, scipy, statsmodels (versions used: see "made_with" in the output).
"""
import json

import numpy
import scipy
import statsmodels
from scipy import optimize, stats
from statsmodels.stats.multitest import multipletests

PHI = [0, 0.2, 0.4, 0.55, 0.7, 0.8, 0.87, 0.92, 0.95, 0.97, 0.985, 0.995, 0.9995]


def covariance(x, phi):
    """Of AR(1) noise sampled at x, whose innovation over one usual step has variance 1."""
    step = numpy.median(numpy.diff(x))
    ages = numpy.concatenate([[0], numpy.cumsum(numpy.maximum(numpy.diff(x) / step, 0.25))])
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
        root = numpy.linalg.cholesky(V)
        A, b = numpy.linalg.solve(root, X), numpy.linalg.solve(root, z)
        slope = numpy.linalg.lstsq(A, b, rcond=None)[0]
        residual = b - A @ slope
        rss = residual @ residual + n * floor / unit**2
        lags = int(1.3 * n ** (1 / 3))
        ratio = 1 + sum(
            2 * (1 - h / (lags + 1)) * (residual[h:] @ residual[:-h]) / (residual @ residual)
            for h in range(1, lags + 1)
        )
        information = A.T @ A
        error = numpy.sqrt(rss / (n - 2) * max(1, ratio) * numpy.linalg.inv(information)[1, 1])
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
print(
    json.dumps(
        {
            "made_with": {"numpy": numpy.__version__, "scipy": scipy.__version__, "statsmodels": statsmodels.__version__},
            "series": cases,
            "p_values": p_values.tolist(),
            "q_values": multipletests(p_values, method="fdr_bh")[1].tolist(),
        }
    )
)
