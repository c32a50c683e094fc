r"""What drives a network from outside: quenched patterns and white noise.

A *quenched* input I_i differs between units and does not change in time: independent of the couplings,
I_i = mean + sqrt(variance) w_i with standard normal w_i. A *white* input is a noise of its own for
every unit, <eta_i(t) eta_j(t')> = variance delta_ij delta(t - t').

Mean and variance are functions of the parameters. A *time-dependent* input is one whose parameters
change in time (a ramp of the variance is a growing pattern of fixed shape): parameters as functions of
time belong to the run of a network or of the two-time equations, not to the declaration.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

import sympy as sp

from .names import DeclarationError, check_name

__all__ = ["Input", "InputKind"]

InputKind = Literal["quenched", "white"]


@dataclass(frozen=True)
class Input:
    """An external drive of every unit, a symbol that may stand in the dynamics.

    ``variance`` is that of a quenched input over units, or the intensity of a white one; ``mean`` belongs
    to quenched inputs. A white input must be added to the dynamics with a constant coefficient.
    Raises `DeclarationError` for another kind or a white input with a mean.
    """

    name: str
    meaning: str
    kind: InputKind
    variance: sp.Expr
    mean: sp.Expr = field(default_factory=lambda: sp.Integer(0))
    latex: str = ""

    def __post_init__(self) -> None:
        check_name("input", self.name)
        if self.kind not in get_args(InputKind):
            raise DeclarationError(
                f"input {self.name}: kind {self.kind!a} is not known; choose "
                f"{' or '.join(get_args(InputKind))}"
            )
        if self.kind == "white" and self.mean != 0:
            raise DeclarationError(
                f"input {self.name}: white noise has no mean; declare a quenched input beside it"
            )

    @property
    def symbol(self) -> sp.Symbol:
        """The real symbol of the input."""
        return sp.Symbol(self.name, real=True)
