"""The statistics: error bars, p-values and family-wise levels hold what they promise.

Every calibration is a two-sided test at 1e-3 with a fixed seed.
"""

import mpmath
import numpy as np
import pytest
from scipy import stats

from dmft.validation.compare import (
    Estimate,
    Row,
    combine,
    decide,
    extrapolate,
    holm,
    over_networks,
    t_test,
)

LEVEL = 1e-3


def binomial_ok(hits, trials, probability):
    """Whether a count is plausible, two-sided."""
    return stats.binomtest(hits, trials, probability).pvalue > LEVEL


def test_error_bar_of_the_mean_is_calibrated():
    """s^2 / sigma^2 of known variance is chi-squared: mean 1 within its own standard error."""
    rng = np.random.default_rng(0)
    sigma, count, trials = 3.0, 8, 4000
    estimates = [over_networks(sigma * rng.standard_normal(count)) for _ in range(trials)]
    ratio = np.array([e.standard_error**2 * count / sigma**2 for e in estimates])
    error = np.sqrt(2 / (count - 1) / trials)
    assert abs(ratio.mean() - 1) < stats.norm.isf(LEVEL / 2) * error
    assert {e.dof for e in estimates} == {count - 1}


@pytest.mark.parametrize("count", [4, 8, 30])
def test_p_values_are_uniform_when_the_theory_is_right(count):
    rng = np.random.default_rng(count)
    p = []
    for _ in range(3000):
        e = over_networks(1.0 + 0.3 * rng.standard_normal(count))
        p.append(t_test(e.mean - 1.0, e.standard_error, e.dof)[0])
    assert stats.kstest(p, "uniform").pvalue > LEVEL


def test_equivalent_normal_scores():
    """Standard normal when the theory is right; same two-sided p-value; sign of the difference."""
    rng = np.random.default_rng(2)
    scores = []
    for _ in range(3000):
        e = over_networks(rng.standard_normal(5))
        p, score = t_test(e.mean, e.standard_error, e.dof)
        assert p == pytest.approx(2 * stats.norm.sf(abs(score)), rel=1e-9)
        assert np.sign(score) == np.sign(e.mean)
        scores.append(score)
    assert stats.kstest(scores, "norm").pvalue > LEVEL


def test_t_test_is_two_sided_and_survives_extremes():
    assert t_test(3.0, 1.0, 7.0)[0] == t_test(-3.0, 1.0, 7.0)[0]
    assert t_test(3.0, 1.0, 7.0)[0] == pytest.approx(2 * stats.t.sf(3.0, 7))
    assert t_test(0.0, 0.0, 7.0) == (1.0, 0.0)
    assert t_test(-1.0, 0.0, 7.0) == (0.0, -np.inf)
    # ln P(T > t) where P underflows, from mpmath's betainc at 30 digits.
    for t, dof in ((60.0, 1e3), (1e9, 50.0), (1e6, 70.5)):
        log_tail = log_tail_by_mpmath(t, dof)
        _, score = t_test(-t, 1.0, dof)
        assert score < 0
        assert stats.norm.logsf(-score) == pytest.approx(log_tail, rel=1e-9)
    assert np.isnan(t_test(np.nan, 1.0, 7.0)[0])


def log_tail_by_mpmath(t, dof):
    with mpmath.workdps(30):
        x = mpmath.mpf(dof) / (dof + mpmath.mpf(t) ** 2)
        return float(mpmath.log(mpmath.betainc(dof / 2, 0.5, 0, x, regularized=True) / 2))


def test_holm_example_and_nan():
    """Holm (1979): compare p_(k) with level / (m - k + 1), stop at the first failure."""
    assert holm([0.01, 0.04, 0.03, 0.005], 0.05).tolist() == [True, False, False, True]
    # Bonferroni would keep the third: 0.02 > 0.05 / 3.
    assert holm([0.001, 0.02, 0.04], 0.05).tolist() == [True, True, True]
    assert holm([np.nan, 0.02], 0.05).tolist() == [False, True]
    assert holm([np.nan, 0.03], 0.05).tolist() == [False, False]
    assert holm([], 0.05).tolist() == []


def test_family_wise_level_with_and_without_correlation():
    """True hypotheses: independent ones reach 1-(1-a/m)^m, correlated ones do not exceed a."""
    rng = np.random.default_rng(3)
    m, level, trials = 6, 0.05, 4000
    z = rng.standard_normal((trials, m))
    independent = sum(holm(2 * stats.norm.sf(np.abs(row)), level).any() for row in z)
    assert binomial_ok(independent, trials, 1 - (1 - level / m) ** m)
    shared = np.sqrt(0.9) * rng.standard_normal((trials, 1)) + np.sqrt(0.1) * z
    correlated = sum(holm(2 * stats.norm.sf(np.abs(row)), level).any() for row in shared)
    assert stats.binomtest(correlated, trials, level, alternative="greater").pvalue > LEVEL


def test_combination_matches_welch():
    """For the difference of two means this is Welch's test."""
    rng = np.random.default_rng(4)
    a, b = rng.normal(0, 1, 6), rng.normal(0, 4, 15)
    difference = combine([1, -1], [over_networks(a), over_networks(b)])
    p, _ = t_test(difference.mean, difference.standard_error, difference.dof)
    assert p == pytest.approx(stats.ttest_ind(a, b, equal_var=False).pvalue, rel=1e-9)


@pytest.mark.parametrize("exponent", [1.0, 0.5])
def test_extrapolation_is_exact_on_a_straight_line(exponent):
    samples = {n: 0.13 - 5 * n**-exponent + 1e-3 * np.array([-1, 0, 1]) for n in (500, 1000, 2000)}
    fit = extrapolate(samples, exponent)
    assert fit.limit.mean == pytest.approx(0.13, abs=1e-12)
    assert fit.slope == pytest.approx(-5, rel=1e-9)
    assert fit.straightness == pytest.approx(1.0)


def scatter(rng, counts, spread, bend=0.0):
    """Networks with mean 1 - 40/N + bend (100/N)^2 and standard deviation spread(N)."""
    return {
        n: 1 - 40 / n + bend * (100 / n) ** 2 + spread(n) * rng.standard_normal(count)
        for n, count in counts.items()
    }


@pytest.mark.parametrize(
    ("counts", "spread"),
    [
        ({2000: 8, 1000: 16, 500: 32}, lambda n: 1 / np.sqrt(n)),
        ({2000: 8, 1000: 16, 500: 32}, lambda n: 20 / n),  # not the law the weights assume
        ({1000: 4, 500: 8, 250: 16}, lambda n: 1 / np.sqrt(n)),
    ],
)
def test_p_values_of_the_limit_are_uniform(counts, spread):
    """The extrapolated limit, its error and its degrees of freedom together make a t-test."""
    rng = np.random.default_rng(5)
    p, straight = [], []
    for _ in range(2000):
        fit = extrapolate(scatter(rng, counts, spread))
        p.append(t_test(fit.limit.mean - 1.0, fit.limit.standard_error, fit.limit.dof)[0])
        straight.append(fit.straightness)
    assert stats.kstest(p, "uniform").pvalue > LEVEL
    assert stats.kstest(straight, "uniform").pvalue > LEVEL


def test_error_of_the_limit_is_the_scatter_of_the_limit():
    """Standard errors against the scatter of 3000 repetitions, within 4.5%, two-sided."""
    rng = np.random.default_rng(6)
    counts = {2000: 20, 1000: 40, 500: 80}
    fits = [extrapolate(scatter(rng, counts, lambda n: 1 / np.sqrt(n))) for _ in range(3000)]
    seen = np.std([f.limit.mean for f in fits], ddof=1)
    said = np.sqrt(np.mean([f.limit.standard_error**2 for f in fits]))
    # Relative error of a standard deviation from k values is 1/sqrt(2k) = 1.3%.
    assert abs(seen / said - 1) < stats.norm.isf(LEVEL / 2) / np.sqrt(2 * 3000)


def test_a_bent_series_is_noticed():
    rng = np.random.default_rng(7)
    counts = {2000: 8, 1000: 16, 500: 32}
    fits = [extrapolate(scatter(rng, counts, lambda n: 0.1 / np.sqrt(n), 2.0)) for _ in range(20)]
    assert all(f.straightness < LEVEL for f in fits)


def test_too_few_networks_or_sizes():
    with pytest.raises(ValueError, match="two networks"):
        over_networks([1.0])
    with pytest.raises(ValueError, match="two sizes"):
        extrapolate({100: [1.0, 2.0]})


def row(theory=1.0, simulation=1.0, error=0.005, allowed=0.02, judged=True, **more):
    return Row("C(0)", theory, 0.0, simulation, error, 7.0, allowed, judged, **more)


def test_verdicts():
    """Pass, fail and inconclusive; the limit of the error bar itself is allowed."""
    assert decide([row(), row(simulation=1.01)])[1] == "pass"
    assert decide([row(), row(simulation=1.2)])[1] == "fail"
    assert decide([row(), row(simulation=0.8)])[1] == "fail"
    assert decide([row(error=0.02)])[1] == "pass"
    assert decide([row(error=0.0201)])[1] == "inconclusive"
    assert decide([row(), row(error=0.0201, simulation=5.0)])[1] == "inconclusive"
    assert decide([row(error=0.03), row(simulation=1.2)])[1] == "fail"
    assert decide([row(), row(objection="drifts")])[1] == "inconclusive"
    assert decide([])[1] == "inconclusive"


def test_rows_that_are_shown_only_decide_nothing():
    rows, verdict = decide([row(), row(simulation=9.0, judged=False)])
    assert verdict == "pass"
    assert rows[1].verdict == "shown"
    assert np.isnan(rows[1].score)
    assert decide([row(simulation=9.0, judged=False)])[1] == "inconclusive"


@pytest.mark.parametrize(
    "bad", [{"theory": np.nan}, {"simulation": np.nan}, {"error": np.nan}, {"allowed": np.nan}]
)
def test_missing_numbers_never_pass(bad):
    assert decide([row(), row(**bad)])[1] == "inconclusive"


def test_theory_error_counts():
    """A theory uncertain by 10% is not refuted by 10%: both errors go into the test."""
    uncertain = Row("C(0)", 1.0, 0.1, 1.1, 0.005, 7.0, 0.02, True)
    assert decide([uncertain])[1] == "pass"
    assert decide([row(simulation=1.1)])[1] == "fail"


def test_bounds_have_no_test():
    assert decide([row(theory=0.0, simulation=1e-9, bound=1e-4)])[1] == "pass"
    assert decide([row(theory=0.0, simulation=1e-2, bound=1e-4)])[1] == "fail"
    assert decide([row(theory=0.0, simulation=np.nan, bound=1e-4)])[1] == "inconclusive"


def test_right_theories_fail_at_the_family_wise_level():
    """End to end at level 5%: eight independent networks, five independent rows."""
    rng = np.random.default_rng(8)
    trials, level, m = 2000, 0.05, 5
    failures = 0
    for _ in range(trials):
        estimates = [over_networks(1 + 0.01 * rng.standard_normal(8)) for _ in range(m)]
        rows = [row(1.0, e.mean, e.standard_error) for e in estimates]
        failures += decide(rows, level)[1] == "fail"
    assert binomial_ok(failures, trials, 1 - (1 - level / m) ** m)


def test_estimates_are_values():
    assert over_networks([2.0, 4.0]) == Estimate(3.0, 1.0, 1.0)


def test_claims_of_a_sign_need_evidence():
    """One-sided at the level, 4.79 errors with 7 degrees of freedom; noise is never a pass."""
    numbers = {"theory": 0.0, "error": 1.0, "allowed": np.inf}
    for simulation, sign, expected in (
        (5.0, 1, "pass"),
        (5.0, -1, "fail"),
        (-5.0, -1, "pass"),
        (4.0, 1, "inconclusive"),
        (np.nan, 1, "inconclusive"),
    ):
        assert decide([row(**numbers, simulation=simulation, sign=sign)])[1] == expected
    certain = numbers | {"error": 0.0}
    assert decide([row(**certain, simulation=1.0, sign=1)])[1] == "pass"
    assert decide([row(**certain, simulation=0.0, sign=1)])[1] == "inconclusive"
