"""The small-amplitude expansion laid out as a stage of the derivation."""

from __future__ import annotations

import sympy as sp

from .derivation import Equation, Printer, Stage
from .equations import MeanFieldEquations
from .onset import OnsetError, TricriticalGain, onset_laws

__all__ = ["onset_stage"]


def onset_stage(equations: MeanFieldEquations, printer: Printer) -> Stage:
    """Amplitude and Lyapunov laws near onset, and the tricritical gains."""
    title = "Onset: small-amplitude expansion and tricritical points"
    try:
        laws = onset_laws(equations)
    except OnsetError as error:
        return Stage("tricritical", title, f"Not available: {error}.", ())
    model = equations.model
    latex = {p.symbol: p.latex or p.name for p in model.parameters}
    latex |= {
        sp.Symbol(f"{n.name}0", positive=True): f"{n.latex or n.name}(0)"
        for n in model.nonlinearities
    }
    first = model.fields[0]
    amplitude = sp.Symbol("u0", positive=True)
    latex[amplitude] = "u_0"

    def line(left: str, left_latex: str, right: sp.Expr) -> Equation:
        right = sp.sympify(right)
        return Equation(
            f"{left} = {sp.sstr(right, order='none')}",
            f"{left_latex} = {sp.latex(right, symbol_names=latex, order='none')}",
        )

    lines = [
        line(str(symbol), latex[symbol], value) for symbol, value in laws.values_at_zero.items()
    ]
    lines += [line(str(p), latex[p], value) for p, value in laws.line.items()]
    lines.append(line("e", r"\epsilon", laws.excess))
    name, label = first.name, first.latex or first.name
    shape = "sech^2" if laws.quadratic != 0 else "sech"
    lines += [
        line("fixed points: e/u0", r"\text{fixed points: }\epsilon/u_0", laws.static_coefficient),
        line("chaos: e/u0", r"\text{chaos: }\epsilon/u_0", laws.dynamic_coefficient),
        Equation(
            f"C_{name}(tau) = u0 {shape}(k tau)",
            rf"C_{{{label}}}(\tau) = u_0\,"
            rf"\operatorname{{sech}}{'^2' if laws.quadratic != 0 else ''}(k\tau)",
        ),
        line("k^2", "k^2", laws.slow_rate_square(amplitude)),
        line("lambda_max", r"\lambda_{\max}", laws.lyapunov(amplitude)),
    ]
    for what, coefficient in (
        ("static", laws.static_coefficient),
        ("dynamic", laws.dynamic_coefficient),
    ):
        found = laws.tricritical(coefficient)
        if found is not None:
            lines.append(_tricritical(what, found, latex))
    prose = (
        f"On the zero-state line, to leading order in the amplitude u0 = C_{name}(0); e is the excess "
        "over the line. A positive ratio e/u0 means that the states appear continuously; a negative "
        "one, through a fold; the tricritical gain is where it vanishes."
    )
    return Stage("tricritical", title, prose, tuple(lines))


def _tricritical(what: str, found: TricriticalGain, latex: dict[sp.Symbol, str]) -> Equation:
    gain = found.parameter
    domain = sp.latex(found.exists_where, symbol_names=latex)
    return Equation(
        f"{what} tricritical: {gain}^2 = {found.square}, where {found.exists_where}",
        rf"\text{{{what} tricritical: }}{latex[gain]}^2 = "
        rf"{sp.latex(found.square, symbol_names=latex)},\quad {domain}",
    )
