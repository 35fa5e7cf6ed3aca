"""The page: complete, alone in the world, and deaf to markup in the author's words."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shlex
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from cogworks.server import docs_page
from cogworks.server.docs_page import HEADERS, ORIGIN, render

CONTENT_SECURITY_POLICY = HEADERS["Content-Security-Policy"]
SCRIPT = Path(docs_page.__file__).with_name("docs_page.js")
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\"'&"


class Page(HTMLParser):
    """The elements of a page, each with its attributes and the text directly in it."""

    VOID = frozenset({"meta", "link", "input", "br", "img"})

    def __init__(self, html: bytes) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self._open: list[str] = []
        self.feed(html.decode())
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((self._open[-1] if self._open else "", data))

    def text(self, tag: str) -> str:
        return "".join(data for name, data in self.texts if name == tag)

    def fields(self) -> dict[str, dict[str, str | None]]:
        return {str(a["name"]): {"tag": tag, **a} for tag, a in self.elements if "data-kind" in a}


def model(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    component = {"type": "object", "properties": properties, "required": list(required)}
    return {"info": {"version": "1.2"}, "components": {"schemas": {"Input": component}}}


def test_each_input_has_a_field_and_says_what_it_takes() -> None:
    page = Page(
        render(
            model(
                ("text",),
                text={"type": "string", "description": "What to say"},
                count={"type": "integer", "minimum": 1, "maximum": 9, "default": 3},
                size={"enum": ["a", "b"], "default": "b"},
                image={"type": "string", "format": "uri", "x-cog-accept": "image/*"},
                key={"type": "string", "format": "password"},
            )
        )
    )
    fields = page.fields()
    assert {name: field["data-kind"] for name, field in fields.items()} == {
        "text": "text",
        "count": "number",
        "size": "choice",
        "image": "file",
        "key": "secret",
    }
    assert fields["text"]["data-required"] == "yes"
    assert [fields["count"][name] for name in ("min", "max", "step", "value")] == list("1913")
    assert fields["image"]["accept"] == "image/*"
    assert fields["key"]["type"] == "password"
    assert "What to say" in page.text("p")
    assert "integer · at least 1 · at most 9" in page.text("small")
    for field in fields.values():
        assert ("label", {"for": field["id"]}) in page.elements


def test_the_default_choice_is_selected_and_others_may_be_left_out() -> None:
    page = Page(render(model(size={"enum": ["a", "b"], "default": "b"}, flag={"type": "boolean"})))
    options = [attributes for tag, attributes in page.elements if tag == "option"]
    assert options == [
        {"value": '"a"'},
        {"value": '"b"', "selected": None},
        {"value": ""},
        {"value": "true"},
        {"value": "false"},
    ]


def test_the_authors_words_are_no_markup() -> None:
    document = model(
        (HOSTILE, "file"),
        **{
            HOSTILE: {"type": "string", "description": HOSTILE, "default": HOSTILE},
            "choice": {"enum": [HOSTILE], "default": HOSTILE, "pattern": HOSTILE},
            "file": {"type": "string", "format": "uri", "x-cog-accept": HOSTILE},
            "json": {"type": "object", "default": {HOSTILE: HOSTILE}},
            "other": {"type": HOSTILE, "minimum": HOSTILE},
            "number": {"type": "number", "minimum": HOSTILE, "default": HOSTILE},
        },
    )
    document["info"]["version"] = HOSTILE
    page = Page(render(document))
    tags = [tag for tag, _ in page.elements]
    assert tags.count("script") == 1
    assert "img" not in tags
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)
    assert page.fields()[HOSTILE]["tag"] == "textarea"


def test_the_text_of_a_default_is_whole() -> None:
    text = "\n\n first\nlast & <b>\n"
    html = render(model(text={"type": "string", "default": text})).decode()
    written = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", html, re.DOTALL)
    assert written is not None
    assert written[1] == "\n\n first\nlast &amp; &lt;b&gt;\n"


def test_nothing_is_loaded_from_anywhere() -> None:
    page = Page(render(model(text={"type": "string"})))
    for tag, attributes in page.elements:
        assert "src" not in attributes
        if "href" in attributes:
            assert attributes["href"] in ("openapi.json", "data:,"), tag
        assert "style" not in attributes
    assert "@import" not in page.text("style")
    assert "url(" not in page.text("style")


def test_the_policy_allows_exactly_the_script_and_the_style_of_the_page() -> None:
    page = Page(render(model(text={"type": "string"})))
    for tag in ("script", "style"):
        digest = base64.b64encode(hashlib.sha256(page.text(tag).encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}';" in CONTENT_SECURITY_POLICY
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert CONTENT_SECURITY_POLICY.startswith("default-src 'none';")


def test_the_page_has_no_markup_that_would_end_its_script() -> None:
    assert "</" not in SCRIPT.read_text(encoding="utf-8")


def test_the_command_can_be_run_as_it_stands() -> None:
    document = model(("text", "n"), text={"type": "string", "enum": ["it's"]}, n={"type": "number"})
    command = Page(render(document)).text("code").partition("curl ")[2]
    words = shlex.split(command.replace("\\\n", ""))
    assert words[0] == f"{ORIGIN}/predictions"
    assert json.loads(words[-1]) == {"input": {"text": "it's", "n": 1}}


def test_a_token_is_asked_for_where_one_is_needed() -> None:
    document = model(text={"type": "string"})
    assert b'id="token"' not in render(document)
    page = Page(render(document, needs_token=True))
    assert any(attributes.get("id") == "token" for _, attributes in page.elements)
    assert "Authorization: Bearer $COG_API_TOKEN" in page.text("code")


def test_trainings_are_sent_where_they_belong() -> None:
    html = render(model(text={"type": "string"}), "train")
    assert b'data-url="trainings"' in html
    assert b"/trainings" in html


def test_a_model_without_inputs_can_be_tried_too() -> None:
    page = Page(render({}))
    assert page.fields() == {}
    assert "no inputs" in page.text("p")
    assert any(attributes.get("id") == "run" for _, attributes in page.elements)


# -- the script, as far as it needs no browser ------------------------------------------------

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed")


def evaluate(expression: str) -> Any:
    code = f"{SCRIPT.read_text(encoding='utf-8')}\nconsole.log(JSON.stringify({expression}));"
    result = subprocess.run(["node", "-e", code], capture_output=True, text=True, check=True)
    return json.loads(result.stdout)


@needs_node
def test_a_field_is_sent_as_its_kind_or_left_out() -> None:
    cases: list[tuple[dict[str, Any], Any]] = [
        ({"kind": "text", "text": "a"}, "a"),
        ({"kind": "text", "text": ""}, None),
        ({"kind": "text", "text": "", "initial": "x"}, ""),
        ({"kind": "text", "text": "", "required": True}, ""),
        ({"kind": "text", "text": "3"}, "3"),
        ({"kind": "number", "text": "1.5"}, 1.5),
        ({"kind": "number", "text": ""}, None),
        ({"kind": "choice", "text": '"a"'}, "a"),
        ({"kind": "choice", "text": "false"}, False),
        ({"kind": "json", "text": '{"a": [1]}'}, {"a": [1]}),
        ({"kind": "json", "text": " "}, None),
    ]
    unset: dict[str, Any] = {"initial": "", "required": False}
    fields = json.dumps([unset | field for field, _ in cases])
    assert evaluate(f"{fields}.map(valueOf)") == [value for _, value in cases]


@needs_node
def test_files_of_an_output_are_recognized_and_text_is_not() -> None:
    values: dict[Any, str | None] = {
        "data:image/png;base64,AA==": "image",
        "data:audio/wav;base64,AA==": "audio",
        "data:video/mp4;base64,AA==": "video",
        "data:text/html,x": "download",
        "data:,x": "download",
        "https://example.com/a.png": "link",
        "https://example.com is a site": None,
        "data: that is what it is, mostly": None,
        "javascript:alert(1)": None,
        "plain": None,
        3: None,
    }
    assert evaluate(f"{json.dumps(list(values))}.map(mediaOf)") == list(values.values())


@needs_node
def test_files_are_found_anywhere_in_an_output_and_text_is_joined() -> None:
    output = {"a": ["data:image/png,x"], "b": "https://x.example/y"}
    found = evaluate(f"split({json.dumps(output)})")
    assert [item["kind"] for item in found["media"]] == ["image", "link"]
    assert json.loads(found["rest"]) == {"a": ["(image 1)"], "b": "https://x.example/y"}
    assert evaluate('[["a", "b "], "c", [1], [], null].map(textOf)') == [
        "ab ",
        "c",
        None,
        None,
        None,
    ]


@needs_node
def test_what_stands_beside_files_is_shown_too() -> None:
    file = "data:image/png,x"
    outputs = [file, [file, file], [file, "text"], {"a": file}]
    assert evaluate(f"{json.dumps(outputs)}.map(isMedia)") == [True, True, False, False]


@needs_node
def test_events_are_read_as_they_come_in_pieces() -> None:
    text = 'id: 1\nevent: output\ndata: {"chunk":"a"}\n\n: keep-alive\n\nevent: log\ndata: {"da'
    assert evaluate(f"readEvents({json.dumps(text)})") == {
        "events": [{"name": "output", "data": {"chunk": "a"}}],
        "rest": 'event: log\ndata: {"da',
    }


@needs_node
def test_the_reasons_of_a_refusal_are_shown() -> None:
    detail = {"detail": [{"loc": ["body", "input", "n"], "msg": "Field required", "type": "x"}]}
    assert evaluate(f"errorOf({json.dumps(detail)})") == "n: Field required"
    assert evaluate('errorOf({"error": "busy"})') == "busy"
    assert evaluate('errorOf({"error": null})') is None
