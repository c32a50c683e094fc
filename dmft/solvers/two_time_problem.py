"""A compiled theory along a protocol: which fields gate which, and groups of fields driven together.

Which coefficients really move is found from their values at the protocol's breakpoints: a gate without
gain moves nothing, its field is then one of the Gaussian ones and nothing is sampled. Fields that
share a drive or follow one another form a *group*; fields of different groups are independent, given the
gates. A group is *conditional* when gates move its coefficients, else Gaussian.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dmft.codegen.theory import ProductPart
from dmft.codegen.two_time import TwoTimeTheory
from dmft.errors import NotCoveredError

from .two_time_grid import TimeGrid
from .two_time_step import AVERAGING_NODES, AVERAGING_WEIGHTS, StepWeights, step_weights

__all__ = ["Group", "Pairing", "TwoTimeProblem"]

Floats = NDArray[np.float64]

#: Values of gating fields at which coefficients are compared to find out which ones move.
_PROBES = (0.0, -1.3, 0.7, 2.1)


@dataclass(frozen=True)
class Group:
    """Positions of the fields, of their drives (currents, then quenched inputs) and of their gates."""

    fields: tuple[int, ...]
    drives: tuple[int, ...]
    gates: tuple[int, ...]

    @property
    def is_conditional(self) -> bool:
        """Whether gates move its coefficients."""
        return bool(self.gates)


@dataclass(frozen=True)
class Pairing:
    """A product of functions split by how it is averaged: along the sampled paths, or exactly.

    ``sampled``: functions of conditional fields; ``gates``: functions of gating fields in a product that
    has sampled ones; ``exact``: functions of Gaussian fields. Positions in ``theory.functions``.
    """

    sampled: tuple[int, ...]
    gates: tuple[int, ...]
    exact: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class TwoTimeProblem:
    """The theory on a grid. Raises `NotCoveredError` where fields in one output are not independent."""

    theory: TwoTimeTheory
    grid: TimeGrid

    @cached_property
    def _extremes(self) -> list[Mapping[str, float]]:
        """Parameters at the ends and bends: between them everything is linear."""
        return [self.grid.parameters[i] for i in self.grid.bends]

    def _moves(self, gate: int) -> NDArray[np.bool_]:
        """(fields,) whether this gating field moves a row of coefficients at any time."""
        count = len(self.theory.gating)
        moved = np.zeros(len(self.theory.info.fields), dtype=bool)
        for p in self._extremes:
            values = [np.zeros(len(_PROBES)) for _ in range(count)]
            for others in _PROBES:
                for j, value in enumerate(values):
                    value[:] = _PROBES if j == gate else others
                for table in self.theory.matrices(values, p).values():
                    moved |= np.any(table != table[..., :1], axis=(1, 2))
        return moved

    @cached_property
    def roles(self) -> dict[int, tuple[int, ...]]:
        """Conditional field -> the gating fields that move it or what it follows."""
        found: dict[int, set[int]] = {}
        for place, field in enumerate(self.theory.gating):
            for k in np.flatnonzero(self._moves(place)):
                found.setdefault(int(k), set()).add(field)
        follows = self.pattern["drift"]
        for _ in self.theory.info.fields:
            for k, j in np.argwhere(follows):
                if int(j) in found and k != j:
                    found.setdefault(int(k), set()).update(found[int(j)])
        return {k: tuple(sorted(gates)) for k, gates in found.items()}

    @cached_property
    def gates(self) -> tuple[int, ...]:
        """Fields whose paths are sampled."""
        return tuple(sorted({g for gates in self.roles.values() for g in gates}))

    @cached_property
    def pattern(self) -> dict[str, NDArray[np.bool_]]:
        """Matrix -> which entries are not zero at some time, for some gate values."""
        found: dict[str, NDArray[np.bool_]] = {}
        values = [np.array(_PROBES) for _ in self.theory.gating]
        for p in self._extremes:
            for name, table in self.theory.matrices(values, p).items():
                here = np.any(table != 0, axis=2)
                found[name] = found.get(name, np.zeros_like(here)) | here
        return found

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """Connected sets of fields; raises `NotCoveredError` for what is not independent."""
        fields = range(len(self.theory.info.fields))
        noisy = np.any(self.noise_intensities > 0, axis=0)
        currents, inputs = self.pattern["input"], self.pattern["quenched"]
        driven = np.concatenate(
            [
                currents & np.any(self.strengths != 0, axis=0),
                inputs & np.any(self.deviations > 0, axis=0),
                self.pattern["noise"] & noisy,
            ],
            axis=1,
        )
        carried = np.concatenate(
            [
                currents & np.any((self.strengths != 0) | (self.current_means != 0), axis=0),
                inputs & np.any(self.deviations > 0, axis=0),
            ],
            axis=1,
        )
        linked = self.pattern["drift"] | self.pattern["drift"].T | (driven @ driven.T)
        groups = []
        left = set(fields)
        while left:
            connected = {min(left)}
            while True:
                more = {int(j) for k in connected for j in np.flatnonzero(linked[k])} - connected
                if not more:
                    break
                connected |= more
            left -= connected
            chosen = tuple(sorted(connected))
            gates = sorted({g for k in chosen for g in self.roles.get(k, ())})
            own = np.flatnonzero(np.any(carried[list(chosen)], axis=0))
            groups.append(Group(chosen, tuple(map(int, own)), tuple(gates)))
        self._check(groups, noisy)
        return tuple(groups)

    def _check(self, groups: Sequence[Group], noisy: NDArray[np.bool_]) -> None:
        names, model = self.theory.info.fields, self.theory.info.name
        for group in groups:
            shared = set(group.fields) & set(self.gates)
            if group.is_conditional and shared:
                raise NotCoveredError(
                    f"{model}: the gating field {names[min(shared)]} shares a current or an input with a "
                    "field that it gates: that field is not Gaussian given the gate; not covered"
                )
            if shared and np.any(self.pattern["noise"][list(group.fields)] & noisy):
                raise NotCoveredError(
                    f"{model}: there is white noise on {names[min(shared)]}, which moves coefficients: "
                    "their averages over a step are not covered; give that noise the intensity 0"
                )
        for current, part in zip(self.theory.info.currents, self.theory.outputs, strict=True):
            if _pairing(self.theory, groups, self.gates, part) is None:
                used = [names[self.theory.functions[f].field] for f in part.factors]
                raise NotCoveredError(
                    f"{model}: the fields {', '.join(used)} in the output of {current} share a current "
                    "or an input: their joint average is not covered"
                )

    @cached_property
    def fastest_rate(self) -> float:
        """The largest rate of decay of any field, for any of the probed gate values."""
        values = [np.array(_PROBES) for _ in self.theory.gating]
        drifts = [
            np.moveaxis(self.theory.matrices(values, p)["drift"], -1, 0) for p in self._extremes
        ]
        return float(max(np.max(abs(np.linalg.eigvals(d))) for d in drifts))

    def bend(self, group: Group, step: int, gates: Floats, expected: Floats) -> Floats:
        """What the curvature of gate paths adds to h A: h |A(gates) - A(expected)| / 12, (paths,).

        ``expected`` are the gates' values continued in a straight line from the step before.
        """
        p, rows = self.grid.parameters[step + 1], list(group.fields)
        found, straight = (
            self.theory.matrices(list(z), p)["drift"][rows] for z in (gates, expected)
        )
        apart = abs(found - straight).sum(axis=1).max(axis=0)
        return np.asarray(self.grid.lengths[step] * apart / 12)

    @cached_property
    def pairings(self) -> tuple[Pairing, ...]:
        """How to average each output."""
        found = [_pairing(self.theory, self.groups, self.gates, o) for o in self.theory.outputs]
        return tuple(p for p in found if p is not None)

    @cached_property
    def observed(self) -> dict[str, Pairing]:
        """How to average each named nonlinearity; those of dependent fields are left out."""
        named = zip(self.theory.info.nonlinearities, self.theory.observables, strict=True)
        found = {
            name: _pairing(self.theory, self.groups, self.gates, part)
            for name, part in named
            if part is not None
        }
        return {name: p for name, p in found.items() if p is not None}

    @cached_property
    def strengths(self) -> Floats:
        """sqrt(v_a) c_a of every time and current: what multiplies the averages of its functions."""
        weights = self._vectors("weights")
        if np.any(weights < 0):
            raise NotCoveredError(f"{self.theory.info.name}: a coupling variance is negative")
        return np.asarray(np.sqrt(weights) * self._vectors("coefficients"))

    @cached_property
    def current_means(self) -> Floats:
        """m_a c_a of every time and current."""
        return self._vectors("current_means") * self._vectors("coefficients")

    @cached_property
    def deviations(self) -> Floats:
        """Standard deviation of every quenched input at every time."""
        return np.asarray(np.sqrt(self._vectors("quenched_variances")))

    @cached_property
    def noise_intensities(self) -> Floats:
        """Intensity of every white noise at every time."""
        return self._vectors("noise_intensities")

    @cached_property
    def observable_coefficients(self) -> Floats:
        """Constant factor of every named nonlinearity at every time."""
        return self._vectors("observable_coefficients")

    def _vectors(self, name: str) -> Floats:
        """A vector at all times; points that share their parameters share the work."""
        known: dict[tuple[float, ...], Floats] = {}
        rows = []
        for p in self.grid.parameters:
            key = tuple(p.values())
            if key not in known:
                known[key] = self.theory.vector(name, p)
            rows.append(known[key])
        return np.array(rows)

    def weights(self, group: Group, step: int, before: Floats, after: Floats) -> StepWeights:
        """Weights of a step for given values (gating fields, paths) of all gating fields at its ends.

        Coefficients are averaged along the straight line between the ends, in gates and parameters,
        by Gauss's rule with three nodes: a steep gate may open within one step. Means and deviations
        of quenched inputs are coefficients too: the drive is their pattern, which rests.
        """
        total = self._averaged(group, step, before, after)
        intensity = self.noise_intensities[step : step + 2].mean(axis=0)
        rows = list(group.fields)
        drive = np.concatenate([total["input"], total["quenched"]], axis=1)
        noise = total["noise"][rows, :, 0]
        return step_weights(
            float(self.grid.lengths[step]),
            self.grid.ratio(step),
            total["drift"][np.ix_(rows, rows)],
            drive[np.ix_(rows, list(group.drives))],
            total["constant"][rows, 0],
            (noise * intensity) @ noise.T,
        )

    def _averaged(
        self, group: Group, step: int, before: Floats, after: Floats
    ) -> dict[str, Floats]:
        """Coefficients of a step; those that nothing moves are computed once."""
        first, last = self.grid.parameters[step], self.grid.parameters[step + 1]
        if first != last or group.is_conditional:
            total: dict[str, Floats] = {}
            for node, weight in zip(AVERAGING_NODES, AVERAGING_WEIGHTS, strict=True):
                p = {k: (1 - node) * v + node * last[k] for k, v in first.items()}
                here = self._coefficients(
                    first if first == last else p, before + node * (after - before)
                )
                for name, values in here.items():
                    total[name] = total.get(name, 0.0) + weight * values
            return total
        key = tuple(first.values())
        if key not in self._still:
            self._still[key] = self._coefficients(first, before)
        return self._still[key]

    @cached_property
    def _still(self) -> dict[tuple[float, ...], dict[str, Floats]]:
        return {}

    def _coefficients(self, p: Mapping[str, float], gates: Floats) -> dict[str, Floats]:
        """All matrices at gate values (gating fields, paths); patterns have unit variance."""
        found = self.theory.matrices(list(gates), p)
        if found["quenched"].shape[1]:
            mean = self.theory.vector("quenched_means", p)
            deviation = np.sqrt(self.theory.vector("quenched_variances", p))
            pushed = np.einsum("kbn,b->kn", found["quenched"], mean)
            found["constant"] = found["constant"] + pushed[:, None]
            found["quenched"] = found["quenched"] * deviation[:, None]
        return found


def _pairing(
    theory: TwoTimeTheory, groups: Sequence[Group], gates: tuple[int, ...], part: ProductPart
) -> Pairing | None:
    """Split a product; None when its fields are not independent, given the gates."""
    home = {k: group for group in groups for k in group.fields}
    used = {f: theory.functions[f].field for f in part.factors}
    sampled = tuple(f for f, k in used.items() if home[k].is_conditional)
    gating = tuple(f for f, k in used.items() if sampled and k in gates)
    exact = tuple(f for f in part.factors if f not in (*sampled, *gating))
    homes = [home[used[f]] for f in (*sampled, *exact)]
    if len(set(homes)) < len(homes):
        return None
    if sampled and any(set(home[used[f]].fields) & set(gates) for f in exact):
        return None
    return Pairing(sampled, gating, exact)
