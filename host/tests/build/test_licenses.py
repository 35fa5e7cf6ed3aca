from __future__ import annotations

import pytest

from cogworks.build.licenses import License, license_from_json, read_license

HEAD = "Metadata-Version: 2.4\nName: pixel\n"


@pytest.mark.parametrize(
    ("lines", "license"),
    [
        ("License-Expression: MIT OR\n Apache-2.0\nLicense: x\n", License("MIT OR Apache-2.0")),
        (
            "License: BSD\nClassifier: License :: OSI Approved :: MIT License\n",
            License(names=("MIT License",)),
        ),
        (
            "Classifier: License :: OSI Approved :: Zope\nClassifier: License :: Public Domain\n",
            License(names=("Public Domain", "Zope")),
        ),
        ("License: BSD-3-Clause\n", License(names=("BSD-3-Clause",))),
        ("License: BSD\nClassifier: License :: OSI Approved\n", License(names=("BSD",))),
        ("License: UNKNOWN\n", License()),
        (f"License: {'x' * 101}\n", License()),
        ("License: Copyright\n        all rights\n", License()),
        ("Classifier: Programming Language :: Python\n", License()),
        ("", License()),
    ],
)
def test_the_licence_is_what_the_metadata_says(lines: str, license: License) -> None:
    found = read_license(f"{HEAD}{lines}\nLicense: not in the head\n")
    assert found == license
    assert license_from_json(found.to_json()) == found


@pytest.mark.parametrize("value", [None, 3, [], "MIT", {"x": 1}])
def test_what_is_no_licence_says_nothing(value: object) -> None:
    assert license_from_json(value) == License()
