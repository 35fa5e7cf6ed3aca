"""The prediction server: HTTP in front, supervised worker processes behind.

It never imports the worker or the model; it starts the one and lets that load the other.
"""
