"""Rules for where pods run: tolerations, affinity, spreading, name servers.

Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#scheduling
"""

from typing import Final

from benchmark_manager.domain.validation.api_server import forms
from benchmark_manager.domain.validation.api_server.labels import LABEL_SELECTOR, requirement
from benchmark_manager.domain.validation.api_server.rules import (
    OPEN,
    Field,
    Shape,
    all_of,
    at_most,
    each,
    is_open,
    known,
    number,
    one_of,
    required,
    text,
)
from benchmark_manager.domain.validation.findings import excerpt
from benchmark_manager.domain.validation.texts.yaml_values import Value
from benchmark_manager.domain.validation.values import mapping, sequence

_WEIGHT: Final = number(1, 100)
_MAX_SEARCH_CHARACTERS: Final = 2048

# --- tolerations ----------------------------------------------------------------------------------


def _toleration_together(value: Value, field: Field) -> None:
    if not isinstance(value, dict):
        return
    operator = known(value, "operator", "Equal")
    if operator == "Exists" and isinstance(given := value.get("value"), str) and given:
        message = f"operator: Exists takes no value, not {excerpt(given)}."
        field.child("value").refuse("fields_conflict", message)
    elif operator == "Equal":
        forms.LABEL_VALUE(known(value, "value"), field.child("value"))
    if operator not in {"Exists", OPEN} and known(value, "key") is None and field.whole:
        message = "Without a key the operator must be Exists: all taints are tolerated."
        field.child("operator").refuse("fields_conflict", message)
    effect = known(value, "effect", "")
    if (
        known(value, "tolerationSeconds") is not None
        and effect not in {"NoExecute", OPEN}
        and field.whole
    ):
        message = "tolerationSeconds needs effect: NoExecute."
        field.child("tolerationSeconds").refuse("fields_conflict", message)


TOLERATION: Final = Shape(
    {
        "key": forms.QUALIFIED_NAME,
        # Lt and Gt since Kubernetes 1.35, where the cluster has
        # `TaintTolerationComparisonOperators`.
        "operator": one_of("Exists", "Equal", "Lt", "Gt"),
        "effect": one_of("NoSchedule", "PreferNoSchedule", "NoExecute"),
    },
    _toleration_together,
)

# --- affinity -------------------------------------------------------------------------------------

_NODE_OPERATORS: Final = ("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt")


def _one_name(value: Value, field: Field) -> None:
    names = sequence(mapping(value).get("values"))
    if len(names) > 1 and known(value, "operator") in ("In", "NotIn"):
        field.child("values").refuse(
            "fields_conflict", f"A field has one value, not {len(names)}; write a term for each."
        )


_BY_FIELD: Final = each(
    Shape(
        {
            "key": text(lambda key: key == "metadata.name", "be metadata.name"),
            "operator": one_of("In", "NotIn"),
        },
        _one_name,
    )
)


def _any_value(_value: Value, _field: Field) -> None:
    """Accept all values: a preference may use labels that no node can have."""


_REQUIRED_TERM: Final = Shape(
    {"matchExpressions": each(requirement(*_NODE_OPERATORS)), "matchFields": _BY_FIELD}
)
_PREFERRED_TERM: Final = Shape(
    {
        "matchExpressions": each(requirement(*_NODE_OPERATORS, values=_any_value)),
        "matchFields": _BY_FIELD,
    }
)


def _keys_need_selector(*names: str) -> Shape:
    def check(value: Value, field: Field) -> None:
        for name in names:
            if (
                sequence(mapping(value).get(name))
                and mapping(value).get("labelSelector") is None
                and field.whole
            ):
                field.child(name).refuse("fields_conflict", f"{name} needs a labelSelector.")

    return Shape({}, check)


_POD_TERM: Final = Shape(
    {
        "labelSelector": LABEL_SELECTOR,
        "namespaceSelector": LABEL_SELECTOR,
        "namespaces": each(forms.LABEL_NAME),
        "topologyKey": forms.QUALIFIED_NAME,
    },
    required(
        "topologyKey", "it names the label that groups nodes, such as kubernetes.io/hostname."
    ),
    _keys_need_selector("matchLabelKeys", "mismatchLabelKeys"),
)
_REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED: Final = "preferredDuringSchedulingIgnoredDuringExecution"
_PODS: Final = Shape(
    {
        _REQUIRED: each(_POD_TERM),
        _PREFERRED: each(Shape({"weight": _WEIGHT, "podAffinityTerm": _POD_TERM})),
    }
)
AFFINITY: Final = Shape(
    {
        "nodeAffinity": Shape(
            {
                _REQUIRED: Shape(
                    {"nodeSelectorTerms": each(_REQUIRED_TERM)},
                    required("nodeSelectorTerms", "at least one term must say which nodes fit."),
                ),
                _PREFERRED: each(Shape({"weight": _WEIGHT, "preference": _PREFERRED_TERM})),
            }
        ),
        "podAffinity": _PODS,
        "podAntiAffinity": _PODS,
    }
)

# --- spreading ------------------------------------------------------------------------------------


def _min_domains(value: Value, field: Field) -> None:
    action = known(value, "whenUnsatisfiable")
    if known(value, "minDomains") is not None and action == "ScheduleAnyway":
        field.child("minDomains").refuse(
            "fields_conflict", "minDomains needs whenUnsatisfiable: DoNotSchedule."
        )


def _keys_stand_once(value: Value, field: Field) -> None:
    selector = mapping(mapping(value).get("labelSelector"))
    selected: set[Value] = set(mapping(selector.get("matchLabels")))
    for expression in sequence(selector.get("matchExpressions")):
        key = known(expression, "key")
        if isinstance(key, str):
            selected.add(key)
    for index, key in enumerate(sequence(mapping(value).get("matchLabelKeys"))):
        if isinstance(key, str) and key in selected and not is_open(key):
            message = f"{excerpt(key)} is in the labelSelector as well."
            field.child("matchLabelKeys", index).refuse("fields_conflict", message)


_NODE_POLICY: Final = one_of("Honor", "Ignore")
SPREAD: Final = Shape(
    {
        "maxSkew": number(1),
        "minDomains": number(1),
        "topologyKey": forms.QUALIFIED_NAME,
        "whenUnsatisfiable": one_of("DoNotSchedule", "ScheduleAnyway"),
        "nodeAffinityPolicy": _NODE_POLICY,
        "nodeTaintsPolicy": _NODE_POLICY,
        "labelSelector": LABEL_SELECTOR,
    },
    required("topologyKey", "it names the label over whose values pods are spread."),
    _min_domains,
    _keys_need_selector("matchLabelKeys"),
    _keys_stand_once,
)

# --- name servers ---------------------------------------------------------------------------------


def _search_list(value: Value, field: Field) -> None:
    paths = [path for path in sequence(value) if isinstance(path, str)]
    if sum(map(len, paths)) + max(len(paths) - 1, 0) > _MAX_SEARCH_CHARACTERS:
        field.refuse("wrong_value", f"searches has more than {_MAX_SEARCH_CHARACTERS} characters.")


DNS_CONFIG: Final = Shape(
    {
        "nameservers": all_of(at_most(3), each(forms.ADDRESS)),
        "searches": all_of(at_most(32), _search_list, each(forms.SEARCH_PATH)),
        "options": each(Shape({}, required("name", "an option needs a name."))),
    }
)
HOST_ALIAS: Final = Shape({"ip": forms.ADDRESS, "hostnames": each(forms.SUBDOMAIN)})
