"""From a project to an image: locked wheels, code, weights, the server, a base; no daemon, no container."""
