"""Ten times as many requests as there is room for: what becomes of those that are accepted."""
