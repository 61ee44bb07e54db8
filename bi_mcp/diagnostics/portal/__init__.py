"""Status, map and diagnosis of a whole portal."""
