"""The observed order of a method: how its error falls with its step."""

import numpy as np


def observed_order(error_at, steps):
    """Slope of log error against log step."""
    errors = [error_at(dt) for dt in steps]
    return np.polyfit(np.log(steps), np.log(errors), 1)[0]
