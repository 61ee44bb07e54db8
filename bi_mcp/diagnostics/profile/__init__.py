"""The profile of a dataset: what a chart would have to draw, counted from its first rows."""
