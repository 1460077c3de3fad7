/** Rows of tabs scroll where a window is narrow; bring the tab of the page into view. */
export function showCurrentTab(): void {
  for (const tab of document.querySelectorAll<HTMLElement>(".tabs [aria-current]")) {
    const row = tab.closest<HTMLElement>(".tabs");
    if (row && row.scrollWidth > row.clientWidth) {
      const { left, width } = tab.getBoundingClientRect();
      const begin = row.getBoundingClientRect().left;
      row.scrollLeft += left - begin - (row.clientWidth - width) / 2;
    }
  }
}
