"""The command line, as the console script ``leaktrend`` runs it."""

from __future__ import annotations

import sys

from leaktrend import _native


def main() -> int:
    """Runs the program on the arguments of this process.

    Returns:
        Its exit code: 0 nothing failed, 1 a leak or a failed criterion, 2 the job could not be done, 3 inconclusive.
    """
    return _native.main(["leaktrend", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
