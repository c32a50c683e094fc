"""The law of the couplings: moments, correlations and universality; what cannot exist is refused."""

import hashlib

import numpy as np
import pytest
import sympy as sp
from by_hand import Plain
from scipy import stats

from dmft.codegen import compile_network
from dmft.codegen.cache import compile_model_network
from dmft.derivations.model import Coupling, Field, Model, Parameter
from dmft.errors import InputError
from dmft.validation.couplings import BLOCK, GAUSSIAN, Couplings, coupling_law, draw_couplings
from dmft.validation.network import draw_network

LEVEL = 1e-3
x, u, v = sp.symbols("x u v", real=True)
VARIANCE, MEAN, RHO_U, RHO_V, C = sp.symbols("v_u m_u rho_u rho_v c", real=True)
MODEL = Model(
    name="pair",
    title="two correlated, reciprocal matrices",
    citation="none",
    fields=(Field("x", "state"),),
    parameters=tuple(Parameter(s.name, "number", 0) for s in (VARIANCE, MEAN, RHO_U, RHO_V, C)),
    nonlinearities=(),
    couplings=(
        Coupling("u", sp.tanh(x), VARIANCE, MEAN, RHO_U),
        Coupling("v", sp.tanh(x), reciprocity=RHO_V),
    ),
    dynamics={"x": -x + u + v},
    correlations={("u", "v"): C},
)
RIGHT = compile_model_network(MODEL)
P = {"v_u": 2.0, "m_u": 3.0, "rho_u": 0.5, "rho_v": -0.4, "c": 0.3}


def drawn(n, seed, made_of=GAUSSIAN, dtype=np.float64, **changes):
    law = coupling_law(RIGHT, P | changes)
    return draw_couplings(law, n, np.random.default_rng(seed), dtype, made_of)


def standardised(n, seed, made_of=GAUSSIAN):
    """X of J = m/N + sigma X / sqrt(N), off the diagonal as two triangles."""
    upper = np.triu_indices(n, 1)
    j = drawn(n, seed, made_of)
    scaled = ((j[0] - 3.0 / n) * np.sqrt(n / 2), j[1] * np.sqrt(n))
    return [(m[upper], m.T[upper]) for m in scaled]


def correlation_ok(a, b, expected):
    """Fisher's z against the expected correlation of independent pairs, two-sided."""
    z = (np.arctanh(np.mean(a * b)) - np.arctanh(expected)) * np.sqrt(a.size)
    return 2 * stats.norm.sf(abs(z)) > LEVEL / 8


def test_every_declared_moment():
    """Means, variances, and all six correlations of a pair's four entries."""
    n = 600
    (u_up, u_down), (v_up, v_down) = standardised(n, 1)
    for entries in (u_up, u_down, v_up, v_down):
        assert 2 * stats.norm.sf(abs(entries.sum()) / np.sqrt(entries.size)) > LEVEL / 4
        chi = float(entries @ entries)
        assert (
            2 * min(stats.chi2.sf(chi, entries.size), stats.chi2.cdf(chi, entries.size)) > LEVEL / 4
        )
        assert stats.kstest(entries, "norm").pvalue > LEVEL / 4
    assert correlation_ok(u_up, u_down, 0.5)
    assert correlation_ok(v_up, v_down, -0.4)
    assert correlation_ok(u_up, v_up, 0.3)
    assert correlation_ok(u_down, v_down, 0.3)
    assert correlation_ok(u_up, v_down, 0.0)
    assert correlation_ok(u_down, v_up, 0.0)


@pytest.mark.parametrize(
    "made_of", [Couplings("uniform"), Couplings("binary"), Couplings("gaussian", 0.2)]
)
def test_other_numbers_have_the_same_correlations(made_of):
    """Standard errors from the scatter of the products: the entries are not Gaussian."""
    (u_up, u_down), (v_up, v_down) = standardised(600, 2, made_of)
    pairs = [(u_up, u_up, 1), (v_up, v_up, 1), (u_up, u_down, 0.5), (v_up, v_down, -0.4)]
    pairs += [(u_up, v_up, 0.3), (u_down, v_down, 0.3), (u_up, v_down, 0.0)]
    for a, b, expected in pairs:
        product = a * b
        error = product.std() / np.sqrt(product.size)
        assert 2 * stats.norm.sf(abs(product.mean() - expected) / error) > LEVEL / 21


def test_the_distributions_are_what_they_say():
    n = 200
    plain = {"rho_u": 0.0, "rho_v": 0.0, "c": 0.0, "m_u": 0.0, "v_u": 1.0}
    binary = drawn(n, 3, Couplings("binary"), **plain)[0] * np.sqrt(n)
    np.testing.assert_allclose(np.abs(binary), 1, rtol=1e-6)
    assert abs(binary.mean()) < stats.norm.isf(LEVEL / 2) / n
    uniform = drawn(n, 3, Couplings("uniform"), **plain)[0].ravel() * np.sqrt(n)
    assert stats.kstest(uniform, "uniform", (-np.sqrt(3), 2 * np.sqrt(3))).pvalue > LEVEL
    sparse = drawn(n, 3, Couplings("binary", 0.1), **plain)
    assert {round(float(w), 4) for w in np.unique(np.abs(sparse[0] * np.sqrt(n)))} == {0.0, 3.1623}
    connected = [m != 0 for m in sparse]
    assert (connected[0] == connected[1]).all()
    assert stats.binomtest(int(connected[0].sum()), n * n, 0.1).pvalue > LEVEL
    assert (connected[0] != connected[0].T).any()


def test_a_sparse_network_keeps_its_reciprocity():
    """Connections come in both directions or not at all, else rho would shrink to rho p."""
    m = drawn(300, 4, Couplings("gaussian", 0.1), m_u=0.0)[1]
    assert ((m != 0) == (m.T != 0)).all()


def test_reciprocal_spectra_are_ellipses():
    """Half axes sigma (1 + rho) and sigma (1 - rho): Sommers, Crisanti, Sompolinsky & Stein 1988."""
    for rho in (0.5, -0.5, 1.0, -1.0):
        m = drawn(400, 5, rho_v=rho, c=0.0)[1]
        values = np.linalg.eigvals(m)
        assert values.real.max() == pytest.approx(1 + rho, abs=0.1)
        assert values.imag.max() == pytest.approx(1 - rho, abs=0.1)
    np.testing.assert_allclose(m, -m.T, atol=1e-7)


def test_mixing_block_by_block_is_the_formula():
    """n is no multiple of the block: every edge case of the loop against X = P G + M G^T at once."""
    n = BLOCK + 37
    law = coupling_law(RIGHT, P | {"v_u": 1.0, "m_u": 0.0})
    got = draw_couplings(law, n, np.random.default_rng(6), np.float64, Couplings())
    rng = np.random.default_rng(6)
    g = np.stack([rng.standard_normal((n, n), dtype=np.float32) for _ in range(2)]).astype(float)
    along, back = law.mixing()
    expected = np.tensordot(along, g, 1) + np.tensordot(back, g.transpose(0, 2, 1), 1)
    np.testing.assert_allclose(got, expected / np.sqrt(n), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(along @ along.T + back @ back.T, [[1, 0.3], [0.3, 1]], atol=1e-14)
    np.testing.assert_allclose(along @ back.T + back @ along.T, np.diag([0.5, -0.4]), atol=1e-14)


def test_plain_draws_keep_their_digits():
    """Stored validations hold networks of this seed: their random numbers must never change.

    Digest of the first couplings and starts at commit f2e8d51, before there were correlations.
    """
    network = draw_network(
        compile_network("gated"), {"g_h": 2.0}, 40, np.random.default_rng(7), np.float32
    )
    digest = hashlib.sha256(b"".join(j.tobytes() for j in network.transposed)).hexdigest()
    assert digest[:16] == "aef6ce4dc63fccd5"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"rho_u": 1.2}, ["reciprocity of u", "1.2", "from -1 to 1"]),
        ({"c": -1.01}, ["correlation of u and v", "-1.01"]),
        ({"v_u": -1.0}, ["variance of the couplings of u", ">= 0"]),
        ({"m_u": np.inf}, ["mean of the couplings of u", "finite"]),
        ({"rho_u": 0.9, "rho_v": -0.9, "c": 0.5}, ["correlations", "eigenvalue -0.0296"]),
    ],
)
def test_laws_that_no_random_numbers_have(change, words):
    with pytest.raises(InputError) as caught:
        coupling_law(RIGHT, P | change)
    for word in ["pair", *words]:
        assert word in str(caught.value)


def test_the_edge_of_what_exists_is_allowed():
    """c = 1 or rho = 1: singular, but real. (Not both: J^u_ij and J^v_ji are uncorrelated.)"""
    plain = {"v_u": 1.0, "m_u": 0.0}
    first, second = drawn(50, 8, c=1.0, rho_u=0.0, rho_v=0.0, **plain)
    np.testing.assert_allclose(first, second, atol=1e-7)
    first, second = drawn(50, 8, c=0.0, rho_u=1.0, rho_v=-1.0, **plain)
    np.testing.assert_allclose(first, first.T, atol=1e-7)
    np.testing.assert_allclose(second, -second.T, atol=1e-7)


def test_pairs_that_exist_only_together():
    """det(C +- R) >= 0: with rho = (0.9, 0.9) up to c = 0.1, with (0.9, -0.9) up to sqrt(0.19)."""
    for rho_v, limit in ((0.9, 0.1), (-0.9, 0.19**0.5)):
        coupling_law(RIGHT, P | {"c": limit - 1e-6, "rho_u": 0.9, "rho_v": rho_v})
        with pytest.raises(InputError):
            coupling_law(RIGHT, P | {"c": limit + 1e-6, "rho_u": 0.9, "rho_v": rho_v})


@pytest.mark.parametrize("bad", [{"distribution": "cauchy"}, {"density": 0.0}, {"density": 1.5}])
def test_bad_options(bad):
    with pytest.raises(InputError, match=r"choose|allowed"):
        Couplings(**bad)


def test_nothing_special_means_nothing_mixed():
    assert coupling_law(Plain(), {}).independent
    assert not coupling_law(RIGHT, P).independent
