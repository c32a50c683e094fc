"""What a scan tells while it runs, to whoever wants to know."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Silent", "Watch"]


class Watch(Protocol):
    """Called by `dmft.scan`: ``started`` once, ``advanced`` after every piece, ``finished`` last."""

    def started(self, points: int, done: int, where: str) -> None:
        """``done`` of all ``points`` were found in a journal; ``where`` the rest is computed."""

    def advanced(self, points: int) -> None:
        """So many points more are done."""

    def finished(self) -> None:
        """The end, also after an error or an interruption."""


class Silent:
    """Tells nothing."""

    def started(self, points: int, done: int, where: str) -> None:
        """Ignore."""

    def advanced(self, points: int) -> None:
        """Ignore."""

    def finished(self) -> None:
        """Ignore."""
