"""The practice portal, the sample connector, and the demo. They do not share code with the client that they test."""
