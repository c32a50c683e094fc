"""A binary update gate: the open units alone decide where constant states turn unstable.

What closed units hold depends on history. Here they hold what the static solution has, from the start.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from ..case import Case, Measured, Panel, Series, Settings
from ..compare import Row, extrapolate, over_networks
from ..ensemble import Ensemble, settle
from ..ensemble_case import Numbers, Task, networks_of, numbers_of_networks, row, sign_row
from ..journal import Journal
from ..open_units import open_units
from ..start import Start
from ..watch import Watch

MODEL = "gated"
#: Gain of the update gate: all but a few per cent of the units are open or closed.
STEEP = 100.0
#: Widest standard errors: of the share of open units, and of the gain, relative.
WIDEST_SHARE, WIDEST_GAIN = 0.02, 0.10


@dataclass(frozen=True, slots=True)
class Point:
    """Gain, threshold, and the variance that h is held with at the start: that of the static state."""

    g_h: float
    theta: float
    held: float
    alpha_r: float = 0.0

    @property
    def parameters(self) -> dict[str, float]:
        """At a finite but steep gate, slow enough for open units to follow it."""
        return {
            "g_h": self.g_h,
            "alpha_z": STEEP,
            "beta_z": STEEP * self.theta,
            "tau_z": 5.0,
            "alpha_r": self.alpha_r,
        }


POINTS = {
    "g_h = 3, theta = 0.3": Point(3.0, 0.3, 0.08815),
    "g_h = 5, theta = 0.3": Point(5.0, 0.3, 0.15844),
    "g_h = 3, theta = 0.3, alpha_r = 5": Point(3.0, 0.3, 0.20008, 5.0),
    "g_h = 12, theta = -0.3": Point(12.0, -0.3, 0.21458),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """``starts`` of every network are looked at after a time ``transient``; z starts at ``shut``."""

    held: float
    shut: float = -1.0
    transient: float = 50.0
    starts: int = 3


@dataclass(frozen=True, slots=True)
class Told:
    """What the theory says at one point; ``parameters`` are complete."""

    parameters: Mapping[str, float]
    model_hash: str
    open: float
    gain: float
    unstable: bool


def _predict(change: Mapping[str, float], settings: Settings, workers: int = 1) -> dict[str, Told]:
    return {label: _told({**point.parameters, **change}) for label, point in POINTS.items()}


def _told(given: Mapping[str, float]) -> Told:
    """f and f V of the static state, and on which side of the line the point lies."""
    from dmft.api import boundary
    from dmft.codegen import resolve
    from dmft.find_slow_modes import relaxation_times, slow_modes
    from dmft.parameters import check_parameters, find_model

    info = find_model(resolve(MODEL))
    p = check_parameters(info, given)
    state = slow_modes(MODEL, p)[0]
    # Beyond the threshold units relax faster than half the rate of an open one.
    shut = relaxation_times(MODEL, [2.0], p, variance=state.variance, mean=state.mean)
    line = boundary(
        MODEL, "marginal-stability", alpha_r=p["alpha_r"], theta_z=p["beta_z"] / p["alpha_z"]
    )
    f = 1 - float(shut[0])
    beyond = bool(np.max(line.columns["g_h"]) < p["g_h"])
    return Told(p, info.hash, f, f * state.loop_gain, beyond)


def _unheld(told: Told) -> Told:
    """V instead of f V: as if closed units passed perturbations on."""
    return replace(told, gain=told.gain / told.open)


def _measure(
    theory: Mapping[str, Told],
    settings: Settings,
    seed: int,
    workers: int,
    journal: Journal,
    watch: Watch,
) -> Measured:
    n, count = settings["n"], settings["realizations"]
    found = {}
    for label, told in theory.items():
        plan = Plan(POINTS[label].held)
        task = Task({n: count, n // 2: 2 * count}, _numbers, plan)
        found[label] = numbers_of_networks(MODEL, told, task, seed, workers, journal)
    return found


def _numbers(ensemble: Ensemble, plan: Plan, n: int, realization: int) -> Mapping[str, Any]:
    """Means over starts of the share of open units, their gain, and their leading real part."""
    held = replace(ensemble, starts=Start({"h": plan.held**0.5}, {"z": plan.shut}))
    run = held.begin(n, realization, batch=plan.starts)
    settle(run, plan.transient)
    states = [[field[k : k + 1] for field in run.x] for k in range(plan.starts)]
    seen = [open_units(run.network, x, "h", through="r", delay="tau_r") for x in states]
    found = np.mean(seen, axis=0)
    return dict(zip(("open", "gain", "leading"), found.tolist(), strict=True))


def _judge(theory: Mapping[str, Told], measured: Measured) -> Sequence[Row]:
    rows = []
    for label, sizes in networks_of(measured).items():
        told = theory[label]
        for name, value, relative in (("open", told.open, 0.0), ("gain", told.gain, WIDEST_GAIN)):
            limit = extrapolate({n: [m[name] for m in some] for n, some in sizes.items()}).limit
            allowed = relative * limit.mean or WIDEST_SHARE
            what = "share of open units" if name == "open" else "gain of the open units, f V"
            found = row(f"{label}: {what} (N = inf)", value, limit, allowed)
            # Beyond the line states move on, and need not look like the static one.
            rows.append(replace(found, judged=not told.unstable))
        leading = over_networks([m["leading"] for m in sizes[max(sizes)]])
        name = f"{label}: leading real part of the open units, N = {max(sizes)}"
        rows.append(sign_row(name, 0.0, leading, told.unstable))
    return rows


def _draw(theory: Mapping[str, Told], measured: Measured) -> tuple[Panel, ...]:
    """The gain f V at every point over g_h, and the line f V = 1."""
    networks: Numbers = networks_of(measured)
    x = [POINTS[label].g_h for label in networks]
    seen = [
        extrapolate({n: [m["gain"] for m in some] for n, some in sizes.items()}).limit
        for sizes in networks.values()
    ]
    points = Series(
        "networks, N to infinity",
        x,
        [e.mean for e in seen],
        [e.standard_error for e in seen],
        points=True,
    )
    told = Series("theory", x, [theory[label].gain for label in networks])
    line = Series("marginal stability", [min(x), max(x)], [1.0, 1.0])
    return (Panel("$g_h$", "$fV$", (told, line, points)),)


CASE = Case(
    name="marginal-stability",
    title="Marginal stability with a binary update gate",
    claim=(
        "With a steep update gate a state's stability is that of its open units, f V < 1, while the closed "
        "ones hold what they have: below the line networks have the theory's share f of open units and their "
        "gain f V, and the leading real part of the open units changes sign across the line."
    ),
    equation=(
        "dh/dt = sigma_z(z) (-h + J phi(h) sigma_r(r)),  tau_z dz/dt = -z + J phi(h);  "
        "alpha_z = 100, tau_z = 5, theta = beta_z/alpha_z, alpha_r = 0 or 5\n"
        "f = P(z > theta), V = <phi'^2> (<sigma_r^2> + <phi^2> <sigma_r'^2>); h starts with the static "
        "variance, all gates closed (z = -1)\n"
        "rule: below the line f and f V at N = infinity from N and N/2, errors of at most 0.02 and 10%; the "
        "open units' Jacobian has a negative leading real part below, a positive one beyond (level 0.001)"
    ),
    source="Krishnamurthy, Can & Schwab, Phys. Rev. X 12, 011011 (2022)",
    settings={
        "quick": {"n": 300, "realizations": 10},
        "full": {"n": 800, "realizations": 16},
    },
    predict=partial(_predict, {}),
    measure=_measure,
    judge=_judge,
    draw=_draw,
    faults={
        "sign of the gate's bias": lambda settings, workers=1: {
            label: _told({**p.parameters, "beta_z": -STEEP * p.theta})
            for label, p in POINTS.items()
        },
        "threshold missing": partial(_predict, {"beta_z": 0.0}),
        "closed units not held": lambda settings, workers=1: {
            label: _unheld(told) for label, told in _predict({}, settings).items()
        },
        "output gate that moves": partial(_predict, {"alpha_r": 5.0}),
        "output gate at rest": partial(_predict, {"alpha_r": 0.0}),
    },
)
