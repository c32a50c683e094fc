"""Products in blocks of columns are those of the whole matrix."""

import numpy as np
import pytest

from dmft.validation.matrix_product import few_times_matrix


@pytest.mark.parametrize(
    ("rows", "inner", "columns"),
    [(1, 1200, 1300), (4, 600, 600), (2, 801, 803), (8, 500, 500), (9, 500, 500), (4, 30, 40)],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_blocks_make_the_whole_product(rows, inner, columns, dtype):
    rng = np.random.default_rng(0)
    a = rng.standard_normal((rows, inner)).astype(dtype)
    matrix = rng.standard_normal((inner, columns)).astype(dtype)
    found = few_times_matrix(a, matrix)
    assert (found.dtype, found.shape) == (dtype, (rows, columns))
    exact = a.astype(np.float64) @ matrix.astype(np.float64)
    # Higham, Accuracy and Stability of Numerical Algorithms, section 3.1; entries are of size inner**0.5.
    bound = inner * np.finfo(dtype).eps * (abs(a) @ abs(matrix))
    assert (abs(found - exact) <= bound).all()
    np.testing.assert_array_equal(found, few_times_matrix(a, matrix))


def test_rows_of_a_larger_array_and_mixed_types():
    rng = np.random.default_rng(1)
    whole = rng.standard_normal((9, 700)).astype(np.float32)
    matrix = rng.standard_normal((700, 700)).astype(np.float32)
    for rows in (whole[::3], whole[2:4], np.asfortranarray(whole[:4])):
        np.testing.assert_allclose(few_times_matrix(rows, matrix), rows @ matrix, atol=1e-3)
    mixed = few_times_matrix(whole[:2].astype(np.float64), matrix)
    assert mixed.dtype == np.float64
