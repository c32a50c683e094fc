"""The small-amplitude expansion laid out as a stage of the derivation."""

from __future__ import annotations

import sympy as sp

from .derivation import Equation, Printer, Stage
from .equations import MeanFieldEquations
from .onset import OnsetError, OnsetLaws, TricriticalGain, onset_laws

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

    def states(found: OnsetLaws) -> list[Equation]:
        """Amplitude, shape, rate and exponent, where the parameters ``found.zeros`` vanish."""
        here = "".join(f"{p} = 0: " for p in found.zeros)
        named = {p.name: latex[p.symbol] for p in model.parameters}
        here_latex = "".join(rf"{named[p]} = 0:\quad " for p in found.zeros)
        power = "^2" if found.quadratic != 0 else ""
        parts = [
            line(
                "fixed points: e/u0",
                r"\text{fixed points: }\epsilon/u_0",
                _by_gain(found, found.static_coefficient),
            ),
            line(
                "chaos: e/u0",
                r"\text{chaos: }\epsilon/u_0",
                _by_gain(found, found.dynamic_coefficient),
            ),
            Equation(
                f"C_{name}(tau) = u0 sech{power}(k tau)",
                rf"C_{{{label}}}(\tau) = u_0\,\operatorname{{sech}}{power}(k\tau)",
            ),
            line("k^2", "k^2", found.slow_rate_square(amplitude)),
            line("lambda_max", r"\lambda_{\max}", found.lyapunov(amplitude)),
        ]
        return [Equation(here + e.text, here_latex + e.latex) for e in parts]

    lines += states(laws)
    for what, coefficient in (
        ("static", laws.static_coefficient),
        ("dynamic", laws.dynamic_coefficient),
    ):
        found = laws.tricritical(coefficient)
        if found is not None:
            lines.append(_tricritical(what, found, latex))
    if laws.degenerate is not None:
        lines += states(laws.degenerate)
    prose = (
        f"On the zero-state line, to leading order in the amplitude u0 = C_{name}(0); e is the excess "
        "over the line. A positive ratio e/u0 means that the states appear continuously; a negative "
        "one, through a fold; the tricritical gain is where it vanishes."
    )
    if model.inputs:
        prose += " Without inputs and noise."
    if laws.degenerate is not None:
        prose += (
            f" Where {', '.join(laws.degenerate.zeros)} = 0 the equation for small amplitudes is cubic, "
            "not quadratic: slower, and with a smaller exponent."
        )
    if not laws.inertia.is_positive:
        prose += (
            " Valid where k^2 > 0: elsewhere the filters resonate and rest is lost by an oscillation "
            "before this line."
        )
    return Stage("tricritical", title, prose, tuple(lines))


def _by_gain(laws: OnsetLaws, coefficient: sp.Expr) -> sp.Expr:
    """A rational function with its numerator ordered by powers of the gains."""
    above, below = sp.fraction(sp.together(coefficient))
    gains = [g for g in laws.gains if above.has(g)]
    if not gains:
        return coefficient
    terms = sp.Poly(above, *gains).as_dict()
    ordered = [
        sp.factor(c) * sp.prod([g**k for g, k in zip(gains, powers, strict=True)])
        for powers, c in sorted(terms.items())
    ]
    return sp.Add(*ordered) / below


def _tricritical(what: str, found: TricriticalGain, latex: dict[sp.Symbol, str]) -> Equation:
    gain = found.parameter
    domain = sp.latex(found.exists_where, symbol_names=latex)
    return Equation(
        f"{what} tricritical: {gain}^2 = {found.square}, where {found.exists_where}",
        rf"\text{{{what} tricritical: }}{latex[gain]}^2 = "
        rf"{sp.latex(found.square, symbol_names=latex)},\quad {domain}",
    )
