"""Solve the gated network in its chaotic state and read the result.

    dh/dt       = σ_z(z) [−h + J^h φ(h) σ_r(r)],   φ(x) = tanh(g_h x)
    τ_r dr/dt   = −r + J^r φ(h),                   σ_r(x) = 1 / (1 + exp(−α_r x))

with an update gate that does not move (α_z = 0, σ_z = 1/2). Times are in units of the leak of h.
"""

import numpy as np

import dmft


def main() -> None:
    """Solve, print, and check one limit."""
    solution = dmft.solve("gated", g_h=3, alpha_r=5)
    print(solution.status, "on the branch", solution.branch)
    print("also there:", ", ".join(solution.other_branches))

    for field, variance in solution.variance.items():
        print(f"C_{field}(0) = {variance:.9f}")
    print(f"largest Lyapunov exponent {solution.lyapunov:.8f}")

    # The autocorrelation at any lag, from its cosine series; even in the lag.
    lags = np.array([-5.0, 0.0, 1.0, 5.0, 20.0])
    for lag, value in zip(lags, solution.at(lags)["h"], strict=True):
        print(f"C_h({lag:5.1f}) = {value:.9f}")

    # A free test: without an output gate this is the vanilla network with g = g_h / 2.
    ungated = dmft.solve("gated", g_h=3)
    vanilla = dmft.solve("vanilla", g=1.5)
    ratio = 9 * ungated.variance["h"] / vanilla.variance["x"]
    print(f"g_h² C_h(0) / C_x(0) without the output gate: {ratio:.12f}")


if __name__ == "__main__":
    main()
