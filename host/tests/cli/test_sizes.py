import pytest

from cogworks.cli.sizes import shown_size


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (1536, "1.5 kB"),
        (99_960, "100 kB"),
        (999_600, "1.0 MB"),
        (340_000_000, "340 MB"),
        (2_147_483_648, "2.1 GB"),
        (10**16, "10000 TB"),
    ],
)
def test_sizes_have_three_digits_or_fewer(size: int, text: str) -> None:
    assert shown_size(size) == text
