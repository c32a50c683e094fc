"""The two-replica operator of conditionally Gaussian models, against THEORY section 6 and its limits."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import sympy as sp
from gated_variants import c, followed, h, z
from scipy.integrate import solve_ivp
from two_gates import MODEL as TWO_GATES

from dmft.derivations.disorder import average_over_couplings, disorder_average
from dmft.derivations.edge import jacobian_edge
from dmft.derivations.equations import derive_equations
from dmft.derivations.filters import power_gain
from dmft.derivations.functions import logistic
from dmft.derivations.gaussian import linear_insertions
from dmft.derivations.linearise import linearise
from dmft.derivations.model import Coupling, Model
from dmft.derivations.models import get
from dmft.derivations.replicas import ReplicaEquations, ReplicaError, replica_equations
from dmft.derivations.stages import derive_model
from dmft.derivations.symbols import lambda_, omega


def operator_of(model: Model) -> ReplicaEquations:
    return replica_equations(linearise(model), disorder_average(model))


@pytest.fixture(scope="module")
def gated() -> ReplicaEquations:
    return operator_of(get("gated"))


def test_kernels_of_gated_are_those_of_theory_section_6(gated: ReplicaEquations) -> None:
    # A_l = e^{-l(t-u)} P sigma_z,  B_l = e^{-l(t-u)} P sigma_z' q,  q = -h + eta_h,  P = exp(-int sigma_z)
    r, xi_h = sp.symbols("r xi_h", real=True)
    alpha_z, beta_z = sp.symbols("alpha_z beta_z", real=True)
    sigma = logistic(alpha_z * z - beta_z)
    assert (gated.free, gated.conditional, gated.gating) == (("z", "r"), ("h",), ("z",))
    assert gated.generator == sp.Matrix([[-sigma]])
    assert gated.input_matrix == sp.Matrix([[sigma, 0, 0]])
    assert sp.simplify(gated.source_matrix[0, 0] - sp.diff(sigma, z) * (-h + xi_h)) == 0
    assert gated.source_matrix[0, 1] == 0
    assert gated.separated and gated.apart("r", ["h", "r"])
    assert r not in gated.source_matrix.free_symbols


def test_output_moments_of_gated_are_those_of_theory_section_6(gated: ReplicaEquations) -> None:
    # S_h = C_sr chi + C_phi F_sr' chi_r;  S_z = S_r = chi = <phi' phi' delta h delta h'>
    terms = {(p.first, p.second): p for p in gated.pairs(0, 0)}
    assert set(terms) == {("h", "h"), ("r", "r")}
    labels = {key: [f.label for f in (*p.left, *p.right)] for key, p in terms.items()}
    assert labels["h", "h"] == ["phi'", "sigma_r", "phi'", "sigma_r"]
    assert labels["r", "r"] == ["phi", "sigma_r'", "phi", "sigma_r'"]
    for a in (1, 2):
        (pair,) = gated.pairs(a, a)
        assert [f.label for f in (*pair.left, *pair.right)] == ["phi'", "phi'"]
        assert pair.coefficient == 1
    g_h = sp.Symbol("g_h", positive=True)
    beta_h = sp.Symbol("beta_h", real=True)
    slope = terms["h", "h"].left[0].expression
    assert sp.expand(slope - g_h * (1 - sp.tanh(g_h * h + beta_h) ** 2)) == 0


def test_filters_of_the_gates_of_gated(gated: ReplicaEquations) -> None:
    # [(1 + l tau)^2 - tau^2 d^2] chi_z = chi
    for name, current in (("z", 1), ("r", 2)):
        t = sp.Symbol(f"tau_{name}", positive=True)
        expected = 1 / ((1 + lambda_ * t) ** 2 + t**2 * omega**2)
        assert sp.simplify(gated.free_power(name, current, lambda_) - expected) == 0
        assert gated.free_power(name, 0) == 0


def still(model: Model, names: tuple[str, ...]) -> Model:
    """The model without the gains that move coefficients."""
    zeros = {p.symbol: 0 for p in model.parameters if p.name in names}
    return replace(
        model,
        parameters=tuple(p for p in model.parameters if p.name not in names),
        dynamics={k: sp.sympify(e).subs(zeros) for k, e in model.dynamics.items()},
        nonlinearities=(),
    )


@pytest.mark.parametrize(
    ("model", "gains"),
    [(get("gated"), ("alpha_z",)), (TWO_GATES, ()), (get("adaptation"), ()), (get("vanilla"), ())],
    ids=lambda x: x.name if isinstance(x, Model) else "",
)
def test_without_moving_gates_it_is_the_closed_operator(
    model: Model, gains: tuple[str, ...]
) -> None:
    moving, closed = operator_of(model), derive_equations(model).stationary
    assert closed is not None
    zeros = {p.symbol: 0 for p in model.parameters if p.name in gains}
    assert all(m.subs(zeros).is_zero_matrix for m in moving.drift_slopes + moving.input_slopes)
    response = moving.response_at_rest().subs(zeros)
    fields = [f.name for f in model.fields]
    for a, k in itertools.product(range(len(model.couplings)), range(len(fields))):
        gain = power_gain(response[k, a], lambda_)
        assert sp.simplify(gain - closed.filter(k, a, lambda_)) == 0
        # the closed operator's weights of chi_k, found term by term
        weight = moving.covariance[a, a] * sum(
            pair.weight(fields) for pair in moving.pairs(a, a) if pair.first == fields[k]
        )
        assert sp.simplify(weight - closed.lyapunov_weight(a, k)) == 0
        assert all(p.first == p.second for p in moving.pairs(a, a))
    # and the still model is its own limit, found without conditional fields
    assert operator_of(still(model, gains)).conditional == ()


@pytest.mark.parametrize(
    "model", [get("gated"), followed(), TWO_GATES, get("adaptation")], ids=lambda m: m.name
)
def test_at_rest_it_is_the_edge_of_the_jacobian(model: Model) -> None:
    # a fixed point: P = exp(A (t - u)), so that delta x = R(lambda) delta xi (THEORY section 7)
    tangent = linearise(model)
    edge = jacobian_edge(tangent, average_over_couplings(model))
    chain = tangent.output_by_field * operator_of(model).response_at_rest()
    difference = chain - edge.chain
    # a difference of rational functions: zero if it vanishes at random values of its atoms
    random = np.random.default_rng(3)
    symbols = sorted(difference.free_symbols, key=str)
    entries = sp.lambdify(symbols, list(difference), [{"logistic": _logistic}, "numpy"])
    for _ in range(3):
        assert np.allclose(entries(*random.uniform(0.2, 1.5, len(symbols))), 0, atol=1e-12)


def _logistic(x: float) -> float:
    return float(1 / (1 + np.exp(-x)))


def test_perturbed_paths_obey_the_printed_formula() -> None:
    """Independent route: the difference of two non-linear runs, one with everything perturbed."""
    model = followed()
    operator = operator_of(model)
    values = dict(gain=1.3, b=1.7, c=0.9, w=0.4, pattern=0.3, other=-0.2)
    names = [f.name for f in model.fields]
    symbols = [*model.field_symbols(), *model.current_symbols()]
    rest = {s: values[s.name] for s in (*model.parameter_symbols(), *model.input_symbols())}
    drift = sp.lambdify(
        symbols, [f.subs(rest) for f in model.drift()], [{"logistic": _logistic}, "numpy"]
    )

    def currents(t: float) -> np.ndarray:
        return np.sin(np.array([1.0, 0.7, 1.3, 0.4]) * t + np.arange(4.0))

    def pushed(t: float) -> np.ndarray:
        return np.cos(np.array([0.6, 1.1, 0.8, 0.5]) * t - np.arange(4.0))

    def run(strength: float) -> np.ndarray:
        def velocity(t: float, x: np.ndarray) -> list[float]:
            return drift(*x, *(currents(t) + strength * pushed(t)))

        start = 0.1 * np.arange(1.0, 6.0)
        times = np.linspace(0, 4, 401)
        done = solve_ivp(velocity, (0, 4), start, t_eval=times, rtol=1e-11, atol=1e-12)
        return done.y

    step = 1e-4
    path, measured = run(0.0), (run(step) - run(-step)) / (2 * step)
    # the formula: dP/dt = A_cc P, delta x_c = int P [B delta xi + Q delta x_f], by the trapezoid rule
    times = np.linspace(0, 4, 401)
    order = [names.index(n) for n in operator.conditional]
    inner = [names.index(n) for n in operator.free]
    matrices = []
    for m in (operator.generator, operator.input_matrix, operator.source_matrix):
        f = sp.lambdify(symbols, list(m.subs(rest)), [{"logistic": _logistic}, "numpy"])
        rows = [f(*path[:, i], *currents(t)) for i, t in enumerate(times)]
        matrices.append(np.array(rows, dtype=float).reshape(len(times), *m.shape))
    generator, direct, source = matrices
    force = np.array([direct[i] @ pushed(t) for i, t in enumerate(times)])
    force += np.einsum("tij,jt->ti", source, measured[inner])
    found = np.zeros((len(times), len(order)))
    size, dt = len(order), times[1]
    for i in range(len(times) - 1):  # Crank-Nicolson is the trapezoid rule of the integral equation
        left = np.eye(size) - dt / 2 * generator[i + 1]
        right = (np.eye(size) + dt / 2 * generator[i]) @ found[i] + dt / 2 * (
            force[i] + force[i + 1]
        )
        found[i + 1] = np.linalg.solve(left, right)
    assert np.max(abs(found - measured[order].T)) < 2e-4 * np.max(abs(measured[order]))


def test_a_source_sums_what_the_gate_multiplies() -> None:
    """Q from the slopes of A, B and of the input's coefficient is the slope of the whole drift."""
    model = followed()
    operator = operator_of(model)
    assert operator.conditional == ("h", "a") and operator.free == ("z", "y", "q")
    tangent = linearise(model)
    names = [f.name for f in model.fields]
    for row, name in enumerate(operator.conditional):
        for column, other in enumerate(operator.free):
            slope = tangent.drift_by_field[names.index(name), names.index(other)]
            assert sp.simplify(operator.source_matrix[row, column] - slope) == 0
    assert sp.Symbol("pattern", real=True) in operator.source_matrix.free_symbols
    # what only follows a conditional field is conditional too, however constant its coefficients
    assert operator.driven_by["a"] == {"xi_h", "xi_z", "xi_y", "pattern", "other"}
    assert operator.driven_by["q"] == {"xi_q"}


def pairings(letters: tuple[int, ...], covariance: np.ndarray) -> int:
    """E of a product of jointly normal variables (Isserlis 1918), exactly in integers."""
    if not letters:
        return 1
    first, rest = letters[0], letters[1:]
    return sum(
        int(covariance[first, other]) * pairings(rest[:i] + rest[i + 1 :], covariance)
        for i, other in enumerate(rest)
    )


@pytest.mark.parametrize(("m", "n"), [(0, 0), (1, 1), (2, 1)])
def test_two_linear_insertions_against_pairings(m: int, n: int) -> None:
    covariance = np.array([[5, 1, 2, -1], [1, 7, 3, 2], [2, 3, 6, 1], [-1, 2, 1, 4]])
    f, g = {4: 1, 3: 2, 1: -3}, {5: 1, 4: -1, 2: 4}  # powers and coefficients

    def derivative(p: dict[int, int], order: int) -> dict[int, int]:
        for _ in range(order):
            p = {k - 1: k * v for k, v in p.items() if k}
        return p

    def average(i: int, j: int, extra: tuple[int, ...] = ()) -> int:
        return sum(
            u * v * pairings((0,) * k + (1,) * l + extra, covariance)
            for k, u in derivative(f, i).items()
            for l, v in derivative(g, j).items()  # noqa: E741
        )

    terms = linear_insertions(
        m, n, (covariance[0, 2], covariance[1, 2]), (covariance[0, 3], covariance[1, 3]), covariance[2, 3]
    )  # fmt: skip
    assert sum(v * average(i, j) for (i, j), v in terms.items()) == average(m, n, (2, 3))


@pytest.mark.parametrize("kind", ["reciprocal", "no product", "gate that hears", "quadratic"])
def test_what_is_not_covered_is_refused_with_the_reason(kind: str) -> None:
    model = get("gated")
    first, *others = model.couplings
    fields = dict(zip("hzr", model.field_symbols(), strict=True))
    spoilt = {
        "reciprocal": {"couplings": (replace(first, reciprocity=sp.Rational(1, 2)), *others)},
        "no product": {
            "couplings": (replace(first, output=sp.tanh(fields["h"] + fields["r"])), *others)
        },
        "gate that hears": {
            "dynamics": {**model.dynamics, "z": -fields["z"] + fields["h"] + sp.Symbol("xi_z", real=True)}
        },
        "quadratic": {"dynamics": {**model.dynamics, "h": -fields["h"] + fields["h"] ** 2}},
    }[kind]  # fmt: skip
    reason = {
        "reciprocal": "act back",
        "no product": "no product",
        "gate that hears": "not Gaussian given",
        "quadratic": "not Gaussian given",
    }[kind]
    with pytest.raises(ReplicaError, match=reason):
        operator_of(replace(model, **spoilt))


def test_a_current_shared_by_gate_and_state_is_seen() -> None:
    model = followed()
    shared = replace(model, dynamics={**model.dynamics, "z": -z + sp.Symbol("xi_h", real=True)})
    assert operator_of(model).separated
    assert not operator_of(shared).separated
    text = str(derive_model(shared).show("replicas"))
    assert "joint process" in " ".join(text.split())
    assert "<delta xi_h delta z'>(u-u')" in text
    # an input does the same without a current
    driven = replace(
        model, dynamics={**model.dynamics, "z": model.dynamics["z"] + sp.Symbol("pattern", real=True)}
    )  # fmt: skip
    assert not operator_of(driven).separated


def test_correlated_matrices_mix_the_moments() -> None:
    model = replace(get("gated"), correlations={("xi_z", "xi_r"): sp.Rational(1, 3)})
    operator = operator_of(model)
    # r is no longer independent of the gate that moves h
    assert not operator.apart("r", ["h", "r"])
    assert {(p.first, p.second) for p in operator.pairs(0, 0)} == set(itertools.product("hr", "hr"))
    text = str(derive_model(model).show("replicas"))
    assert "S_xi_z,xi_r(tau) = (1/3) E[phi' phi' k_h]" in text
    assert "E[phi' phi sigma_r sigma_r' <delta h delta r'>]" in text


def test_the_printed_stage() -> None:
    text = str(derive_model(get("gated")).show("replicas"))
    for line in (
        "d/dt P(t,u) = [-sigma_z](t) P(t,u),  P(u,u) = 1",
        "q_h,z = sigma_z*alpha_z*(1 - sigma_z)*(xi_h - h)",
        "P(t,u) { [sigma_z](u) delta xi_h(u) + q_h,z(u) delta z(u) }",
        "S_xi_h(tau) = <sigma_r sigma_r> E[phi' phi' k_h] + <sigma_r' sigma_r'> chi_r E[phi phi]",
        "S_xi_z(tau) = E[phi' phi' k_h]",
        "<phi' phi' q_h,z q_h,z'> = <phi' phi'> <q_h,z q_h,z'> + <phi''' phi'> <h q_h,z>",
    ):
        assert line in text, line
    assert "Not needed" in str(derive_model(get("vanilla")).show("replicas"))
    two = str(derive_model(followed()).show("replicas"))
    assert "d/dt P_h,a(t,u) = [-logistic(b*z)]" not in two  # the declared name is used
    assert "P_a,h(t,u)" in two and c.name in two
    assert "P_h,h(u,u) = 1" in two and "P_h,a(u,u) = 0" in two


def test_scaled_outputs_and_variances_are_kept() -> None:
    model = get("gated")
    g = model.parameters[0].symbol
    first = Coupling("xi_h", 3 * model.couplings[0].output, g**2)
    scaled = operator_of(replace(model, couplings=(first, *model.couplings[1:])))
    assert scaled.covariance[0, 0] == g**2
    assert all(p.coefficient == 9 for p in scaled.pairs(0, 0))
    text = str(derive_model(scaled.model).show("replicas"))
    assert "S_xi_h(tau) = (g_h**2) { (9) <sigma_r sigma_r> E[phi' phi' k_h]" in text
