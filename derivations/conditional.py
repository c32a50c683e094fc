r"""Conditional-Gaussian structure: which fields are Gaussian given the paths of others.

The dynamics x' = A(y) x + B(y) xi + E(y) I + c(y) are linear in the fields x, their currents and the
inputs I (quenched ones and white noise), with coefficients moved by *gating* fields y only; the gating
fields themselves have constant coefficients, so that they are Gaussian. Given the paths of y, x is
Gaussian too:

    x(t) = m_y(t) + int ds P(t, s) [B(y(s)) xi(s) + E(y(s)) (I - <I>)],    dP/dt = A(y(t)) P,  P(s, s) = 1,
    m_y(t) = int ds P(t, s) [c(y(s)) + E(y(s)) <I>],
    K_y(t, t') = int int P(t, u) [B <xi xi'> B'^T + E <I I'> E'^T] P(t', u')^T du du',

and every average is one over y of a Gaussian average: C_x = E_y [K_y + m_y m_y'],
C_phi(t, t') = E_y E[phi phi' | m_y, K_y]. This holds for two times, so that it also gives the two-time
equations.
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from .model import Model

__all__ = ["ConditionalStructure", "conditional_structure"]


@dataclass(frozen=True)
class ConditionalStructure:
    """Names of the fields in each role, and A(y), B(y), E(y), c(y) (rows all fields).

    ``gating`` fields move coefficients; ``conditional`` fields have moving coefficients, or follow
    fields that have, and are Gaussian given the gating ones; ``gaussian`` fields are neither.
    ``sources`` are the names of currents and inputs, the columns of B and then of E.
    """

    gating: tuple[str, ...]
    conditional: tuple[str, ...]
    gaussian: tuple[str, ...]
    drift_matrix: sp.Matrix
    input_matrix: sp.Matrix
    external_matrix: sp.Matrix
    constant: sp.Matrix
    fields: tuple[str, ...]
    sources: tuple[str, ...]

    @property
    def closes(self) -> bool:
        """Whether all fields are Gaussian without conditioning."""
        return not self.gating

    @property
    def block(self) -> tuple[str, ...]:
        """The conditional fields, and those that these follow and that do not gate, in order."""
        found = set(self.conditional)
        for _ in self.fields:
            found |= {y for x in found for y in self._followed(x)}
        return tuple(x for x in self.fields if x in found)

    def reached_by(self, field: str, *, gates: bool) -> frozenset[str]:
        """The sources that drive a field, those of the gating fields that it feels too if ``gates``."""
        seen: set[str] = set()
        waiting = {field}
        while waiting:
            x = waiting.pop()
            seen.add(x)
            more = set(self._followed(x))
            if gates or x in self.gating:
                more |= self._felt(x)
            waiting |= more - seen
        direct = sp.Matrix.hstack(self.input_matrix, self.external_matrix)
        rows = [direct.row(self.fields.index(x)) for x in seen]
        return frozenset(
            name for a, name in enumerate(self.sources) if any(row[a] != 0 for row in rows)
        )

    def _followed(self, field: str) -> list[str]:
        """Fields that do not gate and enter the dynamics of ``field`` linearly."""
        row = self.drift_matrix.row(self.fields.index(field))
        return [
            y
            for y, entry in zip(self.fields, row, strict=True)
            if entry != 0 and y != field and y not in self.gating
        ]

    def _felt(self, field: str) -> set[str]:
        """Gating fields in the dynamics of ``field``."""
        k = self.fields.index(field)
        parts = (self.drift_matrix, self.input_matrix, self.external_matrix, self.constant)
        movers = {str(v) for part in parts for v in part.row(k).free_symbols}
        driven = {
            y for y, entry in zip(self.fields, self.drift_matrix.row(k), strict=True) if entry != 0
        }
        return (movers | driven) & set(self.gating) - {field}


def conditional_structure(model: Model) -> ConditionalStructure | None:
    """Find the roles of the fields; None when the theory is not conditionally Gaussian.

    That is so when some coefficient depends on a field that has moving coefficients itself or follows
    one that has, or on a current or an input.

    >>> from .models import get
    >>> found = conditional_structure(get("gated"))
    >>> found.gating, found.conditional, found.gaussian
    (('z',), ('h',), ('r',))
    """
    fields, currents, inputs = (
        model.field_symbols(),
        model.current_symbols(),
        model.input_symbols(),
    )
    drift = sp.Matrix(model.drift())
    by_field, by_current, by_input = (
        drift.jacobian(v).applyfunc(sp.simplify) if v else sp.zeros(len(fields), 0)
        for v in (fields, currents, inputs)
    )
    moving = {*fields, *currents, *inputs}

    def moved_by(k: int, others: set[sp.Symbol]) -> set[sp.Symbol]:
        """What moves the coefficients of equation k: those of itself, its drives and ``others``."""
        row = [by_field[k, k], *by_current[k, :], *by_input[k, :]]
        row += [by_field[k, j] for j, y in enumerate(fields) if y in others]
        return set().union(*(e.free_symbols for e in row)) & moving

    # fields in a decay or a drive, and fields that enter nonlinearly anywhere
    gating = set().union(*(moved_by(k, set()) for k in range(len(fields)))) & set(fields)
    gating |= {y for f in drift for y in fields if sp.simplify(sp.diff(f, y, 2)) != 0}
    linear = set(fields) - gating
    at_rest = dict.fromkeys([*linear, *currents, *inputs], 0)
    everything = at_rest | dict.fromkeys(fields, 0)
    constant = sp.Matrix(
        [
            sp.simplify(f.subs(everything if x in gating else at_rest))
            for x, f in zip(fields, drift, strict=True)
        ]
    )
    # c(y) bends the distribution of what it drives, unless it is linear
    slopes = [{v for y in gating for v in sp.diff(c, y).free_symbols & gating} for c in constant]
    conditional: list[str] = []
    for k, x in enumerate(fields):
        movers = moved_by(k, set(fields) if x in gating else linear)
        if not movers <= (set() if x in gating else gating):
            return None
        if movers or (slopes[k] and x in linear):
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
    return ConditionalStructure(
        gating=tuple(x.name for x in fields if x in gating),
        conditional=tuple(x.name for x in fields if x.name in conditional),
        gaussian=tuple(x.name for x in fields if x in linear and x.name not in conditional),
        drift_matrix=by_field.subs(at_rest),
        input_matrix=by_current.subs(at_rest),
        external_matrix=by_input.subs(at_rest),
        constant=constant,
        fields=tuple(x.name for x in fields),
        sources=tuple(x.name for x in (*currents, *inputs)),
    )
