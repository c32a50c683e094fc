"""Where the largest exponent changes its sign: through zero, with a jump, and under noise."""

import numpy as np
import pytest
from statics_by_hand import mean

import dmft


def test_under_noise_it_is_where_the_total_drive_equals_its_recurrent_part():
    """C(0) = g^2 <tanh^2> at lambda_max = 0 (Schuecker, Goedeke & Helias 2018, their criterion).

    There C'' = 0 at the cusp of the noise, so that |C'| is a smooth ground state of energy zero.
    """
    curve = dmft.boundary("vanilla", "lyapunov-zero", noise_x=[0.1, 0.4], tol=1e-8)
    assert curve.status == ("converged", "converged")
    assert curve.point_kind == ("zero", "zero")
    for noise, g in zip(curve.columns["noise_x"], curve.columns["g"], strict=True):
        solution = dmft.solve("vanilla", g=float(g), noise_x=float(noise))
        assert abs(solution.lyapunov) < 1e-8
        variance = solution.variance["x"]
        recurrent = g**2 * mean(lambda x: np.tanh(x) ** 2, variance)
        assert recurrent == pytest.approx(variance, rel=1e-6)
    assert np.all(np.diff(curve.columns["g"]) > 0)  # noise quiets chaos


def test_without_noise_it_is_where_chaos_appears():
    """Through zero at the continuous birth; with a jump at the fold."""
    plain = dmft.boundary("vanilla", "lyapunov-zero")
    assert plain.columns["g"] == pytest.approx([1], rel=1e-12)
    assert plain.point_kind == ("zero",)
    fold = dmft.boundary("gated", "lyapunov-zero", alpha_r=10, tol=1e-9)
    assert fold.point_kind == ("jump",)
    below, above = (
        dmft.solve("gated", g_h=share * float(fold.columns["g_h"][0]), alpha_r=10).lyapunov
        for share in (0.999, 1.001)
    )
    assert below < -0.01
    assert above > 0.01
