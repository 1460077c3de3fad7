"""The comparison of a variant with its base, its original, or one of its revisions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request, Response

from benchmark_manager.domain.fields import LONGEST_ID
from benchmark_manager.errors import TooComplexError
from benchmark_manager.factory import Services
from benchmark_manager.incoming import ObjectReader, ServicesDependency
from benchmark_manager.models.page import PageRequest
from benchmark_manager.services.variants.comparing import ComparedTexts
from benchmark_manager.web import PREFIX
from benchmark_manager.web.site.forms import protected_form
from benchmark_manager.web.site.pages import project_view
from benchmark_manager.web.site.rendering import editor_size, render
from benchmark_manager.web.texts.limits import COMPARED, SIDE_BY_SIDE
from benchmark_manager.web.texts.listing import PartParameter
from benchmark_manager.web.texts.text_diff import differences
from benchmark_manager.web.texts.values import DrawnChange, drawn_changes

router = APIRouter(prefix=PREFIX, dependencies=[Depends(protected_form)], include_in_schema=False)

#: Revisions offered for comparison; the list of revisions links to all of them.
_REVISIONS: Final = 100


@router.get("/modified-files/{variant_id}/compare")
async def compare(
    request: Request,
    services: ServicesDependency,
    principal: ObjectReader,
    variant_id: str,
    against: Annotated[str, Query(max_length=LONGEST_ID)] = "base",
    part: PartParameter = 1,
) -> Response:
    file = await services.variants.get(principal, variant_id)
    found = await services.comparing.texts(principal, variant_id, against)
    revisions = await services.revisions.page(principal, variant_id, PageRequest(limit=_REVISIONS))
    by_key = await _by_key(services, found)
    return render(
        request,
        "variants/variant_compare.html",
        view=await project_view(services, file.project_id),
        file=file,
        against=against,
        revisions=revisions.rows,
        found=found,
        by_key=by_key,
        diff=await differences(
            services,
            found.before,
            found.after,
            (found.before_path, found.after_path),
            part=part,
            extent=COMPARED,
            line_ends="exact",
        ),
        beside=editor_size(found.before) + editor_size(found.after) <= SIDE_BY_SIDE,
    )


@dataclass(frozen=True, slots=True)
class _ByKey:
    """The first changes by key and their number; `rows` is None if the texts have no keys."""

    rows: Sequence[DrawnChange] | None
    count: int = 0
    refusal: TooComplexError | None = None


async def _by_key(services: Services, found: ComparedTexts) -> _ByKey:
    try:
        changes = await services.comparing.changes(found)
    except TooComplexError as error:
        return _ByKey(None, refusal=error)
    return _ByKey(None) if changes is None else _ByKey(drawn_changes(changes), len(changes))
