"""Rules for Jobs and CronJobs.

Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/job-v1/ and
    …/cron-job-v1/
"""

import re
from collections.abc import Iterator
from typing import Final

from benchmark_manager.domain.validation.api_server import forms
from benchmark_manager.domain.validation.api_server.labels import LABEL_SELECTOR
from benchmark_manager.domain.validation.api_server.pods import POD_SPEC
from benchmark_manager.domain.validation.api_server.rules import (
    OPEN,
    Field,
    Rule,
    Shape,
    all_of,
    at_most,
    each,
    forbidden,
    given,
    is_number,
    known,
    number,
    one_of,
    only_one,
    required,
)
from benchmark_manager.domain.validation.api_server.schedules import schedule_fault
from benchmark_manager.domain.validation.findings import excerpt
from benchmark_manager.domain.validation.kubernetes.names import is_label_name, missing_label
from benchmark_manager.domain.validation.texts.yaml_values import Value
from benchmark_manager.domain.validation.values import mapping, sequence

_INDEXED: Final = "Indexed"
_MODES: Final = ("NonIndexed", _INDEXED)
#: Bounds of Indexed Jobs; the lower ones where failures are counted for each of very many indexes.
_MANY: Final = 100_000
_MANY_AT_ONCE: Final = 10_000
_MAX_RULES: Final = 20
_MAX_EXIT_CODES: Final = 255
_MAX_INDEXES: Final = 64 * 1024

TEMPLATE: Final = Shape({"spec": POD_SPEC})

# --- indexes --------------------------------------------------------------------------------------


def _needs_indexes(spec: Value, field: Field) -> None:
    if known(spec, "completionMode", _MODES[0] if field.whole else OPEN) == _MODES[0]:
        for name in given(spec, ("backoffLimitPerIndex", "maxFailedIndexes", "successPolicy")):
            message = f"{name} needs completionMode: Indexed."
            field.child(name).refuse("fields_conflict", message)
    if (
        given(spec, ("maxFailedIndexes",))
        and known(spec, "backoffLimitPerIndex") is None
        and field.whole
    ):
        message = "maxFailedIndexes needs backoffLimitPerIndex."
        field.child("maxFailedIndexes").refuse("fields_conflict", message)


def _bounds_of_indexed(spec: Value, field: Field) -> None:
    if known(spec, "completionMode") != _INDEXED:
        return
    names = ("completions", "parallelism", "maxFailedIndexes")
    completions, parallelism, failed = (known(spec, name) for name in names)
    if completions is None:
        if field.whole:
            field.child("completionMode").refuse(
                "fields_conflict", "completionMode: Indexed needs completions."
            )
        return
    # Counting failures for each of so many indexes makes the Job's status larger.
    many = (
        is_number(completions)
        and completions > _MANY
        and known(spec, "backoffLimitPerIndex") is not None
    )
    most = _MANY_AT_ONCE if many else _MANY
    for name, value in (("parallelism", parallelism), ("maxFailedIndexes", failed)):
        if is_number(value) and value > most:
            of = f" with backoffLimitPerIndex and over {_MANY:,} completions" if many else ""
            field.child(name).refuse(
                "wrong_value", f"{name} of an Indexed Job{of} may be {most:,} at most."
            )
    if many and failed is None and field.whole:
        message = f"backoffLimitPerIndex with over {_MANY:,} completions needs maxFailedIndexes."
        field.child("backoffLimitPerIndex").refuse("fields_conflict", message)
    if is_number(failed) and is_number(completions) and failed > completions:
        message = f"maxFailedIndexes is {failed}, more than the completions, {completions}."
        field.child("maxFailedIndexes").refuse("fields_conflict", message)


_INTERVAL: Final = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9}))?")


def _count_of_indexes(indexes: str, completions: int) -> int | str:
    """Return the number of indexes in `1,3-5`, or what is wrong with the text."""
    total, last = 0, -1
    for interval in indexes.split(",") if indexes else ():
        match = _INTERVAL.fullmatch(interval)
        if match is None:
            return f"write numbers and ranges like 1,3-5, not {excerpt(interval)}"
        first, end = int(match[1]), int(match[2] or match[1])
        if end >= completions or first >= completions:
            return f"the last index is {completions - 1}, and {excerpt(interval)} is beyond it"
        if first <= last or (match[2] and first >= end):
            return f"indexes must ascend, and {excerpt(interval)} does not"
        total, last = total + end - first + 1, end
    return total


def _success_rule(completions: Value) -> Rule:
    def check(rule: Value, field: Field) -> None:
        indexes, count = known(rule, "succeededIndexes"), known(rule, "succeededCount")
        if not given(rule, ("succeededIndexes", "succeededCount")):
            field.require(
                "succeededCount or succeededIndexes", "one of them must say when the Job succeeds."
            )
        most = completions if is_number(completions) else None
        if isinstance(indexes, str) and is_number(completions):
            found = (
                "the text is too long"
                if len(indexes) > _MAX_INDEXES
                else _count_of_indexes(indexes, completions)
            )
            if isinstance(found, str):
                field.child("succeededIndexes").refuse(
                    "wrong_value", f"succeededIndexes is wrong: {found}."
                )
                return
            most = min(found, completions)
        if is_number(count):
            number(0)(count, field.child("succeededCount"))
            if most is not None and count > most:
                message = f"succeededCount is {count}, but there are only {most} indexes."
                field.child("succeededCount").refuse("fields_conflict", message)

    return check


def _success_policy(spec: Value, field: Field) -> None:
    policy, at = mapping(spec).get("successPolicy"), field.child("successPolicy")
    if known(spec, "completionMode") != _INDEXED or not isinstance(policy, dict):
        return
    required("rules", "at least one rule must say when the Job succeeds.")(policy, at)
    rules = all_of(at_most(_MAX_RULES), each(_success_rule(known(spec, "completions"))))
    rules(policy.get("rules"), at.child("rules"))


# --- failures -------------------------------------------------------------------------------------


def _exit_codes(requirement: Value, field: Field) -> None:
    values, at = mapping(requirement).get("values"), field.child("values")
    if isinstance(values, list) and not values:
        at.refuse("wrong_value", "values needs at least one exit code.")
    at_most(_MAX_EXIT_CODES)(values, at)
    before: Value = None
    for index, value in enumerate(sequence(values)):
        if not is_number(value):
            return
        if value == 0 and known(requirement, "operator") == "In":
            at.child(index).refuse(
                "wrong_value", "0 means success; with operator: In it cannot be a failure."
            )
        if before is not None and value <= before:
            what = "appears twice" if value == before else "is out of order"
            at.child(index).refuse(
                "wrong_value", f"The exit code {value} {what}; list each once, in ascending order."
            )
        before = value


_STATUS: Final = one_of("True", "False", "Unknown")
_FAILURE_RULE: Final = Shape(
    {
        "action": one_of("Count", "FailIndex", "FailJob", "Ignore"),
        "onExitCodes": Shape({"operator": one_of("In", "NotIn")}, _exit_codes),
        "onPodConditions": all_of(
            at_most(_MAX_RULES), each(Shape({"type": forms.QUALIFIED_NAME, "status": _STATUS}))
        ),
    },
    only_one("onExitCodes", "onPodConditions", what="requirement of a rule"),
)


def _names(pod: Value) -> Iterator[Value]:
    for member in ("containers", "initContainers"):
        for container in sequence(mapping(pod).get(member)):
            yield known(container, "name")


def _failure_policy(spec: Value, field: Field) -> None:
    policy = mapping(spec).get("podFailurePolicy")
    if not isinstance(policy, dict):
        return
    pod = mapping(mapping(spec).get("template")).get("spec")
    if known(pod, "restartPolicy") == "OnFailure":
        at = field.child("template", "spec", "restartPolicy")
        at.refuse("fields_conflict", "podFailurePolicy needs restartPolicy: Never.")
    if known(spec, "podReplacementPolicy") == "TerminatingOrFailed":
        at = field.child("podReplacementPolicy")
        at.refuse("fields_conflict", "podFailurePolicy needs podReplacementPolicy: Failed.")
    names = {name for name in _names(pod) if isinstance(name, str) or name is OPEN}
    for index, rule in enumerate(sequence(policy.get("rules"))):
        at = field.child("podFailurePolicy", "rules", index)
        if isinstance(rule, dict) and not given(rule, ("onExitCodes", "onPodConditions")):
            at.require(
                "onExitCodes or onPodConditions", "one of them must say which failures are meant."
            )
        if (
            known(rule, "action") == "FailIndex"
            and known(spec, "backoffLimitPerIndex") is None
            and field.whole
        ):
            at.child("action").refuse(
                "fields_conflict", "action: FailIndex needs backoffLimitPerIndex."
            )
        name = known(mapping(rule).get("onExitCodes"), "containerName")
        if isinstance(name, str) and name not in names and OPEN not in names and field.whole:
            at = at.child("onExitCodes", "containerName")
            at.refuse("not_declared", f"The pod has no container {excerpt(name)}.")


# --- selectors ------------------------------------------------------------------------------------

_GENERATED: Final = frozenset(
    {
        *("controller-uid", "job-name"),
        *("batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name"),
    }
)


def _selector(spec: Value, field: Field) -> None:
    selector = mapping(spec).get("selector")
    manual = known(spec, "manualSelector", default=False)
    if manual is True and selector is None:
        field.child("manualSelector").require("selector", "manualSelector: true needs it.")
    if not isinstance(selector, dict) or manual is OPEN:
        return
    chosen = mapping(selector.get("matchLabels"))
    if (
        manual is not True
        and field.whole
        and (selector.get("matchExpressions") or not _GENERATED.issuperset(chosen))
    ):
        message = "A Job selects its pods by itself: remove selector, or set manualSelector: true."
        field.child("selector").refuse("fields_conflict", message)
    elif manual is True and field.whole:
        labels = mapping(
            mapping(mapping(mapping(spec).get("template")).get("metadata")).get("labels")
        )
        for key, value in chosen.items():
            if labels.get(key) != value:
                message = missing_label("Job", key, value)
                field.child("selector", "matchLabels", key).refuse("selector_mismatch", message)


# --- objects --------------------------------------------------------------------------------------

#: What Jobs and the Jobs of a CronJob share.
_SPEC: Final = Shape(
    {
        "completionMode": one_of(*_MODES),
        "podReplacementPolicy": one_of("TerminatingOrFailed", "Failed"),
        "managedBy": forms.MANAGED_BY,
        "podFailurePolicy": Shape({"rules": all_of(at_most(_MAX_RULES), each(_FAILURE_RULE))}),
        "template": TEMPLATE,
    },
    _needs_indexes,
    _bounds_of_indexed,
    _success_policy,
    _failure_policy,
)


def _name_of_last_pod(job: Value, field: Field) -> None:
    """Report a name that is no longer a host name once the last pod's index is added to it."""
    spec, name = mapping(mapping(job).get("spec")), known(mapping(job).get("metadata"), "name")
    completions = known(spec, "completions")
    if (
        known(spec, "completionMode") != _INDEXED
        or not isinstance(name, str)
        or not isinstance(completions, int)
    ):
        return
    last = f"{name}-{completions - 1}"
    if completions > 0 and not is_label_name(last):
        message = (
            f"The last pod of this Indexed Job would have the host name {excerpt(last)}, which is "
            "not valid: a host name has at most 63 lower-case letters, digits and `-`."
        )
        field.child("metadata", "name").refuse("job_name_invalid", message)


JOB: Final = Shape(
    {"spec": _SPEC.extended({"selector": LABEL_SELECTOR}, _selector)}, _name_of_last_pod
)


_NO_SELECTOR: Final = "The Jobs of a CronJob select their pods by themselves: remove this field."


def _manual_selector(value: Value, field: Field) -> None:
    if value is True:
        field.refuse("fields_conflict", _NO_SELECTOR)


def _schedule(value: Value, field: Field) -> None:
    if isinstance(value, str) and (fault := schedule_fault(value)):
        field.refuse(
            "schedule_invalid", f"Kubernetes refuses the schedule {excerpt(value)}: {fault}."
        )


_TIME_ZONE_PART: Final = re.compile(r"(?!-|\.\.?$)[A-Za-z._0-9+-]{1,14}")
#: The first parts of names in the IANA database, and names of one part. Which cities there are
#: changes, these do not.
_AREAS: Final = frozenset(
    {
        *(
            "Africa",
            "America",
            "Antarctica",
            "Arctic",
            "Asia",
            "Atlantic",
            "Australia",
            "Brazil",
            "Canada",
            "Chile",
        ),
        *("Etc", "Europe", "Indian", "Mexico", "Pacific", "US", "posix", "right"),
    }
)
_ZONES_WITHOUT_AREA: Final = frozenset(
    {
        *(
            "CET",
            "CST6CDT",
            "Cuba",
            "EET",
            "EST",
            "EST5EDT",
            "Egypt",
            "Eire",
            "Factory",
            "GB",
            "GB-Eire",
            "GMT",
        ),
        *(
            "GMT+0",
            "GMT-0",
            "GMT0",
            "Greenwich",
            "HST",
            "Hongkong",
            "Iceland",
            "Iran",
            "Israel",
            "Jamaica",
            "Japan",
        ),
        *(
            "Kwajalein",
            "Libya",
            "MET",
            "MST",
            "MST7MDT",
            "NZ",
            "NZ-CHAT",
            "Navajo",
            "PRC",
            "PST8PDT",
            "Poland",
        ),
        *(
            "Portugal",
            "ROC",
            "ROK",
            "Singapore",
            "Turkey",
            "UCT",
            "UTC",
            "Universal",
            "W-SU",
            "WET",
            "Zulu",
        ),
    }
)


def _is_time_zone(name: str) -> bool:
    area, slash, _ = name.partition("/")
    is_known = area in (_AREAS if slash else _ZONES_WITHOUT_AREA)
    return is_known and all(map(_TIME_ZONE_PART.fullmatch, name.split("/")))


def _time_zone(value: Value, field: Field) -> None:
    if not isinstance(value, str):
        return
    if not _is_time_zone(value):
        message = (
            f"timeZone is {excerpt(value) or 'empty'}; "
            "write a name from the IANA database, such as Asia/Seoul or Etc/UTC."
        )
        field.refuse("wrong_value", message)


CRON_JOB: Final = Shape(
    {
        "spec": Shape(
            {
                "schedule": _schedule,
                "timeZone": _time_zone,
                "concurrencyPolicy": one_of("Allow", "Forbid", "Replace"),
                **dict.fromkeys(
                    (
                        "startingDeadlineSeconds",
                        "successfulJobsHistoryLimit",
                        "failedJobsHistoryLimit",
                    ),
                    number(0),
                ),
                "jobTemplate": Shape(
                    {
                        "spec": _SPEC.extended(
                            {
                                "selector": forbidden(_NO_SELECTOR),
                                "manualSelector": _manual_selector,
                            }
                        )
                    }
                ),
            }
        )
    }
)
