"""Questions that charts ask of a table, and the judgement of the table's answers."""
