// The rows of the timeline: a heading for each surface, and its lanes unless it is folded.
import { computed, signal } from "../vendor/preact.js";
import { isOpen, shown, shownAt, statusAt, surfaces } from "../lanes.js";
import { selected } from "../state.js";

export const HEIGHT = 26;
/** The names of the surfaces whose lanes are folded away. */
export const folded = signal(new Set());

export const rows = computed(() => {
  const found = [];
  let heading = null;
  for (const lane of shown.value) {
    if (heading?.surface !== lane.surface) found.push((heading = makeHeading(lane.surface)));
    heading.lanes.push(lane);
    if (!heading.isFolded) found.push({ lane, heading });
  }
  return found;
});

function makeHeading(surface) {
  const title = surfaces.value.get(surface)?.title ?? surface;
  return { surface, title, isFolded: folded.value.has(surface), lanes: [] };
}

const openCounts = computed(() => {
  const instant = shownAt.value, counts = new Map();
  for (const lane of shown.value) {
    if (isOpen(lane.surface, statusAt(lane, instant))) counts.set(lane.surface, (counts.get(lane.surface) ?? 0) + 1);
  }
  return counts;
});

/** The number of sessions below a heading that are open at the instant shown. */
export const openCount = (heading) => openCounts.value.get(heading.surface) ?? 0;

export function toggleFolded(surface) {
  const names = new Set(folded.value);
  if (!names.delete(surface)) names.add(surface);
  folded.value = names;
}

export const selectedRow = computed(() => rows.value.findIndex((row) => row.lane?.key === selected.value));

/** Choose the next lane below (or above, by -1) the chosen one. */
export function step(by) {
  let index = selectedRow.value < 0 && by < 0 ? rows.value.length : selectedRow.value;
  do index += by;
  while (rows.value[index] && !rows.value[index].lane);
  if (rows.value[index]) selected.value = rows.value[index].lane.key;
}
