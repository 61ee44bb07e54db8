"""The connector over HTTP: requests, answers in a stream, bounds, logs and metrics."""
