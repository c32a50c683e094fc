"""``dmft/`` contains no model's names, and the rule that says so finds them."""

from pathlib import Path

import pytest
from model_names import Mention, mentions

NAMES = {"g", "x", "g_h", "phi", "r", "tau_z", "sigma_z"}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("alpha = values['g']", ["g"]),
        ("if field == 'x': pass", ["x"]),
        ("x = g * r", []),
        ("path.open('x'); open(path, 'r')", []),
        ("look(path, 'x')", ["x"]),
        ("rate = 1 / tau_z", ["tau_z"]),
        ("rate = 1 / p.tau_z", ["tau_z"]),
        ("solve(g_h=3)", ["g_h"]),
        ("_tau_z_max = 1", ["tau_z"]),
        ("logg_h = 1", []),
        ("phip = sigma_zz", []),
        ("# divide by tau_z here", ["tau_z"]),
        ("label = r'$\\phi$'", ["phi"]),
        ("label = f'{value} phi'", ["phi"]),
        ("label = f'{value:g}x'", []),
        ("label = f\"{values['g']:g}\"", ["g"]),
        ("model == 'vanilla'", ["vanilla"]),
        ("# such as the vanilla network", []),
        ('"""Text on g_h."""', ["g_h"]),
        ('"""Text.\n\n>>> solve(g_h=3)\n3.0 g_h\n\nOn phi.\n"""', ["phi"]),
        ('"""Text.\n\n    $ dmft solve gated g_h=3\n    dmft solve gated g_h=3\n"""', []),
        ('"""Text.\n\nExample: dmft solve gated g_h=3\n"""', []),
        ('epilog = (\n    "dmft solve gated g_h=3"\n)', []),
        ('g_h = "dmft solve gated g_h=3"', ["g_h"]),
        ('"""One.\n\n>>> 1\n1\n"""\ntau_z = 1', ["tau_z"]),
    ],
)
def test_the_rule(source: str, found: list[str]) -> None:
    assert [mention.name for mention in mentions(source, NAMES, {"vanilla", "gated"})] == found


def test_dmft_knows_no_model(checkout: Path) -> None:
    from dmft.codegen import load_info, model_names

    models = [load_info(name) for name in model_names()]
    names = {
        name
        for info in models
        for name in (
            *info.fields,
            *info.nonlinearities,
            *(parameter.name for parameter in info.parameters),
        )
    }
    assert {"g_h", "alpha_r", "tau_z", "sigma_r", "phi", "h", "x", "g"} <= names
    found: dict[str, list[Mention]] = {}
    for file in sorted((checkout / "dmft").rglob("*.py")):
        counted = mentions(file.read_text(encoding="utf-8"), names, {m.name for m in models})
        if counted:
            found[str(file.relative_to(checkout))] = counted
    assert not found
