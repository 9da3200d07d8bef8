// What a link asks for and the page cannot show; instants that are relative to the clock.
import { computed, effect, html, signal } from "./vendor/preact.js";
import { changes } from "./api.js";
import { laneOf, loaded, now } from "./lanes.js";
import { offered } from "./panels/index.js";
import { isServer } from "./panels/parts.js";
import { a, asked, at, b, panel, selected, view } from "./state.js";
import { visible } from "./text.js";
import { parseShift } from "./time.js";

const INSTANTS = { at, a, b };
/** Sentences about what the address had and the page does not show. */
const refused = signal([]);

function take() {
  const found = [];
  for (const [name, instant] of Object.entries(INSTANTS)) {
    const shift = parseShift(asked[name]);
    if (shift !== null) instant.value = now.peek() + shift;
    else if (asked[name] && instant.peek() === null) found.push(`“${name}=${asked[name]}” is not an instant such as 2026-03-01T12:00:00Z or +1h${name === "at" ? ": now is shown" : ""}.`);
  }
  if (asked.view && view.peek() === null) found.push(`“view=${asked.view}” is not a window: all is shown.`);
  refused.value = found;
}

/** Take what the address asks for as soon as the clock is known. */
export function start() {
  const stop = effect(() => {
    if (!changes.value) return;
    take();
    queueMicrotask(() => stop());
  });
  // A server would refuse the past: the page shows now instead.
  effect(() => {
    if (!isServer() || at.value === null || at.value >= now.value) return;
    at.value = null;
    refused.value = ["A server keeps no past: now is shown."];
  });
}

const missing = computed(() => selected.value && loaded.value && !laneOf(selected.value)
  ? `The session ${selected.value} ${loaded.value.isCut ? "is not among those that are loaded" : "does not exist"}.` : "");
const unknown = computed(() => panel.value && changes.value && !offered().some((each) => each.id === panel.value)
  ? `The panel ${panel.value} does not exist${isServer() ? " on a server" : ""}.` : "");

function close() {
  refused.value = [];
  if (missing.value) selected.value = "";
  if (unknown.value) panel.value = "";
}

export function Notes() {
  const all = [...refused.value, missing.value, unknown.value].filter(Boolean);
  return all.length > 0 && html`<div class="notes" role="status">${all.map((each) => html`<p>${visible(each)}</p>`)}<button onClick=${close}>Close</button></div>`;
}
