"""From derived equations to callables: tapes, function tables, compiled objects, disk cache."""

from __future__ import annotations

from .cache import compile_network, compiled_conditional, compiled_theory, load_info, model_names
from .info import ModelInfo, ParameterInfo
from .network import CompiledNetwork
from .source import is_path, resolve

__all__ = [
    "CompiledNetwork",
    "ModelInfo",
    "ParameterInfo",
    "compile_network",
    "compiled_conditional",
    "compiled_theory",
    "is_path",
    "load_info",
    "model_names",
    "resolve",
]
