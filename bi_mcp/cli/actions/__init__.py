"""The actions of commands. Each module imports what it needs at its top, and is imported when its command runs."""
