"""Make objects whose reply lacked a member: the member is absent, and the rest of the object works as usual.

An object of a model has a slot per member. If members are absent, their slots are never set, and the object belongs to
a generated subclass of the model that knows their names: reading one raises `AbsentMember`; printing, comparing,
hashing, copying, pickling and ``attrs.evolve`` work and show it as absent. Models know nothing of this, so ordinary
objects cost nothing more, and a misspelt name stays an error to type checkers and at run time.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, NoReturn, TypeVar, cast

import attrs

from ..errors import AbsentMember

T = TypeVar("T")

_NOTHING: Final[Mapping[str, str | None]] = MappingProxyType({})
_SHOWN: Final = 60


class _Absence:
    """The representation of an absent member."""

    __slots__ = ("_raw",)

    def __init__(self, raw: str | None) -> None:
        self._raw = raw

    def __repr__(self) -> str:
        if self._raw is None:
            return "<absent>"
        return f"<absent: {self._raw if len(self._raw) <= _SHOWN else f'{self._raw[:_SHOWN]}...'}>"


class _Partial:
    """The base of the generated classes, which declare its slots."""

    __slots__ = ()

    _absent_: Mapping[str, str | None]
    _source_: str

    def __new__(cls, **values: object) -> Any:  # noqa: ANN401  # an object of the model, absent members or not
        """Make an object as ``attrs.evolve`` does: by argument names, without members that are still absent."""
        model = _model(cls)
        fields = attrs.fields(model)
        given = {field.name: values.pop(field.alias) for field in fields if field.alias in values}
        if values:
            raise TypeError(f"{cls.__name__} has no member {next(iter(values))!r}")
        left = {field.name: None for field in fields if field.name not in given}
        return partial(model, given, left, "")

    def __init__(self, **values: object) -> None:
        """Do nothing: `__new__` has made the object."""

    def __getattr__(self, name: str) -> object:
        if name in self._absent_:
            raise AbsentMember(
                member=name, model=_model(type(self)).__name__, source=self._source_, raw=self._absent_[name]
            )
        derived = inspect.getattr_static(type(self), name, None)
        if isinstance(derived, property) and derived.fget is not None:
            return derived.fget(self)  # the property read an absent member: its error says which
        raise AttributeError(f"{_model(type(self)).__name__!r} object has no attribute {name!r}")

    def __repr__(self) -> str:
        parts: list[str] = []
        for field in attrs.fields(_model(type(self))):
            if not field.repr:
                continue
            gone = field.name in self._absent_
            shown = _Absence(self._absent_[field.name]) if gone else getattr(self, field.name)
            parts.append(f"{field.name}={shown!r}")
        return f"{_model(type(self)).__name__}({', '.join(parts)})"

    def __rich_repr__(self) -> Iterator[tuple[str, object]]:
        """Yield the members for rich, which otherwise goes by the class and does not know the absent ones."""
        for field in attrs.fields(_model(type(self))):
            if field.repr:
                gone = field.name in self._absent_
                yield field.name, _Absence(self._absent_[field.name]) if gone else getattr(self, field.name)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Partial):
            return False if isinstance(other, _model(type(self))) else NotImplemented
        if _model(type(self)) is not _model(type(other)):
            return NotImplemented
        return _values(self) == _values(other)

    def __hash__(self) -> int:
        return hash((_model(type(self)), tuple(sorted(self._absent_)), tuple(_values(self).values())))

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return partial, (_model(type(self)), _values(self), dict(self._absent_), self._source_)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise attrs.exceptions.FrozenInstanceError

    def __delattr__(self, name: str) -> NoReturn:
        raise attrs.exceptions.FrozenInstanceError


def _model(kind: type[_Partial]) -> type[attrs.AttrsInstance]:
    """Return the model that a generated class was made from."""
    return cast("type[attrs.AttrsInstance]", kind.__mro__[2])


def _values(obj: _Partial) -> dict[str, object]:
    kind = cast("type[attrs.AttrsInstance]", type(obj))
    return {field.name: getattr(obj, field.name) for field in attrs.fields(kind)}


@lru_cache(maxsize=512)
def _class(model: type, names: frozenset[str]) -> type[Any]:
    """Return the class of objects of a model that lack these members."""
    present = tuple(field for field in attrs.fields(model) if field.name not in names)
    members = {
        "__slots__": ("_absent_", "_source_"),
        "__module__": model.__module__,
        "__qualname__": model.__qualname__,
        "__doc__": model.__doc__,
        "__attrs_attrs__": present,  # used by attrs.evolve and attrs.asdict
    }
    return type(model.__name__, (_Partial, model), members)


def partial(model: type[T], values: Mapping[str, object], absent: Mapping[str, str | None], source: str) -> T:
    """Return an object of a model with some members absent.

    Args:
        model: an attrs class with slots.
        values: the present members, by field name.
        absent: the absent members, with the JSON in their place; None if there is none. Without any, the object is an
            ordinary one.
        source: the reply or channel that it was read from, for messages.
    """
    whole: Any = model
    kind = _class(whole, frozenset(absent)) if absent else whole
    new = object.__new__(kind)
    for name, value in values.items():
        object.__setattr__(new, name, value)
    if absent:
        object.__setattr__(new, "_absent_", MappingProxyType(dict(absent)))
        object.__setattr__(new, "_source_", source)
    finish = getattr(model, "__attrs_post_init__", None)
    if finish is not None:
        finish(new)
    return cast("T", new)


def model_of(obj: object) -> type:
    """Return the class that an object's members are declared in."""
    return _model(type(obj)) if isinstance(obj, _Partial) else type(obj)


def is_partial(kind: type) -> bool:
    """Return True for a class of objects that lack members."""
    return issubclass(kind, _Partial)


def absent(obj: object) -> Mapping[str, str | None]:
    """Return the members of an object that its reply or push lacked; an empty mapping if it lacked none.

    In use::

        if "status" in bm.absent(contract):
            ...

    Args:
        obj: a model from a reply or stream. Nested objects have absent members of their own.

    Returns:
        Each absent member by its Python name, with the JSON that came in its place; None if nothing came. (An object
        made by ``attrs.evolve`` keeps the names but not the JSON.)
    """
    return obj._absent_ if isinstance(obj, _Partial) else _NOTHING  # pyright: ignore[reportPrivateUsage]  # ours
