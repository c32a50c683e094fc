r"""Conditional-Gaussian structure: which fields are Gaussian given the paths of others.

The dynamics x' = A(y) x + B(y) xi are linear in the fields x and their currents, with coefficients
moved by *gating* fields y only; the gating fields themselves have constant coefficients, so that
they are Gaussian. Given the paths of y, x is Gaussian too:

    x(t) = int ds P(t, s) B(y(s)) xi(s),      dP/dt = A(y(t)) P,  P(s, s) = 1,
    K_y(t, t') = int int P(t, u) B(y(u)) <xi(u) xi(u')> B(y(u'))^T P(t', u')^T du du',

and every average is one over y of a Gaussian average: C_x = E_y K_y,  C_phi(t, t') = E_y E[phi phi' | K_y].
This holds for two times, so that it also gives the two-time equations.
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from .model import Model

__all__ = ["ConditionalStructure", "conditional_structure"]


@dataclass(frozen=True)
class ConditionalStructure:
    """Names of the fields in each role, and A(y), B(y) (rows all fields).

    ``gating`` fields move coefficients; ``conditional`` fields have moving coefficients, or follow
    fields that have, and are Gaussian given the gating ones; ``gaussian`` fields are neither.
    """

    gating: tuple[str, ...]
    conditional: tuple[str, ...]
    gaussian: tuple[str, ...]
    drift_matrix: sp.Matrix
    input_matrix: sp.Matrix

    @property
    def closes(self) -> bool:
        """Whether all fields are Gaussian without conditioning."""
        return not self.gating


def conditional_structure(model: Model) -> ConditionalStructure | None:
    """Find the roles of the fields; None when the theory is not conditionally Gaussian.

    That is so when some coefficient depends on a field that has moving coefficients itself or follows
    one that has, or on a current, or when the dynamics have a part without field or current.

    >>> from .models import get
    >>> found = conditional_structure(get("gated"))
    >>> found.gating, found.conditional, found.gaussian
    (('z',), ('h',), ('r',))
    """
    fields, currents = model.field_symbols(), model.current_symbols()
    drift = sp.Matrix(model.drift())
    by_field = drift.jacobian(fields).applyfunc(sp.simplify)
    by_current = drift.jacobian(currents).applyfunc(sp.simplify)

    def moved_by(k: int, others: set[sp.Symbol]) -> set[sp.Symbol]:
        """Fields and currents in the coefficients of equation k: own decay, currents, ``others``."""
        row = [by_field[k, k], *by_current[k, :]]
        row += [by_field[k, j] for j, y in enumerate(fields) if y in others]
        return set().union(*(e.free_symbols for e in row)) & {*fields, *currents}

    gating = set().union(*(moved_by(k, set()) for k in range(len(fields)))) & set(fields)
    linear = set(fields) - gating
    conditional: list[str] = []
    for k, x in enumerate(fields):
        movers = moved_by(k, set(fields) if x in gating else linear)
        if not movers <= (set() if x in gating else gating):
            return None
        if movers:
            conditional.append(x.name)
    # what follows a conditional field is no more Gaussian than that, whatever its own coefficients
    for _ in fields:
        conditional += [
            x.name
            for k, x in enumerate(fields)
            if x.name not in conditional
            and any(by_field[k, j] != 0 for j, y in enumerate(fields) if y.name in conditional)
        ]
    if any(y.name in conditional for y in gating):
        return None
    at_rest = dict.fromkeys([*linear, *currents, *model.input_symbols()], 0)
    constant = [
        f.subs(at_rest if x in linear else dict.fromkeys([*fields, *at_rest], 0))
        for x, f in zip(fields, drift, strict=True)
    ]
    if any(sp.simplify(c) != 0 for c in constant):
        return None
    return ConditionalStructure(
        gating=tuple(x.name for x in fields if x in gating),
        conditional=tuple(x.name for x in fields if x.name in conditional),
        gaussian=tuple(x.name for x in fields if x in linear and x.name not in conditional),
        drift_matrix=by_field.subs(at_rest),
        input_matrix=by_current.subs(at_rest),
    )
