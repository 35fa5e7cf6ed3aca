"""The types of a model as data, and all that follows from them; see ``types``."""
