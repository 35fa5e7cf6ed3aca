"""HTTP/1.1 for the one application of this server: httptools parses, ASGI answers, everything has bounds.

A general HTTP server in Python costs more than all the rest of a quick prediction: a task, two
coroutines and two writes an answer, checks of headers that are ours. This one knows its application:
an answer that is whole is one write, and a question that needs no waiting needs no task.
"""
