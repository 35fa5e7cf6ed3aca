"""The version of the bridge's protocol; both sides must have the same one."""

PROTOCOL_VERSION = 1
"""Raised by one with every change that an older peer would misunderstand."""
