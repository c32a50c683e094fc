r"""The vanilla network with an error function: every Gaussian average has a closed form.

    dx_i/dt = -x_i + g sum_j J_ij phi(x_j) + I_i + eta_i(t),
    phi(x) = erf(sqrt(pi) x / 2),     J_ij ~ N(0, 1/N),     I ~ N(0, input_x),     <eta eta'> = noise_x delta

The factor sqrt(pi)/2 makes the slope at zero one, as that of tanh, so that g is the same gain:
rest is stable for g < 1. For Gaussian x, y of variance D and covariance C, with a = sqrt(pi)/2,

    E phi(x) phi(y)   = (2/pi) asin(2 a^2 C / (1 + 2 a^2 D)),
    E phi'(x) phi'(y) = 1 / sqrt((1 + 2 a^2 D)^2 - (2 a^2 C)^2),           2 a^2 = pi/2.

The first is C. K. I. Williams, Computation with infinite neural networks, Neural Comput. 10, 1203
(1998), Eq. (11); the second its derivative by C (Price). Nothing in the solvers knows these forms:
they compute the averages like those of any other function, and the tests hold them against these.

Source of the network: H. Sompolinsky, A. Crisanti, H. J. Sommers, Phys. Rev. Lett. 61, 259 (1988),
which asks of phi that it be odd and sigmoid, no more. Known limits: chaos for every g > 1, with
Delta_0 = C(0) from the energy integral  int_0^{Delta_0} (c - g^2 E phi phi(c)) dc = 0,  which is
elementary here; for g -> infinity phi becomes a sign and C(0) -> 2 (1 - 2/pi) g^2, as for tanh.
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
_phi = Nonlinearity("phi", sp.erf(sp.sqrt(sp.pi) * _x.symbol / 2), r"\varphi")
_current = Coupling("xi_x", _phi.expression)
_I = Input("I_x", "quenched input", "quenched", _input.symbol, latex="I")
_eta = Input("eta_x", "white noise", "white", _noise.symbol, latex=r"\eta")

MODEL = Model(
    name="vanilla-erf",
    title="random network with the error function, whose Gaussian averages have closed forms",
    citation="Sompolinsky, Crisanti & Sommers, Phys. Rev. Lett. 61, 259 (1988); averages: "
    "Williams, Neural Comput. 10, 1203 (1998)",
    fields=(_x,),
    parameters=(_g, _input, _noise),
    nonlinearities=(_phi,),
    couplings=(_current,),
    dynamics={"x": -_x.symbol + _g.symbol * _current.symbol + _I.symbol + _eta.symbol},
    inputs=(_I, _eta),
)
