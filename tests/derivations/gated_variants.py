"""Conditionally Gaussian networks beside `gated`, to hold general statements against."""

import sympy as sp

from dmft.derivations.functions import logistic
from dmft.derivations.model import Coupling, Field, Input, Model, Nonlinearity, Parameter

h, a, z, y, q = sp.symbols("h a z y q", real=True)
xi_h, xi_z, xi_y, xi_q = sp.symbols("xi_h xi_z xi_y xi_q", real=True)
gain = sp.Symbol("gain", positive=True)
b, c, w = sp.symbols("b c w", real=True)

_FIELDS = (Field("h", "state"), Field("a", "follower"), Field("z", "gate"), Field("y", "gate"))
_PARAMETERS = (
    Parameter("gain", "gain", positive=True),
    Parameter("b", "gain of the first gate", 0),
    Parameter("c", "gain of the second gate", 0),
    Parameter("w", "weight of the follower", 0),
)
_GATE = Nonlinearity("sigma", logistic(b * z))


def followed(**changes: object) -> Model:
    """h moved by two gates, a follower a that feeds back on h, a free field q in the output of h.

    An input stands beside the state under the gate; z has an input of its own.
    """
    parts: dict[str, object] = {
        "name": "followed",
        "title": "a gated state with a follower",
        "citation": "none: declared in the tests",
        "fields": (*_FIELDS, Field("q", "output gate")),
        "parameters": _PARAMETERS,
        "nonlinearities": (_GATE,),
        "couplings": (
            Coupling("xi_h", sp.tanh(h) * logistic(q)),
            Coupling("xi_z", sp.tanh(gain * a), gain),
            Coupling("xi_y", sp.tanh(h)),
            Coupling("xi_q", sp.sin(h)),
        ),
        "dynamics": {
            "h": logistic(b * z) * (-h + gain * xi_h + sp.Symbol("pattern", real=True))
            - w * a
            + sp.tanh(c * y) * xi_h / 2,
            "a": (-a + h) / 3,
            "z": (-z + xi_z) / 2,
            "y": -y + z / 2 + xi_y + sp.Symbol("other", real=True),
            "q": -q + xi_q,
        },
        "inputs": (
            Input("pattern", "pattern", "quenched", gain**2),
            Input("other", "pattern", "quenched", gain),
        ),
    }
    return Model(**(parts | changes))  # type: ignore[arg-type]
