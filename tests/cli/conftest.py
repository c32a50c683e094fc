"""A stand-in for the solvers: the command line is tested without computing anything."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "results"))

import samples

from dmft.solvers.status import Status


class StandIn(ModuleType):
    """Takes the place of `dmft.api`; remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__("dmft.api")
        self.calls: list[tuple[Any, ...]] = []
        self.raises: BaseException | None = None
        self.status = Status.CONVERGED
        self.points: tuple[str, ...] | None = None

    def _called(self, *call: Any) -> None:
        self.calls.append(call)
        if self.raises is not None:
            raise self.raises

    def solve(self, model: str, parameters: Any, /, **options: Any) -> Any:
        self._called(model, parameters, options)
        if self.status.is_answer:
            return samples.solution(model=model, command=None)
        return samples.solution(
            model=model, status=self.status, lag=[], autocorrelation={}, message="", command=None,
            variance={"h": None}, lyapunov=None, residual=None,
        )  # fmt: skip

    def boundary(self, model: str, name: str, parameters: Any, /, **options: Any) -> Any:
        self._called(model, name, parameters, options)
        changes = {} if self.points is None else {"status": self.points}
        return samples.curve(model=model, boundary=name, command=None, **changes)

    def derive(self, model: str, **options: Any) -> Any:
        self._called(model)

        class Derivation:
            def __str__(self) -> str:
                return "C_x = φ\n"

            def latex(self) -> str:
                return r"\varphi"

        return Derivation()


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> StandIn:
    """The stand-in, in place; the working folder is empty."""
    stand_in = StandIn()
    monkeypatch.setitem(sys.modules, "dmft.api", stand_in)
    monkeypatch.chdir(tmp_path)
    return stand_in
