r"""One self-consistent population: all order parameters along the grid, step by step.

At every step the states at t_{n+1} are predicted from what is known up to t_n (`two_time_step`): exactly
for Gaussian groups, along sampled paths of the gates for conditional ones. Averages over the predicted
states give the covariances of the currents,

    <xi_a xi_a'> = v_a c_a^2 <prod f (t_{n+1}) prod f (t_m)>,    <xi_a> = m_a c_a <prod f>,

and those finish the step. Conditional fields are averaged in closed form, given the gates; only the paths of
the gates are random.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .two_time_average import PathAverage
from .two_time_covariance import LinearGroup
from .two_time_gates import GatePaths, block_normals
from .two_time_history import History
from .two_time_problem import Group, Pairing, TwoTimeProblem
from .two_time_start import FieldStart, Members, mixture, sampled

__all__ = ["Population"]

Floats = NDArray[np.float64]
#: (group, step, (gating fields, paths)) -> standard normals
Normals = Callable[[int, int, tuple[int, int]], Floats]

#: Tolerance of averages over Gaussian fields: without sampling, and relative to that of sampled ones.
_EXACT, _SAMPLED_SHARE = 1e-12, 1e-3
#: Steps are numbered from 0; the random order of sharp starts has this number.
_START_KEY = 2**31


class Population:
    """A population of ``paths`` gate paths; deterministic, with one path, when no gate moves.

    Order parameters are in ``moments``: field or nonlinearity -> <x(t_n) x(t_m)>, (n, n), symmetric where
    filled; ``means``: (n,) each; ``fourth``: field -> <x^4> (n,). ``local_error``: relative, of each step,
    with the error from the curvature of gate paths if ``bends``.
    """

    def __init__(
        self,
        problem: TwoTimeProblem,
        starts: Sequence[FieldStart],
        paths: int,
        tolerance: float,
        seed: int,
        number: int,
        normals: Normals | None = None,
        bends: bool = False,
    ) -> None:
        self.problem, self.number, self.bends = problem, number, bends
        self.paths = paths if problem.gates else 1
        self.normals = normals or partial(block_normals, seed, number)
        theory, size = problem.theory, len(problem.grid)
        rng = np.random.default_rng(
            np.random.SeedSequence(entropy=seed, spawn_key=(number, _START_KEY))
        )
        self.members: list[Members] = []
        self.groups: list[LinearGroup] = []
        self.gates: dict[int, GatePaths] = {}  # by group
        self.member_of_path: dict[int, NDArray[np.intp]] = {}
        for i, group in enumerate(problem.groups):
            own = [starts[k] for k in group.fields]
            if group.is_conditional:
                members = sampled(own, self.paths, rng)
            else:
                members = mixture(own)
                if self._gating(group):
                    self.gates[i] = GatePaths(len(self._gating(group)), self.paths, size)
                    share = (rng.permutation(self.paths) + 0.5) / self.paths
                    which = np.searchsorted(np.cumsum(members.weights), share)
                    self.member_of_path[i] = np.minimum(which, members.weights.size - 1)
            self.members.append(members)
            self.groups.append(LinearGroup(len(group.drives), members.variance, members.mean, size))
        self.gate_values: Floats = np.zeros((len(theory.gating), self.paths))
        self._earlier_gates = self.gate_values
        self._home = {
            k: (i, j) for i, g in enumerate(problem.groups) for j, k in enumerate(g.fields)
        }
        pairings = [*problem.pairings, *problem.observed.values()]
        # exact averages are cheap, but not where chance leaves no use for them
        exact = _SAMPLED_SHARE * tolerance if problem.gates else _EXACT
        self.averages: dict[int, PathAverage] = {}
        self.gate_functions: dict[int, History] = {}
        for f in sorted({f for p in pairings for f in (*p.sampled, *p.exact)}):
            i, _ = self._home[theory.functions[f].field]
            tol = tolerance if problem.groups[i].is_conditional else exact
            self.averages[f] = PathAverage(
                partial(_value, problem, f), self.members[i].weights, tol, size
            )
        for f in sorted({f for p in pairings for f in p.gates}):
            self.gate_functions[f] = History((self.paths,), size)
        drives = len(theory.outputs) + len(theory.info.inputs)
        self.drive = np.zeros((drives, size, size))
        self.drive_mean = np.zeros((size, drives))
        names = [*theory.info.fields, *problem.observed]
        self.moments = {name: np.zeros((size, size)) for name in names}
        self.means = {name: np.zeros(size) for name in names}
        self.fourth = {name: np.zeros(size) for name in theory.info.fields}
        self.local_error = np.zeros(size - 1)
        self.size = 0
        self._begin()

    def _gating(self, group: Group) -> list[int]:
        """Places in the group of its sampled gating fields."""
        return [j for j, k in enumerate(group.fields) if k in self.problem.gates]

    def _begin(self) -> None:
        self._draw_gates()
        self._average()
        for group, state in zip(self.problem.groups, self.groups, strict=True):
            state.begin(self.drive[list(group.drives), 0, 0])
        self._record()
        self.size = 1

    def advance(self) -> None:
        """One step."""
        n = self.size - 1
        before = self.gate_values
        for sampled_ones in (False, True):
            for group, state in zip(self.problem.groups, self.groups, strict=True):
                if group.is_conditional is not sampled_ones:
                    continue
                gates = (before, self.gate_values) if sampled_ones else (before[:, :1] * 0,) * 2
                weights = self.problem.weights(group, n, *gates)
                mean = self.drive_mean[[max(n - 1, 0), n]][:, list(group.drives)]
                state.predict(weights, mean)
            if not sampled_ones:
                self._draw_gates()
        self._average()
        for group, state in zip(self.problem.groups, self.groups, strict=True):
            own = list(group.drives)
            state.correct(self.drive[own, n + 1, : n + 2], self.drive_mean[[n, n + 1]][:, own])
        self._record()
        self.local_error[n] = self._error_of_step()
        if self.bends:
            self.local_error[n] += self._bend_of_gates(n, before)
        self.size += 1

    def _error_of_step(self) -> float:
        """The largest relative error that the latest step leaves in a field that some output hears."""
        heard = {f.field for f in self.problem.theory.functions}
        errors = [0.0]
        for group, state, members in zip(
            self.problem.groups, self.groups, self.members, strict=True
        ):
            own = state.local_error(members.weights)
            errors += [float(e) for k, e in zip(group.fields, own, strict=True) if k in heard]
        return max(errors)

    def _bend_of_gates(self, n: int, before: Floats) -> float:
        """The error from the curvature of the gates' paths, root mean square over paths."""
        ratio = self.problem.grid.ratio(n)
        expected = before + ratio * (before - self._earlier_gates) if ratio else self.gate_values
        self._earlier_gates = before
        bends = [0.0]
        for group in self.problem.groups:
            if group.is_conditional:
                bend = self.problem.bend(group, n, self.gate_values, expected)
                bends.append(float(np.sqrt(np.mean(bend**2))))
        return max(bends)

    def _draw_gates(self) -> None:
        """Values of the gating fields at the new time."""
        values = self.gate_values.copy()
        place = {k: j for j, k in enumerate(self.problem.theory.gating)}
        for i, paths in self.gates.items():
            group, state = self.problem.groups[i], self.groups[i]
            own = self._gating(group)
            # all members of a mixture share the covariance
            covariance = state.covariance[:, own][:, :, own, 0]
            mean = (state.mean if self.size == 0 else state.predicted_mean)[own]
            drawn = paths.append(
                covariance,
                mean[:, self.member_of_path[i]],
                self.normals(i, self.size, (len(own), self.paths)),
            )
            for j, row in zip(own, drawn, strict=True):
                values[place[group.fields[j]]] = row
        self.gate_values = values

    def _average(self) -> None:
        """Covariances and means of all drives between the new time and all earlier ones."""
        problem, n = self.problem, self.size
        theory = problem.theory
        for f, average in self.averages.items():
            i, j = self._home[theory.functions[f].field]
            state = self.groups[i]
            mean = state.mean if n == 0 else state.predicted_mean
            average.append(mean[j], state.covariance[-1, j, j])
        place = {k: j for j, k in enumerate(theory.gating)}
        for f, values in self.gate_functions.items():
            z = self.gate_values[place[theory.functions[f].field]]
            values.append(_value(problem, f, z, n))
        pairs: dict[int, Floats] = {}
        for f, average in self.averages.items():
            i, j = self._home[theory.functions[f].field]
            pairs[f] = average.lagged(self.groups[i].covariance[:, j, j])
        along_paths: dict[tuple[tuple[int, ...], ...], tuple[Floats, float]] = {}

        def averaged(pairing: Pairing) -> tuple[Floats, float]:
            key = (pairing.sampled, pairing.gates)
            if key not in along_paths:
                along_paths[key] = self._along_paths(pairing, pairs)
            row, mean = along_paths[key]
            for f in pairing.exact:
                weights = self.averages[f].weights
                row = row * (pairs[f] @ weights)
                mean *= float(self.averages[f].mean.rows[-1] @ weights)
            return row, mean

        for a, pairing in enumerate(problem.pairings):
            row, mean = averaged(pairing)
            strength = problem.strengths[: n + 1, a]
            self._put(self.drive[a], strength[n] * strength * row)
            self.drive_mean[n, a] = problem.current_means[n, a] * mean
        first = len(problem.pairings)
        self.drive[first:, n, : n + 1] = self.drive[first:, : n + 1, n] = 1.0  # patterns rest
        for name, pairing in problem.observed.items():
            row, mean = averaged(pairing)
            c = self._observable_coefficients(name)
            self._put(self.moments[name], c[n] * c * row)
            self.means[name][n] = c[n] * mean

    def _along_paths(self, pairing: Pairing, pairs: Mapping[int, Floats]) -> tuple[Floats, float]:
        """Mean over paths of the sampled functions times those of the gates; 1 without any."""
        if not pairing.sampled:
            return np.ones(self.size + 1), 1.0
        weights = self.averages[pairing.sampled[0]].weights
        total, mean = pairs[pairing.sampled[0]], self.averages[pairing.sampled[0]].mean.rows[-1]
        for f in pairing.sampled[1:]:
            total = total * pairs[f]
            mean = mean * self.averages[f].mean.rows[-1]
        for f in pairing.gates:
            values = self.gate_functions[f].rows
            total = total * values * values[-1]
            mean = mean * values[-1]
        return total @ weights, float(mean @ weights)

    def _observable_coefficients(self, name: str) -> Floats:
        names = self.problem.theory.info.nonlinearities
        return self.problem.observable_coefficients[: self.size + 1, names.index(name)]

    def _put(self, table: Floats, row: Floats) -> None:
        n = self.size
        table[n, : n + 1] = table[: n + 1, n] = row

    def _record(self) -> None:
        """Second and fourth moments and means of the fields at the new time."""
        n = self.size
        for k, name in enumerate(self.problem.theory.info.fields):
            i, j = self._home[k]
            state, weights = self.groups[i], self.members[i].weights
            centre = state.means.rows[:, j]
            row = (state.covariance[:, j, j] + centre * centre[-1]) @ weights
            self._put(self.moments[name], row)
            self.means[name][n] = float(centre[-1] @ weights)
            variance, mean = state.covariance[-1, j, j], centre[-1]
            fourth = 3 * variance**2 + 6 * variance * mean**2 + mean**4
            self.fourth[name][n] = float(fourth @ weights)

    def state(self) -> dict[str, NDArray[Any]]:
        """Everything that a continuation with the same arguments needs, as named arrays."""
        parts: dict[str, NDArray[Any]] = {
            "size": np.array(self.size),
            "gate_values": self.gate_values,
            "drive": self.drive,
            "drive_mean": self.drive_mean,
            "local_error": self.local_error,
        }
        for name, tables in self._tables():
            parts |= {f"{name}/{key}": table for key, table in tables.items()}
        for name, part in self._parts():
            parts |= {f"{name}/{key}": value for key, value in part.state().items()}
        for f, values in self.gate_functions.items():
            parts[f"gate_function/{f}"] = values.rows
        return parts

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from a state of a population that was made with the same arguments."""
        self.size = int(state["size"])
        self.gate_values = np.array(state["gate_values"])
        for name in ("drive", "drive_mean", "local_error"):
            getattr(self, name)[:] = state[name]
        for name, tables in self._tables():
            for key, table in tables.items():
                table[:] = state[f"{name}/{key}"]
        for name, part in self._parts():
            start = f"{name}/"
            own = {k.removeprefix(start): v for k, v in state.items() if k.startswith(start)}
            part.restore(own)
        for f, values in self.gate_functions.items():
            values.replace(state[f"gate_function/{f}"])

    def _tables(self) -> list[tuple[str, dict[str, Floats]]]:
        return [("moments", self.moments), ("means", self.means), ("fourth", self.fourth)]

    def _parts(self) -> list[tuple[str, LinearGroup | PathAverage | GatePaths]]:
        return [
            *((f"group-{i}", part) for i, part in enumerate(self.groups)),
            *((f"average-{f}", part) for f, part in self.averages.items()),
            *((f"gates-{i}", part) for i, part in self.gates.items()),
        ]


def _value(problem: TwoTimeProblem, f: int, x: Floats, n: int) -> Floats:
    """f(x) at time number n. No method: a population that refers to itself would stay in memory."""
    return problem.theory.function(f, x, problem.grid.parameters[n])
