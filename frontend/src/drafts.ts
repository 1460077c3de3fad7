/**
 * Unsaved texts, kept in the browser until they are saved.
 *
 * A key is `kind:id:revision`. Several tabs share the storage, so each key is a separate entry.
 */

export interface Draft {
  readonly text: string;
  /** Milliseconds since 1970. */
  readonly savedAt: number;
}

/** The age and size of a draft. */
export interface DraftSize {
  readonly key: string;
  readonly savedAt: number;
  readonly length: number;
}

export interface DraftLimits {
  readonly maxAge: number;
  readonly maxCount: number;
  readonly maxLength: number;
}

const DAY = 24 * 60 * 60 * 1000;

/** Browsers give a site about five million characters in all. */
export const LIMITS: DraftLimits = { maxAge: 30 * DAY, maxCount: 50, maxLength: 2_000_000 };

/**
 * Return the keys to delete: those that are too old, then the oldest until number and length fit.
 * Times in the future count as now.
 */
export function draftsToDrop(drafts: readonly DraftSize[], now: number, limits: DraftLimits = LIMITS): string[] {
  const newestFirst = [...drafts].sort((one, other) => other.savedAt - one.savedAt);
  let length = 0;
  let count = 0;
  const dropped: string[] = [];
  for (const draft of newestFirst) {
    const fits =
      now - draft.savedAt <= limits.maxAge && count < limits.maxCount && length + draft.length <= limits.maxLength;
    if (fits) {
      count += 1;
      length += draft.length;
    } else {
      dropped.push(draft.key);
    }
  }
  return dropped;
}

/** Return the part of the key that all revisions of a file share, such as `modified:7`. */
export function fileOf(key: string): string {
  return key.slice(0, key.lastIndexOf(":") + 1);
}

export function readDraft(stored: string | null): Draft | null {
  try {
    const { text, savedAt } = JSON.parse(stored ?? "null") ?? {};
    return typeof text === "string" && Number.isFinite(savedAt) ? { text, savedAt } : null;
  } catch {
    return null;
  }
}

const PREFIX = "bm-draft:";

/**
 * The drafts of one `Storage`; if the browser refuses storage, there are none and nothing fails.
 */
export class Drafts {
  constructor(
    private readonly storage: () => Storage,
    private readonly clock: () => number = Date.now,
  ) {}

  /** Return the draft of this key, else the newest one of another revision of the same file. */
  find(key: string): { key: string; draft: Draft } | null {
    const exact = this.read(key);
    if (exact !== null) {
      return { key, draft: exact };
    }
    const family = fileOf(key);
    const others = family === "" ? [] : this.keys().filter((other) => fileOf(other) === family);
    const found = others.flatMap((other) => {
      const draft = this.read(other);
      return draft === null ? [] : [{ key: other, draft }];
    });
    return found.sort((one, other) => other.draft.savedAt - one.draft.savedAt)[0] ?? null;
  }

  keep(key: string, text: string): void {
    const value = JSON.stringify({ text, savedAt: this.clock() } satisfies Draft);
    if (!this.attempt((storage) => storage.setItem(PREFIX + key, value))) {
      this.prune({ ...LIMITS, maxLength: LIMITS.maxLength / 4 }, key);
      this.attempt((storage) => storage.setItem(PREFIX + key, value));
    }
  }

  forget(key: string): void {
    this.attempt((storage) => storage.removeItem(PREFIX + key));
  }

  /** Delete drafts beyond the limits, and invalid entries; `except` is always kept. */
  prune(limits: DraftLimits = LIMITS, except?: string): void {
    const sizes = this.keys()
      .filter((key) => key !== except)
      .map((key) => {
        const draft = this.read(key);
        return { key, savedAt: draft?.savedAt ?? 0, length: draft?.text.length ?? 0 };
      });
    draftsToDrop(sizes, this.clock(), limits).forEach((key) => this.forget(key));
  }

  private read(key: string): Draft | null {
    let stored: string | null = null;
    this.attempt((storage) => {
      stored = storage.getItem(PREFIX + key);
    });
    return readDraft(stored);
  }

  private keys(): string[] {
    const keys: string[] = [];
    this.attempt((storage) => {
      for (let index = 0; index < storage.length; index += 1) {
        const key = storage.key(index);
        if (key?.startsWith(PREFIX)) {
          keys.push(key.slice(PREFIX.length));
        }
      }
    });
    return keys;
  }

  /**
   * Run an action on the storage; a full or forbidden storage throws even when it is only accessed.
   */
  private attempt(action: (storage: Storage) => void): boolean {
    try {
      action(this.storage());
      return true;
    } catch {
      return false;
    }
  }
}
