"""Inputs, noise, means, correlations and reciprocity stand in every stage that they change."""

import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
import sympy as sp
from gated_variants import followed
from latex2mathml.converter import convert

from dmft.derivation_page import derivation_page
from dmft.derivations.model import Input, Model, Parameter
from dmft.derivations.models import get
from dmft.derivations.stages import derive_model

RHO, ETA, M = Parameter("rho", "share"), Parameter("back", "share"), Parameter("m", "mean")
DRIVE = Parameter("drive", "mean of an input")


def special() -> Model:
    """Everything that couplings can have, and a quenched input with a mean."""
    model = get("gated")
    first, second, third = model.couplings
    couplings = (
        replace(first, mean=1 + M.symbol, variance=sp.Integer(2) * M.symbol**2),
        second,
        replace(third, reciprocity=ETA.symbol),
    )
    inputs = (
        replace(model.inputs[0], mean=DRIVE.symbol),
        *model.inputs[1:],
    )
    return replace(
        model,
        couplings=couplings,
        parameters=(*model.parameters, RHO, ETA, M, DRIVE),
        correlations={("xi_h", "xi_z"): RHO.symbol / 2},
        inputs=inputs,
    )


def lines(model: Model, stage: str) -> list[str]:
    (found,) = derive_model(model).show(stage).stages
    return [equation.text for equation in found.equations]


def prose(model: Model, stage: str) -> str:
    (found,) = derive_model(model).show(stage).stages
    return found.prose


@pytest.mark.parametrize("stage", ["network", "disorder"])
def test_a_line_for_every_input(stage: str) -> None:
    found = lines(get("gated"), stage)
    for field in "hzr":
        assert f"<I_{field}^2> = input_{field}" in found
        assert f"<eta_{field}(t) eta_{field}(t')> = noise_{field} delta(t - t')" in found
    with_mean = lines(special(), stage)
    assert "<I_h> = drive" in with_mean
    assert "<I_h^2> - <I_h>^2 = input_h" in with_mean


def test_the_declared_couplings() -> None:
    found = lines(special(), "network")
    assert "xi_h_i = sum_j J_ij [phi*sigma_r]_j,  J_ij ~ N((1 + m)/N, 2*m**2/N)" in found
    assert "corr(J_ij, J_ji) = back  in xi_r" in found
    assert "corr(J_ij of xi_h, J_ij of xi_z) = rho/2" in found
    assert "correlated as stated" in prose(special(), "network")
    assert "independent couplings" in prose(get("gated"), "network")


def test_the_currents_that_they_leave() -> None:
    found = lines(special(), "disorder")
    assert "<xi_h(t)> = (1 + m) < [phi*sigma_r](t) >" in found
    assert any(
        line.startswith("<xi_h(t) xi_h(t')> - <xi_h(t)> <xi_h(t')> = (2*m**2)") for line in found
    )
    assert any(line.startswith("<xi_h(t) xi_z(t')> = (") and "rho" in line for line in found)
    assert any(line.startswith("xi_r(t) gains (back) int dt'") for line in found)


def test_static_states_with_inputs_and_means() -> None:
    found = lines(get("gated"), "statics")
    assert found == [
        "Delta_h = <phi^2>_h <sigma_r^2>_r + input_h/logistic(-beta_z)**2",
        "Delta_z = <phi^2>_h + input_z",
        "Delta_r = <phi^2>_h + input_r",
    ]
    assert "unless input_h = 0" in prose(get("gated"), "statics")
    assert "no state is constant" in prose(get("gated"), "statics")
    inside = lines(get("gated-input"), "statics")[0]
    assert inside == "Delta_h = <phi^2>_h <sigma_r^2>_r + input_h"
    assert lines(get("mean-coupling"), "statics") == [
        "mu_x = m <phi>_x",
        "Delta_x = g**2 <phi^2>_x + input_x",
    ]
    assert "mean mu_x" in prose(get("mean-coupling"), "statics")
    scaled = lines(get("adaptation"), "statics")
    assert scaled[0] == "Delta_x = (g**2/(1 + beta)**2) <phi^2>_x"


def test_additive_terms_of_the_stationary_equations() -> None:
    h, z, r = lines(get("gated"), "stationary")
    s = "logistic(-beta_z)**2"
    assert h.endswith(f"+ (input_h/{s}) 2 pi delta(omega) + (1/(omega**2 + {s})) noise_h")
    assert z.endswith("+ (input_z) 2 pi delta(omega) + (1/(omega**2*tau_z**2 + 1)) noise_z")
    assert r.startswith("C_r(omega) = (1/(omega**2*tau_r**2 + 1)) FT[<phi phi>]")
    mean, covariance = lines(get("mean-coupling"), "stationary")
    assert mean == "mu_x = m <phi>"
    assert covariance.endswith("+ (input_x) 2 pi delta(omega)")
    assert "of mean mu" in prose(get("mean-coupling"), "stationary")


def test_a_constant_force_and_a_mean_input_move_the_fields() -> None:
    model = get("vanilla")
    c = Parameter("c", "constant force")
    x = model.field_symbols()[0]
    moved = replace(
        model,
        parameters=(*model.parameters, c, DRIVE),
        dynamics={"x": sp.sympify(model.dynamics["x"]) - x + c.symbol},
        inputs=tuple(replace(i, mean=DRIVE.symbol) if i.kind == "quenched" else i for i in model.inputs),
    )  # fmt: skip
    # leak two: the mean is half of what pushes, the variance a quarter
    (shift, spread) = lines(moved, "statics")
    assert shift == "mu_x = drive/2 + c/2"
    assert spread == "Delta_x = (g**2/4) <phi^2>_x + input_x/4"
    assert lines(moved, "stationary")[0] == "mu_x = (c + drive)/2"


def test_inputs_drive_the_conditional_process() -> None:
    found = lines(followed(), "conditional")
    assert any(
        line.startswith("h(t) =") and line.endswith("+ [sigma](s) pattern)") for line in found
    )
    assert any(line.startswith("y(t) =") and "other" in line for line in found)


def test_factors_without_a_declared_name_are_explained() -> None:
    found = lines(followed(), "network")
    for line in ("xi_h_h = tanh(h)", "xi_h_q = logistic(q)", "xi_z_a = tanh(a*gain)"):
        assert line in found


def test_an_outlier_beside_the_cloud() -> None:
    assert lines(get("mean-coupling"), "zero-state")[-1] == "1 = m/(1 + lambda)"
    assert "single eigenvalues outside" in prose(get("mean-coupling"), "zero-state")


def test_a_loop_through_two_currents_is_a_determinant() -> None:
    # x hears y and y hears x: the radius is a root, no entry of the matrix
    from small_models import two_fields, y

    model = two_fields(output=sp.tanh(y))
    (condition,) = lines(model, "zero-state")
    assert condition.startswith("0 = ")
    value = sp.sympify(condition[4:].replace("lambda", "v"), {"v": sp.Symbol("v")})
    assert sp.simplify(value - (1 - 1 / (1 + sp.Symbol("v")) ** 4)) == 0


EVERYTHING = [
    special(), followed(), *map(get, ("gated", "mean-coupling", "adaptation")),
]  # fmt: skip


@pytest.mark.parametrize("model", EVERYTHING, ids=lambda m: m.name)
def test_every_line_is_well_formed_mathml(model: Model) -> None:
    derivation = derive_model(model)
    shown = [*derivation.stages, *derivation.show("tricritical").stages]
    keys = [stage.key for stage in shown]
    assert keys[:2] == ["network", "disorder"] and keys[-1] == "tricritical"
    for equation in (equation for stage in shown for equation in stage.equations):
        root = ElementTree.fromstring(convert(equation.latex, display="block"))
        text = "".join(root.itertext())
        assert "\\" not in text, equation.latex
        # and the two forms have as many terms
        assert equation.latex.count("{") == equation.latex.count("}")
        assert equation.text.count("(") == equation.text.count(")"), equation.text
    page = derivation_page(derivation)
    assert page.count("<math") == sum(len(stage.equations) for stage in derivation.stages)
    inner = re.sub(r"<!doctype html>|<meta [^>]*>", "", page)
    ElementTree.fromstring(inner)


def test_declared_latex_is_used_for_inputs() -> None:
    latex = derive_model(get("gated")).show("network").latex()
    assert r"\langle I_{h}^2 \rangle = " in latex
    assert r"\langle \eta_{h}(t)\,\eta_{h}(t') \rangle = " in latex and r"\delta(t - t')" in latex
    loud = Input("noise_in", "noise", "white", sp.Integer(2))
    model = get("vanilla")
    louder = replace(
        model,
        inputs=(*model.inputs, loud),
        dynamics={"x": sp.sympify(model.dynamics["x"]) + loud.symbol},
    )
    assert "<noise_in(t) noise_in(t')> = 2 delta(t - t')" in lines(louder, "network")
