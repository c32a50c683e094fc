r"""The gated network of Krishnamurthy, Can and Schwab (KCS).

    dh_i/dt       = sigma_z(z_i) [-h_i + sum_j J^h_ij phi(h_j) sigma_r(r_j)] + I^h_i + eta^h_i(t)
    tau_z dz_i/dt = -z_i + sum_j J^z_ij phi(h_j) + I^z_i + eta^z_i(t)
    tau_r dr_i/dt = -r_i + sum_j J^r_ij phi(h_j) + I^r_i + eta^r_i(t)

    phi(x) = tanh(g_h x + beta_h),   sigma_a(x) = 1 / (1 + exp(-alpha_a x + beta_a)),   J ~ N(0, 1/N)

z is the update gate (time scales), r the output gate (dimensionality); beta_a > 0 closes a gate.
Quenched inputs I^k ~ N(0, input_k) and white noise, <eta eta'> = noise_k delta, act outside the
bracket; `gated-input` has the quenched input of h inside.
Source: K. Krishnamurthy, T. Can, D. J. Schwab, Theory of gating in recurrent neural networks,
Phys. Rev. X 12, 011011 (2022). Known limits: alpha_r = beta_r = 0 is `vanilla` with
gain g_h / 2 (h in units of 1/g_h, times in units of 1/sigma_z).
"""

from __future__ import annotations

import sympy as sp

from ..functions import logistic
from ..model import Coupling, Field, Input, Model, Nonlinearity, Parameter

_h = Field("h", "internal state of a unit", "h")
_z = Field("z", "input of the update gate", "z")
_r = Field("r", "input of the output gate", "r")

_g_h = Parameter("g_h", "gain of the unit's output", positive=True, latex="g_h")
_alpha_z = Parameter("alpha_z", "gain of the update gate", 0, latex=r"\alpha_z")
_alpha_r = Parameter("alpha_r", "gain of the output gate", 0, latex=r"\alpha_r")
_beta_h = Parameter("beta_h", "bias of the unit's output", 0, latex=r"\beta_h")
_beta_z = Parameter("beta_z", "bias of the update gate, > 0 closes it", 0, latex=r"\beta_z")
_beta_r = Parameter("beta_r", "bias of the output gate, > 0 closes it", 0, latex=r"\beta_r")
_tau_z = Parameter(
    "tau_z", "time constant of the update gate", 1, True, "leak time of h", r"\tau_z"
)
_tau_r = Parameter(
    "tau_r", "time constant of the output gate", 1, True, "leak time of h", r"\tau_r"
)

_fields = (_h, _z, _r)
_inputs = tuple(
    Parameter(
        f"input_{f.name}",
        f"variance of the quenched input of {f.name}",
        0,
        nonnegative=True,
        latex=rf"\Delta_I^{{{f.name}}}",
    )
    for f in _fields
)
_noises = tuple(
    Parameter(
        f"noise_{f.name}",
        f"intensity of the white noise of {f.name}",
        0,
        nonnegative=True,
        latex=f"D_{{{f.name}}}",
    )
    for f in _fields
)
_I = tuple(
    Input(
        f"I_{f.name}", f"quenched input of {f.name}", "quenched", p.symbol, latex=f"I_{{{f.name}}}"
    )
    for f, p in zip(_fields, _inputs, strict=True)
)
_eta = tuple(
    Input(
        f"eta_{f.name}", f"white noise of {f.name}", "white", p.symbol, latex=rf"\eta_{{{f.name}}}"
    )
    for f, p in zip(_fields, _noises, strict=True)
)

_phi = Nonlinearity("phi", sp.tanh(_g_h.symbol * _h.symbol + _beta_h.symbol), r"\varphi")
_sigma_z = Nonlinearity(
    "sigma_z", logistic(_alpha_z.symbol * _z.symbol - _beta_z.symbol), r"\sigma_z"
)
_sigma_r = Nonlinearity(
    "sigma_r", logistic(_alpha_r.symbol * _r.symbol - _beta_r.symbol), r"\sigma_r"
)

_xi_h = Coupling("xi_h", _phi.expression * _sigma_r.expression)
_xi_z = Coupling("xi_z", _phi.expression)
_xi_r = Coupling("xi_r", _phi.expression)

MODEL = Model(
    name="gated",
    title="gated random network of Krishnamurthy, Can and Schwab",
    citation="Krishnamurthy, Can & Schwab, Phys. Rev. X 12, 011011 (2022)",
    fields=_fields,
    parameters=(
        *(_g_h, _alpha_z, _alpha_r, _beta_h, _beta_z, _beta_r, _tau_z, _tau_r),
        *_inputs,
        *_noises,
    ),
    nonlinearities=(_phi, _sigma_z, _sigma_r),
    couplings=(_xi_h, _xi_z, _xi_r),
    dynamics={
        "h": _sigma_z.expression * (-_h.symbol + _xi_h.symbol) + _I[0].symbol + _eta[0].symbol,
        "z": (-_z.symbol + _xi_z.symbol + _I[1].symbol + _eta[1].symbol) / _tau_z.symbol,
        "r": (-_r.symbol + _xi_r.symbol + _I[2].symbol + _eta[2].symbol) / _tau_r.symbol,
    },
    inputs=(*_I, *_eta),
)
