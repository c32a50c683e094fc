"""The single-site process by plain sampling: every field a path, every average a mean over paths.

Written without the package's recursions: Heun's rule for the paths, noises drawn from the empirical
covariance of the outputs by Cholesky factors made anew at every step.
"""

import numpy as np


def brute_force(outputs, velocity, start, step, count, paths, seed):
    """Samples x, (times, fields, paths).

    ``outputs(x)``: one array per current; ``velocity(x, noise)``: dx/dt from fields and one noise a
    current, (fields, paths); ``start`` (fields, paths).
    """
    rng = np.random.default_rng(seed)
    x = [start]
    heard = [np.array(outputs(start))]  # (currents, paths) a time
    normals = [rng.standard_normal(heard[0].shape)]
    currents = len(heard[0])

    def noise(values):
        """The latest noise for the outputs at all times, (currents, paths)."""
        drawn = []
        for a in range(currents):
            past = np.array([v[a] for v in values])
            matrix = past @ past.T / paths
            matrix += 1e-9 * matrix.trace() * np.eye(len(past)) / len(past)
            row = np.linalg.cholesky(matrix)[-1]
            drawn.append(row @ np.array([n[a] for n in normals]))
        return np.array(drawn)

    now = noise(heard)
    for _ in range(count):
        slope = velocity(x[-1], now)
        normals.append(rng.standard_normal(heard[0].shape))
        predicted = x[-1] + step * slope
        after = noise([*heard, np.array(outputs(predicted))])
        x.append(x[-1] + step / 2 * (slope + velocity(predicted, after)))
        heard.append(np.array(outputs(x[-1])))
        now = noise(heard)
    return np.array(x)


def moments_of(samples, blocks=10):
    """<x(T) x(t)> for the last time T and all t, and standard errors from blocks of paths."""
    last = samples[-1]
    products = (samples * last).reshape(len(samples), -1, blocks, samples.shape[-1] // blocks)
    means = products.mean(axis=-1)
    return means.mean(axis=-1), means.std(axis=-1, ddof=1) / np.sqrt(blocks)
