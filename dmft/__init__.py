"""Dynamical mean-field theory of large random recurrent neural networks.

(Not the dynamical mean-field theory of correlated electrons.) A network is declared once in
symbols; its mean-field theory is derived, compiled and solved, and held against simulated finite
networks.

>>> import dmft
>>> solution = dmft.solve("vanilla", g=2)
>>> print(f"{solution.variance['x']:.8f}")
1.92480541
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._version import __version__

if TYPE_CHECKING:
    from dmft.derivations.functions import logistic as logistic
    from dmft.derivations.inputs import Input as Input
    from dmft.derivations.model import Coupling as Coupling
    from dmft.derivations.model import DeclarationError as DeclarationError
    from dmft.derivations.model import Field as Field
    from dmft.derivations.model import Model as Model
    from dmft.derivations.model import Nonlinearity as Nonlinearity
    from dmft.derivations.model import Parameter as Parameter
    from dmft.derivations.model_file import read_model as read_model

    from .api import boundary as boundary
    from .api import derive as derive
    from .api import models as models
    from .api import phase as phase
    from .api import solve as solve
    from .follow_branches import follow as follow
    from .parameters import Sweep as Sweep
    from .protocol import Pulse as Pulse
    from .protocol import Ramp as Ramp
    from .protocol import Step as Step
    from .results.load import load as load
    from .run_transient import transient as transient
    from .scans.run import scan as scan
    from .solvers.two_time_start import FieldStart as FieldStart

__all__ = [
    "Coupling",
    "DeclarationError",
    "Field",
    "FieldStart",
    "Input",
    "Model",
    "Nonlinearity",
    "Parameter",
    "Pulse",
    "Ramp",
    "Step",
    "Sweep",
    "__version__",
    "boundary",
    "derive",
    "follow",
    "load",
    "logistic",
    "models",
    "phase",
    "read_model",
    "scan",
    "solve",
    "transient",
    "validate",
]

_HOMES = {
    "Coupling": "dmft.derivations.model",
    "DeclarationError": "dmft.derivations.model",
    "Field": "dmft.derivations.model",
    "FieldStart": "dmft.solvers.two_time_start",
    "Input": "dmft.derivations.inputs",
    "Model": "dmft.derivations.model",
    "Nonlinearity": "dmft.derivations.model",
    "Parameter": "dmft.derivations.model",
    "Pulse": "dmft.protocol",
    "Ramp": "dmft.protocol",
    "Step": "dmft.protocol",
    "Sweep": "dmft.parameters",
    "boundary": "dmft.api",
    "derive": "dmft.api",
    "follow": "dmft.follow_branches",
    "load": "dmft.results.load",
    "logistic": "dmft.derivations.functions",
    "models": "dmft.api",
    "phase": "dmft.api",
    "read_model": "dmft.derivations.model_file",
    "scan": "dmft.scans.run",
    "solve": "dmft.api",
    "transient": "dmft.run_transient",
}


def __getattr__(name: str) -> Any:
    """Load a public name on first use (PEP 562), so that ``import dmft`` costs nothing."""
    if name in _HOMES:
        from importlib import import_module

        value = getattr(import_module(_HOMES[name]), name)
    elif name in __all__:
        # what stands above `dmft` in the import order is found by its entry point
        from importlib.metadata import entry_points

        (entry,) = entry_points(group="dmft.api", name=name)
        value = entry.load()
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
