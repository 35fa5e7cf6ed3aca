"""Docker and podman, by their command-line programs: found, asked, given images, told to run containers."""
