"""Figures: the right curves, styles and labels; no global state; the command in the metadata."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import samples

from dmft.errors import DmftError, InputError, MissingExtraError

pytest.importorskip("matplotlib")


def lines(figure: Any) -> list[Any]:
    return [line for line in figure.axes[0].get_lines() if len(line.get_xdata()) > 2]


def test_solution_figure_shows_every_field_once() -> None:
    solution = samples.solution()
    figure = solution.plot()
    first, second = lines(figure)
    legend = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert legend == ["$h$", "$z$, $r$"]  # z and r coincide here
    expected = 0.3 / np.cosh(first.get_xdata() / 5) ** 2
    np.testing.assert_allclose(first.get_ydata(), expected, atol=1e-8)
    assert first.get_linestyle() != second.get_linestyle()
    assert first.get_color() != second.get_color()
    assert figure.axes[0].get_xlim()[1] < solution.lag[-1] / 2  # a few correlation times
    title = figure.axes[0].get_title(loc="left")
    assert "$g_h$ = 3" in title
    assert r"$\alpha_r$ = 5" in title
    assert r"\tau_r" not in title  # at its default
    assert "0.1322" in title


def test_rest_is_drawn_too() -> None:
    lag = np.linspace(0, 10, 5)
    rest = samples.solution(
        model="vanilla", parameters={"g": 0.5}, variance={"x": 0.0}, lyapunov=None, lag=lag,
        autocorrelation={"x": 0 * lag, "phi": 0 * lag}, branch="zero",
    )  # fmt: skip
    figure = rest.plot()
    (line,) = lines(figure)
    assert not np.any(line.get_ydata())


def test_curve_figure_tells_folds_from_continuous_points() -> None:
    figure = samples.curve().plot()
    before, after = lines(figure)
    assert before.is_dashed() and not after.is_dashed()
    assert max(before.get_xdata()) < 2.83 < min(after.get_xdata())
    drawn = [x for line in figure.axes[0].get_lines() for x in line.get_xdata()]
    assert max(drawn) == 9.5  # the point without answer is not drawn
    assert figure.axes[0].get_xlabel() == r"$\alpha_r$"
    assert figure.axes[0].get_ylabel() == "$g_h$"
    legend = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert legend == ["continuous", "fold"]
    joined = lines(samples.curve(segment=np.zeros(21)).plot())[0]
    assert max(joined.get_xdata()) == 3.0  # no gap within a segment


def test_two_sweeps_make_a_family() -> None:
    a, b = (grid.ravel() for grid in np.meshgrid([0.0, 5.0, 10.0], [-1.0, 1.0]))
    family = samples.curve(
        sweep=("alpha_r", "beta_r"),
        columns={"alpha_r": a, "beta_r": b, "g_h": 1 + np.exp(b)},
        fixed={}, error=0 * a, status=("converged",) * 6, segment=[0, 0, 0, 1, 1, 1],
    )  # fmt: skip
    figure = family.plot()
    assert len(lines(figure)) == 2
    (legend,) = figure.legends
    assert legend.get_title().get_text() == r"$\beta_r$"
    assert [text.get_text() for text in legend.get_texts()] == ["\N{MINUS SIGN}1", "1"]


def test_what_cannot_be_drawn_is_refused() -> None:
    point = samples.curve(
        sweep=(), columns={"g_h": [2.0]}, error=[0.0], status=["converged"], segment=[0]
    )
    with pytest.raises(InputError, match="no parameter is swept"):
        point.plot()
    with pytest.raises(DmftError, match="no point"):
        samples.curve(status=("no-solution",) * 21).plot()


def test_a_model_from_elsewhere_keeps_plain_names() -> None:
    figure = samples.curve(model="theirs", solve_for="x$y", columns={
        "alpha_r": np.arange(21), "x$y": np.arange(21)}).plot()  # fmt: skip
    assert figure.axes[0].get_ylabel() == r"x\$y"
    figure.savefig(__import__("io").BytesIO(), format="png")


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_files_carry_the_command(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"figure{suffix}"
    samples.solution().plot(path)
    content = path.read_bytes()
    assert content.startswith({".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}[suffix])
    assert b"dmft solve gated g_h=3 alpha_r=5" in content
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_pyplot_is_never_loaded() -> None:
    loaded = "matplotlib.pyplot" in sys.modules
    figure = samples.curve().plot()
    assert figure._repr_png_().startswith(b"\x89PNG")
    assert ("matplotlib.pyplot" in sys.modules) is loaded


def test_unknown_suffix_and_missing_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match=r"allowed are \.png, \.svg, \.pdf"):
        samples.solution().plot(tmp_path / "figure.jpg")
    for module in list(sys.modules):
        if module.split(".")[0] == "matplotlib":
            monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=r"dmft\[plot\]"):
        samples.solution().plot()
    assert list(tmp_path.iterdir()) == []
