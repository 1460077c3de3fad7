"""Validation: checking a content without saving it."""

from fastapi import APIRouter

from benchmark_manager.api.http.json_bodies import BoundedBody
from benchmark_manager.api.http.problems import documented
from benchmark_manager.api.http.requests import AnyPrincipal, ServicesDependency
from benchmark_manager.api.validation.shapes import (
    KubernetesCheckAnswer,
    ValidateRequest,
    ValidationAnswer,
)
from benchmark_manager.services.validation.validation import IntendedPath

router = APIRouter(tags=["validation"], route_class=BoundedBody, strict_content_type=False)


@router.post(
    "/validate",
    summary="Check a content without saving it",
    responses=documented(
        "malformed_json",
        "body_too_large",
        "unsupported_media_type",
        "invalid_request",
        "invalid_name",
        "too_large",
        "project_not_found",
    ),
)
async def validate_content(
    services: ServicesDependency, principal: AnyPrincipal, body: ValidateRequest
) -> ValidationAnswer:
    """Return the verdict that saving would give.

    With `project_id` and `path` it includes what contradicts the project's originals.
    """
    intended = (
        None
        if body.project_id is None or body.path is None
        else IntendedPath(body.project_id, body.path)
    )
    checked = await services.validation.check(
        principal, body.name, body.content, body.file_type, intended
    )
    return ValidationAnswer(
        name=body.name,
        format=checked.format,
        file_type=body.file_type,
        validity=checked.verdict.validity,
        problems=checked.verdict.problems,
        kubernetes=KubernetesCheckAnswer(
            enabled=bool(checked.kubernetes.versions),
            versions=checked.kubernetes.versions,
            reason=checked.kubernetes.reason,
        ),
    )
