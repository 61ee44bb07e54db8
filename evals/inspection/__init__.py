"""The tasks for inspect-ai, which has an environment of its own: nothing else imports this package."""
