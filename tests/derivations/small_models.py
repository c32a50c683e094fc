"""Networks of one or two fields, to be varied in the tests of declarations and closure."""

import sympy as sp

from dmft.derivations.model import Coupling, Field, Model, Nonlinearity, Parameter

x = sp.Symbol("x", real=True)
y = sp.Symbol("y", real=True)
xi = sp.Symbol("xi", real=True)
eta = sp.Symbol("eta", real=True)
a = sp.Symbol("a", real=True)
g = sp.Symbol("g", positive=True)


def one_field(**changes):
    """dx/dt = -x + xi, xi from g tanh(x + a x^2): every part can be replaced."""
    parts = {
        "name": "small",
        "title": "one field",
        "citation": "none",
        "fields": (Field("x", "state"),),
        "parameters": (Parameter("g", "gain", positive=True), Parameter("a", "asymmetry", 0)),
        "nonlinearities": (Nonlinearity("phi", sp.tanh(x)),),
        "couplings": (Coupling("xi", g * sp.tanh(x + a * x**2)),),
        "dynamics": {"x": -x + xi},
    }
    return Model(**(parts | changes))


def two_fields(drift_y=-y + eta, output=None, **changes):
    """x driven by xi, y by ``drift_y``; the output of xi multiplies functions of both."""
    parts = {
        "name": "pair",
        "title": "two fields",
        "citation": "none",
        "fields": (Field("x", "state"), Field("y", "gate")),
        "parameters": (Parameter("g", "gain", positive=True),),
        "nonlinearities": (),
        "couplings": (
            Coupling("xi", g * sp.tanh(x) * sp.cos(y) if output is None else output),
            Coupling("eta", sp.tanh(x)),
        ),
        "dynamics": {"x": -x + xi, "y": drift_y},
    }
    return Model(**(parts | changes))
