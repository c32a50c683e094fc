"""The result objects: frozen, evaluated anywhere, readable."""

from __future__ import annotations

import copy
import dataclasses
import html.parser
import pickle
from typing import Any

import numpy as np
import pytest
import samples

from dmft.errors import DmftError, InputError
from dmft.results.cosine import cosine_coefficients
from dmft.solvers.status import Status


def test_cosine_coefficients_of_known_series() -> None:
    window, n = 7.0, 17
    lag = np.linspace(0, window, n)
    known = np.array([0.3, -1.0, 0.25, 0.0, 2.0])
    values = np.cos(np.pi * np.outer(lag, np.arange(5)) / window) @ known
    np.testing.assert_allclose(cosine_coefficients(values)[:5], known, atol=1e-14)
    np.testing.assert_allclose(cosine_coefficients(values)[5:], 0, atol=1e-14)


def test_the_highest_coefficient_counts_once() -> None:
    values = np.array([1.0, -1.0, 1.0, -1.0, 1.0])
    np.testing.assert_allclose(cosine_coefficients(values), [0, 0, 0, 0, 1], atol=1e-15)


@pytest.mark.parametrize("n", [1, 2, 3, 128, 129])
def test_values_on_the_grid_are_returned(n: int) -> None:
    lag = np.linspace(0, 60.0, n)
    solution = samples.solution(lag=lag, autocorrelation={"h": np.exp(-lag) - 2.0})
    np.testing.assert_allclose(solution.at(lag)["h"], np.exp(-lag) - 2.0, atol=1e-14)


def test_between_the_grid_it_is_spectral_and_even() -> None:
    solution = samples.solution()
    wanted = np.array([[0.1, 1.234], [-7.7, 25.0]])
    found = solution.at(wanted)["h"]
    assert found.shape == (2, 2)
    # 129 points on 0..60: a cubic spline would be off by 1e-4
    np.testing.assert_allclose(found, 0.3 / np.cosh(wanted / 5) ** 2, atol=3e-9)
    np.testing.assert_array_equal(solution.at(-wanted)["h"], found)
    assert set(solution.at(0.0)) == set(solution.autocorrelation)
    assert solution.at(3)["h"].shape == ()


def test_beyond_the_window_it_stays() -> None:
    solution = samples.solution(autocorrelation={"h": np.linspace(1, 0.5, 129)})
    found = solution.at([60.0, 61.0, -1e9, np.inf])["h"]
    np.testing.assert_allclose(found, 0.5, atol=1e-13)


def test_many_lags_need_little_memory() -> None:
    lags = np.linspace(-60, 60, 20_001)
    found = samples.solution().at(lags)["h"]
    np.testing.assert_allclose(found, 0.3 / np.cosh(lags / 5) ** 2, atol=3e-8)


@pytest.mark.parametrize("bad", ["abc", [1.0, np.nan], [[1], [1, 2]], 1j])
def test_bad_lags_are_refused(bad: Any) -> None:
    with pytest.raises(InputError, match="lags"):
        samples.solution().at(bad)


def test_without_a_solution_there_is_nothing_to_evaluate() -> None:
    empty = samples.solution(status=Status.NO_SOLUTION, lag=[], autocorrelation={})
    with pytest.raises(DmftError, match="no-solution"):
        empty.at(0.0)
    with pytest.raises(DmftError, match="no-solution"):
        empty.plot()


def test_results_cannot_be_changed() -> None:
    solution, curve = samples.solution(), samples.curve()
    with pytest.raises(dataclasses.FrozenInstanceError):
        solution.model = "other"  # type: ignore[misc]
    for array in (solution.lag, solution.autocorrelation["h"], curve.error, curve.columns["g_h"]):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1.0
    for mapping in (solution.variance, solution.parameters, solution.autocorrelation, curve.fixed):
        with pytest.raises(TypeError, match="cannot be changed"):
            mapping["h"] = 1.0  # type: ignore[index]
        with pytest.raises(TypeError, match="cannot be changed"):
            mapping.update(h=1.0)
        with pytest.raises(TypeError, match="cannot be changed"):
            del mapping[next(iter(mapping))]
        with pytest.raises(TypeError, match="cannot be changed"):
            mapping.__ior__({"h": 1.0})


def test_the_arrays_given_stay_the_caller_s() -> None:
    mine = np.linspace(0, 1, 5)
    solution = samples.solution(lag=mine, autocorrelation={"h": mine})
    mine[1] = 7.0
    assert solution.lag[1] == 0.25
    assert solution.autocorrelation["h"][1] == 0.25


@pytest.mark.parametrize("make", [samples.solution, samples.curve])
def test_results_travel_between_processes(make: Any) -> None:
    result = make()
    for twin in (pickle.loads(pickle.dumps(result)), copy.deepcopy(result), copy.copy(result)):
        assert twin.to_json() == result.to_json()
        assert not next(iter(twin.to_sheet().columns.values())).flags.writeable
    assert dataclasses.replace(result, command="other").command == "other"


def test_parts_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="h: 3 values, but 129 of lag"):
        samples.solution(autocorrelation={"h": [1.0, 2.0, 3.0]})
    with pytest.raises(ValueError, match="uniform"):
        samples.solution(lag=[0.0, 1.0, 3.0], autocorrelation={})
    with pytest.raises(ValueError, match="uniform"):
        samples.solution(lag=[1.0, 2.0, 3.0], autocorrelation={})
    with pytest.raises(ValueError, match="increasing"):
        samples.solution(lag=[0.0, 2.0, 2.0], autocorrelation={}, interpolation="spline")
    with pytest.raises(ValueError, match="columns"):
        samples.curve(solve_for="alpha_r")
    with pytest.raises(ValueError, match="segment"):
        samples.curve(segment=[0])
    with pytest.raises(ValueError, match="perfect"):
        samples.solution(status="perfect")


class _Tags(html.parser.HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)


def test_notebooks_show_escaped_tables() -> None:
    nasty = "<script>alert(1)</script>"
    page = samples.solution(branch=nasty, message=nasty)._repr_html_()
    assert _Tags(page).tags == {"table", "caption", "thead", "tbody", "tr", "th", "td"}
    assert "0.13216866" in page
    assert "&lt;script&gt;" in page
    page = samples.curve(model=nasty)._repr_html_()
    assert "script" not in _Tags(page).tags
    assert page.count("<tr>") == 22  # head, ten first, dots, ten last


def test_repr_is_one_line() -> None:
    assert repr(samples.solution()).startswith("Solution(gated g_h=3 alpha_r=5")
    assert "20 of 21 points" in repr(samples.curve())
    assert "\n" not in repr(samples.solution()) + repr(samples.curve())
