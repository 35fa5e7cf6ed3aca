"""Read a handwritten digit: an image in, lines of progress and the answer out."""

from typing import Iterator

import numpy as np
from cog import BaseRunner, Input, Path
from PIL import Image
from sklearn.linear_model import LogisticRegression


class Runner(BaseRunner):
    """Logistic regression on 8x8 grey levels, trained by ``train.py``."""

    def setup(self) -> None:
        """Give the arrays of ``weights.npz`` to an estimator of the installed version."""
        self.classifier = LogisticRegression()
        with np.load("weights.npz") as weights:
            self.classifier.coef_ = weights["coef"]
            self.classifier.intercept_ = weights["intercept"]
            self.classifier.classes_ = weights["classes"]
        print(f"loaded {self.classifier.coef_.size} weights")

    def run(
        self,
        image: Path = Input(description="One light digit on a dark ground", accept="image/*"),
        guesses: int = Input(description="How many guesses to tell", default=3, ge=1, le=10),
    ) -> Iterator[str]:
        """Yield a line for each step, the guesses, and the answer as the last line."""
        with Image.open(image) as opened:
            grey = opened.convert("L")
        yield f"read {grey.width}x{grey.height} pixels"
        small = np.asarray(grey.resize((8, 8), Image.Resampling.BOX), dtype=np.float32)
        yield f"reduced to 8x8, {np.count_nonzero(small)} of 64 are not black"
        probabilities = self.classifier.predict_proba(small.reshape(1, 64) / 255.0)[0]
        ranked = np.argsort(probabilities)[::-1]
        for index in ranked[:guesses]:
            yield f"guess {self.classifier.classes_[index]}: {probabilities[index]:.1%}"
        yield f"digit: {self.classifier.classes_[ranked[0]]}"
