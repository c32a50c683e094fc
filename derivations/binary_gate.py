r"""Binary limit of a gate: it opens or closes for good, and closed units keep their fields.

A gate s(y) = F(a y - b) multiplies the whole dynamics of some fields,

    dx_k/dt = F(a y - b) L_k(x, xi, I),     F(-oo) = 0,  0 < F(oo) < oo.

Its gain a goes to infinity with the threshold theta = b / a held fixed: s vanishes where y < theta and
is open where y > theta. In a constant state y is Gaussian of mean mu and variance Delta, so that a
share

    f = P(y > theta) = erfc((theta - mu) / sqrt(2 Delta)) / 2

of the units is open. A perturbation exp(s t) of unit i is filtered by s(y_i) / (s + s(y_i)), which for
any s > 0 tends to zero in closed units and, as s -> 0, to one in open ones. The factor of the
Jacobian's edge (`edge`) that the gate multiplies becomes f times what it is without the gate: the
state is unstable where the spectral radius of the matrix with these factors exceeds one, and where only
the radius without them does the edge tends to zero: marginal stability (K. Krishnamurthy, T. Can, D. J.
Schwab, Phys. Rev. X 12, 011011 (2022)). Perturbations of y do not count: L_k = 0 in open units of a
constant state. Closed ones keep any value of x_k; the equations of the statics hold if these values
have the variance that open units have.

Requires one gate; fields that do not drive each other, so that each filter is largest at zero frequency;
y independent of the gated fields, which is so where their currents are.
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from .conditional import ConditionalStructure, conditional_structure
from .model import Model

__all__ = ["BinaryGate", "binary_gate"]


@dataclass(frozen=True)
class BinaryGate:
    """Names: ``field`` y, parameters ``gain`` a and ``bias`` b, ``gated`` the fields that are held.

    ``threshold`` is the name of theta; ``opening`` is F(a y - b), in the symbol of y and parameters.
    ``failure`` says why there is no such limit; the rest is empty.
    """

    field: str = ""
    gain: str = ""
    bias: str = ""
    gated: tuple[str, ...] = ()
    opening: sp.Expr | None = None
    failure: str = ""

    @property
    def threshold(self) -> str:
        """Name of theta."""
        return f"theta_{self.field}"


def binary_gate(model: Model) -> BinaryGate:
    """Find the gate of a model.

    >>> from .models import get
    >>> found = binary_gate(get("gated"))
    >>> found.field, found.gain, found.bias, found.gated, found.threshold
    ('z', 'alpha_z', 'beta_z', ('h',), 'theta_z')
    >>> binary_gate(get("vanilla")).failure
    'no gate multiplies the dynamics of a field'
    """
    structure = conditional_structure(model)
    if structure is None:
        return BinaryGate(failure="its fields are not Gaussian given the paths of gates")
    if not structure.gating:
        return BinaryGate(failure="no gate multiplies the dynamics of a field")
    if len(structure.gating) > 1:
        return BinaryGate(failure="several fields gate")
    if not structure.drift_matrix.is_diagonal():
        return BinaryGate(failure="fields drive each other")
    name = structure.gating[0]
    if _shared(structure, name):
        return BinaryGate(failure="the gate and what it gates have a common current or input")
    y = next(f.symbol for f in model.fields if f.name == name)
    parameters = {p.symbol: p.name for p in model.parameters}
    drift = {k: sp.sympify(f) for k, f in model.dynamics.items()}
    halves = {k: _halves(drift[k], y, model.input_symbols()) for k in structure.conditional}
    steps = {_step(gate, y, set(parameters)) for gate, _ in halves.values()}
    if None in steps:
        return BinaryGate(failure="the gate does not close, or not as a whole")
    if len(steps) > 1:
        return BinaryGate(failure="gates of several fields have different parameters")
    (gain, bias) = next(step for step in steps if step is not None)
    outputs = [sp.sympify(c.output) for c in model.couplings]
    others = [rest for _, rest in halves.values()]
    others += [drift[k] for k in (*structure.gaussian, *structure.gating)]
    if any(e.has(y) for e in outputs) or any(e.has(gain, bias) for e in (*outputs, *others)):
        return BinaryGate(failure="the gate acts elsewhere too")
    if f"theta_{name}" in parameters.values():
        return BinaryGate(failure=f"theta_{name} is a parameter already")
    opening = next(gate for gate, _ in halves.values())
    return BinaryGate(name, parameters[gain], parameters[bias], structure.conditional, opening)


def _shared(structure: ConditionalStructure, gate: str) -> bool:
    """Whether gate and gated fields are reached by a common source."""
    mine = structure.reached_by(gate, gates=False)
    return any(mine & structure.reached_by(x, gates=False) for x in structure.conditional)


def _halves(drift: sp.Expr, y: sp.Symbol, inputs: tuple[sp.Symbol, ...]) -> tuple[sp.Expr, sp.Expr]:
    """Products of the factors with and without y; inputs beside the gate are the statics' affair."""
    factors = sp.Mul.make_args(sp.factor_terms(drift.subs(dict.fromkeys(inputs, 0))))
    with_y = [e for e in factors if e.has(y)]
    return sp.Mul(*with_y), sp.Mul(*[e for e in factors if not e.has(y)])


def _step(
    gate: sp.Expr, y: sp.Symbol, parameters: set[sp.Symbol]
) -> tuple[sp.Symbol, sp.Symbol] | None:
    """a and b of a gate F(a y - b) that closes on the left and opens on the right."""
    if not gate.free_symbols <= parameters | {y}:
        return None
    for bias in sorted(gate.free_symbols - {y}, key=str):
        gain = sp.simplify(-sp.diff(gate, y) / sp.diff(gate, bias))
        if gain in parameters and gain != bias:
            u = sp.Symbol("u", real=True)
            profile = gate.subs({gain: 1, bias: 0, y: u}).rewrite(sp.exp)
            ends = [sp.limit(profile, u, side) for side in (-sp.oo, sp.oo)]
            if ends[0] == 0 and ends[1].is_finite and ends[1].is_positive:
                return gain, bias
    return None
