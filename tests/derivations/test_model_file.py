"""Model files: what they declare, and that nothing else gets through."""

import time
from pathlib import Path

import pytest
import sympy as sp

from dmft.derivations.equations import derive_equations
from dmft.derivations.model import Coupling, DeclarationError, Field, Model, Nonlinearity, Parameter
from dmft.derivations.model_file import MAX_BYTES, parse_model, read_model
from dmft.derivations.models import get

GATED = r"""
[model]
name = "gated"
title = "gated random network of Krishnamurthy, Can and Schwab"
citation = "Krishnamurthy, Can & Schwab, Phys. Rev. X 12, 011011 (2022)"

[fields]
h = { meaning = "internal state of a unit", latex = "h" }
z = { meaning = "input of the update gate", latex = "z" }
r = { meaning = "input of the output gate", latex = "r" }

[parameters]
g_h     = { meaning = "gain of the unit's output", positive = true, latex = "g_h" }
alpha_z = { meaning = "gain of the update gate", default = 0, latex = '\alpha_z' }
alpha_r = { meaning = "gain of the output gate", default = 0, latex = '\alpha_r' }
beta_h  = { meaning = "bias of the unit's output", default = 0, latex = '\beta_h' }
beta_z  = { meaning = "bias of the update gate, > 0 closes it", default = 0, latex = '\beta_z' }
beta_r  = { meaning = "bias of the output gate, > 0 closes it", default = 0, latex = '\beta_r' }

[parameters.tau_z]
meaning = "time constant of the update gate"
default = 1.0
positive = true
unit = "leak time of h"
latex = '\tau_z'

[parameters.tau_r]
meaning = "time constant of the output gate"
default = 1
positive = true
unit = "leak time of h"
latex = '\tau_r'

[parameters.input_h]
meaning = "variance of the quenched input of h"
default = 0
nonnegative = true
latex = '\Delta_I^{h}'
[parameters.input_z]
meaning = "variance of the quenched input of z"
default = 0
nonnegative = true
latex = '\Delta_I^{z}'
[parameters.input_r]
meaning = "variance of the quenched input of r"
default = 0
nonnegative = true
latex = '\Delta_I^{r}'
[parameters.noise_h]
meaning = "intensity of the white noise of h"
default = 0
nonnegative = true
latex = 'D_{h}'
[parameters.noise_z]
meaning = "intensity of the white noise of z"
default = 0
nonnegative = true
latex = 'D_{z}'
[parameters.noise_r]
meaning = "intensity of the white noise of r"
default = 0
nonnegative = true
latex = 'D_{r}'

[inputs]
I_h = { latex = 'I_{h}', meaning = "quenched input of h", variance = "input_h" }
I_z = { latex = 'I_{z}', meaning = "quenched input of z", variance = "input_z", kind = "quenched" }
I_r = { latex = 'I_{r}', meaning = "quenched input of r", variance = "input_r", mean = 0 }
eta_h = { latex = '\eta_{h}', meaning = "white noise of h", variance = "noise_h", kind = "white" }
eta_z = { latex = '\eta_{z}', meaning = "white noise of z", variance = "noise_z", kind = "white" }
eta_r = { latex = '\eta_{r}', meaning = "white noise of r", variance = "noise_r", kind = "white" }

[nonlinearities]
phi     = { expression = "tanh(g_h*h + beta_h)", latex = '\varphi' }
sigma_z = { expression = "logistic(alpha_z*z - beta_z)", latex = '\sigma_z' }
sigma_r = { expression = "logistic(alpha_r*r - beta_r)", latex = '\sigma_r' }

[couplings.xi_h]
output = "phi*sigma_r"
[couplings.xi_z]
output = "phi"
variance = 1
[couplings.xi_r]
output = "phi"
distribution = "gaussian"

[dynamics]
h = "sigma_z*(-h + xi_h) + I_h + eta_h"
z = "(-z + xi_z + I_z + eta_z)/tau_z"
r = "(-r + xi_r + I_r + eta_r)/tau_r"
"""

SMALL = """
[model]
name = "small"
[parameters.g]
meaning = "gain"
positive = true
[fields.x]
meaning = "state"
[couplings.xi]
output = "tanh(x)"
[dynamics]
x = "-x + g*xi"
"""


def refusal(text):
    with pytest.raises(DeclarationError) as caught:
        parse_model(text if isinstance(text, bytes) else text.encode(), "file.toml")
    message = str(caught.value)
    assert message.startswith("file.toml: ")
    assert "\n" not in message
    assert message.isprintable()
    assert len(message) < 1000
    return message


def test_the_gated_network_as_a_file_is_the_shipped_one():
    model, shipped = parse_model(GATED.encode()), get("gated")
    assert model.hash == shipped.hash
    assert model == shipped
    assert derive_equations(model) == derive_equations(shipped)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("-h + xi_h", "h + xi_h"),
        ("g_h*h + beta_h", "g_h*h - beta_h"),
        ("phi*sigma_r", "phi*sigma_z"),
        ("/tau_z", "/tau_r"),
        ("default = 1.0", "default = 1.5"),
    ],
)
def test_a_slip_in_the_file_changes_the_hash(before, after):
    assert before in GATED
    assert parse_model(GATED.replace(before, after, 1).encode()).hash != get("gated").hash


def test_every_part_arrives():
    text = (
        SMALL
        + """
    y = "(x - y)/k^2 + eta"
    [fields.y]
    meaning = "copy"
    latex = 'y_{\\mathrm{s}}'
    [parameters.k]
    meaning = "root of a time"
    default = -2.5e-1
    unit = "root of the leak time"
    [nonlinearities.phi]
    expression = "tanh(x)"
    [nonlinearities.squared]
    expression = "phi^2"
    [couplings.eta]
    output = "phi*cos(y)"
    variance = "g/2 + k^2"
    mean = "k"
    reciprocity = "0.5"
    [correlations.xi]
    eta = "k"
    """
    )
    with pytest.raises(DeclarationError, match=r"divisor k\*\*2 may be zero"):
        parse_model(text.encode())
    model = parse_model(text.replace("k^2 + eta", "(1 + k^2) + eta").encode())
    x, y, xi, eta, k = sp.symbols("x y xi eta k", real=True)
    g = sp.Symbol("g", positive=True)
    assert model == Model(
        name="small",
        title="small",
        citation="none given",
        fields=(Field("x", "state"), Field("y", "copy", r"y_{\mathrm{s}}")),
        parameters=(
            Parameter("g", "gain", positive=True),
            Parameter("k", "root of a time", -sp.Rational(1, 4), unit="root of the leak time"),
        ),
        nonlinearities=(
            Nonlinearity("phi", sp.tanh(x)),
            Nonlinearity("squared", sp.tanh(x) ** 2),
        ),
        couplings=(
            Coupling("xi", sp.tanh(x)),
            Coupling("eta", sp.tanh(x) * sp.cos(y), g / 2 + k**2, k, sp.Rational(1, 2)),
        ),
        dynamics={"x": -x + g * xi, "y": (x - y) / (1 + k**2) + eta},
        correlations={("xi", "eta"): k},
    )


def edited(*pairs):
    text = SMALL
    for before, after in pairs:
        assert before in text
        text = text.replace(before, after, 1)
    return text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["[model]", "missing"]),
        (edited(("[dynamics]", "[dynamic]")), ["'dynamic'", "did you mean 'dynamics'"]),
        (edited(("meaning", "meening")), ["[parameters.g]", "'meening'", "did you mean 'meaning'"]),
        (edited(("output", "outputs")), ["[couplings.xi]", "did you mean 'output'"]),
        (edited(('x = "-x', 'y = "-x')), ["[dynamics]", "no key 'y'", "keys: x"]),
        (edited(('"small"', "3")), ["[model] name", "is a number"]),
        (edited(('"small"', '"a/b"')), ["[model] name", "'a/b'"]),
        (edited(('"small"', '"../../x"')), ["[model] name"]),
        (edited(('"gain"', "[1]")), ["[parameters.g] meaning", "is a list"]),
        (edited(('"gain"', '""')), ["meaning is empty"]),
        (edited(('"gain"', '"a\\nb"')), ["meaning", "line break"]),
        (edited(('"gain"', '"\\u001b[2J"')), ["meaning", "cannot be printed"]),
        (edited(('"gain"', "'\\input x'")), ["meaning", "backslash"]),
        (edited(("positive = true", "positive = 1")), ["positive is a number", "true or false"]),
        (edited(("positive = true", "positive = true\ndefault = -1")), ["default = -1", "positive"]),
        (edited(("positive = true", "default = true")), ["default is true or false"]),
        (edited(("positive = true", 'default = "2"')), ["default is a text"]),
        (edited(("positive = true", "default = nan")), ["default", "'nan'"]),
        (edited(("positive = true", "default = -inf")), ["default", "'inf'"]),
        (edited(("positive = true", "default = 1e999999")), ["default", "-30 and 30"]),
        (edited(("positive = true", "default = " + "9" * 3000)), ["default", "30 digits"]),
        (edited(("positive = true", "default = 2001-01-01")), ["default is a date"]),
        (edited(("positive = true", "default = 2001-99-01")), ["no"]),
        (edited(("positive = true", "latex = '\\input{x}'")), ["latex", "\\input"]),
        (edited(("positive = true", "latex = '\\write18'")), ["latex", "\\write"]),
        (edited(("positive = true", "latex = '{g'")), ["latex", "braces"]),
        (edited(("positive = true", "latex = 'g_'")), ["latex", "index"]),
        (edited(("positive = true", "latex = 'a$b'")), ["latex", "'$'"]),
        (edited(("[parameters.g]", "[parameters.tanh]")), ["[parameters] tanh", "already"]),
        (edited(("[parameters.g]", "[parameters.pi]")), ["pi", "already"]),
        (edited(("[parameters.g]", "[parameters.tol]")), ["tol", "reserved"]),
        (edited(("[parameters.g]", "[parameters.tau]")), ["tau", "own meaning"]),
        (edited(("[parameters.g]", "[parameters.d_x]")), ["there is no 'g'"]),
        (edited(("[parameters.g]", "[parameters.d_x]"), ("g*xi", "d_x*xi")), ["d_x", "perturbation"]),
        (edited(("[parameters.g]", "[parameters.x]")), ["x is declared twice", "and as a field"]),
        (edited(("[parameters.g]", '[parameters."\u0261"]')), ["U+0261", "ASCII"]),
        (edited(("[parameters.g]", '[parameters."a b"]')), ["'a b'", "' '"]),
        (edited(("[parameters.g]", f"[parameters.{'g' * 50}]")), ["at most 40"]),
        (edited(("[parameters.g]", "[parameters]\ng = 3\n[parameters.h]")), ["is a number", "table"]),
        (edited(("[fields.x]", "[fields]\nx = 3\n[fields.y]")), ["[fields] 'x' is a number"]),
        (edited(('"-x + g*xi"', '"-x + g*$"')), ["[dynamics] x", "character 8", "'$'"]),
        (edited(('"-x + g*xi"', '"-x"')), ["current xi", "no equation"]),
        (edited(('"-x + g*xi"', "true")), ["[dynamics] x is true or false"]),
        (edited(('"-x + g*xi"', '"-x + xi(t - 1)"')), ["delays are not covered", "would need"]),
        (edited(('"-x + g*xi"', '"-x(t - 1) + xi"')), ["delays are not covered"]),
        (edited(('"tanh(x)"', '"xi"')), ["xi is a current", "may not stand here"]),
        (edited(('"tanh(x)"', '"relu(x)"')), ["[couplings.xi] output", "kink", "would need"]),
        (edited(("output =", 'variance = "x"\noutput =')), ["variance", "x is a field"]),
        (edited(("output =", 'variance = "-g"\noutput =')), ["variance", "may be negative"]),
        (edited(("output =", 'distribution = "cauchy"\noutput =')), ["'cauchy'", "stable laws"]),
        (edited(("output =", "delay = 1\noutput =")), ["[couplings.xi]", "delays are not covered"]),
        (edited(("[fields.x]", "[fields.x]\ndelay = 2")), ["[fields.x]", "delays are not covered"]),
        (edited(("output =", "reciprocity = 1.5\noutput =")), ["between -1 and 1"]),
        (SMALL + "[correlations.xi]\nxi = 0.5", ["[correlations.xi]", "'xi'"]),
        (SMALL + "[correlations.phi]\nxi = 0.5", ["[correlations.phi]", "two currents of xi"]),
        (SMALL + "[noise]\nx = 1", ["noise", "[inputs.NAME]", "white"]),
        (SMALL + "[model]\nname = 'x'", ["not valid TOML"]),
        (SMALL + "x = '2*xi'", ["not valid TOML", "overwrite"]),
        (SMALL + "[nonlinearities.g]\nexpression = 'x'", ["g is declared twice", "as a parameter"]),
        (
            SMALL + "[nonlinearities.a]\nexpression = 'b'\n[nonlinearities.b]\nexpression = 'x'",
            ["[nonlinearities.a]", "declared later"],
        ),
        (
            SMALL + "[nonlinearities.a0]\nexpression = 'x + 1'\n"
            + "".join(f"[nonlinearities.a{i + 1}]\nexpression = 'a{i}*a{i}'\n" for i in range(19)),
            ["[nonlinearities.a", "more than"],
        ),
        (SMALL + "".join(f"[fields.y{i}]\nmeaning = 'f'\n" for i in range(11)), ["at most 10"]),
        ("\ufeff" + SMALL, ["byte-order mark"]),
        (SMALL.encode("utf-16"), ["byte-order mark of UTF-16"]),
        (SMALL.encode() + b"# \xff\xfe", ["line 13 is not UTF-8"]),
        (SMALL + "# \x00", ["line 13", "U+0000"]),
        (SMALL + "# \u202e", ["line 13", "RIGHT-TO-LEFT OVERRIDE"]),
        ("[" * 3000, ["not valid TOML"]),
        ("a = " + "[" * 3900, ["nested too deeply"]),
        ("a = " + "{b=" * 1200, ["nested too deeply"]),
        ("a." * 1900 + "b = 1", ["more than 20 parts"]),
        ("[" + "a." * 1900 + "b]", ["more than 20 parts"]),
        ("a = 1\n" * 10_000, ["10001 lines"]),
        ("x" * 5000, ["5000 characters"]),
        ("x" * (MAX_BYTES + 1), ["larger than 64000 bytes"]),
        (edited(('"tanh(x)"', f'"{"(" * 1500}x{")" * 1500}"')), ["at most 2000"]),
        (edited(('"tanh(x)"', f'"{"(" * 900}x{")" * 900}"')), ["40 deep"]),
        (edited(('"tanh(x)"', '"9**9**9"')), ["-20 to 20"]),
        (edited(('"tanh(x)"', "\"__import__('os').system('x')\"")), ["no function '__import__'"]),
        (edited(('"tanh(x)"', '"x.__class__"')), ["attributes"]),
        (edited(('"tanh(x)"', '"t\u0430nh(x)"')), ["CYRILLIC SMALL LETTER A"]),
    ],
    ids=lambda value: ascii(value[-40:])[:30] if isinstance(value, str | bytes) else "",
)  # fmt: skip
def test_refusals(text, words):
    started = time.process_time()
    message = refusal(text)
    assert time.process_time() - started < 1
    for word in words:
        assert word in message, message


@pytest.mark.parametrize(
    "bomb",
    [
        "\n".join("a" + ".a" * 19 + f"{i} = 1" for i in range(1400)),
        "\n".join(f"[a{'.b' * 19}{i}]" for i in range(1400)),
        "\n".join("x = {" + "a.a.a.a.a.a.a.a.a" * 200 + "=1}" for _ in range(15)),
        "\n".join(f"[[a]]\nb{i} = 1" for i in range(1900)),
        "a = [" + "1," * 1990 + "]",
        "\n".join("a" * 3000 + f"{i} = 0" for i in range(20)),
        'a = """' + "\\\n" * 3900,
        "\n".join("#" * 3000 for _ in range(21)),
    ],
    ids=range(8),
)
def test_valid_toml_made_to_keep_us_busy(bomb):
    started = time.process_time()
    refusal(bomb)
    assert time.process_time() - started < 1


def test_files(tmp_path: Path):
    path = tmp_path / "small.toml"
    path.write_text(SMALL, encoding="utf-8")
    assert read_model(path) == read_model(str(path)) == parse_model(SMALL.encode())
    path.write_bytes(SMALL.replace("\n", "\r\n").encode())
    assert read_model(path).name == "small"
    for bad, words in [
        (tmp_path / "none.toml", "there is no such file"),
        (tmp_path / "small.txt", "ends in .toml"),
        (tmp_path / "a\x00b.toml", "file|read"),
        (tmp_path / ("n" * 300 + ".toml"), "file|read"),
    ]:
        with pytest.raises(DeclarationError, match=words):
            read_model(bad)
    folder = tmp_path / "folder.toml"
    folder.mkdir()
    with pytest.raises(DeclarationError, match="it is no file"):
        read_model(folder)


def test_python_declarations_refuse_the_same_things():
    x, xi = sp.Symbol("x", real=True), sp.Symbol("xi", real=True)
    t = sp.Symbol("t", real=True)

    def declare(output, drift=None):
        return Model(
            name="m", title="", citation="", fields=(Field("x", ""),), parameters=(),
            nonlinearities=(), couplings=(Coupling("xi", output),),
            dynamics={"x": -x + xi if drift is None else drift},
        )  # fmt: skip

    for output, words in [
        (sp.Abs(x), "kink"),
        (sp.sqrt(x**2), "kink"),
        (sp.Max(x, 0), "kink"),
        (sp.Heaviside(x), "kink"),
        (sp.Piecewise((x, x > 0), (0, True)), "kink"),
        (sp.Function("x")(t - 1), "another time, delays"),
        (0.5 * x, "floating-point.*Rational"),
        (sp.gamma(x), "no numerical form of gamma"),
        ("tanh(x)", "is a text"),
        (sp.zoo * x, "finite"),
        (sp.I * x, "complex"),
    ]:
        with pytest.raises(DeclarationError, match=words):
            declare(output)
    with pytest.raises(DeclarationError, match=r"dx/dt: .*kink"):
        declare(sp.tanh(x), -sp.Abs(x) + xi)
    assert declare(sp.tanh(x))
