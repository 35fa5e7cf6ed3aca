"""Runs the model: setup once, then predictions, as the server asks over the bridge.

Started by path under the model's own Python (``python <SDK tree> --bridge DATA,CONTROL``), it uses
the standard library alone. Nothing here imports the host; nothing in the host imports this.
"""
