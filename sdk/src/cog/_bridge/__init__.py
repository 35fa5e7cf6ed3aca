"""What the server and the worker say to each other; pure: no I/O, no clock.

``messages`` are the words, ``frames`` cut a stream of bytes into them, ``limits`` bound them,
``version`` tells two sides that do not match.
"""
