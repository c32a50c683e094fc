"""derive -> compile -> solve for the common case: assembles, computes nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .errors import NotCoveredError
from .option_checks import check_options, check_proved_digits, check_tol, choose
from .parameters import (
    Sweep,
    check_parameters,
    find_model,
    merge_parameters,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dmft.derivations.derivation import Derivation

    from .codegen.info import ModelInfo
    from .codegen.source import ModelSource
    from .results.curve import BoundaryCurve
    from .results.phase import PhaseDiagram
    from .results.solution import Solution

__all__ = ["boundary", "derive", "models", "phase", "solve"]


def models() -> tuple[ModelInfo, ...]:
    """Names, parameters with domains and citations of all models.

    >>> import dmft
    >>> [model.name for model in dmft.models()]
    ['adaptation', 'gated', 'gated-input', 'mean-coupling', 'vanilla', 'vanilla-erf']
    """
    from .codegen import load_info, model_names

    return tuple(load_info(name) for name in model_names())


def derive(model: ModelSource, *, show: str | None = None) -> Derivation:
    """Derive the mean-field theory of a model: prints as text, ``.latex()`` for LaTeX.

    ``show`` picks one stage: network, disorder, conditional, statics, zero-state, stationary,
    lyapunov, replicas, jacobian-edge, or tricritical (amplitude and Lyapunov laws near onset,
    tricritical gains; takes seconds). Raises `InputError` for an unknown model or stage.

    >>> import dmft
    >>> print(dmft.derive("vanilla").stages[0].equations[0].text)
    dx/dt = -x + xi_x*g
    """
    from .codegen import resolve

    declared = resolve(model)
    find_model(declared)
    from dmft.derivations.derivation import STAGES
    from dmft.derivations.models import get
    from dmft.derivations.stages import derive_model

    if show is not None:
        choose("show", show, STAGES)
    derivation = derive_model(get(declared) if isinstance(declared, str) else declared)
    return derivation if show is None else derivation.show(show)


def solve(
    model: ModelSource,
    parameters: Mapping[str, float] | None = None,
    /,
    *,
    branch: str = "auto",
    tol: float = 1e-10,
    method: str = "auto",
    precision: float | None = None,
    seed: int | None = None,
    workers: int = 1,
    time_limit: float | None = None,
    checkpoint: str | Path | None = None,
    lyapunov: bool = True,
    digits: int | None = None,
    progress: Callable[[str], None] | None = None,
    **more_parameters: float,
) -> Solution:
    r"""Solve the stationary mean-field equations of a model.

    Autocorrelations C(tau) = <x(t) x(t + tau)> and the largest Lyapunov exponent; equations in
    `dmft.derive` and on the concepts page of the documentation (Sompolinsky, Crisanti & Sommers 1988;
    Krishnamurthy, Can & Schwab 2022). Times are in units of the leak.

    Parameters
    ----------
    model
        A name from `dmft.models`, the path of a TOML file, or a `dmft.Model`.
    parameters, **more_parameters
        Values by name; each once.
    branch
        "auto" (the chaotic state if it exists, else the largest stable fixed point, else rest; where a
        gate moves: if iteration from variance 1 leads to a chaotic state), or
        "zero", "fixed-point", "chaotic"; of two of a kind the smaller is "fixed-point-lower" or
        "chaotic-lower", of more they are "fixed-point-2", "fixed-point-3" ... by size.
    tol
        Accuracy of window, density and residual, relative to C(0); between 1e-13 and 1e-3.
    method
        "auto": deterministic where all fields are Gaussian, else "sampled": paths of the gates are
        drawn. "factorised" is an approximation (gate and gated field taken as independent) and says
        so. Linear algebra of the deterministic solver: "dense" or "matrix-free".
    precision
        Of the sampled solver: relative error of C(0) of the first gated field, from 1e-4 to 0.1;
        3e-3 by default. Then ``tol`` is not used, and the result's ``tol`` is the precision.
    seed
        Of the sampled solver, 0 by default; the deterministic one only records it.
    workers
        Processes of the sampled solver; they change no digit.
    time_limit, checkpoint
        Of the sampled solver: seconds after which it stops with status ``interrupted`` and what it has
        so far, and a folder for its work, from which a call with equal arguments goes on. With such a
        folder Ctrl-C does the same.
    progress
        Called with a few words now and then by the sampled solver and by the refinement of digits.
    lyapunov
        False leaves the exponent out.
    digits
        Also refine a chaotic state to so many digits, 10 to 40 (extra ``certified``; takes up to
        minutes): decimals and estimated errors in `Solution.digits`.

    Returns
    -------
    Solution
        Check ``status``: without an answer it says why and arrays are empty.

    Raises
    ------
    InputError
        Bad names or values; `NotCoveredError` for a theory that is not built yet.

    Examples
    --------
    >>> import dmft
    >>> solution = dmft.solve("gated", g_h=3, alpha_r=5)
    >>> print(solution.branch, solution.status, f"{solution.lyapunov:.6f}")
    chaotic converged 0.132169
    """
    from .codegen import compiled_theory, resolve

    started = time.perf_counter()
    declared = resolve(model)
    info = find_model(declared)
    values = check_parameters(info, merge_parameters(parameters, more_parameters))
    tol = check_options(branch=branch, tol=tol, method=method, seed=seed)
    from .refine_digits import check_digits, refine_digits
    from .solve_moving import Paths, check_precision, check_work, solve_moving

    precision = check_precision(precision)
    check_work(workers, time_limit)
    if digits is not None:
        check_digits(digits)
    theory = compiled_theory(declared)
    histories: Mapping[str, float] = {}
    moves = bool(theory.unmet("gaussian", values)) and not theory.closure_failure
    if moves or method in ("sampled", "factorised"):
        kind = "factorised" if method == "factorised" else "sampled"
        if digits is not None:
            raise NotCoveredError(f"digits: a {kind} state has no exact digits; leave digits out")
        with _one_thread():
            answer = solve_moving(
                declared,
                values,
                branch,
                method,
                tol,
                lyapunov,
                Paths(
                    precision,
                    seed or 0,
                    workers,
                    time_limit,
                    checkpoint,
                    progress or (lambda text: None),
                ),
            )
        found, others, histories = answer.found, answer.others, answer.histories
        if answer.sampled:
            tol, seed = precision, seed or 0
            method = "sampled"
    else:
        from .solvers.stationary import solve_stationary

        if theory.closure_failure:
            raise NotCoveredError(f"{info.name}: {theory.closure_failure}")
        with _one_thread():
            found, others = solve_stationary(
                theory, values, branch=branch, tol=tol, method=method, lyapunov=lyapunov
            )
    from .results.provenance import versions
    from .results.solution import Solution

    solved = found.covariance is not None
    covariance = found.covariance if solved else np.empty((len(info.fields), 0))
    assert covariance is not None
    variance = {
        name: float(covariance[i, 0]) if solved else None for i, name in enumerate(info.fields)
    }
    autocorrelation = dict(zip(info.fields, covariance, strict=True)) | dict(found.observables)
    times = found.correlation_times or (None,) * len(info.fields)
    solution = Solution(
        model=info.name,
        parameters=values,
        branch=found.branch,
        other_branches=others,
        status=found.status,
        message=found.message,
        variance=variance,
        lyapunov=found.lyapunov,
        lag=found.lags,
        autocorrelation=autocorrelation,
        correlation_time=dict(zip(info.fields, times, strict=True)),
        residual=found.residual,
        error_estimate=dict(found.errors)
        or {"variance": None, "lyapunov": None, "autocorrelation": None},
        versions=versions(),
        seed=seed,
        seconds=time.perf_counter() - started,
        command=None,
        model_hash=info.hash,
        tol=tol,
        method=method,
        mean=_by_field(info, found.means),
        limit=_by_field(info, found.limits),
        interpolation=found.interpolation,
        standard_error=dict(getattr(found, "standard_errors", {})),
        histories=dict(histories),
    )
    if digits is None:
        return solution
    with _one_thread():
        return refine_digits(theory, solution, digits, progress or (lambda text: None))


def _by_field(info: ModelInfo, values: NDArray[np.float64] | None) -> dict[str, float | None]:
    numbers = [None] * len(info.fields) if values is None else [float(v) for v in values]
    return dict(zip(info.fields, numbers, strict=True))


def boundary(
    model: ModelSource,
    name: str,
    parameters: Mapping[str, float | Sweep | Sequence[float]] | None = None,
    /,
    *,
    solve_for: str | None = None,
    tol: float | None = None,
    digits: int | None = None,
    **more_parameters: float | Sweep | Sequence[float],
) -> BoundaryCurve:
    """Locate a boundary between regimes, at given values of parameters or along the whole curve.

    ``zero-state``: rest loses stability. ``fixed-points``: non-zero fixed points appear or vanish, in
    folds or, with status ``continuous``, at rest. ``jacobian-edge``: a non-zero or driven fixed point
    loses stability. ``tricritical-static``, ``tricritical-dynamic``: births of fixed points, and of
    chaos, at rest turn discontinuous. ``marginal-stability``: a binary gate leaves a fixed point marginally
    stable up to there. More on the concepts page of the documentation.

    Parameters
    ----------
    model, name
        A model, as in `solve`, and the boundary's name.
    parameters, **more_parameters
        Numbers; a sequence of numbers or ``Sweep(first, last, points)`` for exactly these values; at
        most once ``Sweep(first, last)`` to follow the curve, with points as dense as it bends.
    solve_for
        The unknown; by default the first parameter of the model without a default value, on the
        line of rest the first gain that matters.
    tol
        Accuracy of the located values, relative to max(1, |value|); between 1e-14 and 1e-3. By default
        1e-12, and 1e-9 for boundaries of chaos (``chaos-onset``, ``lyapunov-zero``).
    digits
        Also prove so many digits, 10 to 200 (extra ``certified``): ``enclosure`` holds intervals that
        contain exactly one solution. Parameters are taken as the decimals that they print as.

    Returns
    -------
    BoundaryCurve
        All crossings of every row; ``segment`` numbers the pieces, ``point_kind`` says what a point
        is, and ``message`` names cusps and ends.

    Raises
    ------
    InputError
        Bad names or values, or a boundary that has no meaning at the given parameters.

    Examples
    --------
    >>> import dmft
    >>> curve = dmft.boundary("gated", "fixed-points", alpha_r=[0, 10])
    >>> curve.columns["g_h"].round(9), curve.status
    (array([2.        , 1.75398321]), ('continuous', 'converged'))
    """
    from .codegen import compiled_theory, resolve

    declared = resolve(model)
    find_model(declared)
    from .locate_boundary import locate_boundary
    from .solvers.boundaries import BOUNDARIES

    choose("boundary", name, BOUNDARIES)
    accuracy = BOUNDARIES[name].tol if tol is None else check_tol(tol, 1e-14, 1e-3)
    if digits is not None:
        check_proved_digits(digits, name)
    given = merge_parameters(parameters, more_parameters)
    with _one_thread():
        return locate_boundary(compiled_theory(declared), name, given, solve_for, accuracy, digits)


def phase(
    model: ModelSource,
    parameters: Mapping[str, float | Sweep | Sequence[float]] | None = None,
    /,
    *,
    tol: float = 1e-8,
    statics: bool = False,
    **more_parameters: float | Sweep | Sequence[float],
) -> PhaseDiagram:
    """Which states exist, and which are stable, over a plane of two parameters.

    Regions are named after the states a large network can settle in (Krishnamurthy, Can & Schwab 2022,
    whose diagrams these are for the gated network): "rest", "fixed point", "chaos", joined by + where
    the start decides, and "(unstable fixed points)" where they have proliferated without chaos.

    Parameters
    ----------
    model
        A name from `dmft.models`, the path of a TOML file, or a `dmft.Model`.
    parameters, **more_parameters
        Numbers, and for exactly two parameters a `Sweep` with its number of points or an increasing
        sequence; the first is drawn to the right, the second upwards.
    tol
        Accuracy of the boundaries, relative to max(1, |value|).
    statics
        From constant states alone, in a second or two: no ``chaos-onset``, and regions say which
        constant states are stable, "(unstable fixed points)" beside them, or "none stable".

    Raises
    ------
    InputError
        Bad names or values; `NotCoveredError` where the theory is not built or has white noise.

    Examples
    --------
    >>> import dmft
    >>> diagram = dmft.phase("vanilla", g=[0.5, 1.5, 2.0], input_x=[0.0, 5.0])
    >>> diagram.label_at(0.5, 0.0), diagram.label_at(2.0, 0.0), diagram.label_at(1.5, 5.0)
    ('rest', 'chaos', 'fixed point')
    """
    from .codegen import compiled_theory, resolve

    declared = resolve(model)
    find_model(declared)
    tol = check_tol(tol, 1e-12, 1e-3)
    from .phase_diagram import phase_diagram

    given = merge_parameters(parameters, more_parameters)
    with _one_thread():
        return phase_diagram(compiled_theory(declared), given, tol, statics=statics)


def _one_thread() -> AbstractContextManager[object]:
    """The matrices are small: more than one BLAS thread only costs, tenfold on a busy machine."""
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[object] = threadpool_limits(limits=1)
    return limits
