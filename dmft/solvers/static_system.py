r"""The static equations for blocks of amplitudes and parameters at once.

Constant solutions have, for the driven fields k (those on which some output depends), variances and
means with

    Delta_k = sum_a R_ka^2 v_a c_a^2 prod_f E f^2 + sum_b R_kb^2 var I_b,
    mu_k    = sum_a R_ka m_a c_a prod_f E f + sum_b R_kb <I_b> + x0_k

(`derivations.statics`). With the amplitude A = Delta_1 prescribed and all other equations solved, what
is left is one number, the excess

    Phi(log A; parameters) = log (right-hand side for Delta_1) - log A :

constant solutions are its zeros, folds are where its slope in log A vanishes too, and both hold in any
parameter. A positive excess at A -> 0 means that rest is statically unstable.

The other unknowns follow by substitution, field after field, where no field feeds back on itself;
else by Newton's method, all rows at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dmft.codegen.float64 import FLOAT64
from dmft.codegen.tape import Tape
from dmft.codegen.theory import CompiledTheory
from dmft.gaussian.moment_block import MomentBlock, moment_block

from .statics import driven_fields

__all__ = ["StaticRows", "StaticSystem"]

Floats = NDArray[np.float64]

_MOST_STEPS = 40
#: Rows are compared for equal averages only where it can pay.
_WORTH_COMPARING = 64


class _Accuracy(NamedTuple):
    """The last arguments of `moment_block`."""

    tol: float
    most_halvings: int
    rough: bool


@dataclass(frozen=True)
class StaticRows:
    """Results, one entry per row; NaN where an average needs too many nodes.

    ``excess`` Phi and its ``slope`` d Phi / d log A; ``variances`` and ``means`` of the driven
    fields (fields, rows); ``weights`` dS_a/dC_j at C = D (currents, fields, rows); ``jacobian``
    of (log drive_k - log Delta_k, drive_k - mu_k) by (log Delta, mu), (2 fields, 2 fields, rows).
    """

    excess: Floats
    slope: Floats
    variances: Floats
    means: Floats
    weights: Floats
    jacobian: Floats


@dataclass(frozen=True)
class StaticSystem:
    """The static equations of a theory; parameters come with every call.

    ``also``: fields whose variance and mean are asked for though no output depends on them.
    """

    theory: CompiledTheory
    also: tuple[int, ...] = ()

    @cached_property
    def fields(self) -> tuple[int, ...]:
        """The driven fields, one that couplings drive first: the amplitude is its variance."""
        matrix = self.theory.matrices["response"]
        entries = [matrix.tape.code[i] != ("rational", 0, 1) for i in matrix.tape.outputs]
        driven = driven_fields(
            self.theory,
            self.theory.static_outputs,
            np.array(entries, dtype=float).reshape(matrix.shape),
        )
        return driven + tuple(field for field in self.also if field not in driven)

    @cached_property
    def _functions(self) -> tuple[int, ...]:
        return tuple(sorted({f for o in self.theory.static_outputs for f in o.factors}))

    def entries(self, tape: Tape, p: Mapping[str, Any], rows: int) -> Floats:
        """All outputs of a parameter-dependent tape, (outputs, rows)."""
        with np.errstate(all="ignore"):
            entries = tape.run(FLOAT64, dict(p))
        return np.array([np.broadcast_to(np.asarray(e, dtype=float), (rows,)) for e in entries])

    def response_gain(self, p: Mapping[str, Any], rows: int) -> tuple[Floats, Floats]:
        """R_ka^2 v_a c_a^2 (driven fields, currents, rows), and what inputs alone add (rows,).

        The latter is zero where no input and no constant moves a driven field.
        """
        parts = _Parts.of(self, p, rows)
        return parts.gain, np.max(abs(parts.added) + abs(parts.offset), axis=0)

    def at(
        self,
        amplitude: Floats,
        p: Mapping[str, Any],
        *,
        tol: float = 1e-14,
        most_halvings: int = 9,
        rough: bool = False,
        means: Floats | None = None,
    ) -> StaticRows:
        """Evaluate at amplitudes of shape (rows,); parameters are numbers or such arrays.

        ``tol``, ``most_halvings`` and ``rough`` are those of the averages; ``means`` (fields, rows)
        says where to look for the means of the driven fields, the inputs' if absent.
        """
        rows = amplitude.size
        accuracy = _Accuracy(tol, most_halvings, rough)
        p = {k: (np.asarray(v, dtype=float) if np.ndim(v) else float(v)) for k, v in p.items()}
        parts = _Parts.of(self, p, rows)
        size = len(self.fields)
        log_variance = np.tile(np.log(amplitude), (size, 1))
        mean = np.zeros((size, rows)) if means is None else means.copy()
        if means is None:
            mean += parts.offset
        known: dict[int, tuple[Floats, Floats, MomentBlock]] = {}
        for field in parts.order:
            self._moments(log_variance, mean, p, accuracy, known, only=field)
            drive, _ = parts.drive(known, rows)
            free = parts.explicit & (np.arange(size) != 0)
            with np.errstate(all="ignore"):
                log_variance[free] = np.log(drive[free])
        for _ in range(_MOST_STEPS):
            self._moments(log_variance, mean, p, accuracy, known)
            drive, drive_mean = parts.drive(known, rows)
            jacobian = parts.jacobian(known, log_variance, drive, drive_mean)
            with np.errstate(all="ignore"):
                mismatch = np.concatenate([np.log(drive) - log_variance, drive_mean - mean])
            inner = parts.inner
            if not inner.size:
                break
            bad = abs(np.where(np.isfinite(mismatch[inner]), mismatch[inner], 0.0))
            if np.max(bad / np.concatenate([np.ones((size, rows)), 1 + abs(mean)])[inner]) < 1e-14:
                break
            step = _solve(jacobian[np.ix_(inner, inner)], -mismatch[inner])
            step = np.clip(np.where(np.isfinite(step), step, 0.0), -3, 3)
            both = np.concatenate([log_variance, mean])
            both[inner] += step
            log_variance, mean = both[:size], both[size:]
            if np.max(abs(step)) < 1e-15:
                break
        slope = jacobian[0, 0]
        rest = parts.rest
        if rest.size:  # they follow the amplitude
            back = _solve(jacobian[np.ix_(rest, rest)], -jacobian[rest, 0])
            slope = slope + np.einsum("in,in->n", jacobian[0, rest], back)
        return StaticRows(
            excess=mismatch[0],
            slope=slope,
            variances=np.exp(log_variance),
            means=mean,
            weights=parts.weights(known, rows),
            jacobian=jacobian,
        )

    def _moments(
        self,
        log_variance: Floats,
        mean: Floats,
        p: Mapping[str, Any],
        accuracy: _Accuracy,
        known: dict[int, tuple[Floats, Floats, MomentBlock]],
        only: int | None = None,
    ) -> None:
        """Averages of every function (or those of one field), kept while its field stays put."""
        for f in self._functions:
            function = self.theory.functions[f]
            place = self.fields.index(function.field)
            if only is not None and place != only:
                continue
            here, about = log_variance[place], mean[place]
            if (
                f in known
                and np.array_equal(known[f][0], here)
                and np.array_equal(known[f][1], about)
            ):
                continue
            used = {line[1] for line in function.tape.code if line[0] == "input"} & set(p)
            arrays = {k: p[k] for k in sorted(used) if np.ndim(p[k])}
            table = np.stack([here, about, *arrays.values()])
            back: Any = slice(None)
            if here.size > _WORTH_COMPARING:
                table, back = np.unique(table, axis=1, return_inverse=True)
            columns = dict(zip(arrays, table[2:], strict=True))

            def at(x: Floats, rows: Floats, f: Any = function, columns: Any = columns) -> Any:
                values = {**p, **{k: v[rows, None] for k, v in columns.items()}}
                with np.errstate(all="ignore"):
                    return f.at(x, values)

            with np.errstate(all="ignore"):
                block = moment_block(at, table[1], np.exp(table[0]), *accuracy)
            known[f] = (
                here.copy(),
                about.copy(),
                MomentBlock(
                    *(getattr(block, name)[back] for name in MomentBlock.__dataclass_fields__)
                ),
            )


@dataclass(frozen=True)
class _Parts:
    """Everything of the equations but the averages, at the parameters of all rows.

    ``gain`` R_ka^2 v_a c_a^2 and ``lead`` R_ka m_a c_a (driven fields, currents, rows); ``added``
    variance and ``offset`` mean by inputs (driven fields, rows). ``places``: for each current the
    (function, driven field) pairs of its factors. ``order``: fields to substitute, ``explicit`` (k,)
    those that substitution settles; ``inner``: positions in (log Delta, mu) left to Newton's method.
    """

    gain: Floats
    lead: Floats
    strength: Floats
    added: Floats
    offset: Floats
    places: tuple[tuple[tuple[int, int], ...], ...]
    order: tuple[int, ...]
    explicit: NDArray[np.bool_]
    rest: NDArray[np.intp]
    inner: NDArray[np.intp]

    @staticmethod
    def of(system: StaticSystem, p: Mapping[str, Any], rows: int) -> _Parts:
        theory, fields = system.theory, list(system.fields)
        shape = theory.matrices["response"].shape
        response = system.entries(theory.matrices["response"].tape, p, rows)
        response = response.reshape(*shape, rows)[fields]
        coefficient = system.entries(theory.vectors["static_coefficients"], p, rows)
        weight = system.entries(theory.vectors["weights"], p, rows)
        strength = weight * coefficient**2
        gain = response**2 * strength
        lead = response * coefficient * system.entries(theory.vectors["current_means"], p, rows)
        offset = system.entries(theory.vectors["static_constant"], p, rows)[fields]
        added = np.zeros_like(offset)
        if theory.info.inputs:
            shape = theory.matrices["quenched_response"].shape
            forcing = system.entries(theory.matrices["quenched_response"].tape, p, rows)
            forcing = forcing.reshape(*shape, rows)[fields]
            variance = system.entries(theory.vectors["quenched_variances"], p, rows)
            average = system.entries(theory.vectors["quenched_means"], p, rows)
            added = np.einsum("kbn,bn->kn", forcing**2, variance)
            offset = offset + np.einsum("kbn,bn->kn", forcing, average)
        places = tuple(
            tuple((f, fields.index(theory.functions[f].field)) for f in output.factors)
            for output in theory.static_outputs
        )
        size = len(fields)
        depends = np.zeros((size, size), dtype=bool)
        for a, factors in enumerate(places):
            for _, j in factors:
                depends[np.any(gain[:, a] != 0, axis=-1), j] = True
        explicit, order = _substitution(depends)
        has_means = bool(np.any(lead != 0))
        rest = np.arange(1, size)
        inner = rest[~explicit[1:]]
        if has_means:  # means feed back: everything but the amplitude is one system
            explicit, order = np.zeros(size, dtype=bool), ()
            rest = inner = np.arange(1, 2 * size)
        return _Parts(gain, lead, strength, added, offset, places, order, explicit, rest, inner)

    def _products(self, known: Mapping[int, Any], name: str, rows: int) -> Floats:
        total = np.ones((len(self.places), rows))
        for a, factors in enumerate(self.places):
            for f, _ in factors:
                if f in known:
                    total[a] *= getattr(known[f][2], name)
        return total

    def drive(self, known: Mapping[int, Any], rows: int) -> tuple[Floats, Floats]:
        """Right-hand sides for all variances and means, (driven fields, rows)."""
        squares = self._products(known, "square", rows)
        drive = np.einsum("kan,an->kn", self.gain, squares) + self.added
        mean = self.offset
        if np.any(self.lead):
            mean = mean + np.einsum("kan,an->kn", self.lead, self._products(known, "mean", rows))
        return drive, mean

    def jacobian(
        self, known: Mapping[int, Any], log_variance: Floats, drive: Floats, drive_mean: Floats
    ) -> Floats:
        """Derivatives of (log drive - log Delta, drive - mu) by (log Delta, mu)."""
        size, rows = log_variance.shape
        result = np.zeros((2 * size, 2 * size, rows))
        variance = np.exp(log_variance)
        for a, factors in enumerate(self.places):
            for i, (f, j) in enumerate(factors):
                others = np.ones((2, rows))
                for other, (g, _) in enumerate(factors):
                    if other != i:
                        others *= known[g][2].square, known[g][2].mean
                m = known[f][2]
                by_variance = self.gain[:, a] * (others[0] * m.square_by_variance * variance[j])
                by_mean = self.gain[:, a] * (others[0] * m.square_by_mean)
                with np.errstate(all="ignore"):
                    result[:size, j] += by_variance / drive
                    result[:size, size + j] += by_mean / drive
                result[size:, j] += self.lead[:, a] * (others[1] * m.mean_by_variance * variance[j])
                result[size:, size + j] += self.lead[:, a] * (others[1] * m.mean_by_mean)
        return result - np.eye(2 * size)[:, :, None]

    def weights(self, known: Mapping[int, Any], rows: int) -> Floats:
        """dS_a/dC_j at C = D: v_a c_a^2 prod E f^2 with E f'^2 for the factors of field j."""
        size = self.gain.shape[0]
        result = np.zeros((len(self.places), size, rows))
        for a, factors in enumerate(self.places):
            for i, (f, j) in enumerate(factors):
                others = self.strength[a].copy()
                for other, (g, _) in enumerate(factors):
                    if other != i:
                        others *= known[g][2].square
                result[a, j] += others * known[f][2].slope_square
        return result


def _substitution(depends: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], tuple[int, ...]]:
    """Which fields are settled one after the other once the first is given, and the order.

    ``depends[k, j]``: the equation of field k contains field j.
    """
    size = len(depends)
    settled = np.zeros(size, dtype=bool)
    settled[0] = True
    order = [0]
    while True:
        ready = [k for k in range(size) if not settled[k] and not np.any(depends[k] & ~settled)]
        if not ready:
            break
        for k in ready:
            settled[k] = True
            order.append(k)
    return settled, tuple(order)


def _solve(matrices: Floats, right: Floats) -> Floats:
    """Solve for every row; matrices (n, n, rows), right-hand sides (n, rows)."""
    safe = np.where(np.isfinite(matrices), matrices, 0.0)
    safe = np.moveaxis(safe, -1, 0)
    singular = abs(np.linalg.det(safe)) < 1e-300
    safe = np.where(singular[:, None, None], np.eye(len(matrices)), safe)
    result = np.linalg.solve(safe, right.T[..., None])[..., 0].T
    return np.where(singular, np.nan, result)
