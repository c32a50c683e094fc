"""A process that examines random sets one after the other, and is replaced when one takes too long.

Nothing inside a computation can be trusted to end it in time: the process is killed. It is a fresh
interpreter on every system (start method spawn). The cap counts wall-clock time or, on a busy machine,
processor time, which the process reports every second; either is known of a set that was not finished.
Messages are JSON.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from dmft.solvers.worker_processes import deaf

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

__all__ = ["CLOCKS", "Examine", "Worker"]

#: What a cap may count.
CLOCKS = ("wall", "processor")

#: Parameters -> record with a verdict; a function of a module, found by name in the process.
Examine = Callable[[Mapping[str, float]], dict[str, Any]]

#: How often a process says how much processor time it has used, in seconds.
_PULSE = 1.0
#: A process that has not even started by then never will.
_STARTUP = 300.0
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass
class Worker:
    """One process and the set it is busy with."""

    examine: Examine
    cap: float
    clock: str = "wall"
    index: int | None = None
    _process: SpawnProcess | None = None
    _pipe: Connection | None = None
    _ready: bool = False
    _pending: dict[str, float] = field(default_factory=dict)
    _since: float = 0.0
    _used: float = 0.0

    @property
    def pipe(self) -> Connection | None:
        """What to wait on."""
        return self._pipe

    def give(self, index: int, parameters: Mapping[str, float]) -> None:
        """Begin with a set; the process is started when there is none."""
        self.index, self._pending = index, dict(parameters)
        self._since, self._used = time.monotonic(), 0.0
        if self._process is None:
            self._start()
        elif self._ready:
            self._send()

    def hear(self) -> dict[str, Any] | None:
        """The record when the set is done, was too slow or has killed the process; else None."""
        assert self._pipe is not None
        try:
            while self._pipe.poll():
                message = json.loads(self._pipe.recv_bytes())
                if "ready" in message:
                    self._ready = True
                    self._send()
                elif "processor_seconds" in message and "record" not in message:
                    self._used = message["processor_seconds"]
                else:
                    self.index = None
                    return dict(message["record"])
        except (EOFError, OSError):
            self.stop()
            return self._record("crash", "the process died")
        waited = time.monotonic() - self._since
        if not self._ready:
            if waited <= _STARTUP:
                return None
            self.stop()
            return self._record("crash", "the process did not start")
        if (waited if self.clock == "wall" else self._used) <= self.cap:
            return None
        self.stop()
        return self._record("budget-exceeded", f"more than {self.cap:g} s ({self.clock} clock)")

    def stop(self) -> None:
        """Kill the process; the next set gets a new one."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
        if self._pipe is not None:
            self._pipe.close()
        self._process = self._pipe = None

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe()
        self._ready = False
        self._process = context.Process(target=_serve, args=(other, self.examine), daemon=True)
        with _undisturbed():
            self._process.start()
        other.close()

    def _send(self) -> None:
        assert self._pipe is not None
        self._since = time.monotonic()
        # a process that died just now is noticed when it is heard
        with suppress(OSError):
            self._pipe.send_bytes(json.dumps(self._pending).encode())

    def _record(self, verdict: str, message: str) -> dict[str, Any]:
        self.index = None
        return {
            "verdict": verdict,
            "message": message,
            "seconds": round(time.monotonic() - self._since, 3),
            "processor_seconds": round(self._used, 3),
        }


@contextmanager
def _undisturbed() -> Iterator[None]:
    """One BLAS thread for the process that starts, and no Ctrl-C: the first process decides on that."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        with deaf():
            yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _serve(pipe: Connection, examine: Examine) -> None:
    """The process: examine what comes until the pipe closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    from dmft.codegen import compiled_theory

    from .fuzz_draw import MODEL

    compiled_theory(MODEL)  # the first set must not pay for it
    lock, busy = threading.Lock(), threading.Event()
    begun = 0.0

    def say(**message: Any) -> None:
        with lock, suppress(OSError):
            pipe.send_bytes(json.dumps(message).encode())

    def pulse() -> None:
        while True:
            busy.wait()
            time.sleep(_PULSE)
            if busy.is_set():
                say(processor_seconds=time.process_time() - begun)

    threading.Thread(target=pulse, daemon=True).start()
    say(ready=True)
    while True:
        try:
            parameters = json.loads(pipe.recv_bytes())
        except (EOFError, OSError):
            return
        begun = time.process_time()
        busy.set()
        record = examine(parameters)
        busy.clear()
        say(record=record)
