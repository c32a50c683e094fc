"""Solutions that several tests look at, each computed once a process."""

from functools import cache

import dmft
from dmft.codegen import compiled_theory
from dmft.parameters import check_parameters
from dmft.solvers.stationary_problem import LinearTheory


@cache
def solved(model, **options):
    """`dmft.solve`; options of the solver and parameters alike."""
    return dmft.solve(model, **options)


def linear_theory(model, **parameters):
    """The object that the solvers work on."""
    theory = compiled_theory(model)
    return LinearTheory(theory, check_parameters(theory.info, parameters))
