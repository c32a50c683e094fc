"""Where fixed points appear in the gated network, as a curve in the plane of α_r and g_h.

With a weak output gate they branch off rest where rest loses stability, at g_h = 2. Beyond the
static tricritical point, α_r = √8 (Krishnamurthy, Can & Schwab 2022), they appear in a pair at
a fold, while the network at rest is still stable.
"""

import dmft


def main() -> None:
    """Compare the two boundaries at a few output gates and keep the second."""
    rest = dmft.boundary("gated", "zero-state", alpha_r=[1.0, 2.0, 4.0, 10.0])
    first = dmft.boundary("gated", "fixed-points", alpha_r=[1.0, 2.0, 4.0, 10.0])
    print("alpha_r  rest unstable  fixed points from")
    for row, alpha_r in enumerate(first.columns["alpha_r"]):
        print(
            f"{alpha_r:7.1f}  {rest.columns['g_h'][row]:13.9f}  "
            f"{first.columns['g_h'][row]:.9f}  {first.status[row]}"
        )
    first.save("fixed-points.csv")
    print("the curve is in fixed-points.csv")


if __name__ == "__main__":
    main()
