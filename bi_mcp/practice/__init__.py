"""A portal to practise on, the sample connector beside it, and the demo. Shares no code with the client that it tests."""
