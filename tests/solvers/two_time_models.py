"""Small networks for the two-time tests, and runs of one population on them."""

import numpy as np
import sympy as sp

from dmft.codegen.two_time import compile_two_time
from dmft.derivations.functions import logistic
from dmft.derivations.model import Coupling, Field, Input, Model, Nonlinearity, Parameter
from dmft.protocol import Protocol
from dmft.solvers.two_time_grid import time_grid
from dmft.solvers.two_time_population import Population
from dmft.solvers.two_time_problem import TwoTimeProblem
from dmft.solvers.two_time_start import field_starts

x, y, z, xi, eta, pattern, noise = sp.symbols("x y z xi eta pattern noise", real=True)
v, g = sp.Symbol("v", nonnegative=True), sp.Symbol("g", positive=True)
D, c, m, a = sp.symbols("D c m a", real=True)


def linear(**changes):
    """dx/dt = -x + xi + I + eta, xi of variance v <x x'>: everything in closed form."""
    parts = {
        "name": "linear",
        "title": "linear network",
        "citation": "none: declared in the tests",
        "fields": (Field("x", "state"),),
        "parameters": (
            Parameter("v", "variance of the couplings", 0, nonnegative=True),
            Parameter("c", "variance of the pattern", 0),
            Parameter("m", "mean of the pattern", 0),
            Parameter("D", "noise", 0),
            Parameter("a", "constant drive", 0),
        ),
        "nonlinearities": (Nonlinearity("square", x**2),),
        "couplings": (Coupling("xi", x, v),),
        "dynamics": {"x": -x + xi + pattern + noise + a},
        "inputs": (
            Input("pattern", "pattern", "quenched", c, m),
            Input("noise", "noise", "white", D),
        ),
    }
    return Model(**(parts | changes))


def rotating(**changes):
    """Two linear fields that turn about each other, x with noise and a pattern, y hears xi as well."""
    parts = {
        "name": "rotating",
        "title": "two linear fields",
        "citation": "none: declared in the tests",
        "fields": (Field("x", "state"), Field("y", "follower")),
        "parameters": linear().parameters,
        "nonlinearities": (),
        "couplings": (Coupling("xi", x, v),),
        "dynamics": {
            "x": -x - 2 * y + xi + pattern + noise,
            "y": (x - y) / 2 + xi / 2 + a,
        },
        "inputs": linear().inputs,
    }
    return Model(**(parts | changes))


def gate(output=None, **changes):
    """x under a gate z, both driven by tanh of x times ``output`` of anything."""
    parts = {
        "name": "gate",
        "title": "one gated field",
        "citation": "none: declared in the tests",
        "fields": (Field("x", "state"), Field("z", "gate")),
        "parameters": (
            Parameter("g", "gain", positive=True),
            Parameter("a", "gain of the gate", 0),
            Parameter("m", "mean of the couplings", 0),
            Parameter("c", "variance of the pattern", 0),
        ),
        "nonlinearities": (
            Nonlinearity("phi", sp.tanh(g * x)),
            Nonlinearity("sigma", logistic(a * z)),
        ),
        "couplings": (
            Coupling("xi", sp.tanh(g * x) if output is None else output, mean=m),
            Coupling("eta", sp.tanh(g * x + sp.Rational(1, 2))),
        ),
        "dynamics": {"x": logistic(a * z) * (-x + 2 * xi) + pattern, "z": (-z + eta) / 2},
        "inputs": (Input("pattern", "pattern", "quenched", c),),
    }
    return Model(**(parts | changes))


def population(
    model, parameters, times, start=None, paths=4, seed=0, number=0, tolerance=1e-4, **options
):
    """One population run to the end of the grid. ``parameters`` may be a protocol."""
    theory = model if hasattr(model, "gating") else compile_two_time(model)
    if not isinstance(parameters, Protocol):
        parameters = Protocol(complete(theory, **parameters))
    grid = time_grid(parameters, times)
    starts = field_starts(theory.info.fields, start)
    found = Population(
        TwoTimeProblem(theory, grid), starts, paths, tolerance, seed, number, **options
    )
    while found.size < len(grid):
        found.advance()
    return found


def complete(theory, **given):
    """All parameters, defaults filled in."""
    known = {p.name: p.default for p in theory.info.parameters}
    return {name: float(given.get(name, default)) for name, default in known.items()}


def slope(steps, errors):
    """Order of convergence: d log error / d log step."""
    return np.polyfit(np.log(steps), np.log(errors), 1)[0]
