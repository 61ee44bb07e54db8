"""Tables of a source as its endpoints describe them: columns, sampled values, names and types."""
