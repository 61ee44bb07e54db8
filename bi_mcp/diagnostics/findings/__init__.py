"""Findings and their kinds. Kinds are data: the code, the level, what happened and what to do next."""
