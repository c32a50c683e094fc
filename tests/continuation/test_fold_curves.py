"""Curves of folds: closed forms, cusps and turning points."""

import numpy as np
import pytest
from normal_forms import CUSP, TURNS_BACK

from dmft.continuation import EventStatus, FoldFamily, Options, Stop, follow_folds


def test_the_cusp():
    """p + q u - u^3 folds where 27 p^2 = 4 q^3; both arms meet in the cusp at the origin."""
    bound = np.array([9.0, 9.0, 2.0])
    branch = follow_folds(
        CUSP, np.array([1 / np.sqrt(3)]), -2 / np.sqrt(27), 1.0, lower=-bound, upper=bound
    )
    p, q = branch.points[:, -2], branch.points[:, -1]
    assert 27 * p**2 == pytest.approx(4 * q**3, abs=1e-11)
    assert branch.stops == (Stop.BOUND, Stop.BOUND)
    assert q[[0, -1]] == pytest.approx([2, 2])
    assert p[0] * p[-1] < 0
    (event,) = branch.events
    assert event.kind == "cusp"
    assert event.status is EventStatus.CONVERGED
    assert event.point[[0, 2, 3]] == pytest.approx([0, 0, 0], abs=1e-9)


def test_a_fold_curve_that_turns_back():
    """q = 1 - p^2 with the fold at u = 0: q has an extremum, but no cusp."""
    bound = np.array([9.0, 9.0, 9.0])
    branch = follow_folds(
        TURNS_BACK, np.array([0.0]), 0.9, 0.19, lower=np.array([-9, -9, 0.0]), upper=bound
    )
    (event,) = branch.events
    assert event.kind == "turning"
    assert event.parameter == pytest.approx(1, abs=1e-10)
    assert event.point[-2] == pytest.approx(0, abs=1e-9)
    assert branch.points[[0, -1], -2] == pytest.approx([1, -1]) or branch.points[
        [0, -1], -2
    ] == pytest.approx([-1, 1])


def test_three_unknowns_and_a_given_jacobian():
    """The cusp family with two more equations; analytic F_u and differences give one curve."""

    def residual(u, p, q):
        x, y, z = u
        return np.array([p + q * x - x**3 + y, y - 0.2 * z, z + 0.4 * y])

    def jacobian(u, p, q):
        return np.array([[q - 3 * u[0] ** 2, 1, 0], [0, 1, -0.2], [0, 0.4, 1]])

    u = np.array([0.3, -0.2, 0.7])
    differences = FoldFamily(residual).slopes(u, 0.1, 0.9)
    assert differences == pytest.approx(jacobian(u, 0.1, 0.9), abs=1e-11)
    start = (np.array([1 / np.sqrt(3), 0.0, 0.0]), -2 / np.sqrt(27), 1.0)
    bound = np.array([9.0, 9.0, 9.0, 9.0, 2.0])
    for family in (FoldFamily(residual), FoldFamily(residual, jacobian)):
        branch = follow_folds(family, *start, lower=-bound, upper=bound)
        p, q = branch.points[:, -2], branch.points[:, -1]
        assert 27 * p**2 == pytest.approx(4 * q**3, abs=1e-10)
        assert [e.kind for e in branch.events] == ["cusp"]


def test_a_closed_curve_of_folds():
    """u^2 = 1 - p^2 - q^2: a sphere's folds in p form the circle p^2 + q^2 = 1 at u = 0."""
    family = FoldFamily(lambda u, p, q: np.array([u[0] ** 2 + p**2 + q**2 - 1]))
    branch = follow_folds(family, np.zeros(1), 0.6, 0.8, options=Options(largest=0.1))
    assert branch.stops[1] is Stop.CLOSED
    assert branch.points[:, -2] ** 2 + branch.points[:, -1] ** 2 == pytest.approx(1, abs=1e-11)
    assert [e.kind for e in branch.events] == ["turning", "turning"]
