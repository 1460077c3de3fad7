"""Rules for Deployments, StatefulSets, DaemonSets and ReplicaSets.

Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/deployment-v1/ and
    its neighbours
"""

from typing import Final

from benchmark_manager.domain.validation.api_server import forms
from benchmark_manager.domain.validation.api_server.labels import LABEL_SELECTOR
from benchmark_manager.domain.validation.api_server.pods import POD_SPEC
from benchmark_manager.domain.validation.api_server.rules import (
    Field,
    Rule,
    Shape,
    all_of,
    each,
    forbidden,
    given,
    is_number,
    known,
    number,
    one_of,
)
from benchmark_manager.domain.validation.api_server.volumes import CLAIM_IN_TEMPLATE
from benchmark_manager.domain.validation.texts.yaml_values import Value
from benchmark_manager.domain.validation.values import mapping

_PROGRESS_SECONDS: Final = 600
_ZERO: Final = (0, "0%")

_TEMPLATE: Final = Shape(
    {
        "spec": POD_SPEC.extended(
            {
                "activeDeadlineSeconds": forbidden(
                    "Pods that are replaced when they end cannot have a deadline."
                )
            }
        )
    }
)


def _selector(value: Value, field: Field) -> None:
    if (
        isinstance(value, dict)
        and not value.get("matchLabels")
        and not value.get("matchExpressions")
        and field.whole
    ):
        field.refuse(
            "wrong_value",
            "The selector is empty; it must select the template's pods by their labels.",
        )
    LABEL_SELECTOR(value, field)


_COMMON: Final[dict[str, Rule]] = {
    "replicas": number(0),
    "minReadySeconds": number(0),
    "revisionHistoryLimit": number(0),
    "selector": _selector,
    "template": _TEMPLATE,
}


def _rolling_only(value: Value, field: Field) -> None:
    kind = known(value, "type")
    if kind in ("Recreate", "OnDelete") and given(value, ("rollingUpdate",)):
        field.child("rollingUpdate").refuse(
            "fields_conflict", f"rollingUpdate needs type: RollingUpdate, not {kind}."
        )


def _some_may_move(value: Value, field: Field) -> None:
    if mapping(value).get("maxSurge") in _ZERO and mapping(value).get("maxUnavailable") in _ZERO:
        message = "maxSurge and maxUnavailable cannot both be 0, or no pod could be replaced."
        field.child("maxUnavailable").refuse("fields_conflict", message)


def _surge_or_unavailable(value: Value, field: Field) -> None:
    """Report a DaemonSet that adds pods and stops pods at once; only a Deployment may."""
    if all(_is_some(known(value, name)) for name in ("maxSurge", "maxUnavailable")):
        message = "Only one of a DaemonSet's maxSurge and maxUnavailable can be above 0."
        field.child("maxSurge").refuse("fields_conflict", message)


def _is_some(count: Value) -> bool:
    if isinstance(count, str):
        return count.endswith("%") and count[:-1].isdecimal() and bool(count[:-1].strip("0"))
    return is_number(count) and count > 0


def _progress(value: Value, field: Field) -> None:
    ready = known(value, "minReadySeconds", 0)
    progress = known(value, "progressDeadlineSeconds", _PROGRESS_SECONDS)
    if is_number(ready) and is_number(progress) and 0 <= progress <= ready and field.whole:
        shown = (
            "progressDeadlineSeconds"
            if given(value, ("progressDeadlineSeconds",))
            else "minReadySeconds"
        )
        message = f"progressDeadlineSeconds ({progress}) must be above minReadySeconds ({ready})."
        field.child(shown).refuse("fields_conflict", message)


_ROLLING: Final = {
    "maxSurge": forms.count_or_percentage,
    "maxUnavailable": all_of(forms.count_or_percentage, forms.at_most_all),
}

DEPLOYMENT: Final = Shape(
    {
        "spec": Shape(
            {
                **_COMMON,
                "progressDeadlineSeconds": number(0),
                "strategy": Shape(
                    {
                        "type": one_of("Recreate", "RollingUpdate"),
                        "rollingUpdate": Shape(_ROLLING, _some_may_move),
                    },
                    _rolling_only,
                ),
            },
            _progress,
        )
    }
)
_RETENTION: Final = one_of("Retain", "Delete")
STATEFUL_SET: Final = Shape(
    {
        "spec": Shape(
            {
                **_COMMON,
                "podManagementPolicy": one_of("OrderedReady", "Parallel"),
                "updateStrategy": Shape(
                    {
                        "type": one_of("RollingUpdate", "OnDelete"),
                        "rollingUpdate": Shape(
                            {"partition": number(0), "maxUnavailable": forms.count_or_percentage}
                        ),
                    },
                    _rolling_only,
                ),
                "persistentVolumeClaimRetentionPolicy": Shape(
                    {"whenDeleted": _RETENTION, "whenScaled": _RETENTION}
                ),
                "ordinals": Shape({"start": number(0)}),
                "volumeClaimTemplates": each(Shape({"spec": CLAIM_IN_TEMPLATE})),
            }
        )
    }
)
DAEMON_SET: Final = Shape(
    {
        "spec": Shape(
            {
                **_COMMON,
                "updateStrategy": Shape(
                    {
                        "type": one_of("RollingUpdate", "OnDelete"),
                        "rollingUpdate": Shape(_ROLLING, _some_may_move, _surge_or_unavailable),
                    },
                    _rolling_only,
                ),
            }
        )
    }
)
REPLICA_SET: Final = Shape({"spec": Shape(_COMMON)})
