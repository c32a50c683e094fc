"""The two-replica Lyapunov operator of a conditionally Gaussian model, laid out as a stage."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations_with_replacement

import sympy as sp

from .derivation import Equation, Printer, Stage
from .equations import MeanFieldEquations
from .formula import Formula, averaged, braced, joined
from .gaussian import linear_insertions
from .replicas import OutputPair, ReplicaEquations, ReplicaError, replica_equations
from .replicas_paths import PathLayout
from .symbols import lambda_

__all__ = ["replicas_stage"]


def replicas_stage(equations: MeanFieldEquations, printer: Printer) -> Stage | None:
    """The operator where gates move; None where the closed operator holds for all parameters."""
    title = "Largest Lyapunov exponent while gates move: two replicas"
    stationary = equations.stationary
    if stationary is not None and not stationary.gaussian_conditions:
        return None
    try:
        operator = replica_equations(equations.linearisation, equations.average)
    except ReplicaError as error:
        return Stage("replicas", title, f"Not available: {error}.", ())
    layout = PathLayout(operator, printer)
    lines = [
        *layout.propagators(),
        *layout.slopes(),
        *layout.perturbations(),
        *_free_moments(layout),
        *layout.path_moments(),
        *_output_moments(layout),
        *_insertion(layout),
    ]
    return Stage("replicas", title, _prose(operator), tuple(lines))


def _prose(operator: ReplicaEquations) -> str:
    gates = ", ".join(operator.gating) or "none here"
    text = (
        "Two replicas with equal couplings and inputs, linearised. Perturbed currents delta xi are "
        "Gaussian and independent of the unperturbed process; second moments grow like "
        "exp(lambda (t + t')): chi_x(tau) is that of a field x which is Gaussian without condition, "
        "S_a(tau) that of a current, k_x(t, t') that of a conditional field at a given path. E is the "
        "average over the unperturbed process, < > that over one field alone; in a product the second "
        f"factor belongs to t'. A perturbed gate ({gates}) changes what it multiplies: the slope q of "
        "the drift along the path is its source"
    )
    if operator.separated:
        text += (
            "; the last equation averages it over the fields that are Gaussian at a given path. "
        )
    else:
        text += (
            ". Here currents or inputs that move the gates also drive the conditional fields: E runs "
            "over the joint process, whose covariance at a given path is not K alone. "
        )
    return text + (
        "The largest Lyapunov exponent is the lambda at which the largest eigenvalue of this linear "
        "operator on S is one; lambda must exceed the decay rates of E[P P'] and of the filters."
    )


def _free_moments(layout: PathLayout) -> list[Equation]:
    """chi_f(omega), from the filters, of every free field whose perturbation matters."""
    operator = layout.operator
    heard = {f.field for o in operator.outputs for f in o.factors}
    passed = {d.name for row in range(len(operator.conditional)) for d in layout.drives(row)}
    lines = []
    for name in operator.free:
        if name not in heard | passed:
            continue
        terms = []
        for a, current in enumerate(layout.currents):
            gain = operator.free_power(name, a, lambda_)
            if gain != 0:
                shown = layout.printer.filter(gain)
                s_a = layout.second_moment(current, current)
                terms.append(
                    Formula(
                        f"{shown.text} FT[{s_a.text}]",
                        rf"{shown.latex}\;\mathcal F\!\left[{s_a.latex}\right]",
                    )
                )
            terms += [_mixed(layout, name, a, b) for b in _partners(layout, name, a)]
        if terms:
            chi, total = layout.second_moment(name, name), joined(terms)
            lines.append(
                Equation(
                    f"{chi.text}(omega) = {total.text}", rf"{chi.latex}(\omega) = {total.latex}"
                )
            )
    return lines


def _partners(layout: PathLayout, name: str, a: int) -> list[int]:
    """Later currents that are correlated with ``a`` and drive the same free field."""
    operator = layout.operator
    row = operator.transfer.row(operator.free.index(name))
    return [
        b
        for b in range(a + 1, len(row))
        if operator.covariance[a, b] != 0 and row[a] != 0 and row[b] != 0
    ]


def _mixed(layout: PathLayout, name: str, a: int, b: int) -> Formula:
    row = layout.operator.transfer.row(layout.operator.free.index(name))
    one, other = layout.shown(row[a]), layout.shown(row[b])
    s_ab = layout.second_moment(layout.currents[a], layout.currents[b])
    return Formula(
        f"2 Re{{ [{one.text}](s) [{other.text}](s*) FT[{s_ab.text}] }}, s = lambda + i omega",
        rf"2\,\mathrm{{Re}}\left\{{ [{one.latex}](s)\,[{other.latex}](s^*)\,"
        rf"\mathcal F\!\left[{s_ab.latex}\right] \right\}},\; s = \lambda + i\omega",
    )


def _output_moments(layout: PathLayout) -> list[Equation]:
    """S_ab from the perturbed outputs."""
    operator, lines = layout.operator, []
    for a, b in combinations_with_replacement(range(len(layout.currents)), 2):
        weight = operator.covariance[a, b]
        if weight == 0:
            continue
        terms = [_pair(layout, pair) for pair in operator.pairs(a, b)]
        total = joined(terms) if terms else Formula("0", "0")
        if weight != 1:
            total = braced(total) if len(terms) > 1 else total
            shown = layout.shown(weight)
            total = Formula(f"({shown.text}) ", rf"\left({shown.latex}\right)\,") + total
        s_ab = layout.second_moment(layout.currents[a], layout.currents[b])
        lines.append(
            Equation(f"{s_ab.text}(tau) = {total.text}", rf"{s_ab.latex}(\tau) = {total.latex}")
        )
    return lines


def _pair(layout: PathLayout, pair: OutputPair) -> Formula:
    """Averages of fields that stand alone, then what is averaged over the joint process."""
    fields = list(dict.fromkeys(f.field for f in (*pair.left, *pair.right)))
    alone = [f for f in fields if layout.operator.apart(f, fields)]
    inside = [f for f in fields if f not in alone]
    moment = layout.second_moment(pair.first, pair.second)
    free = pair.first in alone and pair.second in alone
    parts = []
    if pair.coefficient != 1:
        shown = layout.shown(pair.coefficient)
        parts.append(Formula(f"({shown.text})", rf"\left({shown.latex}\right)"))
    parts += [averaged(_factors(layout, pair, [field])) for field in alone]
    if free:
        parts.append(moment)
    if inside or not free:
        factors = _factors(layout, pair, inside) + ([] if free else [moment])
        inner = joined(factors, " ", r"\,")
        parts.append(Formula(f"E[{inner.text}]", rf"\mathrm E\left[{inner.latex}\right]"))
    return joined(parts, " ", r"\,")


def _factors(layout: PathLayout, pair: OutputPair, fields: Sequence[str]) -> list[Formula]:
    """f f' of the given fields, the first factor at t and the second at t'."""
    return [
        layout.printer.function(factor.label)
        for field in fields
        for side in (pair.left, pair.right)
        for factor in side
        if factor.field == field
    ]


def _insertion(layout: PathLayout) -> list[Equation]:
    """The Gaussian average that the source of a moved gate leaves, for the first field that has one."""
    operator = layout.operator
    for row, name in enumerate(operator.conditional):
        factor = next((f for o in operator.outputs for f in o.factors if f.field == name), None)
        gates = layout.gates_of(row)
        if factor is None or not gates or not operator.separated:
            continue
        prime = Formula("'", "'")
        f, x, q = (
            layout.printer.function(factor.label),
            layout.labels[name],
            layout.slope(row, gates[0]),
        )
        pairs = {
            sp.Symbol(key): averaged(pair)
            for key, pair in {
                "xq": (x, q),
                "yq": (x + prime, q),
                "xp": (x, q + prime),
                "yp": (x + prime, q + prime),
                "qp": (q, q + prime),
            }.items()
        }
        xq, yq, xp, yp, qp = pairs
        terms = []
        for orders, coefficient in linear_insertions(1, 1, (xq, yq), (xp, yp), qp).items():
            derivatives = averaged(f + Formula("'" * n, "'" * n) for n in orders)
            for part in sp.Add.make_args(coefficient):
                moments = [pairs[symbol] for symbol in pairs if part.has(symbol)]
                terms.append(joined([derivatives, *moments], " ", r"\,"))
        left, right = averaged([f + prime, f + prime, q, q + prime]), joined(terms)
        return [Equation(f"{left.text} = {right.text}", f"{left.latex} = {right.latex}")]
    return []
