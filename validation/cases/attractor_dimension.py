"""Kaplan-Yorke dimension of the chaotic attractor over the gain of the output gate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..case import Panel, Series, Settings
from ..compare import LEVEL, Row, combine, extrapolate, over_networks
from ..dimension import kaplan_yorke
from ..ensemble import Ensemble
from ..ensemble_case import Numbers, Points, Task, ensemble_case, row, sign_row
from ..run_networks import counts_in
from ..spectrum_of_networks import SpectrumPlan, network_spectrum

GAINS = (4.0, 20.0)
#: Widest standard error of the leading exponent, relative, as for every exponent.
WIDEST = 0.10


def _label(gain: float) -> str:
    return f"alpha_r = {gain:g}"


def _numbers(ensemble: Ensemble, plan: SpectrumPlan, n: int, realization: int) -> Mapping[str, Any]:
    found = network_spectrum(ensemble, plan, n, realization)
    dimension = kaplan_yorke(found)
    held = dimension.bracket == "value"
    return {
        "density": dimension.value / n if held else None,
        "exponents": np.round(found.exponents, 6).tolist(),
    }


def _tasks(settings: Settings) -> Mapping[str, Task]:
    tasks = {}
    for gain in GAINS:
        plan = SpectrumPlan(settings["leading"], 60.0, 30.0, 100.0, blocks=16)
        sizes = counts_in(settings)
        tasks[_label(gain)] = Task(sizes, _numbers, plan)
    return tasks


def _judge(theory: Points, networks: Numbers) -> Sequence[Row]:
    rows, densities, predicted = [], [], []
    for point, solution in theory.items():
        sizes = networks[point]
        exponents = {n: [m["exponents"][0] for m in some] for n, some in sizes.items()}
        fit = extrapolate(exponents)
        bent = "lambda does not lie on a straight line in 1/N; larger networks are needed"
        objection = bent if fit.straightness < LEVEL else ""
        allowed = WIDEST * abs(fit.limit.mean)
        name = f"{point}: lambda (N = inf)"
        rows.append(row(name, solution.lyapunov, fit.limit, allowed, objection))
        densities.append(over_networks(_densities(sizes[max(sizes)])))
        predicted.append(solution.lyapunov or 0.0)
    for k in range(len(densities) - 1):
        # The theory has no dimension; it says which of two attractors is the more chaotic one.
        step = combine([1.0, -1.0], [densities[k + 1], densities[k]])
        name = f"D/N: alpha_r = {GAINS[k + 1]:g} minus {GAINS[k]:g}"
        rows.append(sign_row(name, 0.0, step, predicted[k + 1] > predicted[k]))
    return rows


def _densities(networks: Sequence[Mapping[str, Any]]) -> list[float]:
    """D/N; NaN, which decides nothing, where the spectrum ends too early to see it."""
    return [float("nan") if m["density"] is None else m["density"] for m in networks]


def _draw(theory: Points, networks: Numbers) -> tuple[Panel, ...]:
    spectra, means, errors = [], [], []
    for point, sizes in networks.items():
        top = max(sizes)
        mean = np.mean([m["exponents"] for m in sizes[top]], axis=0)
        place = (np.arange(mean.size) + 0.5) / top
        spectra.append(Series(point, place.tolist(), mean.tolist(), points=True))
        seen = over_networks(_densities(sizes[top]))
        means.append(seen.mean)
        errors.append(seen.standard_error)
    return (
        Panel("index / N", r"$\lambda_i$", tuple(spectra)),
        Panel(
            r"$\alpha_r$", "$D/N$", (Series("networks", list(GAINS), means, errors, points=True),)
        ),
    )


CASE = ensemble_case(
    name="attractor-dimension",
    title="The output gate sets the dimension of the attractor",
    claim=(
        "A steeper output gate makes the chaotic attractor larger: the Kaplan-Yorke dimension per unit "
        "grows with its gain, and the leading exponent of the spectrum is that of the theory."
    ),
    equation=(
        "D = j + (lambda_1 + ... + lambda_j)/|lambda_(j+1)|;  g_h = 4, alpha_r = 4, 20\n"
        "rule: lambda_1 at N = infinity at every alpha_r, errors of at most 10%; D/N at the largest N grows "
        "from each alpha_r to the next, one-sided tests at level 0.001"
    ),
    source="Krishnamurthy, Can & Schwab, Phys. Rev. X 12, 011011 (2022)",
    model="gated",
    points={_label(gain): {"g_h": 4.0, "alpha_r": gain} for gain in GAINS},
    tasks=_tasks,
    judge=_judge,
    draw=_draw,
    quick={"n": 240, "realizations": 10, "leading": 60, "counts": {"240": 10, "120": 4, "60": 10}},
    full={"n": 480, "realizations": 12, "leading": 120},
    faults={
        "output gate that does not move": {"alpha_r": 0.0},
        "gain a third too small": {"g_h": 2.7},
        "update gate nearly closed": {"beta_z": -2.0},
    },
)
