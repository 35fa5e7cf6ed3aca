from __future__ import annotations

import json
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from cogworks._version import __version__
from cogworks.build.licenses import License
from cogworks.build.sbom import Bill, Interpreter, Package, sbom_document
from cogworks.oci.digest import digest_of
from cogworks.oci.documents import canonical_json

MIT = Package("torch", "2.5.1+cu121", digest_of(b"torch"), License("MIT"))
NAMED = Package("Pillow", "11.0", digest_of(b"pillow"), License(names=("HPND", "Other")))
PLAIN = Package("pixel", "1.0", digest_of(b"pixel"))
BILL = Bill(
    digest_of(b"base"),
    (PLAIN, MIT, NAMED),
    (Package("pixel", "2.0", digest_of(b"newer")),),
    (Interpreter("3.12.1", digest_of(b"python")),),
)


def parts(bill: Bill = BILL) -> dict[str, Any]:
    return {one["bom-ref"]: one for one in json.loads(sbom_document(bill))["components"]}


@pytest.mark.parametrize("bill", [BILL, Bill(digest_of(b"base"), (), ())])
@pytest.mark.slow
def test_the_document_is_one_of_cyclonedx(bill: Bill) -> None:
    errors = JsonStrictValidator(SchemaVersion.V1_6).validate_str(sbom_document(bill).decode())
    assert errors is None


def test_each_package_has_its_name_version_origin_and_hash() -> None:
    assert parts()["model/torch@2.5.1+cu121"] == {
        "bom-ref": "model/torch@2.5.1+cu121",
        "name": "torch",
        "version": "2.5.1+cu121",
        "type": "library",
        "purl": "pkg:pypi/torch@2.5.1%2Bcu121",
        "hashes": [{"alg": "SHA-256", "content": digest_of(b"torch").hex}],
        "licenses": [{"expression": "MIT"}],
        "properties": [{"name": "cogworks:environment", "value": "/opt/venv"}],
    }


def test_licences_without_an_expression_have_the_names_that_authors_give() -> None:
    found = parts()
    assert found["model/pillow@11.0"]["licenses"] == [
        {"license": {"name": "HPND"}},
        {"license": {"name": "Other"}},
    ]
    assert "licenses" not in found["model/pixel@1.0"]


def test_the_servers_packages_are_a_group_of_their_own() -> None:
    document = json.loads(sbom_document(BILL))
    depends = {one["ref"]: one["dependsOn"] for one in document["dependencies"]}
    assert depends == {
        "image": ["base", "python-3.12.1", "model", "server"],
        "model": ["model/pillow@11.0", "model/pixel@1.0", "model/torch@2.5.1+cu121"],
        "server": ["server/pixel@2.0"],
    }
    assert parts()["server"]["properties"][0]["value"] == "/opt/cogworks"


def test_the_base_is_known_by_its_digest_alone() -> None:
    base = parts()["base"]
    assert base["version"] == str(digest_of(b"base"))
    assert base["type"] == "container"


def test_order_does_not_count_and_content_does() -> None:
    turned = Bill(BILL.base, (NAMED, MIT, PLAIN), BILL.server, BILL.interpreters)
    assert sbom_document(turned) == sbom_document(BILL)
    other = Bill(BILL.base, (MIT, PLAIN), BILL.server)
    assert sbom_document(other) != sbom_document(BILL)
    assert json.loads(sbom_document(other))["serialNumber"] != serial()


def serial() -> str:
    return str(json.loads(sbom_document(BILL))["serialNumber"])


def test_the_bytes_stay_what_they_are() -> None:
    """An image's digest depends on them: whoever changes them makes every image a new one."""
    text = sbom_document(Bill(digest_of(b"base"), (MIT, NAMED), (PLAIN,))).decode()
    # Our own version is part of it, and of the image in any case.
    document = json.loads(text.replace(f'"version":"{__version__}"', '"version":"0"'))
    assert document.pop("serialNumber") in text
    assert digest_of(canonical_json(document)).short == "e1ee0e326afd"
