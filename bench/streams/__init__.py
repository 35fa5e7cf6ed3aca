"""Tokens of one prediction, streamed to a hundred subscribers."""
