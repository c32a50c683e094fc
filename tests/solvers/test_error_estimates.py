"""Reported errors bound the true ones, and are not idle."""

import numpy as np
import pytest
from solved import solved

#: THEORY section 11, Delta_0 of SCS; exponents from a solution at the smallest tolerance.
VARIANCE = {1.05: 0.0528322114886066812, 2: 1.9248054137370581867, 3: 5.4463260830424642153}


@pytest.mark.parametrize("tol", [1e-3, 1e-5, 1e-8, 1e-10, 1e-13])
@pytest.mark.parametrize("g", sorted(VARIANCE))
def test_vanilla(g, tol):
    sol, best = solved("vanilla", g=g, tol=tol), solved("vanilla", g=g, tol=1e-13)
    assert sol.status == "converged"
    error = abs(sol.variance["x"] / VARIANCE[g] - 1)
    assert error <= sol.error_estimate["variance"]
    assert sol.error_estimate["variance"] <= 10 * tol
    if tol > 1e-13:
        assert abs(sol.lyapunov - best.lyapunov) <= sol.error_estimate["lyapunov"] + 1e-12
        lags = np.linspace(0, sol.lag[-1], 300)
        difference = np.max(abs(sol.at(lags)["x"] - best.at(lags)["x"])) / sol.variance["x"]
        assert difference <= sol.error_estimate["autocorrelation"] + 1e-13


@pytest.mark.parametrize("tol", [1e-4, 1e-7, 1e-10])
@pytest.mark.parametrize("parameters", [(3.0, 5.0, 1.0), (1.9, 10.0, 2.0), (4.0, 8.0, 0.3)])
def test_gated(parameters, tol):
    given = dict(zip(("g_h", "alpha_r", "tau_r"), parameters, strict=True))
    sol, best = solved("gated", tol=tol, **given), solved("gated", tol=1e-13, **given)
    estimate = sol.error_estimate
    for name in ("h", "r"):
        assert abs(sol.variance[name] / best.variance[name] - 1) <= estimate["variance"] + 2e-13
    assert abs(sol.lyapunov - best.lyapunov) <= estimate["lyapunov"] + 1e-12
    lags = np.linspace(0, sol.lag[-1], 300)
    for name in ("h", "r"):
        difference = np.max(abs(sol.at(lags)[name] - best.at(lags)[name])) / sol.variance[name]
        assert difference <= estimate["autocorrelation"] + 1e-12


def test_smaller_tolerances_take_larger_grids():
    sizes = [solved("vanilla", g=2, tol=tol).lag.size for tol in (1e-3, 1e-5, 1e-8, 1e-10, 1e-13)]
    assert sizes == sorted(sizes)
    assert sizes[-1] > 2 * sizes[0]


def test_methods_agree():
    dense = solved("gated", g_h=3, alpha_r=5, method="dense")
    free = solved("gated", g_h=3, alpha_r=5, method="matrix-free")
    assert dense.variance["h"] == pytest.approx(free.variance["h"], rel=1e-11)
    assert dense.lyapunov == pytest.approx(free.lyapunov, abs=1e-11)
