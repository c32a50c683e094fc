"""Parameter sets at which a fuzz run once found a fault, each as small as it was drawn."""

import numpy as np
import pytest
from solved import linear_theory

import dmft
from dmft.solvers.lyapunov import tail_rate
from dmft.verify_solution import violation


def test_perturbations_that_fall_like_a_filters_pole():
    """The tail's rate meets a pole of the filters exactly: was "Singular matrix"."""
    solution = dmft.solve(
        "gated",
        g_h=0.203915,
        alpha_r=0.330879,
        tau_r=0.222578,
        tau_z=14.3366,
        beta_h=2.43928,
        beta_r=2.08984,
        beta_z=-1.6007,
        input_h=0.0,
        input_r=0.0,
        input_z=0.000707783,
        noise_h=1.03507,
        noise_r=0.346191,
    )
    assert solution.status == "converged"
    assert violation(solution).worst < 1e-9


@pytest.mark.parametrize("strength", [0.0, 1e-12, 1e-3])
def test_tail_rate_at_and_near_a_pole(strength):
    """One slow filter without feedback falls at its own rate; weak feedback slows it a little."""
    linear = linear_theory("vanilla", g=1.0, input_x=1.0)
    rate = tail_rate(linear, np.array([[strength]]), 0.0)
    # 1 - kappa^2 = strength: the filter's gain at -kappa times that at kappa
    assert rate == pytest.approx(np.sqrt(1 - strength), abs=1e-5)
