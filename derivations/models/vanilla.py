"""The classical random network of Sompolinsky, Crisanti and Sommers (SCS).

    dx_i/dt = -x_i + g sum_j J_ij tanh(x_j) + I_i + eta_i(t),       J_ij ~ N(0, 1/N)

with an optional quenched input, I ~ N(0, input_x), and white noise, <eta eta'> = noise_x delta.
Source: H. Sompolinsky, A. Crisanti, H. J. Sommers, Chaos in random neural networks, Phys. Rev. Lett. 61,
259 (1988), in the convention where g stands before J. Known limits: rest is stable for g < 1; chaos
with Delta_0 = C(0) from an energy integral for g > 1. Inputs quiet the chaos: K. Rajan, L. F. Abbott,
H. Sompolinsky, Phys. Rev. E 82, 011903 (2010); noise: J. Schuecker, S. Goedeke, M. Helias,
Phys. Rev. X 8, 041029 (2018).
"""

from __future__ import annotations

import sympy as sp

from ..model import Coupling, Field, Input, Model, Nonlinearity, Parameter

_x = Field("x", "input current of a unit", "x")
_g = Parameter("g", "gain: standard deviation of the couplings", positive=True, latex="g")
_input = Parameter(
    "input_x", "variance of the quenched input", 0, nonnegative=True, latex=r"\Delta_I"
)
_noise = Parameter("noise_x", "intensity of the white noise", 0, nonnegative=True, latex="D")

_phi = Nonlinearity("phi", sp.tanh(_x.symbol), r"\varphi")
_current = Coupling("xi_x", _phi.expression)
_I = Input("I_x", "quenched input", "quenched", _input.symbol, latex="I")
_eta = Input("eta_x", "white noise", "white", _noise.symbol, latex=r"\eta")

MODEL = Model(
    name="vanilla",
    title="random network of Sompolinsky, Crisanti and Sommers",
    citation="Sompolinsky, Crisanti & Sommers, Phys. Rev. Lett. 61, 259 (1988)",
    fields=(_x,),
    parameters=(_g, _input, _noise),
    nonlinearities=(_phi,),
    couplings=(_current,),
    dynamics={"x": -_x.symbol + _g.symbol * _current.symbol + _I.symbol + _eta.symbol},
    inputs=(_I, _eta),
)
