"""Define the base of all models. It tells pydantic, and so FastAPI, how to serialize an object."""

from __future__ import annotations

from importlib import import_module


class Model:
    """The base of all replies, pushes, events and reports, which are frozen.

    It can be a field of a pydantic model and the return type of a FastAPI endpoint: it is serialized like
    ``bm.to_dict``. pydantic cannot make one from JSON: objects come from the exchange.
    """

    __slots__ = ()

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: object) -> object:
        """Describe to pydantic, by its protocol, how to check and serialize an object."""
        from ._plain import plain  # it imports the models

        schemas = import_module("pydantic_core.core_schema")  # installed, since pydantic calls
        written: object = schemas.plain_serializer_function_ser_schema(plain)
        schema: object = schemas.is_instance_schema(cls, serialization=written)
        return schema

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: object, handler: object) -> dict[str, object]:
        """Describe the JSON for OpenAPI, by pydantic's protocol."""
        from ._plain import json_schema  # as above

        return json_schema(cls)
