"""The result of a transient: what files keep, what is refused, what the figure shows."""

import dataclasses
import json
import pickle

import numpy as np
import pytest
from transient_samples import nothing, sample

import dmft
from dmft.errors import DmftError, InputError
from dmft.protocol import Step
from dmft.results.transient_display import change_text


def same(one, two):
    for item in dataclasses.fields(one):
        first, second = getattr(one, item.name), getattr(two, item.name)
        if isinstance(first, np.ndarray):
            np.testing.assert_array_equal(first, second)
        elif (
            isinstance(first, dict) and first and isinstance(next(iter(first.values())), np.ndarray)
        ):
            assert list(first) == list(second)
            for name in first:
                np.testing.assert_array_equal(first[name], second[name])
        else:
            assert first == second, item.name


@pytest.mark.parametrize("suffix", [".json", ".csv", ".nc"])
@pytest.mark.parametrize("make", [sample, nothing])
def test_files_return_the_same_doubles(suffix, make, tmp_path):
    found = make()
    found.save(tmp_path / f"a{suffix}")
    same(found, dmft.load(tmp_path / f"a{suffix}"))
    same(found, pickle.loads(pickle.dumps(found)))


def test_another_suffix_is_refused(tmp_path):
    with pytest.raises(InputError, match="allowed are"):
        sample().save(tmp_path / "a.npz")


HARM = {
    "a time is missing": lambda d: d["time"].pop(),
    "times fall": lambda d: d.update(time=[0, 2, 1, 1, 3]),
    "a row is short": lambda d: d["moment"]["x"][3].pop(),
    "no errors": lambda d: d.pop("error"),
    "errors of something else": lambda d: d["error"].update(y=d["error"].pop("x")),
    "millions of times": lambda d: d.update(time=list(range(10**6))),
    "numbers are texts": lambda d: d["moment"].update(x="1"),
    "an unknown change": lambda d: d["changes"][0].update(kind="jump"),
    "a change of nothing": lambda d: d["changes"][0].update(parameter="q"),
    "changes overlap": lambda d: d["changes"].append(d["changes"][1]),
    "an unknown start": lambda d: d["start"]["x"].update(distribution="cauchy"),
    "a negative start": lambda d: d["start"]["x"].update(variance=-1),
    "no seed": lambda d: d.update(seed=None),
    "a seed with a point": lambda d: d.update(seed=1.5),
    "an unknown status": lambda d: d.update(status="fine"),
    "means are short": lambda d: d["mean"]["x"].pop(),
}


@pytest.mark.parametrize("harm", HARM.values(), ids=HARM.keys())
def test_damaged_files_are_refused_in_one_line(harm, tmp_path):
    data = json.loads(sample().to_json())
    harm(data)
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(data))
    with pytest.raises(InputError) as caught:
        dmft.load(path)
    assert "bad.json" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_csv_with_other_times_is_refused(tmp_path):
    path = tmp_path / "bad.csv"
    sample().save(path)
    lines = path.read_text().splitlines()
    lines[-1] = lines[-1].replace("2.5,2.5", "2.5,2.25", 1)
    path.write_text("\n".join(lines))
    with pytest.raises(InputError, match="pairs of times"):
        dmft.load(path)


def test_traces_and_second_moments():
    found = sample()
    table = found.moment["x"]
    np.testing.assert_array_equal(found.variance("x"), np.diagonal(table))
    # at a jump the moment after it counts
    time, trace, error = found.trace("x", 1.0)
    np.testing.assert_array_equal(time, [1.0, 2.5])
    np.testing.assert_array_equal(trace, table[3:, 3])
    np.testing.assert_array_equal(error, found.error["x"][3:, 3])
    assert found.trace("x", 0.7)[0][0] == 0.5
    for bad in (-0.1, 3.0, float("nan")):
        with pytest.raises(InputError, match="since"):
            found.trace("x", bad)
    with pytest.raises(InputError, match="did you mean 'phi'"):
        found.variance("ph")
    with pytest.raises(DmftError, match="no moments"):
        nothing().variance("x")


def test_it_cannot_be_changed():
    found = sample()
    with pytest.raises(ValueError, match="read-only"):
        found.moment["x"][0, 0] = 1.0
    with pytest.raises(TypeError):
        found.moment["x"] = 1.0
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.seed = 3


def test_arrays_must_fit():
    with pytest.raises(ValueError, match="5 times"):
        sample(moment={"x": np.zeros((4, 4))})
    with pytest.raises(ValueError, match="same names"):
        sample(mean={"x": np.zeros(5)})


def test_the_data_set_is_labelled():
    data = sample().to_xarray()
    assert data["moment"].dims == ("quantity", "time", "other_time")
    assert data["kurtosis"].sel(field="x").values[1] == 3.0
    assert float(data["g"]) == 2.0
    assert data.attrs["history"] == "dmft transient vanilla g=2"


def test_the_figure_has_the_protocol_above(tmp_path):
    figure = sample().plot(tmp_path / "a.png")
    *traces, axes = figure.axes
    assert (tmp_path / "a.png").stat().st_size > 1000
    assert len(traces) == 3
    np.testing.assert_array_equal(
        traces[0].lines[0].get_xdata(), [0.0, *np.repeat([0.25, 1, 1.5, 2], 2), 2.5]
    )
    assert traces[0].lines[0].get_ydata()[[0, 3, 4, -1]] == pytest.approx([2, 2, 1 / 3, 1 / 3])
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), sample().variance("x"))
    assert len(axes.collections) == 1  # the band of errors
    with pytest.raises(DmftError, match="no moments"):
        nothing().plot()


def test_texts():
    found = sample()
    assert "--pulse input_x=2@1:1.5" in repr(found)
    assert "interrupted" in repr(found)
    assert "C_x(t,t)" in found._repr_html_()
    assert nothing()._repr_html_()
    assert change_text(Step("g", 10, 0.5)) == "--step g=0.5@10"
