"""The public entry: solve the theory, simulate networks, compare, decide."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from dmft.errors import InputError, quoted
from dmft.results.provenance import versions

from .compare import LEVEL, over_networks
from .couplings import GAUSSIAN, Couplings
from .integrate import Backend, Integrator, check_backend, check_integrator
from .judge import judge
from .report import ValidationReport
from .run_networks import run_networks
from .schedule import SAMPLE, Schedule, is_constant
from .simulate import network_counts
from .watch import Console, Silent, Watch

if TYPE_CHECKING:
    from dmft.codegen.source import ModelSource
    from dmft.results.solution import Solution

    from .network import RightHandSide

#: Of the states; statistics are double precision.
Precision = Literal["float32", "float64"]

#: N/4 must still look like a large network.
SMALLEST_N = 200


def validate(
    model: ModelSource,
    parameters: Mapping[str, Any] | None = None,
    /,
    *,
    n: int = 2000,
    realizations: int = 8,
    seed: int = 0,
    branch: str = "auto",
    workers: int | None = None,
    progress: bool = True,
    command: str | None = None,
    couplings: Couplings = GAUSSIAN,
    integrator: Integrator = "rk4",
    precision: Precision = "float32",
    backend: Backend = "numpy",
    **more: Any,
) -> ValidationReport:
    r"""Hold the mean-field theory of a model against simulated networks of finite size.

    Solves the theory, prints the estimated time on stderr, simulates independent networks

    .. math:: \dot x_k = f_k(x, \xi, I), \quad \xi_a = J^a \psi_a(x), \quad
              J^a_{ij} \sim \mathcal N(m_a/N, \sigma_a^2/N)

    and compares C(0) of every field, the means of the fields if they are not zero by symmetry, and C of
    the first field at several lags at N = ``n``, and the largest Lyapunov exponent extrapolated in 1/N from
    ``4 realizations`` networks of n/4, ``2 realizations`` of n/2 and ``realizations`` of n. Error
    bars come from the scatter between networks. Two-sided t-tests with Holm's correction, family-
    wise level 1e-3. "inconclusive" if an error bar exceeds 2% of that field's C(0) or 10% of the
    exponent.

    Parameters
    ----------
    model, parameters, **more
        As in `dmft.solve`; parameters by mapping or by keyword.
    n
        Units per network, at least 200.
    realizations
        Independent networks of ``n`` units, at least 2; fewer than 4 hardly give a verdict. C is
        compared at N = n, where it differs from its limit by O(1/n): with many more networks than
        the default that difference becomes visible, and ``n`` must grow with them.
    seed
        Of all couplings and starts. The same seed gives the same digits for any ``workers``.
    branch
        As in `dmft.solve`. On "zero" the networks start small and must decay. Unstable branches
        cannot be judged: the report is "inconclusive", without rows.
    workers
        Processes, one BLAS thread each; all available cores by default.
    progress
        Whether to print the estimated time and, on a terminal, a progress bar on stderr.
    command
        The command line to record in the report, if there was one.
    couplings
        What the matrices are made of, see `dmft.validation.couplings.Couplings`: uniform, binary or
        sparse ones have the same theory.
    integrator
        "rk4", or "exponential" for models with very short time constants.
    precision
        "float32" or "float64" states; averages are float64 in any case.
    backend
        "numpy", or "jax" for a graphics card or other accelerator (the processor if there is none), in
        one process. The same couplings and starts; the results agree until chaos has enlarged the
        different rounding, then within the error bars.

    Raises
    ------
    InputError
        Bad parameters or options, or an ``n`` whose couplings do not fit into memory.
    DmftError
        The dynamics is unbounded, or stiff beyond what an explicit method can do.

    Examples
    --------
    >>> import dmft
    >>> report = dmft.validate("vanilla", g=2, n=200, realizations=2, progress=False)
    >>> report.networks, report.verdict  # far too few and too small to tell
    ({200: 2, 100: 4, 50: 8}, 'inconclusive')
    """
    n = _whole("n", n, SMALLEST_N)
    realizations = _whole("realizations", realizations, 2)
    seed = _whole("seed", seed, 0)
    if workers is not None:
        workers = _whole("workers", workers, 1)
    check_backend(backend)

    from dmft.api import solve
    from dmft.codegen import compile_network, resolve

    declared = resolve(model)  # once: a file might change while the theory is solved
    theory = solve(declared, parameters, branch=branch, **more)
    return validate_solution(
        theory,
        right=compile_network(declared),
        n=n,
        realizations=realizations,
        seed=seed,
        workers=workers,
        watch=Console() if progress else Silent(),
        command=command,
        couplings=couplings,
        integrator=integrator,
        precision=precision,
        backend=backend,
    )


def validate_solution(
    theory: Solution,
    *,
    n: int = 2000,
    realizations: int = 8,
    seed: int = 0,
    workers: int | None = None,
    right: RightHandSide | None = None,
    watch: Watch | None = None,
    command: str | None = None,
    couplings: Couplings = GAUSSIAN,
    integrator: Integrator = "rk4",
    precision: Precision = "float32",
    backend: Backend = "numpy",
) -> ValidationReport:
    """Like `validate`, for a theory that is there already; no error estimate of it is trusted away.

    ``right``: the network's right-hand side, when the model does not come with the package.
    """
    begun = time.perf_counter()
    check_integrator(integrator)
    check_backend(backend)
    if backend != "numpy":
        workers = _one_process(workers)
    if precision not in get_args(Precision):
        raise InputError(
            f"precision: {quoted(precision)} was given; choose {' or '.join(get_args(Precision))}"
        )
    if not isinstance(couplings, Couplings):
        raise InputError(
            f"couplings: {quoted(couplings)} was given; give a dmft.validation.couplings.Couplings"
        )
    dtype = np.dtype(precision)
    reason = _not_comparable(theory)
    if reason:
        return _no_comparison(theory, reason, n, seed, command)
    if right is None:
        from dmft.codegen import compile_network

        try:
            right = compile_network(theory.model)
        except KeyError:
            right = None
        if right is None or right.info.hash != theory.model_hash:
            raise InputError(
                f"the declaration that {quoted(theory.model)} was solved with does not come with "
                "this package; validate its model, or give its right-hand side"
            )
    watch = watch or Silent()
    first = right.info.fields[0]
    run = run_networks(
        theory,
        right,
        counts=network_counts(n, realizations),
        seed=seed,
        workers=workers,
        watch=watch,
        couplings=couplings,
        integrator=integrator,
        dtype=dtype,
        backend=backend,
    )
    schedule, networks = run.schedule, run.networks
    rows, verdict = judge(theory, networks, schedule)
    top = [m.autocorrelation for m in networks if m.n == n]
    drawn = [over_networks(values) for values in zip(*top, strict=True)]
    fine = np.linspace(0.0, 1.05 * SAMPLE * max(schedule.lags), 400)
    return ValidationReport(
        **_identity(theory, n, seed, command, backend),
        verdict=verdict,
        message="; ".join(dict.fromkeys(row.objection for row in rows if row.objection)),
        rows=rows,
        networks=dict(run.counts),
        measurements=networks,
        field=first,
        lag=SAMPLE * np.array(schedule.lags, dtype=np.float64),
        autocorrelation=np.array([e.mean for e in drawn]),
        autocorrelation_error=np.array([e.standard_error for e in drawn]),
        theory_lag=fine,
        theory_autocorrelation=np.asarray(theory.at(fine)[first]),
        schedule=_described(schedule, precision, couplings),
        estimated_seconds=run.estimated_seconds,
        seconds=time.perf_counter() - begun,
    )


def _one_process(workers: int | None) -> int:
    """jax takes all cores, or most of an accelerator's memory, from one process."""
    if workers not in (None, 1):
        raise InputError(
            f"workers: {workers} were given; the backend jax runs in one process, leave them out"
        )
    return 1


def _identity(
    theory: Solution, n: int, seed: int, command: str | None, backend: Backend = "numpy"
) -> dict[str, Any]:
    return {
        "model": theory.model,
        "parameters": theory.parameters,
        "branch": theory.branch,
        "status": str(theory.status),
        "level": LEVEL,
        "n": n,
        "seed": seed,
        "versions": versions("joblib", "threadpoolctl", *({backend} - {"numpy"})),
        "model_hash": theory.model_hash,
        "command": command,
    }


def _described(schedule: Schedule, precision: Precision, couplings: Couplings) -> dict[str, Any]:
    times = {"lags": schedule.lags, "judged_lags": schedule.judged_lags}
    return {
        **asdict(schedule),
        **{name: [SAMPLE * lag for lag in lags] for name, lags in times.items()},
        "integrator": {"rk4": "RK4", "exponential": "exponential RK4"}[schedule.integrator],
        "precision": f"{precision} states, float64 averages",
        "couplings": asdict(couplings),
    }


def _not_comparable(theory: Solution) -> str:
    """Why simulated networks cannot judge this theory; empty if they can."""
    if not theory.status.is_answer:
        reason = f"no theory to compare with (status {theory.status}: {theory.status.explanation})"
        return f"{reason}; {theory.message}" if theory.message else reason
    constant = is_constant(theory.branch)
    if theory.branch.endswith("-lower") or (constant and (theory.lyapunov or 0.0) > 0):
        return (
            f"nothing was simulated: the branch {theory.branch} is unstable here, networks leave it"
            f"; other branches: {', '.join(theory.other_branches) or 'none'}"
        )
    return ""


def _no_comparison(
    theory: Solution, reason: str, n: int, seed: int, command: str | None
) -> ValidationReport:
    nothing = np.zeros(0)
    return ValidationReport(
        **_identity(theory, n, seed, command),
        verdict="inconclusive",
        message=reason,
        rows=(),
        networks={},
        measurements=(),
        field=next(iter(theory.variance), ""),
        lag=nothing,
        autocorrelation=nothing,
        autocorrelation_error=nothing,
        theory_lag=nothing,
        theory_autocorrelation=nothing,
        schedule={},
        estimated_seconds=0.0,
        seconds=0.0,
    )


def _whole(name: str, value: object, smallest: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < smallest:
        raise InputError(
            f"{name}: {quoted(value)} was given, a whole number >= {smallest} is allowed"
        )
    return int(value)
