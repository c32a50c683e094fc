"""The classical random network of Sompolinsky, Crisanti and Sommers (SCS).

    dx_i/dt = -x_i + g sum_j J_ij tanh(x_j),       J_ij ~ N(0, 1/N)

Source: H. Sompolinsky, A. Crisanti, H. J. Sommers, Chaos in random neural networks,
Phys. Rev. Lett. 61, 259 (1988), in the convention where g stands before J. Known limits:
rest is stable for g < 1; chaos with Delta_0 = C(0) from an energy integral for g > 1.
"""

from __future__ import annotations

import sympy as sp

from ..model import Coupling, Field, Model, Nonlinearity, Parameter

_x = Field("x", "input current of a unit", "x")
_g = Parameter("g", "gain: standard deviation of the couplings", positive=True, latex="g")
_phi = Nonlinearity("phi", sp.tanh(_x.symbol), r"\varphi")
_current = Coupling("xi_x", _phi.expression)

MODEL = Model(
    name="vanilla",
    title="random network of Sompolinsky, Crisanti and Sommers",
    citation="Sompolinsky, Crisanti & Sommers, Phys. Rev. Lett. 61, 259 (1988)",
    fields=(_x,),
    parameters=(_g,),
    nonlinearities=(_phi,),
    couplings=(_current,),
    dynamics={"x": -_x.symbol + _g.symbol * _current.symbol},
)
