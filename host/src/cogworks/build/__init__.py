"""From a project to the layers of an image on disk: locked wheels, code, weights; no daemon, no container."""
