"""The theories of all cases, solved by a process of their own while networks are simulated.

Theories take a fifth of the time of the quick cases, and most of them run on one processor: waiting for
them would leave the others idle.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any

from dmft.solvers.worker_processes import deaf, ignore_interrupts

from .case import Case, get_case

__all__ = ["Theories", "theories_ahead"]

_THEORY, _FAULTS = "theory", "faults"


class Theories:
    """What cases and their planted faults predict: taken from ``ahead`` where it is there, else solved here.

    ``ahead``: (name of the case, "theory" or "faults") -> the result to come.
    """

    def __init__(
        self,
        setting: str,
        workers: int,
        ahead: Mapping[tuple[str, str], Future[Any]] | None = None,
    ) -> None:
        self.setting = setting
        self.workers = workers
        self._ahead = ahead or {}

    def theory(self, case: Case) -> Any:
        """What the case predicts."""
        return self._solved(case, _THEORY)

    def faults(self, case: Case) -> dict[str, Any]:
        """Description -> what the planted fault predicts."""
        found: dict[str, Any] = self._solved(case, _FAULTS)
        return found

    def _solved(self, case: Case, what: str) -> Any:
        coming = self._ahead.get((case.name, what))
        if coming is not None:
            try:
                return coming.result()
            except BrokenProcessPool:
                pass  # killed from outside, or no memory left: what is lost is solved here
        return _solve(case, what, self.setting, self.workers)


def _solve(case: Case, what: str, setting: str, workers: int) -> Any:
    settings = case.settings[setting]
    if what == _THEORY:
        return case.predict(settings, workers)
    return {name: wrong(settings, workers) for name, wrong in case.faults.items()}


@contextmanager
def theories_ahead(names: Sequence[str], setting: str, workers: int) -> Iterator[Theories]:
    """Start the process, which ends with the context.

    With one worker there is none, nor with full settings, whose theories keep all workers busy themselves.
    It goes through the cases in their order, without the theory of the first, which would be waited for.
    """
    if workers == 1 or setting == "full":
        yield Theories(setting, workers)
        return
    from joblib.externals.loky import ProcessPoolExecutor

    todo = [
        (name, what)
        for name in dict.fromkeys(names)
        for what in (_THEORY, _FAULTS)
        if not get_case(name).missing
    ][1:]
    executor = ProcessPoolExecutor(
        max_workers=1, initializer=ignore_interrupts, env={"OMP_NUM_THREADS": "1"}
    )
    try:
        with deaf():
            ahead = {
                (name, what): executor.submit(_ahead, name, what, setting) for name, what in todo
            }
        yield Theories(setting, workers, ahead)
    finally:
        executor.shutdown(wait=False, kill_workers=True)


def _ahead(name: str, what: str, setting: str) -> Any:
    return _solve(get_case(name), what, setting, 1)
