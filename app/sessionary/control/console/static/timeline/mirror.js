// The visible rows as elements: for screen readers, and for tests, as a canvas tells them nothing.
import { html } from "../vendor/preact.js";
import { count, visible } from "../text.js";
import { now, segmentAt, shownAt, statusAt } from "../lanes.js";
import { selectedRow, openCount, rows } from "./rows.js";
import { format, show } from "../time.js";

export const rowId = (index) => `row-${index}`;

/** What a lane is at the instant shown, in words. */
function words(lane, instant) {
  const index = segmentAt(lane, instant), name = visible(lane.title || lane.id, 120);
  const next = lane.segments.slice(index + 1).find(([, status]) => status !== null);
  const status = statusAt(lane, instant);
  const is = status === null ? "does not exist" : `${visible(status)} since ${show(lane.segments[index][0], now.value)}`;
  return `${name}: ${is}${next ? `; ${visible(next[1])} at ${show(next[0], now.value)}` : ""}`;
}

function Lane({ lane, index }) {
  const instant = shownAt.value;
  return html`
    <div role="row" id=${rowId(index)} aria-rowindex=${index + 1} aria-selected=${index === selectedRow.value}
      data-key=${lane.key.slice(0, 500)} data-at=${format(instant)} data-status=${statusAt(lane, instant) ?? ""}>
      <span role="gridcell">${words(lane, instant)}</span>
    </div>`;
}

function Heading({ row, index }) {
  return html`
    <div role="row" id=${rowId(index)} aria-rowindex=${index + 1} data-surface=${row.surface}>
      <span role="gridcell">${row.title}: ${count(row.lanes.length, "session")}, ${openCount(row)} open${row.isFolded ? ", folded" : ""}</span>
    </div>`;
}

export function Mirror({ seen }) {
  const [first, last] = seen.value;
  return html`<div class="sr" role="rowgroup">
    ${rows.value.slice(first, last).map((row, index) => row.lane
      ? html`<${Lane} key=${row.lane.key} lane=${row.lane} index=${first + index} />`
      : html`<${Heading} key=${row.surface} row=${row} index=${first + index} />`)}
  </div>`;
}
