"""A right-hand side to be typed by hand: one field, one current, nothing special."""

import numpy as np


class Plain:
    """dx/dt = xi, xi = J x with independent couplings of variance 1; change what is needed."""

    class info:
        name = "by hand"
        fields = ("x",)
        currents = ("xi",)
        inputs = ()

    def variance(self, p):
        return [1.0]

    def mean(self, p):
        return [0.0]

    def reciprocity(self, p):
        return [0.0]

    def correlation(self, p):
        return np.eye(len(self.variance(p)))

    def input_mean(self, p):
        return []

    def input_variance(self, p):
        return []

    def noise(self, p):
        return np.zeros((1, 0))

    def leak(self, p):
        return [0.0]

    def outputs(self, x, p):
        return [x[0]]

    def drift(self, x, xi, p, inputs=()):
        return [xi[0]]

    def tangent_outputs(self, x, dx, p):
        return [dx[0]]

    def tangent_drift(self, x, xi, dx, dxi, p, inputs=()):
        return [dxi[0]]

    def outputs_with_tangent(self, x, dx, p):
        return self.outputs(x, p), self.tangent_outputs(x, dx, p)

    def drift_with_tangent(self, x, xi, dx, dxi, p, inputs=()):
        return self.drift(x, xi, p, inputs), self.tangent_drift(x, xi, dx, dxi, p, inputs)
