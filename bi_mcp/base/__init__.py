"""Building blocks below everything else: secrets, language, safe files, foreign JSON, logs, progress."""
