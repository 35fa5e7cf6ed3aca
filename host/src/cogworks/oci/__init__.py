"""OCI images as values: names, digests, manifests, configurations, layers, tar headers; no I/O anywhere."""
