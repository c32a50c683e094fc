"""The disorder average on the action: cumulants of the couplings, factor by factor."""

from dataclasses import replace

import numpy as np
import pytest
import sympy as sp

from dmft.derivations.action import action, characteristic_exponent
from dmft.derivations.disorder import disorder_average
from dmft.derivations.equations import derive_equations
from dmft.derivations.model import DeclarationError, Model, Parameter
from dmft.derivations.models import get
from dmft.derivations.stages import derive_model
from dmft.derivations.symbols import N

M = Parameter("m", "mean of the couplings times N")
ETA = Parameter("eta", "reciprocity")
RHO = Parameter("rho", "correlation of matrices")


def special_vanilla() -> Model:
    model = get("vanilla")
    coupling = replace(
        model.couplings[0], mean=M.symbol, reciprocity=ETA.symbol, variance=sp.Symbol("g", positive=True) ** 2
    )  # fmt: skip
    return replace(model, parameters=(*model.parameters, M, ETA), couplings=(coupling,))


def correlated_gated() -> Model:
    model = get("gated")
    return replace(
        model, parameters=(*model.parameters, RHO), correlations={("xi_r", "xi_z"): RHO.symbol}
    )


def test_exponent_is_that_of_a_joint_gaussian() -> None:
    statistics = action(correlated_gated()).entries
    sources = sp.symbols("k:6", real=True)
    column = sp.Matrix(sources)
    by_hand = (
        sp.I * (statistics.mean.T * column)[0] - (column.T * statistics.covariance * column)[0] / 2
    )
    assert sp.simplify(characteristic_exponent(statistics, sources) - by_hand) == 0


def test_exponent_agrees_with_sampled_couplings() -> None:
    # 200 000 pairs (J_ij, J_ji) drawn in numpy; the average of exp(i k J) within 5 standard errors
    values = {"g": 1.3, "m": 0.7, "eta": -0.6}
    statistics = action(special_vanilla()).entries
    symbols = statistics.mean.free_symbols | statistics.covariance.free_symbols
    numbers = {symbol: values[symbol.name] for symbol in symbols - {N}}
    at = numbers | {N: 1}
    mean = np.array(statistics.mean.subs(at), dtype=float).ravel()
    covariance = np.array(statistics.covariance.subs(at), dtype=float)
    draws = np.random.default_rng(5).multivariate_normal(mean, covariance, size=200_000)
    sources = np.array([0.4, -0.9])
    samples = np.exp(1j * draws @ sources)
    expected = complex(
        sp.exp(characteristic_exponent(statistics, [sp.Float(s) for s in sources]).subs(at))
    )
    for sampled, exact in (
        (samples.real, expected.real),
        (samples.imag, expected.imag),
    ):
        error = sampled.std(ddof=1) / np.sqrt(sampled.size)
        assert abs(sampled.mean() - exact) < 5 * error


def test_mean_and_reciprocity_appear_as_their_own_order_parameters() -> None:
    average = disorder_average(special_vanilla())
    g = sp.Symbol("g", positive=True)
    assert average.mean == (M.symbol,)
    assert average.covariance == sp.Matrix([[g**2]])
    assert average.response == (ETA.symbol * g**2,)
    text = str(derive_model(special_vanilla()).show("disorder"))
    assert "<xi_x(t)> = (m) < [phi](t) >" in text
    assert "xi_x(t) gains (eta*g**2) int dt' R(t, t') [phi](t')" in text


def test_correlated_matrices_give_correlated_currents() -> None:
    average = disorder_average(correlated_gated())
    assert average.covariance == sp.Matrix([[1, 0, 0], [0, 1, RHO.symbol], [0, RHO.symbol, 1]])
    text = str(derive_model(correlated_gated()).show("disorder"))
    assert "<xi_z(t) xi_r(t')> = (rho) < [phi](t) [phi](t') >" in text


def test_plain_models_have_none_of_it() -> None:
    for name in ("vanilla", "gated"):
        average = disorder_average(get(name))
        assert average.covariance == sp.eye(average.covariance.shape[0])
        assert not any(average.mean) and not any(average.response)


@pytest.mark.parametrize("model", [special_vanilla(), correlated_gated()])
def test_what_no_solver_covers_is_refused_with_the_reason(model: Model) -> None:
    equations = derive_equations(model)
    assert equations.stationary is None
    assert "derived and printed only" in equations.closure_failure


def test_mean_alone_is_covered() -> None:
    model = special_vanilla()
    coupling = replace(model.couplings[0], reciprocity=sp.Integer(0))
    equations = derive_equations(replace(model, couplings=(coupling,)))
    assert equations.closure_failure == ""
    assert equations.stationary.current_means == (model.couplings[0].mean,)


@pytest.mark.parametrize(
    "correlations", [{("xi_z", "xi_q"): sp.Integer(1)}, {("xi_z", "xi_z"): sp.Integer(1)}]
)
def test_correlations_name_two_declared_currents(
    correlations: dict[tuple[str, str], sp.Expr],
) -> None:
    with pytest.raises(DeclarationError, match="two different currents"):
        replace(get("gated"), correlations=correlations)
