"""The API's document: what the service around the routes adds to each."""

import json
from pathlib import Path
from typing import Any

from serving.keys import scope_of

PROBLEM = {"$ref": "#/components/schemas/ErrorResponse"}
EXAMPLES = Path(__file__).with_name("examples.json")
"""Answers of the demo, by operation, and errors by status; lists are cut short."""
EVERYWHERE = {
    "401": "No API key, or one that is not known.",
    "403": "The key may not do this.",
    "503": "The service is not ready, is busy, or took too long: try again, see `Retry-After`.",
}
WITH_BODY = {
    "400": "The body cannot be read.",
    "408": "The body did not come in time.",
    "413": "The body is more than 10 MB.",
}
SCHEME = {
    "type": "http",
    "scheme": "bearer",
    "description": "An API key, as `Authorization: Bearer <key>`. A service that has no keys "
    "answers programs of its own machine alone, without one.",
}


def complete(document: dict[str, Any]) -> None:
    """Add keys, limits, their errors and examples to a document of FastAPI's, in place."""
    examples = json.loads(EXAMPLES.read_text(encoding="utf-8"))
    document["components"]["securitySchemes"] = {"key": SCHEME}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            scope = scope_of(method.upper(), f"/v1{path}")
            if scope is None:
                operation["security"] = []
                operation["responses"].pop("422", None)
                operation["responses"].pop("404", None)
                continue
            operation["security"] = [{"key": []}]
            told = f"{operation.get('description', '')}\n\nNeeds a key of the scope `{scope}`."
            operation["description"] = told.strip()
            errors = EVERYWHERE | (WITH_BODY if "requestBody" in operation else {})
            responses = operation["responses"]
            for status, description in errors.items():
                content = {"application/json": {"schema": PROBLEM}}
                responses[status] = {"description": description, "content": content}
            for status, response in responses.items():
                example = examples[f"{method.upper()} {path}" if status == "200" else status]
                response["content"]["application/json"]["example"] = example
