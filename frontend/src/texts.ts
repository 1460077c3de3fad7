/**
 * The texts of the scripts, in the page's language.
 *
 * A page may contain `<script type="application/json" id="script-texts">` with other texts for
 * these keys, so that a new language needs no build. `{name}` is replaced.
 */

const ENGLISH = {
  cancel: "Cancel",
  changes: "Changes: {count}",
  checking: "Checking …",
  checkFailed: "The server did not answer; the check is repeated after the next change.",
  close: "Close",
  confirm: "Confirm",
  copied: "Copied",
  copyFailed: "Copying failed; select the text instead",
  discard: "Discard",
  draftFound: "There is an unsaved draft from {time}.",
  draftOfOther: "There is an unsaved draft from {time}, based on another revision of this file. Compare before saving.",
  editorKeys: "In the editor",
  editorLabel: "Text of {name}",
  editorLeave: "leave the editor: Escape, then Tab",
  error: "Error",
  findText: "find in the text",
  foldText: "fold or unfold the block",
  gone: "This was deleted. What you typed stays on this page until you leave it.",
  indent: "indent, unindent",
  lineEndsOnly: "The two texts differ only in how their lines end.",
  noProblems: "No problems found",
  notReached: "The service cannot be reached, so nothing was saved. What you typed stays here; try again.",
  onePage: "On this page",
  problem: "{severity}, line {line}: {message}",
  problemAnywhere: "{severity}: {message}",
  problems: "Errors: {errors}, warnings: {warnings}",
  nextChange: "Next change",
  nextProblem: "go to the next problem",
  previousChange: "Previous change",
  readOnly: "Read only",
  restore: "Restore",
  save: "save",
  shortcuts: "Keyboard shortcuts",
  shortcutsOn: "Single-key shortcuts",
  template: "Template: only some checks are possible",
  warning: "Warning",
  "Control character": "Control character",
  "Diagnostics": "Problems",
  "No diagnostics": "No problems",
  "Find": "Find",
  "Replace": "Replace",
  "Go to line": "Go to line",
  "go": "go",
  "next": "next",
  "previous": "previous",
  "all": "all",
  "match case": "match case",
  "by word": "by word",
  "regexp": "regexp",
  "replace": "replace",
  "replace all": "replace all",
  "current match": "current match",
  "replaced $ matches": "replaced $ matches",
  "replaced match on line $": "replaced match on line $",
  "on line": "on line",
  "folded code": "folded text",
  "unfold": "unfold",
  "to": "to",
  "Fold line": "Fold line",
  "Unfold line": "Unfold line",
  "Folded lines": "Folded lines",
  "Unfolded lines": "Unfolded lines",
  "Selection deleted": "Selection deleted",
  "$ unchanged lines": "$ unchanged lines",
  "Revert this chunk": "Take the left side's lines",
};

export type TextKey = keyof typeof ENGLISH;

const KOREAN: Readonly<Record<TextKey, string>> = {
  cancel: "취소",
  changes: "바뀐 곳 {count}개",
  checking: "확인하는 중 …",
  checkFailed: "서버가 응답하지 않습니다. 다음에 고칠 때 다시 확인합니다.",
  close: "닫기",
  confirm: "확인",
  copied: "복사했습니다",
  copyFailed: "복사하지 못했습니다. 텍스트를 직접 선택하세요",
  discard: "버리기",
  draftFound: "{time}에 작성한 저장하지 않은 초안이 있습니다.",
  draftOfOther: "{time}에 이 파일의 다른 리비전을 바탕으로 작성한 저장하지 않은 초안이 있습니다. 저장하기 전에 비교하세요.",
  editorKeys: "편집기에서",
  editorLabel: "{name}의 내용",
  editorLeave: "편집기에서 나가기: Escape 다음 Tab",
  error: "오류",
  findText: "내용에서 찾기",
  foldText: "블록 접기 또는 펴기",
  gone: "삭제되었습니다. 입력한 내용은 이 페이지를 떠날 때까지 남아 있습니다.",
  indent: "들여쓰기, 내어쓰기",
  lineEndsOnly: "두 내용은 줄 끝 문자만 다릅니다.",
  noProblems: "문제가 없습니다",
  notReached: "서비스에 연결할 수 없어 저장하지 못했습니다. 입력한 내용은 여기 그대로 있으니 다시 시도하세요.",
  onePage: "이 페이지에서",
  problem: "{severity}, {line}번째 줄: {message}",
  problemAnywhere: "{severity}: {message}",
  problems: "오류 {errors}개, 경고 {warnings}개",
  nextChange: "다음 바뀐 곳",
  nextProblem: "다음 문제로 가기",
  previousChange: "이전 바뀐 곳",
  readOnly: "읽기 전용",
  restore: "되살리기",
  save: "저장",
  shortcuts: "키보드 단축키",
  shortcutsOn: "한 글자 단축키",
  template: "템플릿: 일부만 확인할 수 있습니다",
  warning: "경고",
  "Control character": "제어 문자",
  "Diagnostics": "문제",
  "No diagnostics": "문제 없음",
  "Find": "찾기",
  "Replace": "바꾸기",
  "Go to line": "줄로 가기",
  "go": "가기",
  "next": "다음",
  "previous": "이전",
  "all": "모두",
  "match case": "대소문자 구분",
  "by word": "단어 단위",
  "regexp": "정규식",
  "replace": "바꾸기",
  "replace all": "모두 바꾸기",
  "current match": "현재 일치 항목",
  "replaced $ matches": "$개를 바꿨습니다",
  "replaced match on line $": "$번째 줄에서 바꿨습니다",
  "on line": "줄",
  "folded code": "접힌 텍스트",
  "unfold": "펴기",
  "to": "~",
  "Fold line": "줄 접기",
  "Unfold line": "줄 펴기",
  "Folded lines": "접은 줄",
  "Unfolded lines": "편 줄",
  "Selection deleted": "선택한 텍스트를 지웠습니다",
  "$ unchanged lines": "바뀌지 않은 줄 $개",
  "Revert this chunk": "왼쪽 줄 가져오기",
};

export type Texts = Readonly<Record<TextKey, string>>;

/**
 * Return the texts of a language tag such as `ko-KR`; strings of `given` (from the page) take
 * precedence.
 */
export function textsOf(language: string, given: unknown = null): Texts {
  const own = /^ko\b/i.test(language) ? KOREAN : ENGLISH;
  if (typeof given !== "object" || given === null) {
    return own;
  }
  const known = Object.entries(given).filter(([key, value]) => key in own && typeof value === "string");
  return { ...own, ...Object.fromEntries(known) };
}

/** Replace each `{name}` in a text by its value. */
export function fill(text: string, values: Readonly<Record<string, string | number>>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

export function language(): string {
  return document.documentElement.lang || "en";
}

let ofThisPage: Texts | null = null;

export function pageTexts(): Texts {
  ofThisPage ??= textsOf(language(), jsonOf(document.getElementById("script-texts")?.textContent));
  return ofThisPage;
}

/** Parse JSON from a page; null if there is none, or it is invalid. */
export function jsonOf(text: string | null | undefined): unknown {
  try {
    return JSON.parse(text ?? "null");
  } catch {
    return null;
  }
}
