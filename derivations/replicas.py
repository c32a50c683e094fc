r"""Two replicas with equal couplings, linearised: the Lyapunov operator of a conditionally Gaussian model.

Perturbations of the currents are Gaussian fields of their own, independent of the unperturbed
process (the symmetry delta -> -delta forbids correlations), and inputs and noise are equal in both
replicas. All second moments grow like e^{lambda (t + t')} times a function of the lag:

    S_ab = <delta xi_a delta xi_b'> = c_ab < delta psi_a delta psi_b' >,
    delta psi_a = sum_l (dpsi_a/dx_l) delta x_l.

Fields are *free* when their coefficients are constant and they follow free fields only (gating
fields are among them), *conditional* otherwise. With x_f, x_c the free and conditional ones,

    delta x_f = G(lambda + d/dtau) delta xi,     G(s) = (s - A_ff)^{-1} B_f,
    delta x_c(t) = int du e^{-lambda (t - u)} P(t, u) [ B_c(y) delta xi + Q delta x_f ](u),
    dP/dt = A_cc(y(t)) P,     Q = A_cf + sum_y ( (dA/dy) x + (dB/dy) xi + (dE/dy) I ) delta_{f y}:

a perturbed gate changes what it multiplies, Q is the slope of the drift along the unperturbed path.
The right-hand side of S is one linear operator on S; the largest Lyapunov exponent is the lambda at
which its spectral radius is one. For the gated network this is THEORY's

    chi = E[phi' phi' (A_l X A_l^T)] + E[phi' phi' (B_l chi_z B_l^T)],   X = C_sr chi + C_phi F_sr' chi_r,

with A_l = e^{-lambda (t - u)} P sigma_z and B_l = e^{-lambda (t - u)} P sigma_z' (xi_h - h); where no
gate moves it is `stationary.StationaryEquations`' closed operator, and where nothing moves at all it
is the Jacobian's edge (`edge`) at real s = lambda. Source: two replicas as in Schuecker, Goedeke &
Helias, Phys. Rev. X 8, 041029 (2018); gates: Krishnamurthy, Can & Schwab 2022, where it is solved for
a still update gate only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import sympy as sp

from .closure import Factor, Product, factorise
from .conditional import ConditionalStructure, conditional_structure
from .disorder import DisorderAverage
from .filters import power_gain, transfer_matrix
from .gaussian import GaussianAverage
from .linearise import Linearisation
from .model import Model
from .symbols import covariance_symbol, s, variance_symbol

__all__ = ["OutputPair", "ReplicaEquations", "ReplicaError", "replica_equations"]


class ReplicaError(ValueError):
    """The two-replica operator of this model is not covered; the message says why."""


@dataclass(frozen=True)
class OutputPair:
    """One term of <delta psi_a(t) delta psi_b(t')>: the fields ``first`` and ``second`` are perturbed.

    The term is  coefficient * < prod left(t) prod right(t') <delta x_first(t) delta x_second(t')> >,
    ``left`` and ``right`` one factor per field, the perturbed one differentiated.
    """

    first: str
    second: str
    coefficient: sp.Expr
    left: tuple[Factor, ...]
    right: tuple[Factor, ...]

    def average(self, field: str) -> sp.Expr:
        """E left(x) right(y) over a Gaussian pair of the values of one field; one if it is absent.

        The symbols D and C of a conditional field stand for K_y: the average is one given the path.
        Labels must agree up to primes, as they do between currents with the same output.
        """
        pair = [
            next((f.label for f in side if f.field == field), None)
            for side in (self.left, self.right)
        ]
        if pair == [None, None]:
            return sp.Integer(1)
        names = {label.rstrip("'") for label in pair if label is not None}
        if None in pair or len(names) > 1:
            raise ReplicaError(f"the outputs of this pair are different functions of {field}")
        orders = [label.count("'") for label in pair if label is not None]
        return GaussianAverage(
            sp.Symbol(names.pop()), *orders, variance_symbol(field), covariance_symbol(field)
        )

    def weight(self, fields: Sequence[str]) -> sp.Expr:
        """coefficient * the averages over all of ``fields``, as if they were independent."""
        return self.coefficient * sp.prod([self.average(f) for f in fields])


@dataclass(frozen=True)
class ReplicaEquations:
    """The operator's parts; names of fields, matrices with rows and columns in their order.

    Attributes
    ----------
    structure
        Which fields gate; A(y), B(y).
    free, conditional
        Names of the fields that are Gaussian without and with a given path of the gating fields.
    covariance
        c_ab of the currents.
    transfer
        G(s), rows ``free``, columns currents.
    generator
        A_cc(y), rows and columns ``conditional``: the propagator obeys dP/dt = A_cc P.
    input_matrix
        B_c(y), rows ``conditional``, columns currents: the direct drive.
    drive_matrix
        E_c(y), rows ``conditional``, columns the inputs, equal in both replicas.
    following
        A_cf(y), rows ``conditional``, columns ``free``: what passes without a perturbed gate.
    drift_slopes, input_slopes, drive_slopes
        dA/dy, dB/dy and dE/dy for each gating field y; rows ``conditional``, columns all fields,
        the currents, the inputs.
    outputs
        psi_a as products, in order of the currents.
    driven_by
        For every field the names of currents and inputs that reach it, through gates and other
        fields too.
    separated
        Whether what drives the conditional fields beside the gates is independent of the gating
        fields: only then is K_y of `conditional` their covariance at a given path.
    """

    linearisation: Linearisation
    structure: ConditionalStructure
    free: tuple[str, ...]
    conditional: tuple[str, ...]
    covariance: sp.Matrix
    transfer: sp.Matrix
    generator: sp.Matrix
    input_matrix: sp.Matrix
    drive_matrix: sp.Matrix
    following: sp.Matrix
    drift_slopes: tuple[sp.Matrix, ...]
    input_slopes: tuple[sp.Matrix, ...]
    drive_slopes: tuple[sp.Matrix, ...]
    outputs: tuple[Product, ...]
    driven_by: Mapping[str, frozenset[str]]
    separated: bool

    @property
    def model(self) -> Model:
        """The declaration."""
        return self.linearisation.model

    @property
    def gating(self) -> tuple[str, ...]:
        """Names of the gating fields, which are among the free ones."""
        return self.structure.gating

    @cached_property
    def source_matrix(self) -> sp.Matrix:
        """Q, rows ``conditional``, columns ``free``: in field, current, input symbols.

        >>> from .models import get
        >>> from .disorder import disorder_average
        >>> from .linearise import linearise
        >>> gated = get("gated")
        >>> found = replica_equations(linearise(gated), disorder_average(gated))
        >>> gated.named(found.source_matrix[0, found.free.index("z")])
        alpha_z*sigma_z*(1 - sigma_z)*(-h + xi_h)
        """
        model = self.model
        result = self.following.copy()
        for l, y in enumerate(self.gating):  # noqa: E741
            column = self.free.index(y)
            moved = (
                self.drift_slopes[l] * sp.Matrix(model.field_symbols())
                + self.input_slopes[l] * sp.Matrix(model.current_symbols())
                + self.drive_slopes[l] * sp.Matrix(len(model.inputs), 1, model.input_symbols())
            )
            for row in range(len(self.conditional)):
                result[row, column] += moved[row]
        return result.applyfunc(sp.factor_terms)

    def free_power(self, field: str, current: int, growth: sp.Expr | int = 0) -> sp.Expr:
        """|G_fa(growth + i omega)|^2 of a free field."""
        return power_gain(self.transfer[self.free.index(field), current], growth)

    def related(self, first: str, second: str) -> bool:
        """Whether perturbations of two fields are correlated: by common or correlated currents."""
        currents = [c.current for c in self.model.couplings]
        ones, others = (
            [a for a, name in enumerate(currents) if name in self.driven_by[field]]
            for field in (first, second)
        )
        return any(self.covariance[a, b] != 0 for a in ones for b in others)

    def independent(self, first: str, second: str) -> bool:
        """Whether the fields themselves are independent: no common input either."""
        inputs = {i.name for i in self.model.inputs}
        common = self.driven_by[first] & self.driven_by[second] & inputs
        return not common and not self.related(first, second)

    def apart(self, field: str, among: Sequence[str]) -> bool:
        """Whether a field averages by itself: free, no gate, independent of the gates and ``among``."""
        others = [f for f in (*among, *self.gating) if f != field]
        return (
            field in self.free
            and field not in self.gating
            and all(self.independent(field, other) for other in others)
        )

    def pairs(self, a: int, b: int) -> tuple[OutputPair, ...]:
        """The terms of <delta psi_a delta psi_b'>, those that do not vanish."""
        found = []
        for left in self.outputs[a].factors:
            for right in self.outputs[b].factors:
                if self.related(left.field, right.field):
                    found.append(
                        OutputPair(
                            left.field,
                            right.field,
                            self.outputs[a].coefficient * self.outputs[b].coefficient,
                            self._slope(a, left.field),
                            self._slope(b, right.field),
                        )
                    )
        return tuple(found)

    def _slope(self, current: int, field: str) -> tuple[Factor, ...]:
        """The factors of psi_a with that of one field differentiated."""
        symbol = next(f.symbol for f in self.model.fields if f.name == field)
        return tuple(
            Factor(f"{f.label}'", field, sp.diff(f.expression, symbol)) if f.field == field else f
            for f in self.outputs[current].factors
        )

    def response_at_rest(self, growth: sp.Expr = s) -> sp.Matrix:
        """delta x = R delta xi where no field moves, rows all fields: for the Jacobian's edge."""
        names = [f.name for f in self.model.fields]
        free = self.transfer.subs(s, growth)
        size = len(self.conditional)
        moved = (growth * sp.eye(size) - self.generator).inv() if size else sp.zeros(0, 0)
        held = moved * (self.input_matrix + self.source_matrix * free) if size else sp.zeros(0, 0)
        return sp.Matrix(
            [
                free.row(self.free.index(n))
                if n in self.free
                else held.row(self.conditional.index(n))
                for n in names
            ]
        )


def replica_equations(linearisation: Linearisation, average: DisorderAverage) -> ReplicaEquations:
    """Split the linearised dynamics into free and conditional fields.

    Raises `ReplicaError` when the model is not conditionally Gaussian, an output is no product of
    functions of one field each, or couplings are reciprocal (perturbations then feel a response).
    """
    model = linearisation.model
    if any(response != 0 for response in average.response):
        raise ReplicaError("couplings are reciprocal: perturbations act back on themselves")
    structure = conditional_structure(model)
    if structure is None:
        raise ReplicaError("the fields are not Gaussian given the paths of others")
    outputs = []
    for coupling in model.couplings:
        product = factorise(model, sp.sympify(coupling.output), coupling.current)
        if product is None:
            raise ReplicaError(
                f"the output of {coupling.current} is no product of functions of one field each"
            )
        outputs.append(product)
    names = [f.name for f in model.fields]
    free = tuple(n for n in names if n not in structure.conditional)
    inner = [names.index(n) for n in free]
    outer = [k for k in range(len(names)) if k not in inner]
    everything, currents = list(range(len(names))), list(range(len(model.couplings)))
    drift, inputs = structure.drift_matrix, structure.input_matrix
    by_input = sp.Matrix(model.drift()).jacobian(model.input_symbols()) if model.inputs else None
    gating = [next(f.symbol for f in model.fields if f.name == y) for y in structure.gating]
    at_rest = dict.fromkeys(
        [f.symbol for f in model.fields if f.name not in structure.gating]
        + [*model.current_symbols(), *model.input_symbols()],
        0,
    )
    drive = sp.zeros(len(names), 0) if by_input is None else by_input.subs(at_rest)

    def slopes(matrix: sp.Matrix, columns: list[int]) -> tuple[sp.Matrix, ...]:
        return tuple(matrix.extract(outer, columns).diff(y) for y in gating)

    reach = _Reach(model, structure, drive)
    passing = set().union(*(reach.of(names[k], gates=False) for k in outer))
    moving = set().union(*(reach.of(y, gates=False) for y in structure.gating))
    declared = [c.current for c in model.couplings]
    tied = any(
        average.covariance[a, b] != 0
        for a, one in enumerate(declared)
        for b, other in enumerate(declared)
        if one in passing and other in moving
    )
    return ReplicaEquations(
        linearisation=linearisation,
        structure=structure,
        free=free,
        conditional=tuple(names[k] for k in outer),
        covariance=average.covariance,
        transfer=transfer_matrix(drift.extract(inner, inner), inputs.extract(inner, currents)),
        generator=drift.extract(outer, outer),
        input_matrix=inputs.extract(outer, currents),
        drive_matrix=drive.extract(outer, list(range(len(model.inputs)))),
        following=drift.extract(outer, inner),
        drift_slopes=slopes(drift, everything),
        input_slopes=slopes(inputs, currents),
        drive_slopes=slopes(drive, list(range(len(model.inputs)))),
        outputs=tuple(outputs),
        driven_by={name: frozenset(reach.of(name, gates=True)) for name in names},
        separated=not tied and not passing & moving & {i.name for i in model.inputs},
    )


class _Reach:
    """Which currents and inputs reach a field."""

    def __init__(self, model: Model, structure: ConditionalStructure, drive: sp.Matrix) -> None:
        self.names = [f.name for f in model.fields]
        sources = [*(c.current for c in model.couplings), *(i.name for i in model.inputs)]
        inputs = sp.Matrix.hstack(structure.input_matrix, drive)
        self.direct: dict[str, set[str]] = {}
        self.followed: dict[str, set[str]] = {}
        self.movers: dict[str, set[str]] = {}
        gates = {f.symbol: f.name for f in model.fields if f.name in structure.gating}
        for k, name in enumerate(self.names):
            row = structure.drift_matrix.row(k)
            self.direct[name] = {x for x, e in zip(sources, inputs.row(k), strict=True) if e != 0}
            self.followed[name] = {x for x, e in zip(self.names, row, strict=True) if e != 0}
            symbols = row.free_symbols | inputs.row(k).free_symbols
            self.movers[name] = {gates[x] for x in symbols & set(gates)}

    def of(self, field: str, *, gates: bool) -> set[str]:
        """Sources of one field, with those of the gates that move its coefficients or without."""
        seen, waiting = set(), {field}
        while waiting:
            name = waiting.pop()
            seen.add(name)
            more = self.followed[name] | (self.movers[name] if gates else set())
            waiting |= more - seen
        return set().union(*(self.direct[name] for name in seen))
