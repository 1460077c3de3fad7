"""Rules for the specs of pods.

Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/
"""

from collections.abc import Iterator
from typing import Final

from benchmark_manager.domain.validation.api_server import forms
from benchmark_manager.domain.validation.api_server.containers import (
    APP_ARMOR,
    CONTAINER,
    INIT_CONTAINER,
    POD_RESOURCES,
    SECCOMP,
)
from benchmark_manager.domain.validation.api_server.rules import (
    MAX_INT32,
    OPEN,
    Field,
    Shape,
    all_of,
    each,
    every_value,
    forbidden,
    given,
    is_number,
    known,
    not_empty,
    number,
    one_of,
    only_one,
    quantity,
    unique,
)
from benchmark_manager.domain.validation.api_server.scheduling import (
    AFFINITY,
    DNS_CONFIG,
    HOST_ALIAS,
    SPREAD,
    TOLERATION,
)
from benchmark_manager.domain.validation.api_server.volumes import VOLUME
from benchmark_manager.domain.validation.findings import excerpt
from benchmark_manager.domain.validation.kubernetes.pod_check import CONTAINER_LISTS
from benchmark_manager.domain.validation.texts.yaml_values import Path, Value
from benchmark_manager.domain.validation.values import mapping, sequence

_ID: Final = number(0, MAX_INT32)
_GRACE_SECONDS: Final = 30

_SECURITY: Final = Shape(
    {
        "runAsUser": _ID,
        "runAsGroup": _ID,
        "fsGroup": _ID,
        "supplementalGroups": each(_ID),
        "supplementalGroupsPolicy": one_of("Merge", "Strict"),
        "fsGroupChangePolicy": one_of("OnRootMismatch", "Always"),
        "seLinuxChangePolicy": one_of("Recursive", "MountOption"),
        "seccompProfile": SECCOMP,
        "appArmorProfile": APP_ARMOR,
        "sysctls": all_of(each(Shape({"name": forms.SYSCTL})), unique("name")),
    },
)


def _not_as_root(pod: Value, field: Field) -> None:
    """Report a pod that runs as root and must not, unless every container sets its own user."""
    security = mapping(pod).get("securityContext")
    if known(security, "runAsNonRoot") is not True or known(security, "runAsUser") != 0:
        return
    for _, container in _containers(pod):
        own = mapping(container).get("securityContext")
        if known(own, "runAsUser") is None and known(own, "runAsNonRoot", default=True) is True:
            message = (
                "runAsUser: 0 is root, which runAsNonRoot: true forbids: "
                "containers without their own runAsUser will not start."
            )
            field.child("securityContext", "runAsUser").refuse("fields_conflict", message)
            return


def _resizes_without_restart(pod: Value, field: Field) -> None:
    if known(pod, "restartPolicy") != "Never":
        return
    for index, container in enumerate(sequence(mapping(pod).get("containers"))):
        # A container with a policy of its own may be restarted all the same.
        if known(container, "restartPolicy") is not None:
            continue
        for policy_index, policy in enumerate(sequence(mapping(container).get("resizePolicy"))):
            if known(policy, "restartPolicy") == "RestartContainer":
                message = "RestartContainer and the pod's restartPolicy: Never cannot be combined."
                at = field.child("containers", index, "resizePolicy", policy_index, "restartPolicy")
                at.refuse("fields_conflict", message)


def _one_claim(value: Value, field: Field) -> None:
    if isinstance(value, dict) and not given(
        value, ("resourceClaimName", "resourceClaimTemplateName")
    ):
        field.require(
            "resourceClaimName or resourceClaimTemplateName",
            "one of them must name the claim.",
        )


_RESOURCE_CLAIM: Final = Shape(
    {
        "name": forms.LABEL_NAME,
        "resourceClaimName": forms.SUBDOMAIN,
        "resourceClaimTemplateName": forms.SUBDOMAIN,
    },
    only_one("resourceClaimName", "resourceClaimTemplateName", what="claim"),
    _one_claim,
)


def _containers(pod: Value) -> Iterator[tuple[Path, Value]]:
    for member in CONTAINER_LISTS:
        for index, container in enumerate(sequence(mapping(pod).get(member))):
            yield (member, index), container


def _claims_are_declared(pod: Value, field: Field) -> None:
    declared = sequence(mapping(pod).get("resourceClaims"))
    names = {
        known(claim, "name")
        for claim in declared
        if isinstance(known(claim, "name"), (str, type(OPEN)))
    }
    if not field.whole or field.completed or OPEN in names:
        return
    for steps, container in _containers(pod):
        for index, claim in enumerate(
            sequence(mapping(mapping(container).get("resources")).get("claims"))
        ):
            name = known(claim, "name")
            if isinstance(name, str) and name not in names:
                at = field.child(*steps, "resources", "claims", index, "name")
                at.refuse("not_declared", f"The pod's resourceClaims have no {excerpt(name)}.")


def _host_ports(pod: Value, field: Field) -> None:
    """Report ports of the node that are used twice, or that differ from the container's port.

    The latter is wrong only where the pod uses the node's network.
    """
    on_host = known(pod, "hostNetwork") is True
    taken: set[tuple[Value, ...]] = set()
    for index, container in enumerate(sequence(mapping(pod).get("containers"))):
        for port_index, port in enumerate(sequence(mapping(container).get("ports"))):
            host_port, inner = known(port, "hostPort"), known(port, "containerPort")
            if not is_number(host_port) or host_port == 0:
                continue
            at = field.child("containers", index, "ports", port_index, "hostPort")
            if on_host and is_number(inner) and inner != host_port:
                message = (
                    "With hostNetwork: true the hostPort must be the containerPort, "
                    f"{inner}, not {host_port}."
                )
                at.refuse("fields_conflict", message)
            key = (known(port, "protocol", "TCP"), known(port, "hostIP", ""), host_port)
            if all(isinstance(part, (str, int)) for part in key):
                if key in taken:
                    at.refuse(
                        "duplicate_value",
                        f"Two containers of the pod use the node's port {host_port}.",
                    )
                taken.add(key)


def _host_namespaces(pod: Value, field: Field) -> None:
    if known(pod, "shareProcessNamespace") is True and known(pod, "hostPID") is True:
        message = "shareProcessNamespace: true and hostPID: true cannot be combined."
        field.child("shareProcessNamespace").refuse("fields_conflict", message)
    if known(pod, "hostUsers") is False:
        for name in ("hostPID", "hostIPC"):
            if known(pod, name) is True:
                field.child(name).refuse(
                    "fields_conflict", f"{name}: true and hostUsers: false cannot be combined."
                )


def _unmasked(pod: Value, field: Field) -> None:
    if not field.whole or known(pod, "hostUsers", default=True) is not True:
        return
    for steps, container in _containers(pod):
        if known(mapping(container).get("securityContext"), "procMount") == "Unmasked":
            at = field.child(*steps, "securityContext", "procMount")
            at.refuse("fields_conflict", "procMount: Unmasked needs hostUsers: false in the pod.")


def _name_servers(pod: Value, field: Field) -> None:
    servers = mapping(mapping(pod).get("dnsConfig")).get("nameservers")
    if known(pod, "dnsPolicy") == "None" and field.whole and not servers:
        message = "dnsPolicy: None needs name servers in dnsConfig."
        field.child("dnsPolicy").refuse("fields_conflict", message)


def _sleeps_within_grace(pod: Value, field: Field) -> None:
    grace = known(pod, "terminationGracePeriodSeconds", _GRACE_SECONDS)
    if not is_number(grace) or not field.whole:
        return
    for steps, container in _containers(pod):
        for hook, handler in mapping(mapping(container).get("lifecycle")).items():
            seconds = known(mapping(handler).get("sleep"), "seconds")
            if is_number(seconds) and seconds > grace:
                message = (
                    f"The sleep of {seconds} s is longer than "
                    f"terminationGracePeriodSeconds, {grace}."
                )
                field.child(*steps, "lifecycle", hook, "sleep", "seconds").refuse(
                    "fields_conflict", message
                )


#: What a pod of the other operating system cannot have, in its own or a container's security
#: context.
_NOT_ON_LINUX: Final = ("windowsOptions",)
_NOT_ON_WINDOWS: Final = (
    *(
        "appArmorProfile",
        "seLinuxOptions",
        "seccompProfile",
        "fsGroup",
        "fsGroupChangePolicy",
        "sysctls",
    ),
    *(
        "runAsUser",
        "runAsGroup",
        "supplementalGroups",
        "supplementalGroupsPolicy",
        "seLinuxChangePolicy",
    ),
    *(
        "capabilities",
        "readOnlyRootFilesystem",
        "privileged",
        "allowPrivilegeEscalation",
        "procMount",
    ),
)
_NOT_IN_WINDOWS_PODS: Final = ("hostPID", "hostIPC", "hostUsers", "shareProcessNamespace")


def _fits_system(pod: Value, field: Field) -> None:
    system = known(mapping(pod).get("os"), "name")
    if system not in ("linux", "windows"):
        return
    excluded = _NOT_ON_LINUX if system == "linux" else _NOT_ON_WINDOWS
    where: list[tuple[Path, Value, tuple[str, ...]]] = [
        (("securityContext",), mapping(pod).get("securityContext"), excluded),
        *(
            ((*steps, "securityContext"), mapping(inner).get("securityContext"), excluded)
            for steps, inner in _containers(pod)
        ),
    ]
    if system == "windows":
        where.append(((), pod, _NOT_IN_WINDOWS_PODS))
    for steps, value, names in where:
        for name in given(value, names):
            field.child(*steps, name).refuse(
                "fields_conflict", f"A pod of os: {system} cannot have {name}."
            )


POD_SPEC: Final = Shape(
    {
        "volumes": each(VOLUME),
        "containers": all_of(not_empty, each(CONTAINER)),
        "initContainers": each(INIT_CONTAINER),
        "ephemeralContainers": each(CONTAINER),
        "restartPolicy": one_of("Always", "OnFailure", "Never"),
        "dnsPolicy": one_of("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"),
        "preemptionPolicy": one_of("PreemptLowerPriority", "Never"),
        "activeDeadlineSeconds": number(1, MAX_INT32),
        "hostname": forms.LABEL_NAME,
        "subdomain": forms.LABEL_NAME,
        **dict.fromkeys(
            ("serviceAccountName", "nodeName", "priorityClassName", "runtimeClassName"),
            forms.SUBDOMAIN,
        ),
        "securityContext": _SECURITY,
        "tolerations": each(TOLERATION),
        "affinity": AFFINITY,
        "topologySpreadConstraints": all_of(
            each(SPREAD), unique("topologyKey", whenUnsatisfiable=None)
        ),
        "dnsConfig": DNS_CONFIG,
        "hostAliases": each(HOST_ALIAS),
        "readinessGates": each(Shape({"conditionType": forms.QUALIFIED_NAME})),
        "schedulingGates": all_of(each(Shape({"name": forms.QUALIFIED_NAME})), unique("name")),
        "resourceClaims": all_of(each(_RESOURCE_CLAIM), unique("name", code="duplicate_name")),
        "resources": POD_RESOURCES,
        "overhead": every_value(quantity),
        "os": Shape({"name": one_of("linux", "windows")}),
    },
    _claims_are_declared,
    _host_ports,
    _host_namespaces,
    _unmasked,
    _name_servers,
    _sleeps_within_grace,
    _fits_system,
    _not_as_root,
    _resizes_without_restart,
)


def _gates_first(pod: Value, field: Field) -> None:
    if known(pod, "nodeName") is not None and sequence(mapping(pod).get("schedulingGates")):
        message = "A pod with schedulingGates cannot have a nodeName yet."
        field.child("nodeName").refuse("fields_conflict", message)


#: The spec of a manifest of kind Pod, as opposed to that of a template.
OWN_POD_SPEC: Final = POD_SPEC.extended(
    {
        "ephemeralContainers": forbidden(
            "Ephemeral containers are added to a running pod; a manifest cannot have them."
        )
    },
    _gates_first,
)
