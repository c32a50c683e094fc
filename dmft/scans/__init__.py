"""Scans: the stationary equations solved on a grid of parameters, on processes or a cluster."""

from __future__ import annotations

from .run import scan

__all__ = ["scan"]
