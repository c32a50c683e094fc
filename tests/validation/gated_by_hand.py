"""One gated network with an open update gate, typed by hand: which state does it go to?

Nothing of the package is used, neither its declaration nor its integrators.
"""

import numpy as np


def steps_needed(p):
    """Euler steps, and their length, for forty of the slower times."""
    rate = 1 / (1 + np.exp(p["beta_z"]))
    dt = 0.15 * min(1 / rate, p["tau_r"])
    return int(40 * max(1 / rate, p["tau_r"]) / dt), dt


def late_activity(p, units, seed):
    """<h^2> in the second half of a run from a wide start, and how fast h still moves at its end.

    The speed is <(dh/dt)^2> in units of the leak s of h, over s^2 <h^2>.
    """
    rng = np.random.default_rng(seed)
    steps, dt = steps_needed(p)
    rate = 1 / (1 + np.exp(p["beta_z"]))
    j_h, j_r = (
        (rng.standard_normal((units, units)) / np.sqrt(units)).astype(np.float32) for _ in range(2)
    )
    i_h, i_r = (np.sqrt(p[f"input_{k}"]) * rng.standard_normal(units) for k in ("h", "r"))
    h, r = (scale * rng.standard_normal(units) for scale in (3.0 + np.std(i_h) / rate, 2.0))
    squares, speeds = [], []
    for step in range(steps):
        f = np.tanh(p["g_h"] * h + p["beta_h"])
        gate = 0.5 * (1 + np.tanh((p["alpha_r"] * r - p["beta_r"]) / 2))
        dh = rate * (-h + j_h @ (f * gate).astype(np.float32)) + i_h
        r = r + dt / p["tau_r"] * (-r + j_r @ f.astype(np.float32) + i_r)
        h = h + dt * dh
        if step > steps // 2:
            squares.append(np.mean(h**2))
            speeds.append(np.mean((dh / rate) ** 2))
    size = np.mean(squares)
    return size, np.mean(speeds[-len(speeds) // 10 :]) / size
