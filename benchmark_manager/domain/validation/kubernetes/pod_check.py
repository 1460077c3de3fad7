"""Rules for pods that no schema holds: what the API server refuses, and what makes runs fail.

Source: the API server's rules, as described under
https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/
"""

from collections.abc import Iterable, Iterator
from typing import Final

from benchmark_manager.domain.validation.findings import excerpt
from benchmark_manager.domain.validation.kubernetes.names import check_label_name, check_labels
from benchmark_manager.domain.validation.kubernetes.quantities import no_quantity, parse_quantity
from benchmark_manager.domain.validation.texts.placeholders import value_holds_placeholder
from benchmark_manager.domain.validation.texts.yaml_values import Path, Value
from benchmark_manager.domain.validation.value_findings import ValueFindings
from benchmark_manager.domain.validation.values import mapping, sequence, shown

CONTAINER_LISTS: Final = ("initContainers", "containers", "ephemeralContainers")


def check_pod(
    path: Path, pod: dict[str, Value], claims: Iterable[str], findings: ValueFindings
) -> None:
    """Check the spec of a pod.

    Args:
        path: the path of the spec.
        pod: the spec.
        claims: names of further volumes, such as those of a StatefulSet's claim templates.
        findings: collects the findings.
    """
    volumes = _volumes(path, pod, findings) | set(claims)
    known = (
        None
        if _is_open(pod.get("volumes")) or any(map(value_holds_placeholder, volumes))
        else volumes
    )
    names: set[str] = set()
    for at, container in containers(path, pod):
        _unique(at, "container", container.get("name"), names, findings)
        check_label_name((*at, "name"), "container", container.get("name"), findings)
        _check_container(at, container, known, findings)
    check_labels((*path, "nodeSelector"), pod.get("nodeSelector"), findings)


def _is_open(value: Value) -> bool:
    """Return whether a value is filled in later."""
    return isinstance(value, str) and value_holds_placeholder(value)


def containers(path: Path, pod: dict[str, Value]) -> Iterator[tuple[Path, dict[str, Value]]]:
    """Yield every container of a pod's spec, after its path."""
    for member in CONTAINER_LISTS:
        for number, container in enumerate(sequence(pod.get(member))):
            if isinstance(container, dict):
                yield (*path, member, number), container


def _volumes(path: Path, pod: dict[str, Value], findings: ValueFindings) -> set[str]:
    names: set[str] = set()
    for number, volume in enumerate(sequence(pod.get("volumes"))):
        at: Path = (*path, "volumes", number)
        name = mapping(volume).get("name")
        _unique(at, "volume", name, names, findings)
        check_label_name((*at, "name"), "volume", name, findings)
        size = mapping(mapping(volume).get("emptyDir")).get("sizeLimit")
        _check_quantity((*at, "emptyDir", "sizeLimit"), size, findings)
    return names


def _unique(path: Path, what: str, name: Value, names: set[str], findings: ValueFindings) -> None:
    if not isinstance(name, str):
        return
    if name in names:
        findings.add(
            (*path, "name"), "duplicate_name", f"The pod has two {what}s named {excerpt(name)}."
        )
    names.add(name)


def _check_container(
    path: Path, container: dict[str, Value], volumes: set[str] | None, findings: ValueFindings
) -> None:
    name = container.get("name")
    called = (
        f"The container {excerpt(name)}"
        if isinstance(name, str)
        else f"The container {shown(path)}"
    )
    image = container.get("image")
    if image is None or image == "":
        findings.add(
            (*path, "image") if "image" in container else path,
            "image_missing",
            f"{called} has no image.",
        )
    _check_mounts(path, container, volumes, findings)
    _check_devices(path, container, volumes, findings)
    _check_env(path, container, findings)
    _check_resources((*path, "resources"), mapping(container.get("resources")), called, findings)


def _check_mounts(
    path: Path, container: dict[str, Value], volumes: set[str] | None, findings: ValueFindings
) -> None:
    paths: set[str] = set()
    for number, mount in enumerate(sequence(container.get("volumeMounts"))):
        at: Path = (*path, "volumeMounts", number)
        name, where = mapping(mount).get("name"), mapping(mount).get("mountPath")
        if isinstance(name, str) and volumes is not None and name not in volumes:
            findings.add(
                (*at, "name"), "volume_missing", f"The pod has no volume named {excerpt(name)}."
            )
        if isinstance(where, str):
            if where in paths:
                message = f"Two volumes are mounted at {excerpt(where)}."
                findings.add((*at, "mountPath"), "duplicate_mount_path", message)
            paths.add(where)


def _check_devices(
    path: Path, container: dict[str, Value], volumes: set[str] | None, findings: ValueFindings
) -> None:
    for number, device in enumerate(sequence(container.get("volumeDevices"))):
        name = mapping(device).get("name")
        if isinstance(name, str) and volumes is not None and name not in volumes:
            at: Path = (*path, "volumeDevices", number, "name")
            findings.add(at, "volume_missing", f"The pod has no volume named {excerpt(name)}.")


def _check_env(path: Path, container: dict[str, Value], findings: ValueFindings) -> None:
    names: set[str] = set()
    for number, variable in enumerate(sequence(container.get("env"))):
        name = mapping(variable).get("name")
        if isinstance(name, str):
            if name in names:
                message = f"The variable {excerpt(name)} is set twice; the last one counts."
                findings.add((*path, "env", number, "name"), "duplicate_env", message)
            names.add(name)


def _check_resources(
    path: Path, resources: dict[str, Value], called: str, findings: ValueFindings
) -> None:
    requests, limits = mapping(resources.get("requests")), mapping(resources.get("limits"))
    for member, amounts in (("requests", requests), ("limits", limits)):
        for name, value in amounts.items():
            _check_quantity((*path, member, name), value, findings)
            if _is_extended(name):
                _check_whole((*path, member, name), name, value, findings)
    for name, value in requests.items():
        at: Path = (*path, "requests", name)
        request, limit = parse_quantity(value), parse_quantity(limits.get(name))
        if request is not None and limit is not None and request > limit:
            message = (
                f"{called} requests more {excerpt(name)} ({value}) than its limit ({limits[name]})."
            )
            findings.add(at, "request_over_limit", message)
        elif (
            request is not None
            and _is_extended(name)
            and request != limit
            and not _is_open(limits.get(name))
        ):
            message = (
                f"{called} must limit {excerpt(name)} to its request ({value}), "
                "since this resource cannot be shared."
            )
            findings.add(at, "extended_resource", message)


def _is_extended(name: str) -> bool:
    """Return whether a resource is a device, such as `nvidia.com/gpu`: whole and never shared."""
    domain, slash, _ = name.partition("/")
    return bool(slash) and not domain.endswith("kubernetes.io")


def _check_whole(path: Path, name: str, value: Value, findings: ValueFindings) -> None:
    amount = parse_quantity(value)
    if amount is not None and amount != amount.to_integral_value():
        message = f"{excerpt(name)} must be a whole number, not {excerpt(str(value))}."
        findings.add(path, "extended_resource", message)


def _check_quantity(path: Path, value: Value, findings: ValueFindings) -> None:
    if value is None or isinstance(value, (bool, dict, list)):
        return
    amount = parse_quantity(value)
    if amount is None or amount < 0:
        findings.add(path, "quantity_invalid", no_quantity(value, shown(path[-1:])))


def check_storage(path: Path, claim: dict[str, Value], findings: ValueFindings) -> None:
    """Check the spec of a PersistentVolumeClaim."""
    resources = mapping(claim.get("resources"))
    for member in ("requests", "limits"):
        for name, value in mapping(resources.get(member)).items():
            _check_quantity((*path, "resources", member, name), value, findings)
