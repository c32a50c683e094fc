"""Certified digits: rigorous enclosures."""
