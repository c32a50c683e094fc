"""Compiled models, kept on disk so that a second start needs neither sympy nor a derivation.

An entry is JSON: names, numbers and tapes. Its key covers the source of `dmft.derivations` and
`dmft.codegen`, the package version and sympy's; a damaged, foreign or stale entry is derived again.
No source, bytecode or pickle is ever read. The folder is ``DMFT_CACHE`` if set (empty: no cache),
else the user's cache folder; one that cannot be written is silently done without.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dmft._version import __version__

from .info import ModelInfo, ParameterInfo
from .network import TAPES, CompiledNetwork, network_tapes
from .tape import Tape
from .theory import CompiledTheory, compile_theory

if TYPE_CHECKING:
    from dmft.derivations.model import Model

__all__ = [
    "compile_model_network",
    "compile_model_theory",
    "compile_network",
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
                unit=p.unit,
                latex=p.latex or p.name,
            )
            for p in model.parameters
        ),
        latex={f.name: f.latex or f.name for f in model.fields}
        | {n.name: n.latex or n.name for n in model.nonlinearities},
        hash=model.hash,
    )


def compile_model_theory(model: Model) -> CompiledTheory:
    """Derive and compile the theory of a declared model, without the disk cache."""
    from dmft.derivations.equations import derive_equations

    return compile_theory(derive_equations(model), describe(model))


def compile_model_network(model: Model) -> CompiledNetwork:
    """Compile a declared model for simulation, without the disk cache."""
    return CompiledNetwork(describe(model), network_tapes(model))


def load_info(name: str) -> ModelInfo:
    """Names and domains of a shipped model; KeyError for an unknown one."""
    return ModelInfo.from_json(_entry(name)["theory"]["info"])


def compiled_theory(name: str) -> CompiledTheory:
    """The compiled theory of a shipped model; KeyError for an unknown one."""
    return CompiledTheory.from_json(_entry(name)["theory"])


def compile_network(name: str) -> CompiledNetwork:
    """The compiled right-hand sides of a shipped model; KeyError for an unknown one."""
    entry = _entry(name)
    tapes = {tape: Tape.from_json(entry["network"][tape]) for tape in TAPES}
    return CompiledNetwork(ModelInfo.from_json(entry["theory"]["info"]), tapes)


@cache
def _entry(name: str) -> dict[str, Any]:
    """The stored form of a model, from disk when it is there and sound."""
    if name not in model_names():
        raise KeyError(name)
    folder = _folder()
    path = None if folder is None else folder / f"{name}-{_key()}.json"
    if path is not None:
        with suppress(OSError, ValueError, KeyError, TypeError):
            entry: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            CompiledTheory.from_json(entry["theory"])
            for tape in TAPES:
                Tape.from_json(entry["network"][tape])
            return entry
    from dmft.derivations.models import get

    model = get(name)
    entry = {
        "theory": compile_model_theory(model).to_json(),
        "network": {k: tape.to_json() for k, tape in network_tapes(model).items()},
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
