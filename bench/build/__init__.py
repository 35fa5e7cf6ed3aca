"""Building and pushing images, beside docker's BuildKit and buildah."""
