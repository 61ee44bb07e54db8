"""Secrets that are given by reference: where their values are kept, what a model may write in their place, where they may go."""
