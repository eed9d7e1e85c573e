"""Checks of every request to a double of Discord against Discord's own OpenAPI description."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from jsonschema_rs import Validator, validator_for
from simcord.http import router

from tests.conftest import SHARED_DATA

DESCRIPTION = SHARED_DATA / "discord" / "openapi.json"
ACCEPTED: Mapping[str, Mapping[str, Any]] = {
    "ApplicationCommandUpdateRequest": {"nsfw": {"type": "boolean"}},
    "RichEmbed": {"flags": {"type": "integer"}},
    "MessageEditRequestPartial": {"tts": {"const": False}},
    "IncomingWebhookUpdateRequestPartial": {"tts": {"const": False}},
    "IncomingWebhookUpdateForInteractionCallbackRequestPartial": {"tts": {"const": False}},
    "CreateForumThreadRequest": {"type": {"const": 11}},
    "BaseCreateMessageCreateRequest": {"tts": {"const": False}},
}
"""Properties that discord.py sends and Discord accepts, but that the description lacks."""
ACCEPTED_PARAMETERS = {("POST /channels/{channel_id}/threads", "query", "use_nested_fields")}
SNOWFLAKE = {"anyOf": [{"type": "string", "pattern": "^(0|[1-9][0-9]*)$"}, {"type": "integer", "minimum": 0}]}
"""Schema of an id. The description has a string, but Discord also accepts a number, which discord.py sends."""


@dataclass
class Tally:
    """Requests judged so far in this process."""

    requests: int = 0
    operations: set[str] = field(default_factory=set)
    violations: list[str] = field(default_factory=list)


class Description:
    """Judges requests. Objects accept only the described properties, in every branch."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        schemas = {name: strict(schema) for name, schema in document["components"]["schemas"].items()}
        for name, properties in ACCEPTED.items():
            schemas[name]["properties"] |= properties
        schemas["SnowflakeType"] = SNOWFLAKE
        self._components = {"schemas": schemas}
        self._operations: dict[tuple[str, int], list[tuple[list[str], str, Mapping[str, Any]]]] = {}
        for path, item in document["paths"].items():
            segments = path.strip("/").split("/")
            shared = item.get("parameters", [])
            for method, operation in item.items():
                if method in {"get", "put", "post", "patch", "delete"}:
                    known = self._operations.setdefault((method, len(segments)), [])
                    whole = {**operation, "parameters": [*shared, *operation.get("parameters", [])]}
                    known.append((segments, path, whole))
        self._validators: dict[tuple[str, str], Validator | None] = {}
        self._parameters: dict[tuple[str, str, str], Validator] = {}

    def judge(self, method: str, path: str, query: Mapping[str, str], body: Any) -> Iterator[str]:
        """Yield the problems of a request. `body` is its JSON, or None."""
        found = self._find(method.lower(), path)
        if found is None:
            yield f"{method} {path}: no such operation"
            return
        template, operation, values = found
        name = f"{method} {template}"
        validator = self._validator(method.lower(), template, operation)
        if body is not None and validator is None:
            yield f"{name}: takes no body"
        elif body is None and operation.get("requestBody", {}).get("required"):
            yield f"{name}: needs a body"
        elif body is not None and validator is not None:
            yield from (
                f"{name}: {error.instance_path}: {error.message}" for error in validator.iter_errors(body)
            )
        yield from self._judge_parameters(name, operation, values, query)

    def template(self, method: str, path: str) -> str:
        """Return the path of the operation as described, with placeholders."""
        found = self._find(method.lower(), path)
        return found[0] if found else path

    def _judge_parameters(
        self,
        name: str,
        operation: Mapping[str, Any],
        values: Mapping[str, str],
        query: Mapping[str, str],
    ) -> Iterator[str]:
        described = {(p["in"], p["name"]): p for p in operation["parameters"]}
        received = {("path", n): v for n, v in values.items()} | {("query", n): v for n, v in query.items()}
        for (place, parameter), value in received.items():
            if (name, place, parameter) in ACCEPTED_PARAMETERS:
                continue
            if (place, parameter) not in described:
                yield f"{name}: unknown {place} parameter {parameter}"
                continue
            schema = described[place, parameter]["schema"]
            key = (name, place, parameter)
            if key not in self._parameters:
                self._parameters[key] = self._compiled(schema)
            if not any(self._parameters[key].is_valid(reading) for reading in _readings(value)):
                yield f"{name}: {place} parameter {parameter} can't be {value!r}"

    def _find(self, method: str, path: str) -> tuple[str, Mapping[str, Any], dict[str, str]] | None:
        segments = path.strip("/").split("/")
        best: tuple[int, str, Mapping[str, Any], dict[str, str]] | None = None
        for template, whole, operation in self._operations.get((method, len(segments)), ()):
            pairs = list(zip(template, segments, strict=True))
            if all(t == s or t.startswith("{") for t, s in pairs):
                literal = sum(t == s for t, s in pairs)
                values = {t.strip("{}"): s for t, s in pairs if t.startswith("{")}
                if best is None or literal > best[0]:
                    best = (literal, whole, operation, values)
        return best[1:] if best else None

    def _validator(self, method: str, template: str, operation: Mapping[str, Any]) -> Validator | None:
        if (method, template) not in self._validators:
            content = operation.get("requestBody", {}).get("content", {})
            schema = content.get("application/json", {}).get("schema")
            self._validators[method, template] = None if schema is None else self._compiled(schema)
        return self._validators[method, template]

    def _compiled(self, schema: Mapping[str, Any]) -> Validator:
        return validator_for({**strict(schema), "components": self._components}, validate_formats=True)


def strict(schema: Any) -> Any:
    """Return the schema with open objects closed, so that they and unions of them refuse unknown properties."""
    if isinstance(schema, list):
        return [strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: strict(part) for name, part in schema.items()}
    kinds = closed.get("type")
    is_object = kinds == "object" or (isinstance(kinds, list) and "object" in kinds)
    if is_object and "additionalProperties" not in closed and "allOf" not in closed:
        closed["additionalProperties"] = False
    return closed


@cache
def description() -> Description | None:
    """Return Discord's description, or None if the shared data is missing."""
    return Description(json.loads(DESCRIPTION.read_bytes())) if DESCRIPTION.is_file() else None


tally = Tally()


def judge(method: str, path: str, query: Mapping[str, str], body: Any) -> None:
    """Judge a request and count it."""
    if (judging := description()) is None:
        return
    tally.requests += 1
    tally.operations.add(f"{method} {judging.template(method, path)}")
    tally.violations += judging.judge(method, path, query, body)


@contextmanager
def judged() -> Iterator[None]:
    """Judge the requests to SimCord. Raise AssertionError at the end if any request meanwhile was invalid."""
    before, dispatch = len(tally.violations), router.dispatch

    def judged_dispatch(backend: Any, method: str, path: str, **parts: Any) -> Any:
        query = {name: str(value) for name, value in (parts.get("params") or {}).items()}
        judge(method, path, query, json.loads(json.dumps(parts.get("json"))))
        return dispatch(backend, method, path, **parts)

    router.dispatch = judged_dispatch
    try:
        yield
    finally:
        router.dispatch = dispatch
    if found := tally.violations[before:]:
        raise AssertionError("\n".join(found))


def _readings(value: str) -> Iterator[Any]:
    """Yield the possible values of the text of a parameter."""
    yield value
    if value.lstrip("-").isdigit():
        yield int(value)
    if value.lower() in {"true", "false", "0", "1"}:
        yield value.lower() in {"true", "1"}
