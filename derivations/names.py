"""Names that a declaration may use: identifiers that mean nothing else."""

from __future__ import annotations

import keyword

__all__ = ["EQUATION_LETTERS", "RESERVED", "DeclarationError", "check_name"]

#: Names that `dmft.solve`, `dmft.boundary` and `dmft.validate` take as options, and those that result
#: files use for columns: a parameter or field of one of these names could not be told from them.
RESERVED = frozenset(
    {
        *(
            "model",
            "name",
            "parameters",
            "branch",
            "tol",
            "method",
            "seed",
            "lyapunov",
            "solve_for",
        ),
        *("n", "realizations", "workers", "precision", "progress", "command", "digits", "certify"),
        *("at", "backend"),
        *("lag", "error", "status", "segment", "header", "quantity", "field", "point", "variance"),
        *("autocorrelation", "correlation_time", "couplings", "integrator", "mean", "limit"),
        *("standard_error", "interpolation", "start", "protocol", "until", "paths", "scheduler"),
        *(
            "time",
            "times",
            "earlier",
            "populations",
            "checkpoint",
            "time_limit",
            "changes",
            "kurtosis",
            "statics",
        ),
    }
)

#: Letters of the equations themselves (`symbols`): a parameter of that name would be mixed up.
EQUATION_LETTERS = frozenset({"tau", "omega", "s", "t", "N"})


class DeclarationError(ValueError):
    """A model is declared inconsistently; the message names the part and the remedy."""


def check_name(kind: str, name: str) -> None:
    """Raise `DeclarationError` for a name that is no identifier or means something already."""
    if not name.isascii() or not name.isidentifier() or keyword.iskeyword(name):
        raise DeclarationError(
            f"{kind} {name!r}: a name is made of ASCII letters, digits and _ and starts with a letter"
        )
    if name in RESERVED:
        raise DeclarationError(f"{kind} {name!r}: the name is reserved for an option; rename it")
    if name in EQUATION_LETTERS:
        raise DeclarationError(
            f"{kind} {name!r}: the letter has its own meaning in the derived equations (lag, time, "
            f"frequency, number of units); rename it, like {name}_1"
        )
