"""Arrays of parameters, single precision, and pi on every target."""

import numpy as np
import pytest
import sympy as sp

from dmft.codegen import compile_network, compiled_theory, model_names
from dmft.codegen.float64 import FLOAT64
from dmft.codegen.multiprecision import multiprecision
from dmft.codegen.tape import Tape
from dmft.codegen.translate import translate
from dmft.derivations.models import get

x = sp.Symbol("x", real=True)


def grids(info, size=5):
    """A grid of values per parameter, all different."""
    return {p.name: 0.4 + 0.1 * i + np.linspace(0, 1, size) for i, p in enumerate(info.parameters)}


def at(given, position):
    return {name: float(values[position]) for name, values in given.items()}


@pytest.mark.parametrize("name", model_names())
def test_functions_over_parameter_grids(name):
    theory = compiled_theory(name)
    given = grids(theory.info)
    points = np.linspace(-2, 2, 5)
    for function in theory.functions:
        together = function.at(points, given)
        for i in range(5):
            alone = function.at(points[i], at(given, i))
            for many, one in zip(together, alone, strict=True):
                assert many[i] == pytest.approx(float(one), rel=1e-15, abs=1e-300)


@pytest.mark.parametrize("name", model_names())
def test_matrices_over_parameter_grids(name):
    theory = compiled_theory(name)
    given = grids(theory.info)
    for matrix in theory.matrices.values():
        together = matrix.tape.run(FLOAT64, given)
        for i in range(5):
            alone = matrix.at(at(given, i)).ravel()
            several = [np.broadcast_to(e, 5)[i] for e in together]
            np.testing.assert_allclose(several, alone, rtol=1e-15)


@pytest.mark.parametrize("name", model_names())
def test_single_precision_stays_single(name):
    """A parameter or a constant under a root must not promote the state of a large network."""
    network = compile_network(name)
    p = {q.name: 1.3 for q in network.info.parameters}
    state = [np.linspace(-1, 1, 7, dtype=np.float32) for _ in network.info.fields]
    currents = [np.ones(7, dtype=np.float32) for _ in network.info.currents]
    results = [
        *network.outputs(state, p),
        *network.drift(state, currents, p),
        *network.tangent_outputs(state, state, p),
        *network.tangent_drift(state, currents, state, currents, p),
        *network.observables(state, p).values(),
    ]
    assert {np.asarray(r).dtype for r in results} == {np.dtype(np.float32)}


@pytest.mark.filterwarnings("error")
def test_the_logistic_function_in_single_precision():
    """To its rounding, relative: a gate that is nearly shut lets a slow memory leak at a small rate."""
    logistic = FLOAT64.functions["logistic"]
    points = np.concatenate([np.linspace(-86, 30, 1001), [0.0, 1e-30, 400.0]]).astype(np.float32)
    found = logistic(points)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, 1 / (1 + np.exp(-points.astype(np.float64))), rtol=4e-7)
    beyond = logistic(np.array([-100, -1e30, -np.inf, np.nan], dtype=np.float32))
    assert (beyond[:3] <= 2e-38).all() and np.isnan(beyond[3])
    assert logistic(np.float32(0)) == 0.5


@pytest.mark.parametrize("name", model_names())
def test_names_of_files_and_models_agree(name):
    assert get(name).name == name


@pytest.mark.parametrize("name", ["vanilla_erf", "__init__", "no-such", "../vanilla", ""])
def test_other_names_are_no_models(name):
    with pytest.raises(KeyError):
        get(name)


def test_pi_has_all_digits_everywhere():
    tape = translate("pi", [x], [sp.sqrt(sp.pi) * x / 2, 1 / sp.sqrt(sp.pi)])
    assert tape == Tape.from_json(tape.to_json())
    assert "pi()" in str(tape)
    assert tape.run(FLOAT64, {"x": 2.0})[0] == np.sqrt(np.pi)
    table, context = multiprecision(50)
    root, inverse = tape.run(table, {"x": context.mpf(2)})
    assert abs(root**2 - context.pi) < context.mpf("1e-48")
    assert abs(root * inverse - 1) < context.mpf("1e-48")
