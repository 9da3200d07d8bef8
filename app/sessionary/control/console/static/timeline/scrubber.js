// The slider: the instant shown, over what is seen of the timeline; and the handles A and B.
import { html } from "../vendor/preact.js";
import { loaded, now, shownAt } from "../lanes.js";
import { isServer } from "../panels/parts.js";
import { a, at, b, panel, view } from "../state.js";
import { show, signed } from "../time.js";
import { count } from "../text.js";
import { showAt, toInstant, toX, width, zoom } from "./scale.js";

const STEPS = 10_000;
const toStep = (instant) => Math.round((toX.value(instant) / width.value) * STEPS);
const toTime = (event) => toInstant.peek()((Number(event.target.value) / STEPS) * width.peek());

const MOVES = { ArrowLeft: -100, ArrowDown: -100, ArrowRight: 100, ArrowUp: 100 }; // steps

function Handle({ name, handle }) {
  const onKeyDown = (event) => {
    const by = MOVES[event.key];
    if (!by || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation(); // elsewhere the arrows move the instant shown
    event.target.value = Number(event.target.value) + by;
    handle.value = toTime(event);
  };
  return html`<label class="scrub">
    <span>${name}${handle.value !== null && ` ${show(handle.value, now.value)}`}</span>
    <input type="range" min="0" max=${STEPS} value=${toStep(handle.value ?? shownAt.value)} aria-label=${`Handle ${name}`}
      onKeyDown=${onKeyDown} onInput=${(event) => (handle.value = toTime(event))} />
  </label>`;
}

function Buttons() {
  const middle = () => Math.max(0, Math.min(width.peek(), toX.peek()(shownAt.peek())));
  return html`<div class="buttons" role="group" aria-label="Timeline">
    <button disabled=${at.value === null} onClick=${() => (at.value = null)} title="Back to now (0)">Back to now</button>
    <button onClick=${() => zoom(2, middle())} title="Zoom out (-)" aria-label="Zoom out">−</button>
    <button onClick=${() => zoom(0.5, middle())} title="Zoom in (+)" aria-label="Zoom in">+</button>
    <button disabled=${view.value === null} onClick=${() => (view.value = null)}>All</button>
    <span class="sub">${loaded.value.isCut && `Cut at ${count(loaded.value.lanes.length, "session")}: filter for others. `}
      ${isServer() ? "A server keeps no past." : loaded.value.historyBeginsAt !== null && `History begins at ${show(loaded.value.historyBeginsAt, now.value)}.`}</span>
  </div>`;
}

export function Scrubber() {
  if (!loaded.value || now.value === null) return null;
  const text = at.value === null ? "As of now" : `As of ${show(at.value, now.value)} (${signed(at.value - now.value)})`;
  return html`<div class="scrubbers">
    <div class="scrub">
      <output for="slider">${text}</output>
      <input id="slider" type="range" min="0" max=${STEPS} step="1" value=${toStep(shownAt.value)} aria-label="As of" aria-valuetext=${text}
        onInput=${(event) => showAt(toTime(event))} />
    </div>
    ${panel.value === "diff" && html`<${Handle} name="A" handle=${a} /><${Handle} name="B" handle=${b} />`}
    <${Buttons} />
  </div>`;
}
