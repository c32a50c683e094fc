"""A network of one's own, declared in Python: solved, its boundary located, its theory printed.

    dx/dt       = −x + y·b + g ξ,      ξ_i = Σ_j J_ij φ(x_j),   φ(x) = x / √(1 + x²)
    τ_y dy/dt   = −y + x

The output φ is algebraic and y feeds x back to itself with the weight b (b > 0 makes slow
units, b < 0 adaptation). No package knows this network; nothing but the declaration is typed.
"""

import sympy as sp

import dmft

x = dmft.Field("x", "input of a unit", "x")
y = dmft.Field("y", "its slow copy", "y")
g = dmft.Parameter("g", "gain", positive=True, latex="g")
b = dmft.Parameter("b", "weight of the slow copy", 0, latex="b")
tau_y = dmft.Parameter("tau_y", "time constant of y", 5, True, "leak time of x", r"\tau_y")
phi = dmft.Nonlinearity("phi", x.symbol / sp.sqrt(1 + x.symbol**2), r"\varphi")
xi = dmft.Coupling("xi", phi.expression)

MODEL = dmft.Model(
    name="slow-copy",
    title="random network with a slow copy of every unit",
    citation="none: an example that comes with dmft",
    fields=(x, y),
    parameters=(g, b, tau_y),
    nonlinearities=(phi,),
    couplings=(xi,),
    dynamics={
        "x": -x.symbol + b.symbol * y.symbol + g.symbol * xi.symbol,
        "y": (-y.symbol + x.symbol) / tau_y.symbol,
    },
)


def main() -> None:
    """Use the model wherever a name could stand."""
    edge = dmft.boundary(MODEL, "zero-state", solve_for="g", b=[-0.5, 0.0, 0.25])
    for weight, gain in zip(edge.columns["b"], edge.columns["g"], strict=True):
        print(f"b = {weight:5.2f}: rest is unstable beyond g = {gain:.9f}")

    solution = dmft.solve(MODEL, g=2, b=0.25)
    print(f"{solution.model} ({solution.model_hash}): {solution.branch}, {solution.status}")
    print(f"C_x(0) = {solution.variance['x']:.9f}, lambda_max = {solution.lyapunov:.6f}")

    print()
    print(dmft.derive(MODEL))


if __name__ == "__main__":
    main()
