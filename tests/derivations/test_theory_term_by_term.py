"""Derived `gated` and `vanilla` against the theory notes, every equation typed here once more.

Sections 1-5, 7 (value at lambda = 0) and 9 of the notes (KCS 2022; SCS 1988). The closed stationary
equations and Lyapunov operator stand in test_stationary_equations, the two-replica operator in
test_replicas, the edge for any lambda in test_general_state, rest in test_zero_state_and_statics.
"""

import itertools

import pytest
import sympy as sp

from dmft.derivations.closure import Product
from dmft.derivations.conditional import conditional_structure
from dmft.derivations.disorder import disorder_average
from dmft.derivations.edge import jacobian_edge
from dmft.derivations.equations import MeanFieldEquations, derive_equations
from dmft.derivations.filters import power_gain, transfer_matrix
from dmft.derivations.functions import logistic
from dmft.derivations.gaussian import GaussianAverage
from dmft.derivations.linearise import linearise
from dmft.derivations.models import get
from dmft.derivations.replicas import replica_equations
from dmft.derivations.symbols import (
    covariance_symbol,
    lambda_,
    omega,
    s,
    tau,
    variance_symbol,
)

h, z, r = sp.symbols("h z r", real=True)
eta_h, eta_z, eta_r = sp.symbols("xi_h xi_z xi_r", real=True)  # the notes' effective noises
I_h, I_z, I_r = sp.symbols("I_h I_z I_r", real=True)
n_h, n_z, n_r = sp.symbols("eta_h eta_z eta_r", real=True)
g_h, tau_z, tau_r = sp.symbols("g_h tau_z tau_r", positive=True)
alpha_z, alpha_r, beta_h, beta_z, beta_r = sp.symbols(
    "alpha_z alpha_r beta_h beta_z beta_r", real=True
)
C_I = sp.Symbol("input_h", nonnegative=True)
phi = sp.tanh(g_h * h + beta_h)
sigma_z, sigma_r = logistic(alpha_z * z - beta_z), logistic(alpha_r * r - beta_r)
rate = logistic(-beta_z)  # s = sigma_z for alpha_z = 0


@pytest.fixture(scope="module")
def gated() -> MeanFieldEquations:
    return derive_equations(get("gated"))


@pytest.fixture(scope="module")
def inside() -> MeanFieldEquations:
    return derive_equations(get("gated-input"))


def zero(*expressions: sp.Expr) -> bool:
    return all(sp.simplify(e) == 0 for e in expressions)


def times(product: Product) -> sp.Expr:
    return product.coefficient * sp.prod([f.expression for f in product.factors])


def average(label: str, field: str, m: int = 0) -> GaussianAverage:
    variance, covariance = variance_symbol(field), covariance_symbol(field)
    return GaussianAverage(sp.Symbol(label), m, m, variance, covariance)


# 1. The network


def test_section_1_network(gated: MeanFieldEquations, inside: MeanFieldEquations) -> None:
    typed = [
        sigma_z * (-h + eta_h) + I_h + n_h,
        (-z + eta_z + I_z + n_z) / tau_z,
        (-r + eta_r + I_r + n_r) / tau_r,
    ]
    assert zero(*(a - b for a, b in zip(gated.model.drift(), typed, strict=True)))
    assert gated.model.outputs() == (phi * sigma_r, phi, phi)
    bracket = [sigma_z * (-h + eta_h + I_h), (-z + eta_z + I_z) / tau_z, (-r + eta_r + I_r) / tau_r]
    assert zero(*(a - b for a, b in zip(inside.model.drift(), bracket, strict=True)))
    assert inside.model.outputs() == gated.model.outputs()


# 2. Single-site process


def test_section_2_three_independent_noises(gated: MeanFieldEquations) -> None:
    # <eta_h eta_h'> = <phi phi'><sigma_r sigma_r'>,  <eta_z eta_z'> = <eta_r eta_r'> = <phi phi'>
    assert gated.average.covariance == sp.eye(3)
    assert gated.average.mean == gated.average.response == (0, 0, 0)
    assert [c.output for c in gated.covariances] == [phi * sigma_r, phi, phi]
    stationary = gated.stationary
    assert stationary is not None
    c_phi, c_sigma = average("phi", "h"), average("sigma_r", "r")
    assert stationary.current_covariance(0) == c_phi * c_sigma
    assert stationary.current_covariance(1) == stationary.current_covariance(2) == c_phi


# 3. Statics


@pytest.mark.parametrize("place", ["gated", "inside"])
def test_section_3_order_parameters(place: str, request: pytest.FixtureRequest) -> None:
    # Delta_r = Delta_z = <phi^2>,  Delta_h = <phi^2><sigma_r^2> + C_I;  C_I / s^2 outside the bracket
    statics = request.getfixturevalue(place).statics
    assert statics.response == sp.eye(3)
    assert [times(o) for o in statics.outputs] == [phi * sigma_r, phi, phi]
    assert statics.weights == (1, 1, 1)
    added = statics.quenched_response[0, 0] ** 2 * C_I
    assert zero(added - (C_I if place == "inside" else C_I / rate**2))
    assert statics.quenched_response[1, 1] == statics.quenched_response[2, 2] == 1
    assert zero(*statics.constant)
    needed = {c.parameter: c.unless for c in statics.conditions}
    # outside the bracket a fixed point is h = eta_h + I / sigma_z: not Gaussian unless the gate rests
    assert ("alpha_z" in needed) == (place == "gated")
    assert needed.get("alpha_z", ("input_h",)) == ("input_h",)


def instability() -> tuple[sp.Expr, dict[str, sp.Symbol]]:
    """V = <phi'^2>(<sigma_r^2> + <phi^2><sigma_r'^2>), with one symbol for each average."""
    p = {name: sp.Symbol(name, positive=True) for name in ("phi", "slope", "gate", "gate_slope")}
    return p["slope"] * (p["gate"] + p["phi"] * p["gate_slope"]), p


def test_section_3_stability_from_the_edge(gated: MeanFieldEquations) -> None:
    # at a fixed point q = 0, h independent of r: det(1 - M(0)) = 1 - V, whatever alpha_z
    edge = jacobian_edge(gated.linearisation, gated.covariances)
    v, p = instability()
    squares = {
        phi**2: p["phi"],
        sp.diff(phi, h) ** 2: p["slope"],
        sigma_r**2: p["gate"],
        sp.diff(sigma_r, r) ** 2: p["gate_slope"],
    }

    symbols = sorted(sp.Matrix(list(squares)).free_symbols, key=str)
    rows = ([0.3, 0.8, 0.5, 1.4, 0.2, 0.7], [0.9, 0.4, 0.6, 0.5, 0.3, 0.1])
    points = [dict(zip(symbols, row, strict=True)) for row in rows]

    def averaged(entry: sp.Expr) -> sp.Expr:
        """The average of a product of these squares: the product whose ratio to it is one."""
        for chosen in itertools.product([0, 1], repeat=len(squares)):
            candidate = sp.prod([a**k for a, k in zip(squares, chosen, strict=True)])
            if all(abs(float((entry / candidate).subs(at)) - 1) < 1e-12 for at in points):
                return sp.prod([m**k for m, k in zip(squares.values(), chosen, strict=True)])
        raise AssertionError(entry)

    matrix = sp.zeros(3, 3)
    for a, b in itertools.product(range(3), repeat=2):
        entry = edge.squared(a, b).subs({s: 0, eta_h: h})
        matrix[a, b] = averaged(entry) if entry != 0 else 0
    assert sp.expand((sp.eye(3) - matrix).det() - (1 - v)) == 0


def test_section_3_stability_from_the_replicas(gated: MeanFieldEquations) -> None:
    # a constant state: filters are one at omega = lambda = 0 and the weights are squares
    stationary = gated.stationary
    assert stationary is not None
    v, p = instability()
    named = {
        average("phi", "h"): p["phi"],
        average("phi", "h", 1): p["slope"],
        average("sigma_r", "r"): p["gate"],
        average("sigma_r", "r", 1): p["gate_slope"],
    }
    gain = sp.Matrix(3, 3, lambda k, a: stationary.filter(k, a, lambda_))
    assert gain.subs({omega: 0, lambda_: 0}) == sp.eye(3)
    weights = sp.Matrix(3, 3, stationary.lyapunov_weight).subs(named)
    assert sp.expand((sp.eye(3) - weights).det() - (1 - v)) == 0


# 4. Stationary dynamics


def test_section_4_inputs_and_noise(gated: MeanFieldEquations, inside: MeanFieldEquations) -> None:
    # [1 - s^-2 d^2] C_h = C_phi C_sigma_r + C_I;  outside the bracket C_I enters as C_I / s^2
    for theory, expected in ((gated, C_I / rate**2), (inside, C_I)):
        stationary = theory.stationary
        assert stationary is not None
        held = transfer_matrix(stationary.drift_matrix, stationary.quenched_matrix).subs(s, 0)
        assert zero(held[0, 0] ** 2 * stationary.quenched_variances[0] - expected)
    # noise outside the bracket, <xi xi'> = 2 D delta: C_h'(0+) = -D, from the tail 2 D / omega^2
    stationary = gated.stationary
    assert stationary is not None
    noisy = transfer_matrix(stationary.drift_matrix, stationary.noise_matrix)
    power = power_gain(noisy[0, 0]) * stationary.noise_intensities[0]
    two_d = sp.Symbol("noise_h", nonnegative=True)
    assert sp.limit(omega**2 * power / two_d, omega, sp.oo) == 1
    # C = 2 D / (2 s) exp(-s |tau|) has that power and that slope
    c = two_d / (2 * rate) * sp.exp(-rate * tau)
    assert sp.diff(c, tau).subs(tau, 0) == -two_d / 2
    assert zero(power - two_d / (omega**2 + rate**2))


def test_section_4_limits_of_the_output_gate(gated: MeanFieldEquations) -> None:
    # tau_r -> 0: C_r = C_phi, a single field;  tau_r -> infinity: no power is left in r
    stationary = gated.stationary
    assert stationary is not None
    gain = stationary.filter(2, 2)
    assert sp.limit(gain, tau_r, 0) == 1
    assert sp.limit(gain.subs(omega, 1), tau_r, sp.oo) == 0


def test_section_6_the_derivative_of_c_is_an_odd_eigenvector(gated: MeanFieldEquations) -> None:
    # d/dtau of the stationary equations is the operator at lambda = 0 on (dC_h/dtau, dC_r/dtau)
    stationary = gated.stationary
    assert stationary is not None
    names = [f.name for f in gated.model.fields]
    curves = {covariance_symbol(n): sp.Function(f"C_{n}")(tau) for n in names}
    for a in range(3):
        moved = sp.diff(stationary.current_covariance(a).subs(curves), tau)
        operator = sum(
            stationary.lyapunov_weight(a, k).subs(curves)
            * sp.diff(curves[covariance_symbol(n)], tau)
            for k, n in enumerate(names)
        )
        assert sp.expand(moved - operator) == 0
        assert all(stationary.filter(k, a, 0) == stationary.filter(k, a) for k in range(3))


# 5. Conditioning on the update gate


def test_section_5_h_given_the_gate(gated: MeanFieldEquations, inside: MeanFieldEquations) -> None:
    # h(t) = int ds sigma_z(z(s)) P(t,s) eta_h(s),  P = exp(-int sigma_z);  inputs P C_I P^T outside,
    # under the gate inside
    for theory, drive in ((gated, 1), (inside, sigma_z)):
        found = conditional_structure(theory.model)
        assert found is not None
        assert (found.gating, found.conditional, found.gaussian) == (("z",), ("h",), ("r",))
        assert zero(found.drift_matrix[0, 0] + sigma_z, found.input_matrix[0, 0] - sigma_z)
        assert list(found.drift_matrix[0, 1:]) == list(found.input_matrix[0, 1:]) == [0, 0]
        assert found.drift_matrix[1:, 1:] == sp.diag(-1 / tau_z, -1 / tau_r)
        assert found.input_matrix[1:, 1:] == sp.diag(1 / tau_z, 1 / tau_r)
        operator = replica_equations(theory.linearisation, theory.average)
        assert zero(operator.drive_matrix[0, 0] - drive)
        assert not any(operator.drive_matrix[0, 1:3])


# 7. Jacobian at rest


def test_section_7_edge_of_rest(gated: MeanFieldEquations) -> None:
    # edge at sigma_z(0) (-1 + g_h s0), stable while g_h < 1 + e^{beta_r}
    rest = gated.zero_state
    assert rest is not None
    radius = rest.amplification(lambda_)[0, 0]
    s0 = logistic(-beta_r)
    assert zero(radius.subs(lambda_, rate * (-1 + g_h * s0)) - 1)
    assert zero((rate * (-1 + g_h * s0)).subs(g_h, 1 + sp.exp(beta_r)).rewrite(sp.exp))


# 9. Two-time equations


def test_section_9_recursion(gated: MeanFieldEquations) -> None:
    """Explicit Euler of the derived process, all moments by brute force, against the O(n) recursion.

    R_0 = 0, R_{m+1} = (1 - a_m) R_m + a_m C(n,m);  K(n+1,m) = (1 - a_n) K(n,m) + a_n R_m;
    K(n+1,n+1) = (1 - a_n)^2 K(n,n) + 2 a_n (1 - a_n) R_n + a_n^2 C(n,n),  a_n = dt sigma_z(z_n).
    """
    found = conditional_structure(gated.model)
    assert found is not None
    steps, dt = 3, sp.Symbol("dt", positive=True)
    path = sp.symbols(f"z0:{steps}", real=True)
    start, *noise = sp.symbols(f"start xi0:{steps}", real=True)
    states = [start]
    for n in range(steps):
        at = {z: path[n]}
        decay, push = found.drift_matrix[0, 0].subs(at), found.input_matrix[0, 0].subs(at)
        states.append(sp.expand(states[-1] * (1 + dt * decay) + dt * push * noise[n]))
    covariance = {
        (i, j): sp.Symbol(f"C_{min(i, j)}{max(i, j)}")
        for i, j in itertools.product(range(steps), repeat=2)
    }
    variance = sp.Symbol("K_00", positive=True)

    def moment(i: int, j: int) -> sp.Expr:
        """E h_i h_j, the start independent of the noise."""
        left, right = states[i], states[j]
        total = left.coeff(start) * right.coeff(start) * variance
        for k, l in itertools.product(range(steps), repeat=2):  # noqa: E741
            total += left.coeff(noise[k]) * right.coeff(noise[l]) * covariance[k, l]
        return total

    a = [dt * sigma_z.subs(z, path[n]) for n in range(steps)]
    known = {(0, 0): variance}
    for n in range(steps):
        rows: list[sp.Expr] = [sp.Integer(0)]
        for m in range(n):
            rows.append((1 - a[m]) * rows[m] + a[m] * covariance[n, m])
        for m in range(n + 1):
            known[n + 1, m] = (1 - a[n]) * known[n, m] + a[n] * rows[m]
        known[n + 1, n + 1] = (
            (1 - a[n]) ** 2 * known[n, n]
            + 2 * a[n] * (1 - a[n]) * rows[n]
            + a[n] ** 2 * covariance[n, n]
        )
    for (i, j), typed in known.items():
        assert sp.expand(moment(i, j) - typed) == 0


# SCS 1988


def test_vanilla_is_a_particle_in_a_potential() -> None:
    """d^2 Delta / d tau^2 = Delta - g^2 <phi phi> = - dV/d Delta,  V = -Delta^2/2 + g^2 <Phi Phi>.

    Phi' = phi (SCS 1988; in their variable the gain stands in phi, here before J). With C(infinity) = 0
    energy conservation V(Delta_0) = V(0) is  g^2 Var[ln cosh] = Delta_0^2 / 2.
    """
    theory = derive_equations(get("vanilla"))
    stationary = theory.stationary
    assert stationary is not None
    g = sp.Symbol("g", positive=True)
    delta0, delta = variance_symbol("x"), covariance_symbol("x")
    # (1 + omega^2) C(omega) = g^2 FT[<phi phi>]: omega^2 is -d^2
    source = sp.simplify(stationary.filter(0, 0) * (1 + omega**2)) * stationary.current_covariance(
        0
    )
    primitive = GaussianAverage(sp.Symbol("Phi"), 0, 0, delta0, delta)
    potential = -(delta**2) / 2 + g**2 * primitive
    force = -sp.diff(potential, delta)  # Price: d<Phi Phi>/d Delta = <Phi' Phi'>
    lifted = force.subs(GaussianAverage(sp.Symbol("Phi"), 1, 1, delta0, delta), average("phi", "x"))
    assert sp.expand(lifted - (delta - source)) == 0
    assert stationary.outputs[0].factors[0].expression == sp.tanh(sp.Symbol("x", real=True))
    assert sp.diff(sp.log(sp.cosh(h)), h).rewrite(sp.tanh).simplify() == sp.tanh(h)


def test_vanilla_replicas_are_the_scs_schroedinger_equation() -> None:
    """[(1 + lambda)^2 - d^2] chi = g^2 <phi' phi'> chi: lambda = -1 + sqrt(1 - E_0)."""
    theory = derive_equations(get("vanilla"))
    stationary = theory.stationary
    assert stationary is not None
    g, energy = sp.Symbol("g", positive=True), sp.Symbol("E_0", real=True)
    inverse = sp.simplify(g**2 / stationary.filter(0, 0, lambda_))
    assert zero(inverse - ((1 + lambda_) ** 2 + omega**2))
    assert stationary.lyapunov_weight(0, 0) == average("phi", "x", 1)
    # -d^2 + 1 - g^2 <phi' phi'> has the ground state E_0 = 1 - (1 + lambda)^2
    scs = -1 + sp.sqrt(1 - energy)
    assert zero((1 - (1 + lambda_) ** 2).subs(lambda_, scs) - energy)


def test_vanilla_rest_is_stable_below_one() -> None:
    rest = derive_equations(get("vanilla")).zero_state
    assert rest is not None
    g = sp.Symbol("g", positive=True)
    assert zero(rest.amplification(lambda_)[0, 0] - g**2 / (1 + lambda_) ** 2)


def test_adaptation_replicas() -> None:
    """Muscinelli et al. 2019: the same filter with growth; resonance stands in test_adaptation."""
    theory = derive_equations(get("adaptation"))
    stationary = theory.stationary
    assert stationary is not None
    g, gamma = sp.symbols("g gamma", positive=True)
    beta = sp.Symbol("beta", real=True)
    transfer = g * (s + gamma) / ((s + 1) * (s + gamma) + gamma * beta)
    assert zero(stationary.transfer[0, 0] - transfer)
    along = transfer.subs(s, lambda_ + sp.I * omega) * transfer.subs(s, lambda_ - sp.I * omega)
    assert zero(stationary.filter(0, 0, lambda_) - along)
    assert disorder_average(theory.model).covariance == sp.eye(1)
    assert linearise(theory.model).output_by_field[0, 1] == 0
