"""The claims, one file each: parameters, sizes, theory, acceptance rule, planted faults."""
