r"""A grammar of random networks, from which three models were drawn once (`drawn/*.toml`).

    network   = state [follower] gate {gate}
    state     = x' = (-x [- w follower] + xi_x) / scale,     psi_x = shape(g x) {gate(y)}
    follower  = a' = (-a + x) / tau,                          heard by x alone
    gate      = y' = (-y + xi_y) / tau,                       psi_y = shape(c x) or that of x's shape
    shape     = an odd bounded function,  gate(y) = a function of y between bounds, of no parity

Nobody chose the functions, the wiring or the numbers: seeds 0, 1, 2, ... were tried in order and the
first three kept whose theory has a chaotic solution (`SEEDS`; with seed 0 rest is the only state).
Only `random.Random.random` is used, whose sequence Python guarantees; this file, run by itself,
prints the three models.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

SEEDS = (1, 2, 3)

_STATES = ("u", "v", "p")
_GATES = ("q", "r", "y")
#: Odd, bounded, slope one at zero.
_SHAPES = (
    "tanh({})",
    "erf({}*0.8862269254527580)",
    "sin({})",
    "({})/sqrt(1 + ({})^2)",
    "({})*exp(-({})^2/4)",
    "tanh({}) + tanh({})^3/5",
)
#: What multiplies an output: positive or not, bounded, without parity.
_MODULATIONS = (
    "logistic({})",
    "1 + tanh({})/2",
    "(1 + erf({}))/2",
    "1 + sin({})/3",
    "exp(-({} - 1)^2/3)",
)


class _Draw:
    """Choices from one seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed).random

    def one(self, options: Sequence[str]) -> str:
        return options[int(self.random() * len(options))]

    def number(self, low: float, high: float) -> str:
        """A decimal of two digits."""
        return f"{low + (high - low) * self.random():.2f}"

    def chance(self, probability: float) -> bool:
        return self.random() < probability


def _parameter(name: str, meaning: str, value: str, *, positive: bool = True) -> list[str]:
    lines = [f"[parameters.{name}]", f'meaning = "{meaning}"', f"default = {value}"]
    return [*lines, "positive = true", ""] if positive else [*lines, ""]


def draw(seed: int) -> str:
    """The model file of one seed."""
    some = _Draw(seed)
    state = some.one(_STATES)
    gates = list(_GATES[: 1 + int(some.random() * 2)])
    follower = some.chance(0.4)
    parameters = _parameter("g", "gain of the output", some.number(2.0, 5.0))
    shape = some.one(_SHAPES).replace("{}", f"g*{state}")
    named = {"phi": shape}
    fields, dynamics, couplings = [state], {}, {}
    for gate in gates:
        parameters += _parameter(f"c_{gate}", f"gain of {gate}", some.number(0.5, 3.0))
        parameters += _parameter(
            f"b_{gate}", f"bias of {gate}", some.number(-0.8, 0.8), positive=False
        )
        parameters += _parameter(f"tau_{gate}", f"time constant of {gate}", some.number(0.4, 2.5))
        named[f"m_{gate}"] = some.one(_MODULATIONS).replace("{}", f"(c_{gate}*{gate} - b_{gate})")
        heard = "phi" if some.chance(0.5) else some.one(_SHAPES).replace("{}", f"{state}")
        variance = "1" if some.chance(0.5) else some.number(0.4, 2.5)
        couplings[f"xi_{gate}"] = (heard, variance)
        dynamics[gate] = f"(-{gate} + xi_{gate})/tau_{gate}"
        fields.append(gate)
    push = f"-{state} + xi_{state}"
    if follower:
        parameters += _parameter("w", "weight of the follower", some.number(0.1, 0.8))
        parameters += _parameter("tau_a", "time constant of the follower", some.number(1.0, 4.0))
        push = f"-{state} - w*a + xi_{state}"
        dynamics["a"] = f"(-a + {state})/tau_a"
        fields.append("a")
    dynamics[state] = push
    output = "*".join(["phi", *(f"m_{gate}" for gate in gates)])
    couplings = {f"xi_{state}": (output, "1")} | couplings
    lines = [
        f"# Drawn from tests/validation/drawn_grammar.py with seed {seed}: nobody chose it.",
        "",
        "[model]",
        f'name = "drawn-{seed}"',
        f'title = "drawn from a grammar, seed {seed}"',
        'citation = "none: drawn for the tests"',
        "",
        *parameters,
    ]
    for name in fields:
        lines += [f"[fields.{name}]", 'meaning = "drawn"', ""]
    for name, text in named.items():
        lines += [f"[nonlinearities.{name}]", f'expression = "{text}"', ""]
    for name, (heard, variance) in couplings.items():
        lines += [f"[couplings.{name}]", f'output = "{heard}"', f'variance = "{variance}"', ""]
    lines += ["[dynamics]", *(f'{name} = "{dynamics[name]}"' for name in fields)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    for chosen in SEEDS:
        print(draw(chosen), end="")
