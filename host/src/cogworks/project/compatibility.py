"""Which cuDNN belongs to which CUDA: the pairs for which development images exist."""

from __future__ import annotations

_CUDNN_8 = (
    *("11.0.3", "11.1.1", "11.2.2", "11.3.1", "11.4.3", "11.5.2", "11.6.1", "11.6.2", "11.7.1"),
    *("11.8.0", "12.0.0", "12.0.1", "12.1.0", "12.1.1", "12.2.2"),
)
_CUDNN_9 = (
    *("12.3.2", "12.4.1", "12.5.1", "12.6.0", "12.6.1", "12.6.2", "12.6.3", "12.8.0", "12.8.1"),
    *("12.9.0", "12.9.1", "13.0.0", "13.0.1", "13.0.2", "13.0.3", "13.1.1", "13.1.2", "13.2.0"),
    "13.2.1",
)

CUDNN_BY_CUDA: dict[str, str] = {
    **dict.fromkeys(_CUDNN_8, "8"),
    **dict.fromkeys(_CUDNN_9, "9"),
}
"""CUDA major.minor.patch -> cuDNN major."""


def cudnn_for_cuda(cuda: str) -> tuple[str, ...]:
    """Return the cuDNN major versions for a CUDA version; none when that CUDA is not known.

    A version without a patch number stands for all its patches.
    """
    found = {
        cudnn
        for version, cudnn in CUDNN_BY_CUDA.items()
        if version == cuda or version.startswith(f"{cuda}.")
    }
    return tuple(sorted(found))
