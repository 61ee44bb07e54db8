"""`python -m evals` is the gate. Needs the environment build/evals."""

from __future__ import annotations

import sys
from importlib import import_module

# By name: where types are checked, inspect-ai is not there.
sys.exit(import_module("evals.inspection.gate").main())
