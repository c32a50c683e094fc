r"""The gated network with the quenched input of h inside the bracket, as in a GRU.

    dh_i/dt       = sigma_z(z_i) [-h_i + sum_j J^h_ij phi(h_j) sigma_r(r_j) + I^h_i]
    tau_z dz_i/dt = -z_i + sum_j J^z_ij phi(h_j) + I^z_i
    tau_r dr_i/dt = -r_i + sum_j J^r_ij phi(h_j) + I^r_i

All else is as in `gated`; the two are the same network where I^h = 0. Where the update gate has no gain
it is `gated` with the variance of I^h multiplied by sigma_z^2; elsewhere they differ: here the gate that
closes a unit shields it from its input, and fixed points do not depend on the update gate. Source:
K. Krishnamurthy, T. Can, D. J. Schwab, Phys. Rev. X 12, 011011 (2022), who let the gates act on the
recurrent input; K. Cho et al., EMNLP 2014, arXiv:1406.1078, for the GRU's input under its gate. White
noise under a moving gate would be multiplicative and is not part of the model.
"""

from __future__ import annotations

from dataclasses import replace

from .gated import MODEL as _GATED

_quenched = tuple(i for i in _GATED.inputs if i.kind == "quenched")
_noise = {i.symbol: 0 for i in _GATED.inputs if i.kind == "white"}
_I = _quenched[0].symbol
_sigma_z = next(n for n in _GATED.nonlinearities if n.name == "sigma_z")
_left_alone = {k: f.subs(_noise) for k, f in _GATED.dynamics.items()}

MODEL = replace(
    _GATED,
    name="gated-input",
    title="gated random network with the input inside the bracket",
    parameters=tuple(p for p in _GATED.parameters if not p.name.startswith("noise_")),
    dynamics=_left_alone | {"h": _left_alone["h"].subs(_I, 0) + _sigma_z.expression * _I},
    inputs=_quenched,
)
