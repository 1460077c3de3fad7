"""Notes on definitions of sweeps: remarks that are no errors."""

from collections.abc import Mapping
from typing import Final

from benchmark_manager.messages.message import Sentence

#: On definitions.
_OF_DEFINITIONS: Final[Mapping[str, Sentence]] = {
    "exclude_without_effect": Sentence(
        "{field} matches no combination.", "{field}: 해당하는 조합이 없습니다."
    ),
    "include_without_effect": Sentence(
        "{field} is a combination that the sweep has already.", "{field}: 이미 있는 조합입니다."
    ),
    "values_repeat": Sentence(
        "{field} has a value twice; its combinations are made once.",
        "{field}: 같은 값이 두 번 있습니다. 조합은 한 번만 만듭니다.",
    ),
    "combinations_repeat": Sentence(
        "{count} combinations occur before and are made once.",
        "앞에 나온 조합 {count}개는 한 번만 만듭니다.",
        one="1 combination occurs before and is made once.",
    ),
}

#: On sweeps of other tools that were taken over.
_OF_IMPORTS: Final[Mapping[str, Sentence]] = {
    "axis_left_out": Sentence(
        "{name} was left out: nothing that it sets has a known target.",
        "{name}: 대상을 아는 값이 하나도 없어 뺐습니다.",
    ),
    "link_vars_ignored": Sentence(
        "{name} links variables, for which both serve and bench parameters are needed; it was "
        "ignored.",
        "{name}: 변수를 연결하려면 serve와 bench 매개변수가 모두 있어야 하므로 무시했습니다.",
    ),
    "link_vars_keep_none": Sentence(
        "{name} links variables that are equal in no combination; nothing is left.",
        "{name}: 연결한 변수의 값이 같은 조합이 없어 남는 것이 없습니다.",
    ),
    "not_supported": Sentence(
        "{name} was left out: {what} is no list of values.",
        "{name}: {what}은(는) 값의 목록이 아니어서 뺐습니다.",
    ),
    "notes_left_out": Sentence(
        "There are {count} more notes.",
        "이 밖에도 {count}개가 더 있습니다.",
        one="There is 1 more note.",
    ),
    "number_unheld": Sentence(
        "{name} was left out: it has a number that JSON cannot hold: not finite, or over 300 "
        "digits.",
        "{name}: 유한하지 않거나 300자리가 넘어 JSON에 담을 수 없는 수가 있어 뺐습니다.",
    ),
    "objects_replaced": Sentence(
        "{name} has objects as values: Hydra merges them into what is there, a sweep replaces it.",
        "{name}: 값에 객체가 있습니다. Hydra는 있던 것에 합치지만 스윕은 통째로 바꿉니다.",
    ),
    "order_kept": Sentence(
        "{name} would be shuffled by Hydra; its values are in the order of the text.",
        "{name}: Hydra라면 순서를 섞지만 여기서는 적힌 순서대로 둡니다.",
    ),
    "parameter_ambiguous": Sentence(
        "{name} was left out: {count} values of the files could be meant, such as {targets}. "
        "Name its target.",
        "{name}: 파일의 값 {count}개({targets} 등)가 해당할 수 있어 뺐습니다. 대상을 지정하세요.",
    ),
    "parameter_twice": Sentence(
        "{name} is given more than once; the last one counts.",
        "{name}: 두 번 이상 나와 마지막 것을 썼습니다.",
    ),
    "parameter_unknown": Sentence(
        "{name} was left out: no value of the files has this name. Name its target.",
        "{name}: 파일에 이런 이름의 값이 없어 뺐습니다. 대상을 지정하세요.",
    ),
    "setting_ignored": Sentence(
        "{name} was ignored: it is not about values of the files.",
        "{name}: 파일의 값에 관한 것이 아니어서 무시했습니다.",
    ),
    "target_taken": Sentence(
        "{name} was left out: another parameter sets {path} already.",
        "{name}: 다른 매개변수가 이미 {path}을(를) 바꾸어 뺐습니다.",
    ),
    "target_unused": Sentence(
        "There is a target for {name}, but no such parameter.",
        "{name}: 대상은 있으나 그런 매개변수가 없습니다.",
    ),
    "too_many_values": Sentence(
        "{name} was left out: it has more than {limit} values.",
        "{name}: 값이 {limit}개를 넘어 뺐습니다.",
    ),
    "treatment_left_out": Sentence(
        "The treatment {name} was left out: the number of its levels is {found}, and that of the "
        "factors is {expected}.",
        "처리(treatment) {name}: 수준이 {found}개인데 인자가 {expected}개여서 뺐습니다.",
    ),
    "unreadable": Sentence(
        "{name} was left out: it does not follow the tool's syntax.",
        "{name}: 그 도구의 문법에 맞지 않아 뺐습니다.",
    ),
}

NOTES: Final[Mapping[str, Sentence]] = {**_OF_DEFINITIONS, **_OF_IMPORTS}
