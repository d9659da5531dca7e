"""Writes what SciPy, statsmodels and pymannkendall say of made-up samples, for tests/statistics.rs to compare with.

Run it from this folder, in an environment of its own:

    python3 -m venv venv && venv/bin/pip install scipy==1.17.1 statsmodels==0.15.0 pymannkendall==1.4.3 numpy==2.4.6
    venv/bin/python make.py

The files were made with just these versions, on Python 3.11. The samples come from a fixed seed.
"""

import json
import pathlib

import numpy as np
import pymannkendall
import statsmodels.api as sm
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

HERE = pathlib.Path(__file__).parent
RANDOM = np.random.default_rng(20260101)


def figures(values):
    return [round(float(value), 5) for value in values]


def rank():
    """Mann-Whitney, exact and by approximation, and the Hodges-Lehmann estimate."""
    for base_count, head_count, shift, step in [
        (3, 3, 1, None), (5, 5, 2, None), (10, 10, 0.5, None), (15, 15, -1, None), (7, 20, 1, None), (60, 60, 0.4, None),
        (10, 10, 0.8, 0.5), (15, 12, 0, 1.0), (5, 5, 3, 1.0), (61, 12, 0.7, None), (70, 65, 0.3, 0.25),
    ]:
        base, head = RANDOM.normal(0, 1, base_count), RANDOM.normal(shift, 1, head_count)
        if step:
            base, head = np.round(base / step) * step, np.round(head / step) * step
        base, head = figures(base), figures(head)
        assert step or len(set(base + head)) == base_count + head_count, "rounded to a tie: choose other digits"
        exact = len(set(base + head)) == base_count + head_count and max(base_count, head_count) <= 60
        found = stats.mannwhitneyu(
            head, base, alternative="greater", use_continuity=True, method="exact" if exact else "asymptotic")
        differences = np.subtract.outer(head, base)
        yield {"base": base, "head": head, "p": found.pvalue, "shift": float(np.median(differences))}


def wilson():
    for successes, trials, confidence in [
        (0, 1000, 0.95), (1, 1000, 0.95), (5, 100, 0.99), (95, 100, 0.95), (100, 100, 0.9), (3, 7, 0.95),
    ]:
        low, high = proportion_confint(successes, trials, 1 - confidence, method="wilson")
        yield {"successes": successes, "trials": trials, "confidence": confidence, "low": float(low), "high": float(high)}


def many():
    for count in [1, 4, 15, 30]:
        p = [round(float(value), 6) for value in RANDOM.uniform(0, 1, count) ** 3]
        yield {"p": p, "adjusted": multipletests(p, method="fdr_bh")[1].tolist()}


def trend():
    """Theil-Sen by SciPy; Mann-Kendall by pymannkendall, whose z is turned into the one-sided p."""
    for count, slope, step in [(8, 0.5, None), (20, 0.1, None), (20, 0, 1.0), (50, -0.05, 0.5), (30, 0.2, 1.0), (12, 0, None)]:
        x = np.sort(RANDOM.uniform(0, count, count)) if step is None else np.floor(np.arange(count) / 1.5)
        y = slope * x + RANDOM.normal(0, 1, count)
        y = np.round(y / step) * step if step else y
        x, y = figures(x), figures(y)
        sen = stats.theilslopes(y, x, alpha=0.95)
        z = pymannkendall.original_test(y).z
        yield {"x": x, "y": y, "slope": float(sen.slope), "low": float(sen.low_slope), "high": float(sen.high_slope),
               "p": float(stats.norm.sf(z))}


def line():
    """Ordinary and weighted least squares by statsmodels, with the interval of the mean at twice the largest x."""
    for count, weighted in [(3, False), (5, False), (5, True), (8, True), (30, False)]:
        x = figures(20 * 1.9 ** np.arange(count)) if count < 20 else figures(RANDOM.uniform(1, 100, count))
        y = figures(1000 + 12.5 * np.array(x) + RANDOM.normal(0, 30, count))
        weights = 1 / np.array(x) if weighted else np.ones(count)
        fit = sm.WLS(y, sm.add_constant(x), weights=weights).fit()
        (intercept_low, intercept_high), (slope_low, slope_high) = fit.conf_int(0.05)
        far = 2 * max(x)
        mean = fit.get_prediction([[1, far]]).summary_frame(alpha=0.05)
        yield {"x": x, "y": y, "weighted": weighted,
               "intercept": [fit.params[0], intercept_low, intercept_high], "slope": [fit.params[1], slope_low, slope_high],
               "far": far, "there": [float(mean["mean"][0]), float(mean["mean_ci_lower"][0]), float(mean["mean_ci_upper"][0])]}


def power():
    """The same profile by a fine grid, the slow way: constant and factor by statsmodels for each power."""
    for constant, factor, exponent, noise in [(3e6, 900, 1.0, 0.02), (1e5, 40, 1.6, 0.03), (2e6, 9e4, 0.5, 0.01)]:
        x = np.array([20.0, 48, 113, 269, 640])
        growth = factor * x ** exponent
        y = np.array(figures(constant + growth * (1 + RANDOM.normal(0, noise, 5))))
        powers = np.arange(1, 40001) / 10000

        def left(power):
            return sm.WLS(y, sm.add_constant((x / 100) ** power), weights=1 / x).fit().ssr

        coarse = [left(power) for power in powers[::100]]
        best = powers[::100][int(np.argmin(coarse))]
        near = powers[abs(powers - best) <= 0.02]
        sums = [left(power) for power in near]
        limit = min(sums) * (1 + stats.f.ppf(0.95, 1, 2) / 2)

        def edge(inside, outside):
            if left(outside) <= limit:
                return outside
            for _ in range(30):
                middle = (inside + outside) / 2
                inside, outside = (middle, outside) if left(middle) <= limit else (inside, middle)
            return inside

        value = float(near[int(np.argmin(sums))])
        yield {"x": x.tolist(), "y": y.tolist(), "value": value, "low": edge(value, 1e-9), "high": edge(value, 4.0)}


for make in [rank, wilson, many, trend, line, power]:
    cases = list(make())
    text = "[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n"
    (HERE / f"{make.__name__}.json").write_text(text)
