"""The smallest model: text in, text out."""

from cog import BaseRunner, Input


class Runner(BaseRunner):
    """Greets whoever it is told of."""

    def setup(self) -> None:
        """Prepare what every prediction needs; here only a word."""
        self.greeting = "hello"

    def run(self, text: str = Input(description="Whom to greet", default="world")) -> str:
        """Return the greeting."""
        return f"{self.greeting} {text}"
