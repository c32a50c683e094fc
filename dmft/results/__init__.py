"""Results: frozen objects of numbers and where they come from, and the files that hold them."""
