"""``python -m dmft`` is the command ``dmft``."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
