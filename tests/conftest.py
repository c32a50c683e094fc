"""What several folders of tests share. Its presence lets them import `two_gates`."""

import signal

import pytest

# A shell makes what it starts in the background (`make test &`) ignore Ctrl-C, and processes pass that
# on to those that they start: then tests of Ctrl-C would wait for what never comes.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def two_gate_theory():
    """The theory of the test-only model with two output gates, compiled once."""
    from two_gates import MODEL

    from dmft.codegen.cache import compile_model_theory

    return compile_model_theory(MODEL)


@pytest.fixture(scope="session")
def two_gate_network():
    """The same model compiled for simulation."""
    from two_gates import MODEL

    from dmft.codegen.cache import compile_model_network

    return compile_model_network(MODEL)
