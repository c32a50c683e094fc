"""Linear perturbations of the declared dynamics and of the coupling outputs.

    delta x_k' = sum_l (df_k/dx_l) delta x_l + sum_a (df_k/dxi_a) delta xi_a
    delta xi_a = sum_j J^a_ij delta psi_a(x_j),     delta psi_a = sum_l (dpsi_a/dx_l) delta x_l

The same derivatives serve the tangent dynamics of a simulated network, the Jacobian at the zero
state and, averaged over couplings, the Lyapunov operator.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import sympy as sp

from .model import Model

__all__ = ["Linearisation", "linearise"]


@dataclass(frozen=True)
class Linearisation:
    """Derivatives of the drift f by fields and currents, and of the outputs psi by fields."""

    model: Model
    drift_by_field: sp.Matrix
    drift_by_current: sp.Matrix
    output_by_field: sp.Matrix

    @cached_property
    def field_perturbations(self) -> tuple[sp.Symbol, ...]:
        """Symbols of delta x_k."""
        return tuple(sp.Symbol(f"d_{f.name}", real=True) for f in self.model.fields)

    @cached_property
    def current_perturbations(self) -> tuple[sp.Symbol, ...]:
        """Symbols of delta xi_a."""
        return tuple(sp.Symbol(f"d_{c.current}", real=True) for c in self.model.couplings)

    def tangent_drift(self) -> tuple[sp.Expr, ...]:
        """Time derivatives of delta x_k."""
        by_field = self.drift_by_field * sp.Matrix(self.field_perturbations)
        by_current = self.drift_by_current * sp.Matrix(self.current_perturbations)
        return tuple(by_field + by_current)

    def tangent_outputs(self) -> tuple[sp.Expr, ...]:
        """delta psi_a."""
        return tuple(self.output_by_field * sp.Matrix(self.field_perturbations))


def linearise(model: Model) -> Linearisation:
    """Differentiate a declaration.

    >>> from .models import get
    >>> linearise(get("vanilla")).tangent_drift()
    (-d_x + d_xi_x*g,)
    """
    drift = sp.Matrix(model.drift())
    outputs = sp.Matrix(model.outputs())
    return Linearisation(
        model=model,
        drift_by_field=drift.jacobian(model.field_symbols()),
        drift_by_current=drift.jacobian(model.current_symbols()),
        output_by_field=outputs.jacobian(model.field_symbols()),
    )
