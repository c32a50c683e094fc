r"""The vanilla network with couplings of non-zero mean: chaos beside a mean activity.

    dx_i/dt = -x_i + sum_j J_ij tanh(x_j) + I_i,       J_ij ~ N(m/N, g^2/N),      I ~ N(0, input_x)

The mean m/N couples every unit to the mean output M = <tanh x>, an order parameter of its own beside the
autocorrelation: x is Gaussian with mean m M. Source: H. Sompolinsky, A. Crisanti, H. J. Sommers, PRL 61,
259 (1988) for the network; F. Mastrogiuseppe, S. Ostojic, Neuron 99, 609 (2018), whose unit-rank network
with m and n along the uniform vector it is. Known limits:

* rest is stable for g < 1 and m < 1: the bulk of the spectrum has radius g, the mean adds the eigenvalue m;
* m < 1 leaves `vanilla` as it is (M = 0 solves); g -> 0 is the Curie-Weiss equation x = m tanh x;
* the sign of M is free (x -> -x): the solution with M > 0 is given.
"""

from __future__ import annotations

import sympy as sp

from ..model import Coupling, Field, Input, Model, Nonlinearity, Parameter

_x = Field("x", "input current of a unit", "x")
_g = Parameter("g", "standard deviation of the couplings", positive=True, latex="g")
_m = Parameter("m", "mean of the couplings", 0, latex="m")
_input = Parameter(
    "input_x", "variance of the quenched input", 0, nonnegative=True, latex=r"\Delta_I"
)
_phi = Nonlinearity("phi", sp.tanh(_x.symbol), r"\varphi")
_current = Coupling("xi_x", _phi.expression, _g.symbol**2, _m.symbol)
_I = Input("I_x", "quenched input", "quenched", _input.symbol, latex="I")

MODEL = Model(
    name="mean-coupling",
    title="random network whose couplings have a mean",
    citation="Sompolinsky, Crisanti & Sommers, Phys. Rev. Lett. 61, 259 (1988); Mastrogiuseppe & "
    "Ostojic, Neuron 99, 609 (2018)",
    fields=(_x,),
    parameters=(_g, _m, _input),
    nonlinearities=(_phi,),
    couplings=(_current,),
    dynamics={"x": -_x.symbol + _current.symbol + _I.symbol},
    inputs=(_I,),
)
