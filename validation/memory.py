"""How much memory a simulation needs, and how much the machine has."""

from __future__ import annotations

import os
import sys

from dmft.errors import InputError

from .couplings import GAUSSIAN, Couplings
from .network import RightHandSide
from .schedule import Schedule

#: Share of the machine's memory that networks may take.
SHARE = 0.8


def bytes_needed(
    right: RightHandSide,
    schedule: Schedule,
    n: int,
    itemsize: int = 4,
    made_of: Couplings = GAUSSIAN,
) -> int:
    """Memory of one running network: couplings, stages of a step, lagged states."""
    # jax has its own copy of what numpy has drawn.
    copies = 1 if schedule.backend == "numpy" else 2
    couplings = copies * len(right.info.currents) * n * n
    rows = schedule.batch + schedule.tangents
    # State, stages, sum and the intermediate arrays of a right-hand side: about a dozen copies, and
    # four of white noise.
    states = 16 * max(len(right.info.fields), len(right.info.currents)) * rows * n
    lagged = (max(schedule.lags, default=0) + 1) * schedule.batch * n
    # Normal numbers in single precision are drawn in place; else one more set comes on top.
    drawing = 0 if itemsize == 4 and made_of == GAUSSIAN else 5 * n * n
    return itemsize * (couplings + states + lagged) + drawing


def machine_memory() -> int | None:
    """Bytes of physical memory; None where the system does not tell."""
    if sys.platform == "win32":
        return _windows_memory()
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def _windows_memory() -> int | None:
    import ctypes

    totals = "total available page_total page_available virtual_total virtual_available extended"

    class Status(ctypes.Structure):
        # MEMORYSTATUSEX of the Windows API, in its order.
        _fields_ = [
            ("length", ctypes.c_ulong),
            ("load", ctypes.c_ulong),
            *((name, ctypes.c_ulonglong) for name in totals.split()),
        ]

    status = Status(length=ctypes.sizeof(Status))
    kernel = getattr(getattr(ctypes, "windll", None), "kernel32", None)
    if kernel is None or not kernel.GlobalMemoryStatusEx(ctypes.byref(status)):
        return None
    return int(status.total)


def workers_that_fit(
    right: RightHandSide,
    schedule: Schedule,
    n: int,
    wanted: int,
    available: int | None,
    itemsize: int = 4,
    made_of: Couplings = GAUSSIAN,
) -> int:
    """At most ``wanted`` processes such that every one can hold a network of ``n`` units.

    Raises `InputError` when not even one fits; where the machine does not tell its memory, 16 GB
    are assumed.
    """
    limit = SHARE * (16 * 10**9 if available is None else available)
    needed = bytes_needed(right, schedule, n, itemsize, made_of)
    if needed > limit:
        fits = n
        while bytes_needed(right, schedule, fits, itemsize, made_of) > limit:
            fits = int(0.95 * fits)
        rounded = int(float(f"{fits:.1e}"))
        raise InputError(
            f"n: {n} was given; one network of that size needs {needed / 1e9:.3g} GB, "
            f"{limit / 1e9:.3g} GB may be used on this machine; try n <= {min(rounded, fits)}"
        )
    return max(1, min(wanted, int(limit // needed)))
