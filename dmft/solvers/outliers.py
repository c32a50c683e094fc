r"""Eigenvalues beside the bulk: perturbations of the order parameters of a constant state.

The couplings' entries are independent, but not of a state that solves x = G(0) J psi(x) + ...: given
the currents xi_b of that state, J_b is a fresh random matrix plus the rank-one part xi_b psi_b^T / (N Q_b),
Q_b = <psi_b^2>, and the mean adds m_b 1 1^T / N. A perturbation exp(s t) with the overlaps
P_b = <delta psi_b>, K_b = <psi_b delta psi_b> therefore obeys

    delta x_j = sum_b G_jb(s) [ K_b xi_b / Q_b + m_b P_b + (independent of the state) ],

and with Stein's lemma, <f(x_l) xi_b> = <f'> R_lb v_b Q_b,

    P_a = sum_jb G_jb(s) [ v_b K_b sum_l R_lb <d_l d_j psi_a>         + m_b P_b <d_j psi_a> ]
    K_a = sum_jb G_jb(s) [ v_b K_b sum_l R_lb <d_l (psi_a d_j psi_a)> + m_b P_b <psi_a d_j psi_a> ].

With y = G(s) K and y' = G(s) P as state variables this is an ordinary eigenvalue problem, and
its eigenvalues beyond the edge of the bulk are eigenvalues of large networks. At s = 0 it is the linearised
map of the static order parameters: a fold of constant solutions is an outlier at zero. For one
current of mean zero: G(s) R v <psi'^2 + psi psi''> = 1, inside the bulk for saturating outputs. Where a
current vanishes, as in the zero state, only its mean counts (T. Tao, Probab. Theory Relat. Fields
155, 231 (2013)). Derived here; compare F. Mastrogiuseppe and S. Ostojic, Neuron 99, 609 (2018), for
rank-one perturbations.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from dmft.gaussian.square_moments import SquareMoments, square_moments

from .linear_theory import LinearTheory

__all__ = ["order_parameter_growth"]

Floats = NDArray[np.float64]

#: A mean square below this is zero but for rounding.
_NOTHING = 1e-24


def order_parameter_growth(
    linear: LinearTheory, variances: Floats, means: Floats, *, at_zero: bool = False
) -> float:
    """Largest real part of the outliers; -inf when the theory has none.

    ``variances`` and ``means`` of the active fields in a constant state. In a state that fluctuates
    but is symmetric under x -> -x (where K vanishes) ``at_zero`` gives the growth of a mean activity.
    """
    theory, active = linear.theory, linear.active
    moments = {
        f: square_moments(
            partial(theory.functions[f].at, p=linear.parameters),
            variances[active.index(theory.functions[f].field)],
            mean=means[active.index(theory.functions[f].field)],
        )
        for f in {f for output in theory.outputs for f in output.factors}
    }
    size, currents = len(linear.drift), len(theory.outputs)
    response = linear.response[list(active)]
    # overlaps (P_a, K_a) as functions of delta x: rows 2a, 2a+1; columns (field, sources P_b, K_b)
    overlap = np.zeros((2 * currents, size, 2 * currents))
    for a, output in enumerate(theory.outputs):
        c = linear.coefficients[a]
        slope, value_slope = np.zeros(len(active)), np.zeros(len(active))
        second = np.zeros((len(active), len(active)))
        second_of_square = np.zeros_like(second)
        factors = [(active.index(theory.functions[f].field), moments[f]) for f in output.factors]
        for i, (j, _) in enumerate(factors):
            slope[j] = c * _product(factors, {i: "slope"}, "mean")
            value_slope[j] = c**2 * _product(factors, {i: "value_slope"}, "square")
            for k, (other, _) in enumerate(factors):
                if k == i:
                    second[j, j] = c * _product(factors, {i: "curvature"}, "mean")
                    second_of_square[j, j] = c**2 * _product(
                        factors, {i: "square_by_variance"}, "square"
                    )
                else:
                    second[j, other] = c * _product(factors, {i: "slope", k: "slope"}, "mean")
                    second_of_square[j, other] = (
                        2 * c**2 * _product(factors, {i: "value_slope", k: "value_slope"}, "square")
                    )
        for b in range(currents):
            at = list(active)
            overlap[2 * a, at, 2 * b] = slope * linear.current_means[b]
            if at_zero or np.prod([m.square[0] for m in _factors(linear, moments, b)]) < _NOTHING:
                continue  # a current that vanishes tells nothing about its couplings
            v = linear.variances[b]
            overlap[2 * a + 1, at, 2 * b] = value_slope * linear.current_means[b]
            overlap[2 * a, at, 2 * b + 1] = v * second @ response[:, b]
            overlap[2 * a + 1, at, 2 * b + 1] = v * second_of_square @ response[:, b]
    if not np.any(overlap):
        return -np.inf
    # state: for every source the fields that it drives
    states = 2 * currents
    drift = np.kron(np.eye(states), linear.drift)
    sources = np.zeros((states * size, states))
    for b in range(states):
        sources[b * size : (b + 1) * size, b] = linear.inputs[:, b // 2]
    feedback = overlap.transpose(0, 2, 1).reshape(2 * currents, states * size)
    return float(np.max(np.linalg.eigvals(drift + sources @ feedback).real))


def _factors(
    linear: LinearTheory, moments: dict[int, SquareMoments], current: int
) -> list[SquareMoments]:
    return [moments[f] for f in linear.theory.outputs[current].factors]


def _product(
    factors: list[tuple[int, SquareMoments]], special: dict[int, str], usual: str
) -> float:
    """The product of one average per factor."""
    values = [
        float(getattr(moments, special.get(i, usual))[0]) for i, (_, moments) in enumerate(factors)
    ]
    return float(np.prod(values))
