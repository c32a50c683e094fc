"""Decaying states with many digits: against the energy integral, doubles, and other grids."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from ground_state import classical_exponent

import dmft
from dmft.certified import fine_state as fine
from dmft.certified.fine_newton import RefinementError
from dmft.codegen import compiled_theory
from dmft.errors import InputError, NotCoveredError
from dmft.refine_digits import refine_digits
from dmft.results.solution import Solution
from dmft.solvers.lag_grid import LagGrid


@pytest.fixture(scope="module")
def vanilla():
    return dmft.solve("vanilla", g=2, digits=20)


def test_the_variance_satisfies_the_energy_integral(vanilla):
    """Delta_0 of SCS at g = 2 (THEORY section 11, 30 digits) and the proved interval."""
    value = Fraction(vanilla.digits["C_x(0)"])
    assert abs(value - Fraction("1.9248054137370581867")) < Fraction(1, 10**18)
    middle, radius = vanilla.digits["C_x(0) proved"].strip("[]").split(" +/- ")
    assert abs(value - Fraction(middle)) <= Fraction(radius) + Fraction(1, 10**19)


def test_decimals_extend_those_of_the_doubles(vanilla):
    assert float(vanilla.digits["lambda_max"]) == pytest.approx(vanilla.lyapunov, abs=1e-11)
    for lag in (1, 2, 5, 10):
        at = float(vanilla.at(lag)["x"])
        assert float(vanilla.digits[f"C_x({lag})"]) == pytest.approx(at, abs=1e-9)


def test_the_exponent_is_that_of_a_ground_state_without_a_grid(vanilla):
    """SCS (1988) with the correlation in place of the time, in balls (ground_state)."""
    value = classical_exponent(2, "1.92480541373705818669737001055154", vanilla.lyapunov)
    assert value.startswith("0.112458109627028959182016")
    ours, off = Fraction(vanilla.digits["lambda_max"]), Fraction(1, 10**19)
    assert abs(ours - Fraction(value)) < off


def other_grids(monkeypatch, longer, denser):
    first = fine._first_grid

    def changed(double, digits):
        grid = first(double, digits)
        return fine._grid(longer * grid.length, denser * grid.intervals / grid.length)

    monkeypatch.setattr(fine, "_first_grid", changed)


def test_gated_digits_do_not_depend_on_the_grid(monkeypatch):
    """THEORY section 11: C_h(0) = 0.142274619, lambda = 0.13216866; errors bound the difference."""
    p = {"g_h": 3.0, "alpha_r": 5.0}
    theory = compiled_theory("gated")
    rough = dmft.solve("gated", p)
    one = refine_digits(theory, rough, 14).digits
    other_grids(monkeypatch, 1.21, 1.13)
    two = refine_digits(theory, rough, 16).digits
    assert one["C_h(0)"].startswith("0.142274618953")
    assert one["lambda_max"].startswith("0.132168657389")
    assert one["C_z(0)"] == one["C_r(0)"]  # equal time constants, equal drive
    for name in ("C_h(0)", "C_r(0)", "C_z(0)", "C_h(5)", "lambda_max"):
        assert abs(Fraction(one[name]) - Fraction(two[name])) < Fraction(1, 10**14), name


def test_a_grid_that_is_too_coarse_is_noticed(monkeypatch, vanilla):
    other_grids(monkeypatch, 1.0, 0.6)
    monkeypatch.setattr(fine, "_better_grid", lambda equations, found: None)
    rows = np.stack([vanilla.autocorrelation["x"]])
    grid = LagGrid(float(vanilla.lag[-1]), vanilla.lag.size - 1)
    with pytest.raises(RefinementError, match="too large for 20 digits"):
        fine.fine_state(compiled_theory("vanilla"), vanilla.parameters, grid, rows, 20)


def test_digits_survive_storage(vanilla, tmp_path):
    for name in ("a.csv", "a.json", "a.npz"):
        vanilla.save(tmp_path / name)
        assert dmft.load(tmp_path / name).digits == vanilla.digits
    assert replace(vanilla, digits={}).digits == {}
    assert isinstance(dmft.load(tmp_path / "a.json"), Solution)


def test_what_cannot_be_refined_is_refused():
    for digits in (0, 41, True, 20.0):
        with pytest.raises(InputError, match="give an integer from 10 to 40"):
            dmft.solve("vanilla", g=2, digits=digits)
    for p in ({"g": 0.5}, {"g": 3, "input_x": 0.1}, {"g": 2, "noise_x": 0.1}):
        with pytest.raises(NotCoveredError, match="only chaotic states without inputs"):
            dmft.solve("vanilla", p, digits=20)
