r"""The uniform trapezoid rule for averages over a standard normal variable, with proved errors.

For an integrand F(z) = f(z) exp(-z^2/2) / sqrt(2 pi), f analytic for |Im z| < b (L. N. Trefethen &
J. A. C. Weideman, SIAM Review 56, 385 (2014), theorem 5.1),

    |h sum_k F(k h) - int F| <= 2 M / (exp(2 pi b / h) - 1),      M >= int |F(x + i y)| dx, |y| <= b.

M follows from |f| <= sum_d B_d |x|^d in the strip (`strip`) and |exp(-z^2/2)| = exp(-x^2/2) exp(y^2/2).
Nodes left out beyond |k h| = X are bounded by the Gaussian's tail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from dmft.codegen.tape import Table, Tape

from .strip import StripError

__all__ = ["Rule", "best_rule", "first_output", "series_of_balls", "widened"]

#: Shares of the widest strip that are tried.
_SHARES = (5, 7, 8, 9, 10, 11, 12, 13)
_WIDER = 10
_NARROWEST = 10**4

#: Bounds B_d of all integrands for a half-width b; raises `StripError` where none is known.
Bounds = Callable[[Any], list[tuple[Any, ...]]]


@dataclass(frozen=True)
class Rule:
    """Step and number of nodes to each side of zero, and a proved error for every integrand."""

    step: Any
    count: int
    errors: tuple[Any, ...]

    def nodes(self, balls: Table) -> Iterator[tuple[int, Any]]:
        """k and the weight h exp(-(k h)^2 / 2) / sqrt(2 pi)."""
        root = (2 * balls.functions["pi"]()).sqrt()
        for k in range(-self.count, self.count + 1):
            xi = self.step * k
            yield k, (-(xi * xi) / 2).exp() * self.step / root


def best_rule(bounds: Bounds, title: str, balls: Table, digits: int) -> Rule:
    """The coarsest rule found whose errors are below 10^-digits or so."""
    target = balls.rational(1, 10**digits)
    # beyond this the factor exp(b^2 / 2) of the Gaussian costs more than the strip gains
    widest = (-2 * target.log()).sqrt().mid()
    while True:
        try:
            bounds(widest)
            break
        except StripError as error:
            widest = (widest * balls.rational(3, 4)).mid()
            if widest < balls.rational(1, _NARROWEST):
                raise StripError(f"{title}: {error}") from None
    best: tuple[Any, Any, list[tuple[Any, ...]]] | None = None
    for share in _SHARES:
        half = (widest * balls.rational(share, _WIDER)).mid()
        try:
            growths = bounds(half)
        except StripError:
            continue
        step = _step(half, growths, target, balls)
        if best is None or step > best[0]:
            best = step, half, growths
    assert best is not None
    step, half, growths = best
    on_axis = bounds(balls.rational(0, 1))
    count = int(float((-2 * target.log() + 20).sqrt() / step)) + 2
    aliasing = _aliasing(half, growths, step, balls)
    tails = [_tail(growth, step * count, balls) for growth in on_axis]
    return Rule(step, count, tuple((a + t).upper() for a, t in zip(aliasing, tails, strict=True)))


def _moments(degrees: int, balls: Table) -> list[Any]:
    """E |xi|^d for d < degrees: m_d = (d - 1) m_(d-2)."""
    moments = [balls.rational(1, 1), (2 / balls.functions["pi"]()).sqrt()]
    for d in range(2, degrees):
        moments.append((d - 1) * moments[d - 2])
    return moments[:degrees]


def _tails(degrees: int, last: Any, balls: Table) -> list[Any]:
    """E |xi|^d over |xi| > X: t_d = 2 X^(d-1) exp(-X^2/2) / sqrt(2 pi) + (d - 1) t_(d-2)."""
    density = 2 * (-(last * last) / 2).exp() / (2 * balls.functions["pi"]()).sqrt()
    tails = [(last / balls.rational(2, 1).sqrt()).erfc(), density]
    for d in range(2, degrees):
        tails.append(last ** (d - 1) * density + (d - 1) * tails[d - 2])
    return tails[:degrees]


def _masses(half: Any, growths: Sequence[tuple[Any, ...]], balls: Table) -> list[Any]:
    """M of every integrand."""
    factor = (half * half / 2).exp()
    zero, moments = balls.rational(0, 1), _moments(max(map(len, growths)), balls)
    return [
        factor * sum((b * m for b, m in zip(growth, moments, strict=False)), zero)
        for growth in growths
    ]


def _step(half: Any, growths: Sequence[tuple[Any, ...]], target: Any, balls: Table) -> Any:
    largest = max((mass.upper() for mass in _masses(half, growths, balls)), key=float)
    return (2 * balls.functions["pi"]() * half / (2 * largest / target + 1).log()).mid()


def _aliasing(half: Any, growths: Sequence[tuple[Any, ...]], step: Any, balls: Table) -> list[Any]:
    """2 M / (exp(2 pi b / h) - 1)."""
    factor = 2 / ((2 * balls.functions["pi"]() * half / step).exp() - 1)
    return [mass * factor for mass in _masses(half, growths, balls)]


def _tail(growth: tuple[Any, ...], last: Any, balls: Table) -> Any:
    """What the nodes beyond ``last`` to both sides may add, from the growth on the real axis."""
    # the summand falls beyond sqrt(d): a sum of lower rectangles
    assert last * last > balls.rational(len(growth), 1)
    tails = _tails(len(growth), last, balls)
    return sum((b * t for b, t in zip(growth, tails, strict=True)), balls.rational(0, 1))


def widened(ball: Any, error: Any) -> Any:
    """The ball with an error added to its radius."""
    return ball + (-error).union(error)


def first_output(tape: Tape) -> Tape:
    """The same function without its derivatives, and without what only they need."""
    needed: set[int] = {tape.outputs[0]}
    for i in range(len(tape.code) - 1, -1, -1):
        operation, *arguments = tape.code[i]
        if i in needed and operation not in ("input", "rational"):
            needed |= set(arguments)
    order = sorted(needed)
    place = {old: new for new, old in enumerate(order)}
    code = tuple(
        line if line[0] in ("input", "rational") else (line[0], *(place[j] for j in line[1:]))
        for line in (tape.code[i] for i in order)
    )
    return Tape(tape.title, tape.inputs, code, (place[tape.outputs[0]],))


@contextmanager
def series_of_balls(balls: Table, length: int) -> Iterator[tuple[Table, Callable[[Any], Any]]]:
    """Function table of flint's power series of ``length`` terms, and x0 -> x0 + t.

    flint's length is global, like its precision: it is put back.
    """
    import flint

    series = flint.arb_series
    before = flint.ctx.cap
    flint.ctx.cap = length
    two = balls.rational(2, 1)

    def wrapped(of: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return lambda u: of(u if isinstance(u, series) else series([u]))

    functions: dict[str, Callable[..., Any]] = {
        "add": lambda a, b: a + b,
        "mul": lambda a, b: a * b,
        "div": lambda a, b: a / b,
        "pow": lambda a, b: (b * wrapped(series.log)(a)).exp(),
        "exp": wrapped(series.exp),
        "log": wrapped(series.log),
        "sqrt": wrapped(series.sqrt),
        "sin": wrapped(series.sin),
        "cos": wrapped(series.cos),
        "erf": wrapped(series.erf),
        "tanh": wrapped(lambda u: 1 - two / ((two * u).exp() + 1)),
        "logistic": wrapped(lambda u: 1 / ((-u).exp() + 1)),
        "pi": balls.functions["pi"],
    }

    def admit(name: str, value: Any) -> Any:
        if isinstance(value, series):
            return value
        assert balls.admit is not None
        return balls.admit(name, value)

    try:
        yield (
            Table(f"series over {balls.target}", balls.rational, functions, admit),
            lambda x: series([x, 1]),
        )
    finally:
        flint.ctx.cap = before
