"""Rules for Services.

Source: https://kubernetes.io/docs/reference/kubernetes-api/service-resources/service-v1/
"""

from typing import Final

from benchmark_manager.domain.validation.api_server import forms
from benchmark_manager.domain.validation.api_server.containers import PROTOCOL
from benchmark_manager.domain.validation.api_server.rules import (
    OPEN,
    Field,
    Shape,
    all_of,
    each,
    given,
    known,
    labels,
    number,
    one_of,
    text,
    unique,
)
from benchmark_manager.domain.validation.texts.yaml_values import Value
from benchmark_manager.domain.validation.values import mapping, sequence

_CLUSTER: Final = "ClusterIP"
_BALANCER: Final = "LoadBalancer"
_EXTERNAL: Final = "ExternalName"
_MAX_AFFINITY_SECONDS: Final = 86_400

_PORT: Final = Shape(
    {
        "name": forms.LABEL_NAME,
        "port": number(1, forms.MAX_PORT),
        "nodePort": number(0, forms.MAX_PORT),
        "targetPort": forms.port_or_name(zero=True),
        "protocol": PROTOCOL,
        "appProtocol": forms.QUALIFIED_NAME,
    }
)


def _names_of_ports(value: Value, field: Field) -> None:
    ports = sequence(value)
    for index, port in enumerate(ports):
        if len(ports) > 1 and isinstance(port, dict) and known(port, "name") is None:
            field.child(index).require("name", "where there are several ports, each needs one.")


def _node_ports(value: Value, field: Field) -> None:
    """Report a port of the nodes that is used twice; 0 stands for none."""
    chosen = [port if known(port, "nodePort") else None for port in sequence(value)]
    unique("nodePort", protocol="TCP")(chosen, field)


def _is_headless(spec: Value) -> bool:
    return known(spec, "clusterIP") == "None" or "None" in sequence(mapping(spec).get("clusterIPs"))


def _by_type(spec: Value, field: Field) -> None:
    if not isinstance(spec, dict):
        return
    kind = known(spec, "type", _CLUSTER if field.whole else OPEN)
    if kind == _CLUSTER:
        for index, port in enumerate(sequence(spec.get("ports"))):
            if known(port, "nodePort") not in (None, 0, OPEN):
                message = "A Service of type: ClusterIP cannot have a nodePort."
                field.child("ports", index, "nodePort").refuse("fields_conflict", message)
    elif kind in ("NodePort", _BALANCER) and _is_headless(spec):
        field.child("clusterIP").refuse(
            "fields_conflict", f"A Service of type: {kind} cannot be headless; it needs an address."
        )
    elif kind == _EXTERNAL:
        _external(spec, field)
    if kind in (_CLUSTER, "NodePort", _EXTERNAL):
        for name in given(
            spec, ("loadBalancerClass", "loadBalancerSourceRanges", "allocateLoadBalancerNodePorts")
        ):
            if spec[name] != []:
                message = f"{name} needs type: LoadBalancer."
                field.child(name).refuse("fields_conflict", message)


def _external(spec: Value, field: Field) -> None:
    if known(spec, "externalName") is None:
        field.child("type").require("externalName", "type: ExternalName needs it.")
    for name in given(spec, ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy")):
        if spec[name] not in ("", []):
            field.child(name).refuse(
                "fields_conflict", f"A Service of type: ExternalName cannot have {name}."
            )


def _has_ports(spec: Value, field: Field) -> None:
    # Without a selector as well, it may be a patch that changes another field.
    if (
        not isinstance(spec, dict)
        or spec.get("ports")
        or not spec.get("selector")
        or _is_headless(spec)
    ):
        return
    if known(spec, "type") not in {_EXTERNAL, OPEN} and known(spec, "clusterIP") is not OPEN:
        field.require("ports", "only a headless Service can do without.")


def _affinity(spec: Value, field: Field) -> None:
    if known(spec, "sessionAffinity", "None" if field.whole else OPEN) == "None":
        for name in given(spec, ("sessionAffinityConfig",)):
            field.child(name).refuse("fields_conflict", f"{name} needs sessionAffinity: ClientIP.")


_SECONDS: Final = Shape({"timeoutSeconds": number(1, _MAX_AFFINITY_SECONDS)})

SERVICE: Final = Shape(
    {
        "spec": Shape(
            {
                "type": one_of(_CLUSTER, "NodePort", _BALANCER, _EXTERNAL),
                "selector": labels,
                "clusterIP": text(
                    lambda ip: ip == "None" or forms.is_address(ip), "be an IP address, or None"
                ),
                "ports": all_of(
                    each(_PORT),
                    _names_of_ports,
                    unique("name", code="duplicate_name"),
                    unique("port", protocol="TCP"),
                    _node_ports,
                ),
                "externalName": text(
                    lambda name: forms.is_subdomain(name.removesuffix(".")), "be a DNS name"
                ),
                "sessionAffinity": one_of("None", "ClientIP"),
                "sessionAffinityConfig": Shape({"clientIP": _SECONDS}),
                "externalTrafficPolicy": one_of("Cluster", "Local"),
                "internalTrafficPolicy": one_of("Cluster", "Local"),
                "trafficDistribution": one_of("PreferClose", "PreferSameZone", "PreferSameNode"),
                "ipFamilies": each(one_of("IPv4", "IPv6")),
                "ipFamilyPolicy": one_of("SingleStack", "PreferDualStack", "RequireDualStack"),
                "externalIPs": each(forms.ADDRESS),
            },
            _by_type,
            _has_ports,
            _affinity,
        )
    }
)
