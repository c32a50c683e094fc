"""Figures of scans: the right cells and lines, holes hatched, branches parted, symbols on axes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scan_samples

from dmft.errors import DmftError, InputError
from dmft.results.scan import value_names

pytest.importorskip("matplotlib")


def test_a_map_shows_every_cell_at_its_place() -> None:
    from matplotlib.collections import LineCollection, PolyCollection, QuadMesh

    scan = scan_samples.scan()
    figure = scan.plot()
    axes, bar = figure.axes
    (mesh,) = [c for c in axes.collections if isinstance(c, QuadMesh)]
    # the second axis is not sorted: -0.0 comes before 0.3 and 5
    expected = np.where(scan.answered, scan.lyapunov, np.nan)[:, [2, 0, 1]].T
    drawn = np.ma.filled(mesh.get_array().astype(float), np.nan).reshape(3, 4)
    np.testing.assert_array_equal(drawn, expected)
    edges = mesh.get_coordinates()
    np.testing.assert_allclose(edges[0, :, 0], [0.75, 1.25, 1.75, 2.5, 3.5])
    np.testing.assert_allclose(edges[:, 0, 1], [-0.15, 0.15, 2.65, 7.35])
    (holes,) = [c for c in axes.collections if isinstance(c, PolyCollection)]
    assert holes.get_hatch()
    (path,) = holes.get_paths()
    extent = path.get_extents()
    np.testing.assert_allclose(
        [extent.x0, extent.x1, extent.y0, extent.y1], [2.5, 3.5, -0.15, 0.15]
    )
    (borders,) = [c for c in axes.collections if isinstance(c, LineCollection)]
    upright = [s for s in borders.get_segments() if s[0, 0] == s[1, 0] == 1.75]
    assert len(upright) == 3  # rest to the left of g_h = 1.75, chaos to the right
    assert {text.get_text() for text in axes.texts} == {"zero", "chaotic"}
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("$g_h$", r"$\alpha_r$")
    assert r"\lambda" in bar.get_ylabel()
    title = axes.get_title(loc="left")
    assert "hatched: no answer" in title and r"$\beta_r$ = " in title


def test_colours_keep_their_order_in_grey() -> None:
    from matplotlib.collections import QuadMesh

    figure = scan_samples.scan().plot()
    (mesh,) = [c for c in figure.axes[0].collections if isinstance(c, QuadMesh)]
    colours = mesh.get_cmap()(np.linspace(0, 1, 64))
    grey = colours[:, :3] @ [0.299, 0.587, 0.114]
    assert (np.diff(grey) > 0).all()


def test_lines_are_parted_by_branch_and_hole() -> None:
    scan = scan_samples.scan({"g_h": np.linspace(1, 4, 12)})
    figure = scan.plot(quantity="variance_h")
    (axes,) = figure.axes
    drawn = [line for line in axes.get_lines() if len(line.get_xdata())]
    rest, chaos = drawn
    np.testing.assert_array_equal(rest.get_ydata(), scan.variance["h"][:6])
    np.testing.assert_array_equal(chaos.get_ydata(), scan.variance["h"][6:11])
    assert rest.get_linestyle() != chaos.get_linestyle()
    assert rest.get_color() != chaos.get_color()
    legend = [text.get_text() for text in axes.get_legend().get_texts()]
    assert legend == ["zero", "chaotic"]
    (hole,) = axes.patches
    assert hole.get_hatch() and hole.get_extents().width > 0
    assert axes.get_ylabel() == "second moment of $h$"


def test_every_quantity_has_a_label_and_a_file(tmp_path: Path) -> None:
    scan = scan_samples.scan({"g_h": [1.0, 2.0, 3.0]})
    labels = set()
    for quantity in value_names(scan_samples.FIELDS):
        if np.isfinite(scan.values[quantity][scan.answered]).any():
            labels.add(scan.plot(quantity=quantity).axes[0].get_ylabel())
    assert len(labels) == len(value_names(scan_samples.FIELDS)) - 1  # one is never known
    scan.plot(tmp_path / "scan.svg")
    assert "dmft scan gated" in (tmp_path / "scan.svg").read_text(encoding="utf-8")


def test_without_exponents_the_variance_is_drawn() -> None:
    scan = scan_samples.scan()
    values = {**scan.values, "lyapunov": np.full(scan.shape, np.nan)}
    figure = replace(scan, values=values).plot()
    assert figure.axes[1].get_ylabel() == "second moment of $h$"


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(InputError, match="did you mean 'variance_h'"):
        scan_samples.scan().plot(quantity="varianc_h")
    with pytest.raises(InputError, match="3 parameters are swept"):
        scan_samples.scan({"a": [1.0], "b": [1.0], "c": [1.0]}).plot()
    with pytest.raises(DmftError, match="no point has"):
        scan_samples.scan({"a": [1.0]}).plot()
