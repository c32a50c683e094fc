"""A declaration is checked at once, and its hash stands for everything that changes a number."""

import pytest
import sympy as sp
from small_models import a, g, one_field, x, xi

from dmft.derivations.functions import logistic
from dmft.derivations.model import (
    Coupling,
    DeclarationError,
    Field,
    Nonlinearity,
    Parameter,
)
from dmft.derivations.models import get
from dmft.derivations.names import RESERVED

stranger = sp.Symbol("stranger", real=True)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"dynamics": {"x": -x + stranger}}, "stranger"),
        ({"couplings": (Coupling("xi", sp.tanh(stranger)),)}, "output of xi.*stranger"),
        ({"couplings": (Coupling("xi", sp.tanh(x), stranger),)}, "variance of xi.*stranger"),
        ({"couplings": (Coupling("xi", sp.tanh(xi)),)}, "output of xi.*'xi'"),
        ({"couplings": (Coupling("xi", sp.tanh(x), 1 + x**2),)}, "variance of xi.*'x'"),
        ({"nonlinearities": (Nonlinearity("phi", stranger),)}, "phi.*stranger"),
        ({"dynamics": {}}, "exactly one equation per field"),
        ({"dynamics": {"x": -x + xi, "y": x}}, "exactly one equation per field"),
        ({"nonlinearities": (Nonlinearity("x", sp.tanh(x)),)}, "x declared twice"),
        ({"parameters": (Parameter("g", "gain"), Parameter("g", "gain"))}, "g declared twice"),
        # same letters, other assumptions: it is another symbol to sympy
        ({"dynamics": {"x": -x + sp.Symbol("xi")}}, "xi.*use the .symbol"),
    ],
)
def test_inconsistent_declarations_are_refused(changes, named):
    with pytest.raises(DeclarationError, match=named):
        one_field(**changes)


@pytest.mark.parametrize("name", ["", "1g", "g h", "lambda", "größe", "g-h"])
def test_names_that_cannot_be_typed_are_refused(name):
    for declare in (
        lambda: Parameter(name, ""),
        lambda: Field(name, ""),
        lambda: Nonlinearity(name, x),
        lambda: Coupling(name, x),
    ):
        with pytest.raises(DeclarationError, match="name"):
            declare()


@pytest.mark.parametrize("name", ["branch", "tol", "method", "seed", "n", "realizations"])
def test_option_names_are_reserved(name):
    with pytest.raises(DeclarationError, match="reserved for an option"):
        Parameter(name, "")


def test_every_option_of_the_public_functions_is_reserved():
    import inspect

    import dmft

    for function in (dmft.solve, dmft.boundary, dmft.validate):
        for option in inspect.signature(function).parameters.values():
            if option.kind is not option.VAR_KEYWORD:
                assert option.name in RESERVED, (function.__name__, option.name)


def _variants():
    parameters = one_field().parameters
    yield "name", one_field(name="other")
    yield "default", one_field(parameters=(parameters[0], Parameter("a", "asymmetry", 1)))
    yield "required", one_field(parameters=(parameters[0], Parameter("a", "asymmetry")))
    yield "order of parameters", one_field(parameters=parameters[::-1])
    yield "one more parameter", one_field(parameters=(*parameters, Parameter("b", "", 0)))
    positive = sp.Symbol("a", positive=True)
    yield (
        "domain",
        one_field(
            parameters=(parameters[0], Parameter("a", "asymmetry", 1, positive=True)),
            couplings=(Coupling("xi", g * sp.tanh(x + positive * x**2)),),
        ),
    )
    yield "dynamics", one_field(dynamics={"x": -x + 2 * xi})
    yield "rational coefficient", one_field(dynamics={"x": -x + sp.Rational(1, 2) * xi})
    yield "output", one_field(couplings=(Coupling("xi", g * sp.tanh(x - a * x**2)),))
    yield "variance", one_field(couplings=(Coupling("xi", g * sp.tanh(x + a * x**2), g),))
    yield "nonlinearity", one_field(nonlinearities=(Nonlinearity("phi", sp.tanh(2 * x)),))
    yield "its name", one_field(nonlinearities=(Nonlinearity("psi", sp.tanh(x)),))
    yield "function", one_field(nonlinearities=(Nonlinearity("phi", logistic(x)),))


def test_hash_changes_with_whatever_changes_a_number():
    hashes = {"none": one_field().hash} | {what: model.hash for what, model in _variants()}
    assert len(set(hashes.values())) == len(hashes), hashes


def test_hash_ignores_words_and_is_reproducible():
    assert one_field().hash == one_field().hash
    assert one_field(title="other words", citation="elsewhere").hash == one_field().hash
    assert one_field(fields=(Field("x", "other words", r"\chi"),)).hash == one_field().hash


@pytest.mark.parametrize("name", ["", "_x", "nonexistent", "os.path", "../gated"])
def test_unknown_models(name):
    with pytest.raises(KeyError):
        get(name)
