"""Notices above tables of results: remarks that are no errors."""

from collections.abc import Mapping
from typing import Final

from benchmark_manager.messages.message import Sentence

#: By code; a notice whose fact `missing` is not 0 has the sentence `CODE/missing`, if there is one.
NOTICES: Final[Mapping[str, Sentence]] = {
    "baseline_without_values": Sentence(
        "The baseline has no results in the rows shown, so that nothing is compared with it.",
        "표시한 행에 기준선의 결과가 없어 비교하지 않았습니다.",
    ),
    "failed_requests": Sentence(
        "In {count} results requests failed, and latencies are those of the others only: look at "
        "the metric failed.",
        "결과 {count}개에 실패한 요청이 있습니다. 지연 시간은 나머지 요청만의 값이므로 failed "
        "지표를 함께 보십시오.",
        one="In 1 result requests failed, and latencies are those of the others only: look at the "
        "metric failed.",
    ),
    "labels_cut": Sentence(
        "{count} more labels differ and are not shown.",
        "이 밖에도 값이 서로 다른 라벨이 {count}개 있지만 표시하지 않았습니다.",
        one="1 more label differs and is not shown.",
    ),
    "long_values": Sentence(
        "Values longer than {limit} characters are cut, so that different ones may look equal.",
        "{limit}자가 넘는 값은 잘라서 보여 주므로, 서로 다른 값이 같아 보일 수 있습니다.",
    ),
    "many_comparisons": Sentence(
        "{count} comparisons at 5 %: even if nothing differed, about {expected} of them would be "
        "called better or worse by chance.",
        "5 % 수준에서 {count}번 비교했습니다. 실제 차이가 없어도 약 {expected}개는 우연히 "
        "나아짐이나 나빠짐으로 나올 수 있습니다.",
    ),
    "mixed_environment": Sentence(
        "The results were not measured in one environment: {label} is {values}. Differences may "
        "come from it.",
        "결과를 측정한 환경이 서로 다릅니다. {label}: {values}. 차이가 환경에서 왔을 수 있습니다.",
    ),
    "mixed_environment/missing": Sentence(
        "The results may not have been measured in one environment: {label} is {values}, and "
        "{missing} of the results do not have it. Differences may come from it.",
        "결과를 측정한 환경이 같은지 알 수 없습니다. {label}: {values}. 이 라벨이 없는 결과가 "
        "{missing}개 있습니다. 차이가 환경에서 왔을 수 있습니다.",
    ),
    "mixed_tools": Sentence(
        "The results were measured with different tools: {tools}. They may not measure the same.",
        "서로 다른 도구로 측정한 결과입니다: {tools}. 같은 것을 재지 않았을 수 있습니다.",
    ),
    "mixed_units": Sentence(
        "{metric} was measured in different units: {units}. Only values in the first are shown.",
        "{metric}의 단위가 서로 다릅니다: {units}. 첫 번째 단위의 값만 보여 줍니다.",
    ),
    "not_compared_by_key": Sentence(
        "{count} files differ as a whole, because they could not be compared key by key: {files}.",
        "파일 {count}개는 키별로 비교할 수 없어 파일 전체로 비교했습니다: {files}.",
        one="1 file differs as a whole, because it could not be compared key by key: {files}.",
    ),
    "releases_not_compared": Sentence(
        "What {count} of the releases vary is not shown: the lists of files are too long.",
        "파일 목록이 모두 합쳐 너무 길어 릴리스 {count}개의 차이는 보여 주지 않습니다.",
        one="What 1 of the releases varies is not shown: the lists of files are too long.",
    ),
    "retired_left_out": Sentence(
        "{count} results of retired cells are not shown.",
        "이전 셀의 결과 {count}개는 보여 주지 않습니다.",
        one="1 result of a retired cell is not shown.",
    ),
    "several_points": Sentence(
        "The results have {count} points, such as {points}: each has rows of its own.",
        "결과에 측정 지점이 {count}개 있고({points} 등), 지점마다 행이 따로 있습니다.",
    ),
    "unknown_format": Sentence(
        "{count} results are not shown, because their files have no format that is recognised.",
        "결과 {count}개는 파일의 형식을 알 수 없어 보여 주지 않습니다.",
        one="1 result is not shown, because its file has no format that is recognised.",
    ),
    "unreadable_file": Sentence(
        "{count} results are not shown, or only in part, because their files could not be read "
        "whole.",
        "결과 {count}개는 파일을 다 읽을 수 없어 보여 주지 않거나 일부만 보여 줍니다.",
        one="1 result is not shown, or only in part, because its file could not be read whole.",
    ),
    "varied_cut": Sentence(
        "The releases differ in more than these {count} columns.",
        "릴리스들은 이 열 {count}개 말고도 더 다릅니다.",
    ),
}
