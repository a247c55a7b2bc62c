"""The base of what users hold: it says to pydantic, and so to FastAPI, how an object is written."""

from __future__ import annotations

from importlib import import_module


class Model:
    """A frozen object of replies, pushes, events or reports.

    It can be a field of a pydantic model and the return type of a FastAPI endpoint: it is written as ``bm.to_dict``
    writes it. pydantic makes none from JSON: objects come from the exchange.
    """

    __slots__ = ()

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: object) -> object:
        """Say how pydantic checks and writes an object; pydantic's own protocol."""
        from ._plain import plain  # it knows the models

        schemas = import_module("pydantic_core.core_schema")  # it is there: pydantic asks
        written: object = schemas.plain_serializer_function_ser_schema(plain)
        schema: object = schemas.is_instance_schema(cls, serialization=written)
        return schema

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: object, handler: object) -> dict[str, object]:
        """Say what the JSON looks like, for OpenAPI; pydantic's own protocol."""
        from ._plain import json_schema  # as above

        return json_schema(cls)
