"""Questions that charts ask of a table, and how the table's answers are judged."""
