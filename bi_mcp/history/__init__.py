"""A record of every write, made before it is sent: journal, audit file, undo."""
