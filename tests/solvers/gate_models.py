"""Networks with moving gates for the tests of the path sampler, and their compiled theories."""

from dataclasses import replace
from functools import cache

import sympy as sp

from dmft.codegen.cache import describe
from dmft.codegen.conditional import compile_conditional
from dmft.derivations.equations import derive_equations
from dmft.derivations.functions import logistic
from dmft.derivations.model import Coupling, Field, Model, Nonlinearity, Parameter
from dmft.derivations.models import get
from dmft.solvers.conditional_model import ConditionalModel

h, a, z, u = sp.symbols("h a z u", real=True)
xi_h, xi_z, xi_u = sp.symbols("xi_h xi_z xi_u", real=True)
g = sp.Symbol("g", positive=True)
alpha, kappa = sp.symbols("alpha kappa", real=True)


def adapting(**changes):
    """A gated field with a follower that holds it back, beside two gates: a block of two fields.

    dh/dt = s(z) (-h + xi_h) - kappa a,  da/dt = (-a + h s(u)) / 2,  z and u driven by currents.
    """
    output = sp.tanh(g * h)
    parts = {
        "name": "adapting",
        "title": "gated network with adaptation",
        "citation": "none: declared in the tests",
        "fields": (
            Field("h", "state"),
            Field("a", "adaptation"),
            Field("z", "gate"),
            Field("u", "gate"),
        ),
        "parameters": (
            Parameter("g", "gain", positive=True),
            Parameter("alpha", "gain of the gates", 0),
            Parameter("kappa", "strength of adaptation", 0),
        ),
        "nonlinearities": (Nonlinearity("output", output),),
        "couplings": (
            Coupling("xi_h", output),
            Coupling("xi_z", output),
            Coupling("xi_u", output),
        ),
        "dynamics": {
            "h": 2 * logistic(alpha * z) * (-h + xi_h) - kappa * a,
            "a": (-a + 2 * logistic(alpha * u) * h) / 2,
            "z": -z + xi_z,
            "u": (-u + xi_u) / 2,
        },
    }
    return Model(**(parts | changes))


def shared_current():
    """The gate and what it gates hear one current: a path of the gate tells of the current itself."""
    model = adapting()
    return replace(model, dynamics={**model.dynamics, "z": -z + xi_h})


MODELS = {"adapting": adapting, "shared": shared_current}


@cache
def conditional_theory(name):
    """The compiled conditionally Gaussian form of a shipped model or of one above."""
    model = MODELS[name]() if name in MODELS else get(name)
    return compile_conditional(derive_equations(model), describe(model))


def complete(name, **given):
    """All parameters, defaults filled in."""
    known = conditional_theory(name).info.parameters
    return {p.name: float(given.get(p.name, p.default or 0.0)) for p in known}


def conditional_model(name, **given):
    """A theory at given parameters."""
    return ConditionalModel(conditional_theory(name), complete(name, **given))
