"""What a reader of the derivation finds: every stage, in text and in LaTeX."""

import re

import pytest
from small_models import one_field, x, xi
from two_gates import MODEL as TWO_GATES

from dmft.derivations.derivation import STAGES, Derivation
from dmft.derivations.models import get
from dmft.derivations.stages import derive_model


@pytest.fixture(scope="module")
def gated():
    return derive_model(get("gated"))


def test_stages_of_gated(gated):
    titles = [stage.title for stage in gated.stages]
    words = [
        *("Network", "single-site", "Conditional-Gaussian", "Static", "Zero state"),
        *("autocorrelations", "Lyapunov", "two replicas", "Jacobian"),
    ]
    assert len(titles) == len(words)
    assert all(word in title for word, title in zip(words, titles, strict=True))


@pytest.mark.parametrize(
    "line",
    [
        "dh/dt = I_h + eta_h + sigma_z*(xi_h - h)",
        "phi = tanh(beta_h + g_h*h)",
        "<xi_h(t) xi_h(t')> = < [phi*sigma_r](t) [phi*sigma_r](t') >",
        "Delta_h = <phi^2>_h <sigma_r^2>_r",
        "g_h = 1 + exp(beta_r)",
        "C_r(omega) = (1/(omega**2*tau_r**2 + 1)) FT[<phi phi>]",
        "FT[<phi' phi'>*<sigma_r sigma_r> chi_h]",
        "FT[<phi phi>*<sigma_r' sigma_r'> chi_r]",
        "(lambda*tau_r + 1)**2",
        "Krishnamurthy, Can & Schwab, Phys. Rev. X 12, 011011 (2022)",
    ],
)
def test_text_of_gated(gated, line):
    assert line in re.sub(r"\s+", " ", str(gated))


def test_conditions_are_told(gated):
    text = re.sub(r"\s+", " ", str(gated))
    assert "Holds for alpha_z = 0 (z multiplies the dynamics of h" in text
    assert "decay to zero where beta_h, input_h, input_z, input_r vanish" in text


def test_equations_are_numbered_without_gap(gated):
    numbers = [int(n) for n in re.findall(r"^   \((\d+)\)", str(gated), re.MULTILINE)]
    count = sum(len(stage.equations) for stage in gated.stages)
    assert numbers == list(range(1, count + 1))


@pytest.mark.parametrize("model", [get("gated"), get("vanilla"), TWO_GATES], ids=lambda m: m.name)
def test_latex_is_a_balanced_document(model):
    text = derive_model(model).latex()
    assert text.startswith(r"\documentclass")
    assert text.endswith(r"\end{document}")
    opened = re.findall(r"\\begin\{(\w+)\}", text)
    closed = re.findall(r"\\end\{(\w+)\}", text)
    assert sorted(opened) == sorted(closed)
    assert text.count(r"\left") == text.count(r"\right")
    unescaped = re.sub(r"\\[{}]", "", text)
    depth = 0
    for character in unescaped:
        depth += {"{": 1, "}": -1}.get(character, 0)
        assert depth >= 0
    assert depth == 0
    assert len(opened) - 1 == sum(len(s.equations) for s in derive_model(model).stages)


def test_latex_uses_the_declared_symbols(gated):
    text = gated.latex()
    for piece in (
        r"\alpha_r",
        r"\beta_r",
        r"\varphi",
        r"\sigma_r",
        r"\tau_r",
        r"g_h = 1 + e^{\beta_r}",
    ):
        assert piece in text, piece
    # outside equations an underscore would stop TeX
    prose = re.sub(r"\\begin\{equation\}.*?\\end\{equation\}", "", text, flags=re.DOTALL)
    assert not re.search(r"(?<!\\)[_&%#]", prose)


def test_line_of_vanilla():
    assert "g = 1" in str(derive_model(get("vanilla")))


def test_a_theory_that_does_not_close_says_so():
    text = str(derive_model(one_field(dynamics={"x": -x - x**3 + xi})))
    assert "Not closed" in text
    assert "not linear" in text


def test_only_the_stage_that_is_shown_is_laid_out(gated):
    asked = []

    def spy(key, layout):
        def lay_out(equations, printer):
            asked.append(key)
            return layout(equations, printer)

        return lay_out

    spied = Derivation(gated.equations, {k: spy(k, f) for k, f in gated.layouts.items()})
    alone = spied.show("lyapunov")
    assert asked == []
    assert "chi_h(omega)" in str(alone) and str(alone) == str(alone)
    assert asked == ["lyapunov"]
    assert list(gated.layouts) == list(STAGES)
    # the expansion is worked out on request only
    assert len(spied.stages) == len(STAGES) - 1 and "tricritical" not in asked


@pytest.mark.parametrize("stage", ["statics", "zero-state", "lyapunov"])
def test_a_stage_that_a_model_lacks_says_why(stage):
    derivation = derive_model(one_field(dynamics={"x": 1 - x - x**3 + xi}))
    assert stage not in [found.key for found in derivation.stages]
    (shown,) = derivation.show(stage).stages
    assert shown.prose.startswith("Not available") and shown.equations == ()
    with pytest.raises(KeyError):
        derivation.show("nonsense")
