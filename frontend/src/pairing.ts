/** Which old child becomes which new one, when a page's part is redrawn. */

export interface Child {
  /** The element's id, or "" . */
  readonly id: string;
  /** The node's name, such as `LI` or `#text`. */
  readonly name: string;
}

/**
 * For each new child the index of the old one to reuse, or -1.
 *
 * Ids decide where they exist: a row that moved stays the same element, with the focus in it. The others are taken in
 * order by their name. No old child is used twice.
 */
export function pairChildren(old: readonly Child[], fresh: readonly Child[]): number[] {
  const byId = new Map<string, number>();
  const byName = new Map<string, number[]>();
  old.forEach((child, index) => {
    if (child.id !== "" && !byId.has(child.id)) {
      byId.set(child.id, index);
    } else if (child.id === "") {
      const sameName = byName.get(child.name);
      sameName === undefined ? byName.set(child.name, [index]) : sameName.push(index);
    }
  });
  byName.forEach((indexes) => indexes.reverse());
  return fresh.map((child) => {
    if (child.id === "") {
      return byName.get(child.name)?.pop() ?? -1;
    }
    const found = byId.get(child.id);
    byId.delete(child.id);
    return found !== undefined && old[found]?.name === child.name ? found : -1;
  });
}
