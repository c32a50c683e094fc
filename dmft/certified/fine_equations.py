"""The stationary equations and the Lyapunov operator on a lag grid, in fixed point."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any

import mpmath
import numpy as np

from dmft.codegen.multiprecision import multiprecision
from dmft.codegen.theory import CompiledTheory

from ..solvers.lag_grid import LagGrid
from .fine_series import FineSeries, HermiteNodes, adequate_step, fine_series
from .fixed_point import Cosines, FixedPoint, Integers
from .trapezoid import first_output

__all__ = ["FineEquations"]

_GUARD = 14


@dataclass
class FineEquations:
    """R_k = C_k - sum_a |G_ka|^2 * S_a(C) for the ``active`` fields, with ``digits`` digits."""

    theory: CompiledTheory
    exact: Mapping[str, Fraction]
    active: tuple[int, ...]
    grid: LagGrid
    digits: int
    _nodes: dict[int, HermiteNodes] = field(default_factory=dict, repr=False)

    @cached_property
    def fixed(self) -> FixedPoint:
        """The arithmetic."""
        # sums over nodes, lags and orders lose some ten bits each
        return FixedPoint(int((self.digits + _GUARD) * 3.3219280948873626) + 50)

    @cached_property
    def cosines(self) -> Cosines:
        """The transform."""
        return Cosines(self.fixed, self.grid.intervals)

    @cached_property
    def _context(self) -> tuple[Any, Any]:
        return multiprecision(self.digits + _GUARD + 10)

    @cached_property
    def parameters(self) -> dict[str, Any]:
        """All parameters as numbers of mpmath."""
        _, context = self._context
        return {k: context.mpf(v.numerator) / v.denominator for k, v in self.exact.items()}

    def _matrix(self, name: str) -> Any:
        table, context = self._context
        part = self.theory.matrices[name]
        entries = part.tape.run(table, self.parameters)
        rows, columns = part.shape
        return context.matrix([entries[i * columns : (i + 1) * columns] for i in range(rows)])

    @cached_property
    def strength(self) -> list[int]:
        """v_a c_a^2."""
        table, _ = self._context
        weights = self.theory.vectors["weights"].run(table, self.parameters)
        factors = self.theory.vectors["coefficients"].run(table, self.parameters)
        return [self.fixed.of(v * c * c) for v, c in zip(weights, factors, strict=True)]

    def gain(self, growth: Any = 0, fields: tuple[int, ...] | None = None) -> Integers:
        """|G_ka(growth + i omega)|^2 on the grid, (active or given fields, currents, frequencies)."""
        fields = self.active if fields is None else fields
        _, context = self._context
        drift, inputs = self._matrix("drift"), self._matrix("input")
        size, currents = inputs.rows, inputs.cols
        length = context.mpf(self.grid.length)
        result = np.empty((len(fields), currents, self.grid.intervals + 1), dtype=object)
        for j in range(self.grid.intervals + 1):
            s = context.mpc(growth, context.pi * j / length)
            transfer = (
                context.lu_solve(s * context.eye(size) - drift, inputs)
                if currents == 1
                else ((s * context.eye(size) - drift) ** -1 * inputs)
            )
            for k, place in enumerate(fields):
                for a in range(currents):
                    value = transfer[place, a]
                    result[k, a, j] = self.fixed.of(value.real**2 + value.imag**2)
        return result

    @cached_property
    def rest_gain(self) -> Integers:
        """The gain without growth."""
        return self.gain()

    def series(self, variances: Integers) -> dict[int, FineSeries]:
        """The series of every function at the variances of the active fields."""
        _, context = self._context
        found = {}
        for f in sorted({f for o in self.theory.outputs for f in o.factors}):
            function = self.theory.functions[f]
            raw = int(variances[self.active.index(function.field)])
            variance = context.mpf(raw) / self.fixed.one
            if f not in self._nodes:
                self._nodes[f] = self._hermite(f, variance)
            found[f] = fine_series(function.tape, self.parameters, variance, self._nodes[f])
        return found

    def _hermite(self, f: int, variance: Any) -> HermiteNodes:
        table, context = self._context
        tape = first_output(self.theory.functions[f].tape)
        deviation = context.sqrt(variance)

        def square(x: Any) -> Any:
            value = tape.run(
                table, {**self.parameters, tape.inputs[0]: deviation * context.mpf(x)}
            )[0]
            return value * value

        coarse = adequate_step(square, self.digits + _GUARD)
        with mpmath.workdps(30):
            # psi_n oscillates with wave number sqrt(n): room for some thousand orders
            step = 1 / (1 / coarse + mpmath.sqrt(6000) / (2 * mpmath.pi))
        return HermiteNodes(self.fixed, step, self.digits + _GUARD)

    def currents(
        self, covariance: Integers, *, weights: bool = False
    ) -> tuple[Integers, Integers | None]:
        """S_a, and dS_a/dC_j if asked for, (currents, active, lags)."""
        fixed = self.fixed
        series = self.series(covariance[:, 0])
        value: dict[int, Integers] = {}
        slope: dict[int, Integers] = {}
        for f, one in series.items():
            c = covariance[self.active.index(self.theory.functions[f].field)]
            rho = fixed.quotient(c, int(c[0]))
            value[f] = one.at(rho)
            if weights:
                slope[f] = fixed.quotient(one.slope(rho), int(c[0]))
        outputs = self.theory.outputs
        total = np.empty((len(outputs), covariance.shape[1]), dtype=object)
        by_c = np.zeros((len(outputs), *covariance.shape), dtype=object)
        for a, output in enumerate(outputs):
            total[a] = self.strength[a]
            for f in output.factors:
                total[a] = fixed.product(total[a], value[f])
            for f in output.factors if weights else ():
                term = slope[f] * self.strength[a] >> fixed.bits
                for g in output.factors:
                    if g != f:
                        term = fixed.product(term, value[g])
                by_c[a, self.active.index(self.theory.functions[f].field)] += term
        return total, by_c if weights else None

    def filtered(self, currents: Integers, gain: Integers) -> Integers:
        """sum_a gain_ka * S_a, (active, lags)."""
        coefficients = self.cosines.coefficients(currents)
        mixed = np.stack([((row * coefficients) >> self.fixed.bits).sum(axis=0) for row in gain])
        return self.cosines.values(mixed)

    def residual(self, covariance: Integers) -> Integers:
        """R, (active, lags)."""
        total, _ = self.currents(covariance)
        return np.asarray(covariance - self.filtered(total, self.rest_gain))

    def followers(self, covariance: Integers, fields: tuple[int, ...]) -> Integers:
        """C of fields on which no output depends, (fields, lags)."""
        if not fields:
            return np.zeros((0, covariance.shape[1]), dtype=object)
        total, _ = self.currents(covariance)
        return self.filtered(total, self.gain(fields=fields))
