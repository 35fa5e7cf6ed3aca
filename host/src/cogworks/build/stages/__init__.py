"""The steps of a build that execute something inside the image: by buildah, docker or podman, each step's result one layer."""
