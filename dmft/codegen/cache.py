"""Compiled models, kept on disk so that a second start needs neither sympy nor a derivation.

An entry is JSON: names, numbers and tapes. Its key covers the source of `dmft.derivations` and
`dmft.codegen`, the package version and sympy's, and for a user's model the hash of its declaration;
a damaged, foreign or stale entry is derived again. No source, bytecode or pickle is ever read, and a
model file is always read anew. The folder is ``DMFT_CACHE`` if set (empty: no cache),
else the user's cache folder; one that cannot be written is silently done without.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dmft._version import __version__

from .conditional import CompiledConditional, compile_conditional
from .info import ModelInfo, ParameterInfo
from .network import TAPES, CompiledNetwork, network_tapes
from .source import resolve
from .tape import Tape
from .theory import CompiledTheory, compile_theory

if TYPE_CHECKING:
    from dmft.derivations.model import Model

    from .source import ModelSource

__all__ = [
    "compile_model_network",
    "compile_model_theory",
    "compile_network",
    "compiled_conditional",
    "compiled_theory",
    "describe",
    "load_info",
    "model_names",
]


def model_names() -> tuple[str, ...]:
    """Names of the models that come with the package: those of their files, with - for _."""
    names = (path.stem for path in _sources("dmft.derivations.models"))
    return tuple(sorted(name.replace("_", "-") for name in names if not name.startswith("_")))


def _sources(package: str) -> list[Path]:
    """The Python files of a package, found without importing it (it would load sympy)."""
    spec = find_spec(package)
    assert spec is not None and spec.submodule_search_locations is not None
    return sorted(Path(next(iter(spec.submodule_search_locations))).glob("*.py"))


def describe(model: Model) -> ModelInfo:
    """Names and domains of a declared model."""
    return ModelInfo(
        name=model.name,
        title=model.title,
        citation=model.citation,
        fields=tuple(f.name for f in model.fields),
        currents=tuple(c.current for c in model.couplings),
        nonlinearities=tuple(n.name for n in model.nonlinearities),
        parameters=tuple(
            ParameterInfo(
                name=p.name,
                meaning=p.meaning,
                default=None if p.default is None else float(p.default),
                positive=p.positive,
                nonnegative=p.nonnegative,
                unit=p.unit,
                latex=p.latex or p.name,
            )
            for p in model.parameters
        ),
        latex={f.name: f.latex or f.name for f in model.fields}
        | {n.name: n.latex or n.name for n in model.nonlinearities},
        hash=model.hash,
        inputs=tuple(i.name for i in model.inputs if i.kind == "quenched"),
    )


def compile_model_theory(model: Model) -> CompiledTheory:
    """Derive and compile the theory of a declared model, without the disk cache."""
    from dmft.derivations.equations import derive_equations

    return compile_theory(derive_equations(model), describe(model))


def compile_model_network(model: Model) -> CompiledNetwork:
    """Compile a declared model for simulation, without the disk cache."""
    return CompiledNetwork(describe(model), network_tapes(model))


def load_info(source: ModelSource) -> ModelInfo:
    """Names and domains of a model; KeyError for an unknown name."""
    found = resolve(source)
    if isinstance(found, str):
        return ModelInfo.from_json(_shipped(found)["theory"]["info"])
    return describe(found)


def compiled_theory(source: ModelSource) -> CompiledTheory:
    """The compiled theory of a model; KeyError for an unknown name."""
    found = resolve(source)
    if isinstance(found, str):
        return CompiledTheory.from_json(_shipped(found)["theory"])
    return replace(CompiledTheory.from_json(_declared(found)["theory"]), info=describe(found))


def compiled_conditional(source: ModelSource) -> CompiledConditional:
    """The conditionally Gaussian form of a model, derived anew in every process (seconds)."""
    from dmft.derivations.equations import derive_equations
    from dmft.derivations.models import get

    found = resolve(source)
    model = get(found) if isinstance(found, str) else found
    return compile_conditional(derive_equations(model), describe(model))


def compile_network(source: ModelSource) -> CompiledNetwork:
    """The compiled right-hand sides of a model; KeyError for an unknown name."""
    found = resolve(source)
    entry = _shipped(found) if isinstance(found, str) else _declared(found)
    tapes = {tape: Tape.from_json(entry["network"][tape]) for tape in TAPES}
    return CompiledNetwork(load_info(found), tapes)


@cache
def _shipped(name: str) -> dict[str, Any]:
    """The stored form of a model that comes with the package."""
    if name not in model_names():
        raise KeyError(name)

    def model() -> Model:
        from dmft.derivations.models import get

        return get(name)

    return _entry(name, model, lambda stored: stored.name == name)


#: Entries of users' models in this process, by hash; the oldest leave first.
_recent: OrderedDict[str, dict[str, Any]] = OrderedDict()
_RECENT = 16


def _declared(model: Model) -> dict[str, Any]:
    """The stored form of a user's model. Its words (title, meanings, LaTeX) are not in the hash."""
    if model.hash not in _recent:
        _recent[model.hash] = _entry(
            f"declared-{model.hash}", lambda: model, lambda stored: stored.hash == model.hash
        )
        while len(_recent) > _RECENT:
            _recent.popitem(last=False)
    return _recent[model.hash]


def _entry(
    label: str, model: Callable[[], Model], is_meant: Callable[[ModelInfo], bool]
) -> dict[str, Any]:
    """From disk when it is there, sound and of the model that is meant, else derived and stored."""
    folder = _folder()
    path = None if folder is None else folder / f"{label}-{_key()}.json"
    if path is not None:
        with suppress(OSError, ValueError, LookupError, TypeError, AttributeError):
            entry: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            stored = CompiledTheory.from_json(entry["theory"]).info
            for tape in TAPES:
                Tape.from_json(entry["network"][tape])
            if is_meant(stored):
                return entry
    declared = model()
    entry = {
        "theory": compile_model_theory(declared).to_json(),
        "network": {k: tape.to_json() for k, tape in network_tapes(declared).items()},
    }
    if path is not None:
        _write(path, json.dumps(entry))
    return entry


def _write(path: Path, text: str) -> None:
    """Whole or not at all; a folder that cannot be written means no cache."""
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            Path(temporary).replace(path)
        except OSError:
            Path(temporary).unlink(missing_ok=True)


def _folder() -> Path | None:
    chosen = os.environ.get("DMFT_CACHE")
    if chosen is not None:
        return Path(chosen) if chosen else None
    with suppress(RuntimeError):
        if sys.platform == "win32":
            base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
        else:
            base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        return base / "dmft"
    return None


@cache
def _key() -> str:
    """Everything that can change an entry: sources, versions."""
    digest = hashlib.sha256(f"{__version__} {version('sympy')}".encode())
    for package in ("dmft.derivations", "dmft.derivations.models", "dmft.codegen"):
        for path in _sources(package):
            digest.update(path.name.encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:24]
