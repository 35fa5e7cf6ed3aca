"""How long it takes to read a model's schema from its source, beside what Python itself takes."""
