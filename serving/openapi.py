"""The API's document: what the service around the routes adds to each."""

from typing import Any

from serving.keys import scope_of

PROBLEM = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorResponse"}}}
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
    """Add keys, limits and their errors to a document of FastAPI's, in place."""
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
            for status, description in errors.items():
                operation["responses"][status] = {"description": description, "content": PROBLEM}
