r"""A network with two output gates: declared for the tests, it ships nowhere.

    dh/dt       = -h + sum_j J^h_ij tanh(g_h h_j) sigma(alpha_r r_j - beta_r) sigma(alpha_q q_j - beta_q)
    tau_r dr/dt = -r + sum_j J^r_ij tanh(g_h h_j)
    tau_q dq/dt = -q + sum_j J^q_ij tanh(g_h h_j),        J^q of variance v_q / N, the others 1 / N

Three Gaussian fields, all of them active, and a coupling variance that is not one: nothing in the
package was written with it in view.
"""

import sympy as sp

from dmft.derivations.functions import logistic
from dmft.derivations.model import Coupling, Field, Model, Nonlinearity, Parameter

_h, _r, _q = Field("h", "state"), Field("r", "first gate"), Field("q", "second gate")
_g_h = Parameter("g_h", "gain", positive=True)
_alpha_r, _alpha_q = Parameter("alpha_r", "gate gain", 0), Parameter("alpha_q", "gate gain", 0)
_beta_r, _beta_q = Parameter("beta_r", "gate bias", 0), Parameter("beta_q", "gate bias", 0)
_tau_r = Parameter("tau_r", "time constant", 1, positive=True)
_tau_q = Parameter("tau_q", "time constant", 1, positive=True)
_v_q = Parameter("v_q", "variance of the couplings that drive q", 1, positive=True)

_phi = Nonlinearity("phi", sp.tanh(_g_h.symbol * _h.symbol))
_sigma_r = Nonlinearity("sigma_r", logistic(_alpha_r.symbol * _r.symbol - _beta_r.symbol))
_sigma_q = Nonlinearity("sigma_q", logistic(_alpha_q.symbol * _q.symbol - _beta_q.symbol))

_xi_h = Coupling("xi_h", _phi.expression * _sigma_r.expression * _sigma_q.expression)
_xi_r = Coupling("xi_r", _phi.expression)
_xi_q = Coupling("xi_q", _phi.expression, _v_q.symbol)

MODEL = Model(
    name="two_gates",
    title="network with two output gates",
    citation="none: declared in the tests",
    fields=(_h, _r, _q),
    parameters=(_g_h, _alpha_r, _alpha_q, _beta_r, _beta_q, _tau_r, _tau_q, _v_q),
    nonlinearities=(_phi, _sigma_r, _sigma_q),
    couplings=(_xi_h, _xi_r, _xi_q),
    dynamics={
        "h": -_h.symbol + _xi_h.symbol,
        "r": (-_r.symbol + _xi_r.symbol) / _tau_r.symbol,
        "q": (-_q.symbol + _xi_q.symbol) / _tau_q.symbol,
    },
)


def complete(**given):
    """All parameters, defaults filled in."""
    return {p.name: float(given.get(p.name, p.default)) for p in MODEL.parameters}
