"""Simulated networks against closed forms, one for each thing that a declaration can say.

A dozen networks of a few hundred units each: error bars of one or two per cent, of the same size as what
N -> infinity leaves out. Two-sided t-tests at 1e-3; each also refuses the theory without the feature.
"""

import math
from dataclasses import dataclass, field

import numpy as np
import pytest
import sympy as sp
from scipy import stats
from scipy.optimize import brentq
from scs_oracle import NODES, WEIGHTS, Theory, scs

from dmft.codegen import compile_network
from dmft.codegen.cache import compile_model_network
from dmft.derivations.model import Coupling, Field, Input, Model, Parameter
from dmft.validation.couplings import GAUSSIAN, Couplings
from dmft.validation.estimate import measure
from dmft.validation.judge import judge
from dmft.validation.schedule import Schedule

LEVEL = 1e-3
SHORT = Schedule(0.25, 20.0, 20.0, (1, 4), (4,), batch=6, tangents=0)


def second_moments(right, p, count=12, n=300, couplings=GAUSSIAN, schedule=SHORT):
    networks = [measure(right, p, schedule, n, r, 5, couplings=couplings) for r in range(count)]
    return [m.second_moment["x"] for m in networks]


def refuses(seen, value):
    return stats.ttest_1samp(seen, value).pvalue < LEVEL


def average(f, mean, variance):
    return float(WEIGHTS @ f(mean + math.sqrt(variance) * NODES))


def test_quenched_input_quiets_a_network():
    """Below chaos all units rest at a Gaussian x with  D = g^2 <tanh^2>_D + input."""
    g, drive = 0.9, 0.5
    exact = brentq(
        lambda d: g**2 * average(lambda x: np.tanh(x) ** 2, 0.0, d) + drive - d, drive, 5.0
    )
    seen = second_moments(compile_network("vanilla"), {"g": g, "input_x": drive})
    assert not refuses(seen, exact)
    assert refuses(seen, drive)


def magnet(g, m):
    """x ~ N(m M, g^2 Q) with M = <tanh x> > 0, Q = <tanh^2 x>: mean and second moment."""
    mean, variance = 1.0, 0.1
    for _ in range(500):
        mean, variance = (
            m * average(np.tanh, mean, variance),
            g**2 * average(lambda x: np.tanh(x) ** 2, mean, variance),
        )
    return mean, mean**2 + variance


@dataclass(frozen=True)
class Magnet(Theory):
    mean: dict = field(default_factory=dict)


def test_mean_couplings_magnetise_a_network():
    """The rows of the judge, mean included: right for the closed form, wrong for 4% off in M."""
    g, m = 0.5, 2.0
    mean, second = magnet(g, m)
    schedule = Schedule(
        0.25, 30.0, 20.0, (2,), (2,), batch=3, tangents=3, mean={"x": mean}, amplitude=1.0
    )
    right = compile_network("mean-coupling")
    networks = [
        measure(right, {"g": g, "m": m}, schedule, n, r, 3)
        for n, count in ((400, 10), (200, 3), (100, 3))
        for r in range(count)
    ]

    def judged(mean):
        lag = np.array([0.0, 10.0])
        theory = Magnet(lag, np.full(2, second), {"x": second}, -0.3, "fixed-point", {"x": mean})
        return judge(theory, networks, schedule)

    rows, _ = judged(mean)
    verdicts = {row.quantity: row.verdict for row in rows}
    assert list(verdicts)[:3] == ["C_x(0)", "mean_x", "C_x(1)"]
    assert verdicts["C_x(0)"] == verdicts["mean_x"] == verdicts["C_x(1)"] == "pass"
    rows, verdict = judged(0.96 * mean)
    assert {row.quantity: row.verdict for row in rows}["mean_x"] == "fail"
    assert verdict == "fail"
    assert "mean_x" not in {row.quantity for row in judged(0.0)[0]}


x, u, v = sp.symbols("x u v", real=True)
G, C, RHO = sp.symbols("g c rho", real=True)
NOISE = Input("eta", "noise", "white", sp.Symbol("D", nonnegative=True))


def declared(parameters, couplings, drift, **more):
    return Model(
        name="closed",
        title="for a closed form",
        citation="none",
        fields=(Field("x", "state"),),
        parameters=tuple(Parameter(n, "number", nonnegative=n == "D") for n in parameters),
        nonlinearities=(),
        couplings=couplings,
        dynamics={"x": drift},
        **more,
    )


def test_correlated_currents_add_up():
    """g (xi_u + xi_v) with one output and correlation c has the variance of SCS at g^2 (2 + 2c)."""
    model = declared(
        ("g", "c"),
        (Coupling("u", sp.tanh(x)), Coupling("v", sp.tanh(x))),
        -x + G * (u + v),
        correlations={("u", "v"): C},
    )
    schedule = Schedule(0.25, 30.0, 40.0, (1,), (1,), batch=8, tangents=0)
    seen = second_moments(
        compile_model_network(model), {"g": 1.0, "c": 0.5}, n=400, schedule=schedule
    )
    assert not refuses(seen, scs(3.0).variance["x"])
    assert refuses(seen, scs(2.0).variance["x"])


@pytest.mark.parametrize("rho", [0.0, 1.0, -1.0])
def test_reciprocity_in_a_linear_noisy_network(rho):
    """<x^2> of dx = (-1 + g J) x dt + sqrt(D) dW in closed form.

    Symmetric J: D/2 times the mean of 1/(1 - g s) over Wigner's semicircle; J without symmetry:
    D int exp(-2t) I_0(2 g t) dt = D / (2 sqrt(1 - g^2)); antisymmetric J rotates: D/2.
    """
    g, intensity = 0.45, 0.7
    factor = {
        0.0: 1 / math.sqrt(1 - g**2),
        1.0: (1 - math.sqrt(1 - 4 * g**2)) / (2 * g**2),
        -1.0: 1.0,
    }
    model = declared(
        ("g", "rho", "D"),
        (Coupling("u", x, reciprocity=RHO),),
        -x + G * u + NOISE.symbol,
        inputs=(NOISE,),
    )
    schedule = Schedule(0.25, 20.0, 60.0, (1,), (1,), batch=10, tangents=0)
    p = {"g": g, "rho": rho, "D": intensity}
    seen = second_moments(compile_model_network(model), p, n=200, schedule=schedule)
    for other, value in factor.items():
        assert refuses(seen, intensity / 2 * value) == (other != rho)


@pytest.mark.parametrize(
    "couplings", [Couplings("uniform"), Couplings("binary"), Couplings("binary", 0.2)]
)
def test_the_distribution_of_the_couplings_does_not_matter(couplings):
    """Universality: SCS at g = 2, whatever the entries are made of."""
    schedule = Schedule(0.25, 30.0, 40.0, (1,), (1,), batch=8, tangents=0)
    right = compile_network("vanilla")
    seen = second_moments(right, {"g": 2.0}, n=400, couplings=couplings, schedule=schedule)
    assert not refuses(seen, scs(4.0).variance["x"])
    assert refuses(seen, scs(4.0 * 0.8).variance["x"])
    assert np.std(seen, ddof=1) / math.sqrt(len(seen)) < 0.03 * np.mean(seen)
