"""Train the classifier on scikit-learn's digits and write ``weights.npz`` and ``digit.png``.

Run it with ``cog exec python train.py``. The weights are plain arrays, because a pickled
estimator can only be read by the version of scikit-learn that wrote it.
"""

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

SEED = 0
MAGNIFICATION = 20
"""Pixels of ``digit.png`` for one of the 8x8, so that a person can read it."""


def main() -> None:
    """Train, report the accuracy on digits that were held out, write the files."""
    digits = load_digits()
    pixels = digits.data / 16.0
    train_x, test_x, train_y, test_y = train_test_split(
        pixels, digits.target, test_size=0.25, random_state=SEED, stratify=digits.target
    )
    classifier = LogisticRegression(C=1.0, max_iter=1000).fit(train_x, train_y)
    print(f"accuracy on {len(test_y)} held-out digits: {classifier.score(test_x, test_y):.3f}")
    np.savez_compressed(
        "weights.npz",
        coef=classifier.coef_.astype(np.float32),
        intercept=classifier.intercept_.astype(np.float32),
        classes=classifier.classes_.astype(np.int64),
    )
    held_out_seven = test_x[np.flatnonzero(test_y == 7)[0]].reshape(8, 8)
    image = Image.fromarray((held_out_seven * 255).astype(np.uint8))
    side = 8 * MAGNIFICATION
    image.resize((side, side), Image.Resampling.NEAREST).save("digit.png")


if __name__ == "__main__":
    main()
