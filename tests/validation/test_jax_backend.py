"""Networks on jax are the networks of numpy: the same numbers up to rounding, and clear refusals."""

import json
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest
from by_hand import Plain

import dmft
from dmft.cli import main
from dmft.codegen import compile_network
from dmft.codegen.float64 import FLOAT64
from dmft.errors import InputError
from dmft.protocol import Protocol, Step
from dmft.validation.estimate import measure
from dmft.validation.integrate import Trajectory, draw_tangents
from dmft.validation.memory import bytes_needed
from dmft.validation.network import FiniteNetwork, draw_network, draw_state
from dmft.validation.schedule import Schedule
from dmft.validation.validate import validate_solution

on_jax = pytest.mark.skipif(
    find_spec("jax") is None, reason="jax is an optional extra: pip install 'dmft[jax]'"
)

GATED = {"g_h": 3.0, "alpha_z": 2.0, "alpha_r": 5.0, "tau_z": 0.5, "input_h": 0.3}
MODELS = {
    "vanilla": {"g": 2.0},
    "gated": GATED,
    "adaptation": {"g": 2.0, "gamma": 0.3},
}
#: A few roundings per operation; two leak times of chaos enlarge them by less than ten.
ROUNDING = {"float32": 2e-5, "float64": 5e-14}
SHORT = Schedule(0.25, 0.5, 2.0, (1, 2), (2,), batch=4, tangents=3)


def both(model, p, dtype="float64", *, moved=None, advances=2, steps=4, **options):
    """The run on numpy and on jax, with the sums of their growths."""
    ends = []
    for backend in ("numpy", "jax"):
        network = draw_network(compile_network(model), p, 40, np.random.default_rng(0), dtype)
        network = network.at(moved) if moved else network
        rng = np.random.default_rng(1)
        x, dx = draw_state(network, 5, 1.0, rng), draw_tangents(network, 3, rng)
        noise = np.random.default_rng(2)
        run = Trajectory(network, x, dx, 0.125, noise=noise, backend=backend, **options)
        ends.append((run, sum(run.advance(steps) for _ in range(advances))))
    return ends


def same(ends, tolerance):
    (one, growth), (two, growth_on_jax) = ends
    assert one.time == two.time
    for a, b in zip(one.x + one.dx, two.x + two.dx, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance)
    assert growth_on_jax.dtype == np.float64
    np.testing.assert_allclose(growth, growth_on_jax, rtol=0, atol=tolerance)


@on_jax
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("dtype", ROUNDING)
def test_states_and_tangents_are_those_of_numpy(model, dtype):
    same(both(model, MODELS[model], dtype), ROUNDING[dtype])


@on_jax
def test_exponential_rule():
    same(both("adaptation", {"g": 2.0, "gamma": 20.0}, integrator="exponential"), 5e-14)


@on_jax
def test_white_noise_is_the_same_path(monkeypatch):
    """Drawn by numpy in the same order, sent in blocks that do not fit the steps; tangents see none."""
    from dmft.validation import jax_backend

    monkeypatch.setattr(jax_backend, "NOISY_STEPS", 4)
    ends = both("vanilla", {"g": 2.0, "noise_x": 0.3}, "float32", advances=1, steps=6)
    same(ends, ROUNDING["float32"])
    one, two = (run.noise.standard_normal() for run, _ in ends)
    assert one == two  # both have drawn as many numbers


@on_jax
def test_noise_goes_to_its_own_fields():
    from dmft.validation.jax_backend import Blocks, _shifts

    network = draw_network(
        compile_network("gated"), GATED | {"noise_z": 0.25}, 3, np.random.default_rng(0)
    )
    rule = Blocks(network, 0.125, "rk4", np.random.default_rng(1)).rule
    path = np.arange(18.0).reshape(2, 3, 1, 3)  # W and H of three white inputs
    shifts = np.array(
        [[np.broadcast_to(s, (1, 3)) for s in part] for part in _shifts(rule, 6, path)]
    )
    scale = network.right.noise(network.parameters)[1, 1]
    assert scale != 0
    np.testing.assert_allclose(shifts[:, 1], scale * path[:, 1], rtol=1e-15)
    assert not np.delete(shifts, 1, axis=1).any()


@on_jax
def test_moved_couplings():
    """A network taken to other parameters multiplies its couplings and adds their mean."""
    p = {"g": 2.0, "m": 0.5, "input_x": 0.1}
    same(both("mean-coupling", p, moved=p | {"g": 1.5, "m": -1.0}), 5e-14)


@on_jax
def test_statistics_of_a_network():
    """Through the schedule, as `dmft validate` does it: float64 averages of the same run."""
    right = compile_network("vanilla")
    one, two = (
        measure(right, {"g": 2.0}, replace(SHORT, backend=backend), 60, 1, 7, np.float64)
        for backend in ("numpy", "jax")
    )
    for name in ("lyapunov", "drift", "autocorrelation"):
        np.testing.assert_allclose(getattr(one, name), getattr(two, name), rtol=1e-12)
    assert two.second_moment["x"] == pytest.approx(one.second_moment["x"], rel=1e-13)


@on_jax
@pytest.mark.parametrize("dtype", ROUNDING)
def test_every_function_that_an_equation_may_use(dtype):
    """Arrays keep their type; a parameter is rounded as on numpy, to the last digit."""
    from dmft.validation.jax_backend import JAX, precisely

    assert JAX.functions.keys() == FLOAT64.functions.keys()
    x = np.linspace(0.05, 3.0, 50).astype(dtype)
    for name, function in FLOAT64.functions.items():
        count = 0 if name == "pi" else 2 if name in ("add", "mul", "div", "pow") else 1
        with precisely():
            found = JAX.functions[name](*([x, 0.3][:count]))
            number = JAX.functions[name](*([0.7, 0.3][:count]))
        assert number == function(*([0.7, 0.3][:count]))
        assert type(number) is float
        if count:
            assert found.dtype == dtype
            expected = function(*([x, 0.3][:count]))
            np.testing.assert_allclose(found, expected, rtol=8 * np.finfo(dtype).eps)


@on_jax
def test_networks_share_their_compilation_and_settings_stay_local(monkeypatch):
    import jax

    from dmft.validation import jax_backend

    rule, traced = jax_backend._rk4_step, []
    monkeypatch.setattr(jax_backend, "_rk4_step", lambda *a: traced.append(1) or rule(*a))
    right, other = compile_network("vanilla"), compile_network("vanilla-erf")
    for seed, declared in enumerate((right, right, right, other)):
        network = draw_network(declared, {"g": 2.5}, 30, np.random.default_rng(seed), np.float64)
        x = draw_state(network, 2, 1.0, np.random.default_rng(1))
        run = Trajectory(network, x, [x[0][:0]], 0.125, backend="jax")
        run.advance(3)
        run.advance(3)
    assert len(traced) == 2  # one for each declaration
    assert jax.numpy.ones(2).dtype == np.float32
    assert jax.config.jax_default_matmul_precision is None


@on_jax
def test_a_full_device_is_named():
    import jax

    from dmft.validation.jax_backend import Blocks

    network = draw_network(compile_network("vanilla"), {"g": 2.0}, 30, np.random.default_rng(0))
    blocks = Blocks(network, 0.125, "rk4")
    with (
        pytest.raises(InputError, match=r"30 units does not fit into the memory of .*smaller n"),
        blocks._in_memory(),
    ):
        raise jax.errors.JaxRuntimeError(
            "RESOURCE_EXHAUSTED: Out of memory while trying to allocate"
        )
    with pytest.raises(jax.errors.JaxRuntimeError), blocks._in_memory():
        raise jax.errors.JaxRuntimeError("INTERNAL: something else")


def test_memory_counts_the_copy_of_the_couplings():
    right = compile_network("gated")
    extra = bytes_needed(right, replace(SHORT, backend="jax"), 1000) - bytes_needed(
        right, SHORT, 1000
    )
    assert extra == 4 * 3 * 1000**2


@on_jax
def test_command_line(capsys):
    words = "validate vanilla g=2 --n 200 --realizations 2 --seed 4 --json --backend jax"
    code = main(words.split())
    body = json.loads(capsys.readouterr().out)
    assert body["schedule"]["backend"] == "jax"
    assert "jax" in body["versions"]
    assert body["networks"] == {"200": 2, "100": 4, "50": 8}
    assert code == (0 if body["verdict"] == "pass" else 1)


@on_jax
def test_what_runs_on_numpy_only():
    network = draw_network(compile_network("vanilla"), {"g": 2.0}, 30, np.random.default_rng(0))
    x = draw_state(network, 2, 1.0, np.random.default_rng(1))
    moving = Protocol({"g": 2.0}, (Step("g", 0.7, 1.0),))
    with pytest.raises(InputError, match="move in time run on numpy only"):
        Trajectory(network, x, [x[0][:0]], 0.1, protocol=moving, backend="jax")
    by_hand = FiniteNetwork(Plain(), {}, (np.eye(3),))
    with pytest.raises(InputError, match="compiled declarations"):
        Trajectory(by_hand, [np.ones((1, 3))], [np.ones((0, 3))], 0.1, backend="jax")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("vanilla g=2 --backend jax", "pip install 'dmft[jax]'"),
        ("vanilla g=2 --backend torch", "backend: 'torch' was given; choose numpy or jax"),
        ("--all --backend jax", "--backend belongs to one model; leave it out with --all"),
    ],
)
def test_command_line_refuses(capsys, monkeypatch, words, complaint):
    """One line and exit code 2, before anything is solved."""
    monkeypatch.setattr("dmft.validation.integrate.find_spec", lambda name: None)
    monkeypatch.setattr("dmft.api.solve", None)
    assert main(["validate", *words.split()]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert complaint in line


@on_jax
def test_one_process():
    theory = dmft.solve("vanilla", g=2)
    with pytest.raises(InputError, match="workers: 2 were given"):
        validate_solution(theory, n=200, realizations=2, workers=2, backend="jax")
