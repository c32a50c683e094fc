r"""A random network whose units adapt: a slow linear current follows each unit and pushes back.

    dx_i/dt = -x_i - a_i + g sum_j J_ij tanh(x_j),      J_ij ~ N(0, 1/N)
    da_i/dt = gamma (-a_i + beta x_i)

Time is in units of the leak of x; gamma is the ratio of the time constants of x and a, beta the
strength of the adaptation (negative: facilitation). Source: S. P. Muscinelli, W. Gerstner,
T. Schwalger, How single neuron properties shape chaotic dynamics and signal transmission in random
neural networks, PLoS Comput. Biol. 15, e1007122 (2019), who write g into the couplings, variance
g^2/N; signs and the place of gamma and beta as in their programs (github.com/SMuscimol/multiDchaos).

Both fields follow one current, x = G xi, and only x is heard by others. With s = i omega,

    G(s) = (s + gamma) / ((s + 1)(s + gamma) + gamma beta),
    1/|G(i omega)|^2 = u + K/u + 1 - gamma^2 - 2 gamma beta,
        u = gamma^2 + omega^2,     K = gamma^2 beta (2 + 2 gamma + beta).

The sum u + K/u is smallest at u = sqrt(K). Known in closed form, therefore:

* rest loses stability at g_c = 1 / max_omega |G(i omega)|;
* if gamma^2 < sqrt(K) the units resonate, the instability is oscillatory, and
  g_c^2 = 1 - gamma^2 - 2 gamma beta + 2 sqrt(K) at the frequency omega_c^2 = sqrt(K) - gamma^2;
* else omega_c = 0 and g_c = 1 + beta; beyond, non-zero fixed points exist as in `vanilla`;
* beta = 0 is `vanilla` in x (a only follows), gamma -> 0 is `vanilla` too (a stays at rest), and
  gamma -> infinity is `vanilla` with the leak 1 + beta.

A resonant network has non-zero fixed points for g > 1 + beta only, and chaos from g_c < 1 + beta
on: "resonant chaos", whose autocorrelation is a damped oscillation.
"""

from __future__ import annotations

import sympy as sp

from ..model import Coupling, Field, Model, Nonlinearity, Parameter

_x = Field("x", "input current of a unit", "x")
_a = Field("a", "adaptation current of a unit", "a")

_g = Parameter("g", "gain: standard deviation of the couplings", positive=True, latex="g")
_gamma = Parameter(
    "gamma",
    "rate of the adaptation",
    sp.Rational(1, 4),
    True,
    "1 / leak time of x",
    r"\gamma",
)
_beta = Parameter("beta", "strength of the adaptation", 1, latex=r"\beta")

_phi = Nonlinearity("phi", sp.tanh(_x.symbol), r"\varphi")
_current = Coupling("xi_x", _phi.expression)

MODEL = Model(
    name="adaptation",
    title="random network with linear adaptation",
    citation="Muscinelli, Gerstner & Schwalger, PLoS Comput. Biol. 15, e1007122 (2019)",
    fields=(_x, _a),
    parameters=(_g, _gamma, _beta),
    nonlinearities=(_phi,),
    couplings=(_current,),
    dynamics={
        "x": -_x.symbol - _a.symbol + _g.symbol * _current.symbol,
        "a": _gamma.symbol * (-_a.symbol + _beta.symbol * _x.symbol),
    },
)
