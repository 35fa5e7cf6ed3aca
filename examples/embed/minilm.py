"""The forward pass of a BERT encoder in numpy, and the sentence embedding on top of it.

Sources: "Attention Is All You Need" (2017) and "BERT" (2018) for the layers; for the pooling,
the ``modules.json`` beside the weights: mean over the tokens, then unit length.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file
from tokenizers import Tokenizer

Array = npt.NDArray[np.float32]

HEADS = 12
"""``num_attention_heads`` of config.json."""
EPSILON = np.float32(1e-12)
"""``layer_norm_eps`` of config.json."""
MAX_TOKENS = 256
"""``max_seq_length`` of sentence_bert_config.json; a longer text is cut."""


class MiniLM:
    """A BERT encoder, ready to embed texts; knows its own number of layers."""

    def __init__(self, directory: Path) -> None:
        """Load ``model.safetensors`` and ``tokenizer.json``."""
        self._weights = load_file(directory / "model.safetensors")
        self._tokenizer = Tokenizer.from_file(str(directory / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAX_TOKENS)
        names = [name for name in self._weights if name.startswith("encoder.layer.")]
        self.layers = 1 + max(int(name.split(".")[2]) for name in names)

    def embed(self, text: str) -> Array:
        """Return a vector of unit length, float32 [384]."""
        # One text at a time needs no padding, hence no attention mask.
        ids = self._tokenizer.encode(text).ids
        hidden = self._embed_tokens(ids)
        for index in range(self.layers):
            hidden = self._layer(f"encoder.layer.{index}", hidden)
        pooled = hidden.mean(axis=0)
        return pooled / np.linalg.norm(pooled)

    def _embed_tokens(self, ids: list[int]) -> Array:
        """Return the input of the first layer, float32 [tokens, 384]."""
        table = self._weights
        words = table["embeddings.word_embeddings.weight"][ids]
        positions = table["embeddings.position_embeddings.weight"][: len(ids)]
        first_segment = table["embeddings.token_type_embeddings.weight"][0]
        return self._normalize("embeddings.LayerNorm", words + positions + first_segment)

    def _layer(self, name: str, hidden: Array) -> Array:
        """Attention and feed-forward network, each added to its input and normalized."""
        attended = self._linear(f"{name}.attention.output.dense", self._attend(name, hidden))
        hidden = self._normalize(f"{name}.attention.output.LayerNorm", hidden + attended)
        inner = gelu(self._linear(f"{name}.intermediate.dense", hidden))
        outer = self._linear(f"{name}.output.dense", inner)
        return self._normalize(f"{name}.output.LayerNorm", hidden + outer)

    def _attend(self, name: str, hidden: Array) -> Array:
        """Every token looks at all tokens: softmax(QK'/sqrt(d))V for each head."""
        tokens, width = hidden.shape

        def heads(part: str) -> Array:
            values = self._linear(f"{name}.attention.self.{part}", hidden)
            return values.reshape(tokens, HEADS, width // HEADS).transpose(1, 0, 2)

        query, key, value = heads("query"), heads("key"), heads("value")
        scores = query @ key.transpose(0, 2, 1) / np.float32(np.sqrt(width // HEADS))
        mixed = softmax(scores) @ value
        return mixed.transpose(1, 0, 2).reshape(tokens, width)

    def _linear(self, name: str, values: Array) -> Array:
        return values @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]

    def _normalize(self, name: str, values: Array) -> Array:
        centred = values - values.mean(axis=-1, keepdims=True)
        deviation = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + EPSILON)
        return centred / deviation * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]


def softmax(scores: Array) -> Array:
    """Turn scores into weights that sum to 1 along the last axis."""
    raised = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return raised / raised.sum(axis=-1, keepdims=True)


def gelu(values: Array) -> Array:
    """Return x * Phi(x), Phi being the normal distribution's cumulative function.

    The error function is formula 7.1.26 of Abramowitz and Stegun, off by at most 1.5e-7,
    which is the precision of float32.
    """
    scaled = np.abs(values) / np.float32(np.sqrt(2.0))
    t = 1 / (1 + np.float32(0.3275911) * scaled)
    series = np.zeros_like(values)
    for factor in (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592):
        series = (series + np.float32(factor)) * t
    erf = np.sign(values) * (1 - series * np.exp(-(scaled**2)))
    return values * (1 + erf) / 2
