"""Hermite functions: orthonormality, closed forms, and blocks that do not depend on the reader."""

import numpy as np
import pytest

from dmft.gaussian.hermite_table import BLOCK, HermiteTable


def rows(table, count):
    found = []
    for block in table.blocks():
        found.append(block)
        if len(found) * BLOCK >= count:
            return np.concatenate(found)[:count]
    raise AssertionError


def test_lowest_orders_in_closed_form():
    table = HermiteTable(0.25)
    psi, x, root = rows(table, 4), table.nodes, table.root_density
    np.testing.assert_allclose(psi[0], root, rtol=1e-15)
    np.testing.assert_allclose(psi[1], x * root, rtol=1e-15)
    np.testing.assert_allclose(psi[2], (x**2 - 1) / np.sqrt(2) * root, rtol=1e-13, atol=1e-16)
    np.testing.assert_allclose(psi[3], (x**3 - 3 * x) / np.sqrt(6) * root, rtol=1e-13, atol=1e-16)


def test_orthonormal_on_the_whole_line():
    """By parity only orders of equal parity meet on the half line; the node 0 counts once."""
    table = HermiteTable(0.1)
    psi = rows(table, 14)  # beyond, psi_n is cut where the nodes end
    weights = np.full(table.nodes.size, 2 * table.step)
    weights[0] = table.step
    for parity in (0, 1):
        part = psi[parity::2]
        np.testing.assert_allclose(part @ (weights[:, None] * part.T), np.eye(7), atol=1e-13)


@pytest.mark.parametrize("order", [300, 700])
def test_high_orders_are_normalised(order):
    """The recurrence is stable far beyond where he_n itself overflows."""
    table = HermiteTable(0.05)
    psi = rows(table, order + 1)[order]
    # psi_n reaches to 2 sqrt(n) > REACH: compare with the oscillating asymptote at the origin
    from scipy.special import gammaln

    exact = np.exp(0.5 * gammaln(order + 1) - gammaln(order / 2 + 1) - order / 2 * np.log(2))
    sign = 1 if order % 4 == 0 else -1
    assert psi[0] == pytest.approx(sign * exact / (2 * np.pi) ** 0.25, rel=1e-11)


def test_interleaved_readers_see_the_same():
    table = HermiteTable(0.2)
    first, second = table.blocks(), table.blocks()
    seen = [next(first), next(first), next(second)]
    seen += [next(second), next(second), next(first)]
    fresh = HermiteTable(0.2).blocks()
    a, b, c = next(fresh), next(fresh), next(fresh)
    for got, expected in zip(seen, (a, b, a, b, c, c), strict=True):
        np.testing.assert_array_equal(got, expected)
