"""A portal's setup as a reviewed file: read, compare, plan, apply; and what every write did, to look up and to undo."""
