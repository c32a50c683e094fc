"""Subcommands of ``dmft``, one function per file, found by the entry points ``dmft.commands``."""
