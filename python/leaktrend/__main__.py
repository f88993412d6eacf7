"""``python -m leaktrend``: the command line."""

import sys

from leaktrend._program import main

sys.exit(main())
