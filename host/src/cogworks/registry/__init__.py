"""Talking to registries: OCI distribution-spec v1.1, with the credentials that docker and podman keep.

Everything here is synchronous, and several blobs at once are threads: docs/architecture.md says why.
"""
