"""Tasks for assistants: what a user says, the world it is said in, and how the outcome is judged."""
