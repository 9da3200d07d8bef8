// The clock of the namespace: freeze or run it, move it, and move it back.
import { html, signal, useSignal } from "../vendor/preact.js";
import { change, changes, receivedAt, useRead } from "../api.js";
import { isRunning, now } from "../lanes.js";
import { togglePanel } from "../state.js";
import { numberOr } from "../text.js";
import { format, parse, show, span } from "../time.js";
import { isReadOnly, mayChange, Outcome, Unlock, useWork } from "./parts.js";

export const id = "clock";
export const title = "Clock";

export const hasNoButton = true;

const UNDO_SECONDS = 10;
const MOVES = ["-5m", "+1m", "+1h"];
/** How to move the clock back: `{clock, since, text}`; null when it is no longer offered. */
const undo = signal(null);
const problem = signal("");
let timer = 0;

/** Make a move of the clock, and offer for some seconds to take it back. */
async function move(path, options) {
  const { clock } = changes.peek(), since = receivedAt, text = show(now.peek());
  try {
    await change(path, options);
    problem.value = "";
  } catch (error) {
    problem.value = error.message;
    return;
  }
  clearTimeout(timer);
  undo.value = { clock, since, text };
  timer = setTimeout(() => (undo.value = null), UNDO_SECONDS * 1000);
}

/** Set the clock to what it would show had it not been moved. */
async function moveBack() {
  const { clock: { mode, now: before, rate }, since } = undo.peek();
  const passed = mode === "frozen" ? 0 : Math.round((performance.now() - since) * 1000 * rate);
  const moved = mode === "real" ? {} : { now: format(parse(before) + passed) };
  await move("clock", { method: "PUT", body: { mode, ...moved, ...(mode === "scaled" && { rate }) } });
  undo.value = null;
}

const advance = (body) => move("clock/advance", { body });
const toNext = () => mayChange() && advance({ to: "next" });
const toggle = () => mayChange() && move("clock", { method: "PUT", body: { mode: isRunning.peek() ? "frozen" : "offset" } });

export const keys = [
  ["n", "to the next transition", toNext],
  ["f", "freeze or run the clock", toggle],
];

function Next() {
  const passed = useSignal("");
  const isPast = passed.value && parse(passed.value) <= now.value; // a clock can be moved back
  const { data } = useRead(`timeline?limit=1${isPast ? `&from=${passed.value}` : ""}`);
  const next = data?.transitions[0], left = next && parse(next.at) - now.value;
  if (left < 0) queueMicrotask(() => (passed.value = next.at)); // the clock ran past it
  const text = next ? html`in <span class="left">${span(Math.max(0, left))}</span>` : "none";
  return html`<button class="go" title="To the next transition (n)" disabled=${!next || !mayChange()} onClick=${toNext}>Next <span class="sub">${text}</span></button>`;
}

export function Header() {
  if (now.value === null) return null;
  const day = format(now.value).slice(0, 10), isLocked = !mayChange();
  return html`<button class="clock" title="Clock" onClick=${() => togglePanel(id)}><span class="mode">${changes.value.clock.mode}</span> <time>${day} ${show(now.value).slice(0, 8)}</time> <span class="sub">UTC</span></button>
    <span class="group" role="group" aria-label="Clock">
      <button title="Freeze or run (f)" disabled=${isLocked} onClick=${toggle}>${isRunning.value ? "Freeze" : "Run"}</button>
      ${MOVES.map((by) => html`<button key=${by} disabled=${isLocked} onClick=${() => advance({ by })}>${by.replace("-", "−")}</button>`)}
      <${Next} />
    </span>
    ${isLocked && html`<button onClick=${() => togglePanel("server")}>${isReadOnly() ? "Read only" : "Locked"}</button>`}
    ${undo.value && html`<button onClick=${moveBack}>Back to ${undo.value.text}</button>`}
    ${problem.value && html`<span class="error" role="alert">${problem.value}</span>`}`;
}

export function Component() {
  const { mode: current, rate } = changes.value?.clock ?? {};
  const [run, outcome] = useWork(), chosen = useSignal(null), mode = chosen.value ?? current;
  const set = run(async ({ target: { elements } }) => {
    const body = { mode: elements.mode.value };
    if (elements.now.value && body.mode !== "real") body.now = elements.now.value;
    if (body.mode === "scaled") body.rate = numberOr(elements.rate.value);
    await move("clock", { method: "PUT", body });
  });
  const by = run(({ target }) => advance({ by: target.elements.by.value }));
  return html`<${Unlock} />
    <form class="fields" onSubmit=${set}>
      <label>Mode <select name="mode" value=${mode} onChange=${(event) => (chosen.value = event.target.value)}>
        ${["frozen", "offset", "scaled", "real"].map((each) => html`<option>${each}</option>`)}</select></label>
      <label>Instant <input type="text" name="now" disabled=${mode === "real"} placeholder=${now.value !== null && format(now.value)} /></label>
      ${mode === "scaled" && html`<label>Seconds per second <input type="text" name="rate" value=${rate || 60} /></label>`}
      <button disabled=${!mayChange()}>Set</button>
    </form>
    <form class="fields" onSubmit=${by}>
      <label>Move by <input type="text" name="by" placeholder="90s, -2h, PT25H" /></label>
      <button disabled=${!mayChange()}>Move</button>
    </form>
    <${Outcome} ...${outcome} />`;
}
