"""State that several copies of a server over HTTP share: logins, the budget of requests, locks."""
