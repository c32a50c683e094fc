"""What the processes of a fuzz run are given in tests instead of the solver."""

import os
import time


def sleeps_on_large_gains(parameters):
    """As a solver that does not come back."""
    if parameters["g_h"] > 5:
        time.sleep(600)
    return verified(parameters)


def dies_on_large_gains(parameters):
    """As a solver that takes the process with it."""
    if parameters["g_h"] > 5:
        os._exit(1)
    return verified(parameters)


def verified(parameters):
    return {
        "verdict": "verified",
        "branch": "zero",
        "status": "converged",
        "message": "",
        "sum": sum(parameters.values()),
        "seconds": 0.0,
        "processor_seconds": 0.0,
    }
