"""From a type and what ``Input(...)`` says of it to an ``InputField``, with every rule checked.

Both front ends end here. The messages are those of the reference, so that authors find them.
"""

from __future__ import annotations

import copy
import math
import re
import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cog._schema.conversions import compile_type
from cog._schema.errors import SignatureError
from cog._schema.given import Given
from cog._schema.kinds import is_finite, is_list
from cog._schema.types import (
    COMPUTED,
    MISSING,
    AnyType,
    ChoiceType,
    FileType,
    InputField,
    ListType,
    OptionalType,
    PathType,
    Scalar,
    SecretType,
    Type,
    UnionType,
    type_name,
)

_NUMBERS = ("int", "float")
_CHOOSABLE = ("int", "float", "str")


def constrain(name: str, type_: Type, given: Given) -> InputField:
    """Return the input ``name`` of a type, as its author describes it.

    Raises:
        SignatureError: a constraint or the default cannot be.
    """
    default = given.default
    given = _bounded(name, given)
    if given.choices is not None and given.choices:
        type_, given = _narrowed(type_, given)
    if default is None and isinstance(type_, (AnyType, SecretType)):
        type_ = OptionalType(type_)
    if default is None and not isinstance(type_, OptionalType):
        default = MISSING  # As upstream: the input must be given.
    result = InputField(
        name,
        type_,
        default,
        given.description,
        given.ge,
        given.le,
        given.min_length,
        given.max_length,
        given.regex,
        given.choices,
        given.deprecated,
        given.accept,
        given.factory,
    )
    _Checks(result, given.places).run()
    if is_finite(default):
        return result
    # JSON has no word for it: it is not in the document, and made where the model runs.
    convert = compile_type(type_)
    return replace(result, default=COMPUTED, factory=lambda: convert(copy.deepcopy(default)))


def _bounded(name: str, given: Given) -> Given:
    """Return what is given without limits that everything is within: ``le=math.inf``."""
    for key, limit, harmless in (("ge", given.ge, -math.inf), ("le", given.le, math.inf)):
        if not is_finite(limit) and limit != harmless:
            message = f"{name}: {key} must be a finite number, not {limit!r}"
            raise SignatureError(message, where=given.places.get(key))
    ge = given.ge if is_finite(given.ge) else None
    le = given.le if is_finite(given.le) else None
    return replace(given, ge=ge, le=le)


def _narrowed(type_: Type, given: Given) -> tuple[Type, Given]:
    """Keep those of an enum's members that ``choices`` names."""
    inner = _constrained_type(type_)
    choices = given.choices or ()
    if not isinstance(inner, ChoiceType) or any(item not in inner.values for item in choices):
        return type_, given
    places = [inner.values.index(choice) for choice in choices]
    objects = tuple(inner.objects[place] for place in places) if inner.objects else ()
    narrowed = ChoiceType(choices, inner.name, objects)
    return _with_inner(type_, narrowed), replace(given, choices=None)


def _with_inner(type_: Type, inner: Type) -> Type:
    if isinstance(type_, OptionalType):
        return OptionalType(_with_inner(type_.item, inner))
    return ListType(inner, type_.container) if isinstance(type_, ListType) else inner


class _Checks:
    """The rules for one input; each raises at the argument that breaks it."""

    def __init__(self, field: InputField, places: Mapping[str, Any]) -> None:
        self._field = field
        self._places = places
        self._item = _constrained_type(field.type)
        self._scalar = self._item.name if isinstance(self._item, Scalar) else ""

    def run(self) -> None:
        self._check_values()
        self._check_applicable()
        self._check_choices()
        self._check_default()

    def _check_values(self) -> None:
        """The arguments of ``Input`` have the types that they are declared with."""
        for names, kinds, expected in _ARGUMENTS:
            for name in names:
                value = getattr(self._field, name)
                is_stray_bool = isinstance(value, bool) and bool not in kinds
                if value is not None and (not isinstance(value, kinds) or is_stray_bool):
                    self._fail(name, f"{name} must be {expected}, not {_quote(value)}")
        for name in ("min_length", "max_length"):
            length = getattr(self._field, name)
            if length is not None and length < 0:
                self._fail(name, f"{name} must be 0 or more, not {length}")
        self._check_order("ge", "le")
        self._check_order("min_length", "max_length")
        if self._field.regex is not None:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # Of what means something else some day.
                    re.compile(self._field.regex)
            except re.error as error:
                self._fail("regex", f"regex {_quote(self._field.regex)} is not valid: {error}")

    def _check_order(self, least: str, most: str) -> None:
        low, high = getattr(self._field, least), getattr(self._field, most)
        if low is not None and high is not None and low > high:
            self._fail(least, f"{least}={low} is more than {most}={high}: no value fits")

    def _check_applicable(self) -> None:
        field = self._field
        if isinstance(self._item, UnionType):
            for name in _CONSTRAINTS:
                if getattr(field, name) is not None:
                    self._fail(name, f"{name} is not supported on a union")
        if self._scalar not in _NUMBERS:
            self._refuse("ge/le", "ge", "le")
        if self._scalar != "str":
            self._refuse("min_length/max_length", "min_length", "max_length")
            self._refuse("regex", "regex")
        if self._scalar not in _CHOOSABLE:
            self._refuse("choices", "choices")
        if field.accept is not None and not isinstance(self._item, (PathType, FileType)):
            self._fail("accept", "accept is only valid on Path or File inputs")

    def _refuse(self, rule: str, *names: str) -> None:
        for name in names:
            if getattr(self._field, name) is not None:
                kind = type_name(self._field.type)
                raise SignatureError(
                    f"incompatible input type for {rule}: {self._field.name}: {kind}",
                    where=self._places.get(name),
                )

    def _check_choices(self) -> None:
        field = self._field
        if field.choices is None:
            return
        if not field.choices:
            self._fail("choices", "choices=[] must have >= 1 elements")
        if field.ge is not None or field.le is not None:
            self._fail("choices", "choices and ge/le are mutually exclusive")
        if field.min_length is not None or field.max_length is not None:
            self._fail("choices", "choices and min_length/max_length are mutually exclusive")
        if not is_finite(list(field.choices)):
            self._fail("choices", "choices must be finite numbers, as in JSON")
        fits = compile_type(self._item)
        for choice in field.choices:
            try:
                fits(choice)
            except ValueError:
                self._fail("choices", "not all choices have the same type as input")

    def _check_default(self) -> None:
        default = self._field.default
        if default is MISSING or default is COMPUTED or default is None:
            return
        try:
            # Of source text there are no classes to make instances of, so neither here.
            compile_type(self._field.type, build=False)(default)
        except ValueError as error:
            self._fail_default(str(error))
        for item in default if is_list(default) else [default]:
            self._check_default_item(item)

    def _check_default_item(self, item: Any) -> None:
        field = self._field
        if field.ge is not None and item < field.ge:
            self._fail_default(f"must be at minimum {field.ge}")
        if field.le is not None and item > field.le:
            self._fail_default(f"must be at maximum {field.le}")
        if field.min_length is not None and len(item) < field.min_length:
            self._fail_default(f"default conflicts with min_length={field.min_length}")
        if field.max_length is not None and len(item) > field.max_length:
            self._fail_default(f"default conflicts with max_length={field.max_length}")
        if field.regex is not None and not re.search(field.regex, item):
            self._fail_default("default not a regex match")
        if field.choices is not None and item not in field.choices:
            self._fail_default(f"{_quote(item)} is not one of the choices")

    def _fail_default(self, message: str) -> None:
        kind = type_name(self._field.type)
        raise SignatureError(
            f"invalid default for {self._field.name}: {kind}: {message}",
            where=self._places.get("default"),
        )

    def _fail(self, argument: str, message: str) -> None:
        raise SignatureError(f"{self._field.name}: {message}", where=self._places.get(argument))


_CONSTRAINTS = ("ge", "le", "min_length", "max_length", "regex", "choices")

_ARGUMENTS: tuple[tuple[tuple[str, ...], tuple[type, ...], str], ...] = (
    (("ge", "le"), (int, float), "a number"),
    (("min_length", "max_length"), (int,), "an integer"),
    (("description", "regex", "accept"), (str,), "a string"),
    (("deprecated",), (bool,), "True or False"),
)


def _constrained_type(type_: Type) -> Type:
    """Return the type that constraints are about: the items of a list, what may be None."""
    if isinstance(type_, OptionalType):
        type_ = type_.item
    return type_.item if isinstance(type_, ListType) else type_


def _quote(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:79] + "…"
