"""The steps of a build that execute something inside the image: by buildah, docker, podman or the kernel itself, each step's result one layer."""
