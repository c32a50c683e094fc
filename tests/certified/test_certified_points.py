"""Enclosures hold what closed forms, other arithmetic and published digits say."""

from fractions import Fraction

import mpmath
import pytest

pytest.importorskip("flint")

from exact_by_hand import fold, mean, sigma

import dmft
from dmft.certified.energy import certified_variance
from dmft.certified.exact_theory import exact
from dmft.certified.krawczyk import CertificationError, certified_root
from dmft.codegen import compiled_theory
from dmft.errors import InputError


def interval(text):
    """[middle +/- radius] as exact endpoints."""
    middle, radius = text.strip("[]").split(" +/- ")
    middle, radius = Fraction(middle), Fraction(radius)
    return middle - radius, middle + radius


def contains(text, value, digits=45):
    low, high = interval(text)
    exactly = Fraction(mpmath.nstr(value, 60))
    return low <= exactly <= high and high - low < Fraction(1, 10**digits)


def test_the_fold_by_sums_of_another_arithmetic():
    """THEORY section 11, (10, 1.753983207), here to 25 digits of mpmath."""
    curve = dmft.boundary("gated", "fixed-points", alpha_r=10, digits=50)
    (text,) = curve.enclosure
    with mpmath.workdps(28):
        value = fold(10, "0.0679")
    low, high = interval(text)
    assert high - low < Fraction(1, 10**49)
    assert abs(float(Fraction(mpmath.nstr(value, 28)) - low)) < 1e-23
    assert low <= Fraction(repr(float(curve.columns["g_h"][0]))) + Fraction(1, 10**15)


@pytest.mark.parametrize("beta_r", [-1.0, -0.25, 0.0, 0.1, 2.0])
def test_the_line_of_rest(beta_r):
    curve = dmft.boundary("gated", "zero-state", beta_r=beta_r, digits=50)
    with mpmath.workdps(70):
        assert contains(curve.enclosure[0], 1 + mpmath.exp(mpmath.mpf(repr(beta_r))))


def test_continuous_births_lie_on_it():
    curve = dmft.boundary("gated", "fixed-points", beta_r=0.1, alpha_r=1, digits=40)
    assert curve.status == ("continuous",)
    with mpmath.workdps(70):
        assert contains(curve.enclosure[0], 1 + mpmath.exp(mpmath.mpf("0.1")), 38)


@pytest.mark.parametrize("name", ["tricritical-static", "tricritical-dynamic"])
def test_tricritical_points(name):
    curve = dmft.boundary("gated", name, beta_r=[0.0, 0.7], digits=50)
    with mpmath.workdps(70):
        for beta, text in zip(curve.columns["beta_r"], curve.enclosure, strict=True):
            s = 1 / (1 + mpmath.exp(mpmath.mpf(repr(float(beta)))))
            square = 2 / ((1 - s) * (2 - 3 * s))
            if name.endswith("dynamic"):
                square = 6 / ((1 - s) * (5 - 8 * s))
            root = mpmath.sqrt(square)
            assert contains(text, root) or contains(text, -root)


def test_the_edge_of_a_driven_state():
    """V = 1 (THEORY section 7) at the certified input, evaluated with 40 digits elsewhere."""
    curve = dmft.boundary(
        "gated", "jacobian-edge", g_h=1.7, alpha_r=10, solve_for="input_h", digits=45
    )
    low, high = interval(curve.enclosure[0])
    assert high - low < Fraction(1, 10**45)
    with mpmath.workdps(40):
        g, drive = mpmath.mpf("1.7"), 4 * mpmath.mpf(low.numerator) / low.denominator

        def phi_of(d):
            return mean(lambda x: mpmath.tanh(g * x) ** 2, d)

        def gate_of(d):
            return mean(lambda x: sigma(10)(x) ** 2, d)

        d = mpmath.mpf("0.01")
        d = mpmath.findroot(lambda d: phi_of(d) * gate_of(phi_of(d)) + drive - d, d)
        phi, slope = phi_of(d), mean(lambda x: (g / mpmath.cosh(g * x) ** 2) ** 2, d)
        gate_slope = mean(lambda x: (10 * sigma(10)(x) * (1 - sigma(10)(x))) ** 2, phi)
        assert abs(slope * (gate_of(phi) + phi * gate_slope) - 1) < 1e-34


@pytest.mark.parametrize(
    ("g", "digits"),
    [(1.05, "0.0528322114886066812"), (1.5, "0.74768638055339806737"), (2, "1.9248054137370581867"),
     (3, "5.4463260830424642153")],
)  # fmt: skip
def test_the_variance_of_the_classical_network(g, digits):
    """The published energy integral (THEORY section 11, 20 digits)."""
    theory = compiled_theory("vanilla")
    p = {"g": float(g), "input_x": 0.0, "noise_x": 0.0}
    ball = certified_variance(theory, p, float(digits), 50)
    low, high = interval(ball.str(50))
    assert high - low < Fraction(1, 10**48)
    unit = Fraction(1, 10 ** (len(digits) - 2))
    assert abs(low - Fraction(digits)) < unit


def test_the_variance_is_what_the_solver_finds():
    theory = compiled_theory("vanilla-erf")
    p = {q.name: float(q.default or 0) for q in theory.info.parameters} | {"g": 1.4}
    solution = dmft.solve("vanilla-erf", g=1.4, lyapunov=False)
    ball = certified_variance(theory, p, solution.variance["x"], 30)
    assert float(ball.mid()) == pytest.approx(solution.variance["x"], rel=1e-11)


def test_energy_integrals_of_other_theories_are_refused():
    theory = compiled_theory("gated")
    with pytest.raises(CertificationError, match="one field"):
        certified_variance(theory, {}, 1.0, 30)
    theory = compiled_theory("vanilla")
    for drive in ({"input_x": 0.1, "noise_x": 0.0}, {"input_x": 0.0, "noise_x": 0.1}):
        with pytest.raises(CertificationError, match="decay to zero"):
            certified_variance(theory, {"g": 2.0, **drive}, 2.0, 30)


def square_root(x, balls, digits):
    return [x[0] * x[0] - 2], [[2 * x[0]]]


def test_krawczyk_proves_a_simple_root():
    (ball,) = certified_root(square_root, [1.4], 60)
    with mpmath.workdps(80):
        assert contains(ball.str(60), mpmath.sqrt(2), 58)


def test_krawczyk_refuses_what_is_no_simple_root():
    def double(x, balls, digits):
        return [(x[0] - 1) * (x[0] - 1)], [[2 * (x[0] - 1)]]

    def none(x, balls, digits):
        return [x[0] * x[0] + 1], [[2 * x[0]]]

    for system in (double, none):
        with pytest.raises(CertificationError):
            certified_root(system, [1.1], 30)


def test_the_test_itself_says_no_where_the_box_holds_no_root():
    """Without the inclusion every box would pass: a point off by more than the radius, and none."""
    import flint

    from dmft.certified.krawczyk import _proved
    from dmft.codegen.ball import ball_arithmetic

    with ball_arithmetic(42) as balls:
        root = flint.arb(2).sqrt().mid()
        off = (root + flint.arb("1e-25")).mid()
        assert _proved(square_root, [root.man_exp()], balls, 30, -3) is not None
        assert _proved(square_root, [off.man_exp()], balls, 30, -3) is None
        assert _proved(square_root, [flint.arb("1.4142").mid().man_exp()], balls, 30, -3) is None


def test_a_wrong_jacobian_is_no_proof():
    def wrong(x, balls, digits):
        return [x[0] * x[0] - 2], [[balls.rational(1, 1) / 5]]

    with pytest.raises(CertificationError):
        certified_root(wrong, [1.4142], 40)


def test_decimals_are_what_was_typed():
    assert exact(0.1) == Fraction(1, 10)
    assert exact(1e-7) == Fraction(1, 10**7)


def test_options():
    with pytest.raises(InputError, match="from 10 to 200"):
        dmft.boundary("gated", "zero-state", digits=5)
    with pytest.raises(InputError, match="from 10 to 200"):
        dmft.boundary("gated", "zero-state", digits=True)
    with pytest.raises(InputError, match="chaos-onset is not certified"):
        dmft.boundary("gated", "chaos-onset", digits=20)


def test_points_without_a_proof_say_so():
    """A resonant onset is at no zero frequency: the determinant does not vanish there."""
    curve = dmft.boundary("adaptation", "zero-state", digits=20)
    assert curve.enclosure == ("",)
    assert "1 points are not certified" in curve.message
    assert curve.status == ("converged",)
