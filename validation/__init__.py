"""Simulated finite networks as the judge of the mean-field theory.

Nothing here imports the derived equations: networks are made from their declaration, theories come
in as solved results. `dmft` finds `validate` by entry point and never imports this package.
"""
