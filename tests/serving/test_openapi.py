"""The API's document: everything in it is described, and its examples are of its own forms."""

from typing import Any

import pytest

from serving import answer_schemas, view_schemas
from serving.api import create_api

DOCUMENT = create_api().openapi()
OPERATIONS: dict[str, dict[str, Any]] = {
    f"{method.upper()} {path}": operation
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}
KEPT = [name for name, operation in OPERATIONS.items() if operation["security"]]
FORMS = {**vars(answer_schemas), **vars(view_schemas)}


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_says_what_it_does_and_answers(name: str) -> None:
    operation = OPERATIONS[name]
    assert operation["summary"][0].isupper()
    assert operation["description"].endswith(".")
    for response in operation["responses"].values():
        assert response["description"]
        assert response["content"]["application/json"].get("example") or name not in KEPT


def test_every_field_is_described() -> None:
    bare = [
        f"{schema}.{name}"
        for schema, form in DOCUMENT["components"]["schemas"].items()
        for name, field in form.get("properties", {}).items()
        if not field.get("description")
    ]
    assert bare == []


@pytest.mark.parametrize("name", KEPT)
def test_every_example_is_of_the_form_that_it_is_an_example_of(name: str) -> None:
    for response in OPERATIONS[name]["responses"].values():
        content = response["content"]["application/json"]
        form = FORMS[content["schema"]["$ref"].rsplit("/", 1)[-1]]
        assert form.model_validate(content["example"]).model_dump() == content["example"]
