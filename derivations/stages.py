"""The stages of a derivation in order, each laid out when it is asked for."""

from __future__ import annotations

from .derivation import Derivation, Layout
from .equations import derive_equations
from .model import Model
from .network_stages import disorder_stage, network_stage
from .onset_stage import onset_stage
from .process_stages import conditional_stage, edge_stage
from .replicas_stage import replicas_stage
from .rest_stages import statics_stage, zero_state_stage
from .stationary_stages import lyapunov_stage, stationary_stage

__all__ = ["derive_model"]

_LAYOUTS: dict[str, Layout] = {
    "network": network_stage,
    "disorder": disorder_stage,
    "conditional": conditional_stage,
    "statics": statics_stage,
    "zero-state": zero_state_stage,
    "stationary": stationary_stage,
    "lyapunov": lyapunov_stage,
    "replicas": replicas_stage,
    "jacobian-edge": edge_stage,
    "tricritical": onset_stage,
}


def derive_model(model: Model) -> Derivation:
    """Derive a declared model; its stages are laid out on demand.

    >>> from .models import get
    >>> print(derive_model(get("vanilla")).stages[0].equations[0].text)
    dx/dt = I_x + eta_x - x + xi_x*g
    """
    return Derivation(derive_equations(model), _LAYOUTS)
