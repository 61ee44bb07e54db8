"""A portal's setup as a reviewed file: read, compare, plan, apply."""
