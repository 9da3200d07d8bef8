// The keyboard. Nothing that changes the namespace is here but what panels add.
import { signal } from "./vendor/preact.js";
import { copyCurl } from "./panels/explain.js";
import { offered } from "./panels/index.js";
import { a, at, b, panel, selected, switchTheme } from "./state.js";
import { laneOf, loaded, matching, now, shownAt } from "./lanes.js";
import { step, toggleFolded } from "./timeline/rows.js";
import { pan, scrub, showAt, toX, width, zoom } from "./timeline/scale.js";

/** Whether the list of keys is shown. */
export const isHelpShown = signal(false);

/** The instant of the next (1) or previous (-1) change in these lanes. */
function changeFrom(lanes, direction) {
  let found = null;
  for (const { segments } of lanes) {
    for (const [start] of segments) {
      const isFurther = (start - shownAt.value) * direction > 0 && start >= loaded.value.from;
      if (isFurther && (found === null || (found - start) * direction > 0)) found = start;
    }
  }
  if (found !== null) showAt(found);
}

const ofSelected = () => [laneOf(selected.value)].filter(Boolean);
const middle = () => Math.max(0, Math.min(width.value, toX.value(shownAt.value)));
const focus = (id) => document.getElementById(id)?.focus();

function back() {
  const isElsewhere = document.activeElement !== document.body && document.activeElement?.id !== "lanes";
  if (isHelpShown.value) isHelpShown.value = false;
  else if (panel.value) panel.value = "";
  else if (!isElsewhere) selected.value = "";
  focus("lanes");
}

/** `[keys, what they do, function]`. */
const KEYS = [
  ["ArrowLeft", "scrub back by 1 %", () => scrub(-0.01)],
  ["ArrowRight", "scrub on by 1 %", () => scrub(0.01)],
  ["Shift+ArrowLeft", "to the previous change of the session", () => changeFrom(ofSelected(), -1)],
  ["Shift+ArrowRight", "to the next change of the session", () => changeFrom(ofSelected(), 1)],
  ["Alt+ArrowLeft", "to the previous change of any session", () => changeFrom(matching.value, -1)],
  ["Alt+ArrowRight", "to the next change of any session", () => changeFrom(matching.value, 1)],
  ["0", "back to now", () => (at.value = null)],
  ["j ArrowDown", "next session", () => step(1)],
  ["k ArrowUp", "previous session", () => step(-1)],
  ["Enter", "read the explanation", () => focus("explain")],
  ["Escape", "back", back],
  ["+ =", "zoom in", () => zoom(0.5, middle())],
  ["-", "zoom out", () => zoom(2, middle())],
  ["W", "zoom in a little", () => zoom(0.8, middle())],
  ["S", "zoom out a little", () => zoom(1.25, middle())],
  ["A", "move to earlier", () => pan(-0.1)],
  ["D", "move to later", () => pan(0.1)],
  ["[", "set A to the instant shown", () => (a.value = shownAt.value)],
  ["]", "set B to the instant shown", () => (b.value = shownAt.value)],
  ["/", "filter", () => focus("filter")],
  ["z", "fold the sessions of this vendor, or unfold them", () => ofSelected().forEach((lane) => toggleFolded(lane.surface))],
  ["c", "copy the curl command", copyCurl],
  ["d", "light or dark", switchTheme],
  ["?", "all keys", () => (isHelpShown.value = !isHelpShown.value)],
];

export const allKeys = () => [...KEYS, ...offered().flatMap((each) => each.keys ?? [])];

function nameOf(event) {
  const shift = event.shiftKey && event.key.length > 1 ? "Shift+" : "";
  return (event.altKey ? "Alt+" : "") + shift + event.key;
}

function onKey(event) {
  const isText = event.target.matches?.("textarea, select, input:not([type=range])");
  if (event.ctrlKey || event.metaKey || (isText && event.key !== "Escape")) return;
  const isButton = event.target.matches?.("button, a, summary, [contenteditable]");
  if (isButton && event.key === "Enter") return;
  const found = allKeys().find(([names]) => names.split(" ").includes(nameOf(event)));
  if (!found || now.value === null) return;
  event.preventDefault();
  found[2]();
}

export const listen = () => addEventListener("keydown", onKey);
