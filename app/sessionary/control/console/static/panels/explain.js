// Why a session has its status at the instant shown, and what will be.
import { html, useSignal } from "../vendor/preact.js";
import { call, change, hasToken, serverUrl, useRead } from "../api.js";
import { confirmed } from "../confirm.js";
import { CopyButton, copy } from "../copy.js";
import { laneOf, meaningOf, now, segmentAt, shownAt, statusAt, surfaces } from "../lanes.js";
import { at, openCall, selected } from "../state.js";
import { block, visible } from "../text.js";
import { format, parse, show, span } from "../time.js";
import { showAt } from "../timeline/scale.js";
import { mayChange } from "./parts.js";

const CALL = "call";
const pathOf = (lane, rest) => `sessions/${lane.surface}/${encodeURIComponent(lane.id)}/${rest}`;
const quote = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

/** The curl command of what the panel shows. */
function curl(lane) {
  const token = hasToken() ? ' -H "Authorization: Bearer $SESSIONARY_CONTROL_TOKEN"' : "";
  const header = token + (at.value === null ? "" : ` -H 'Sessionary-At: ${format(at.value)}'`);
  return `curl -s${header} ${quote(`${serverUrl()}/_control/v1/${pathOf(lane, "explain")}`)}`;
}

/** Copy the curl command of the chosen session. */
export function copyCurl() {
  const lane = laneOf(selected.value);
  if (lane) copy(curl(lane), "curl");
}

const Row = ({ name, children }) => html`<dt>${name}</dt><dd>${children}</dd>`;

/** A value among the inputs of a rule; parts are lists of inputs. */
function value(input) {
  if (Array.isArray(input)) return input.map((each) => Object.entries(each).map(([name, one]) => `${name} ${value(one)}`).join(", ")).join("; ");
  const instant = typeof input === "string" ? parse(input) : null;
  return instant === null ? visible(input ?? "none") : show(instant, now.value);
}

const Inputs = ({ inputs }) => html`<${Row} name="inputs">
  <details><summary>${Object.keys(inputs).length} facts</summary>
    <dl>${Object.entries(inputs).map(([name, input]) => html`<${Row} name=${name}>${value(input)}<//>`)}</dl>
  </details><//>`;

function Next({ transition }) {
  if (!transition) return "nothing, by time alone";
  const instant = parse(transition.at);
  return html`${visible(transition.to_status)} at ${show(instant, now.value)}, in ${span(instant - shownAt.value)} (${transition.rule})`;
}

function Facts({ data, lane }) {
  const opened = data.opened_by;
  return html`<dl>
    <${Row} name="why">${visible(data.reason, 2000)}<//>
    <${Row} name="rule"><code>${data.rule}</code><//>
    ${data.unless && html`<${Row} name="unless">${visible(data.unless, 2000)}<//>`}
    <${Row} name="next"><${Next} transition=${data.next_transitions[0]} /><//>
    ${opened && html`<${Row} name="opened by"><button onClick=${() => openCall(opened.number)}>call ${opened.number}</button>, ${opened.method} ${visible(opened.path)}, ${show(parse(opened.at), now.value)}<//>`}
    <${Row} name="source">${data.source}<//>
    <${Inputs} inputs=${data.inputs} />
    ${lane.title && html`<${Row} name="id"><code>${visible(lane.id)}</code><//>`}
  </dl>`;
}

/** The transition that is of interest: the next one, or the one to the status shown, if time made it. */
function transitionOf(lane, data) {
  const next = data.next_transitions[0], [start, , by] = lane.segments[segmentAt(lane, shownAt.value)];
  return next ? parse(next.at) : by === CALL ? null : start;
}

function Force({ lane }) {
  const isOpen = useSignal(false), status = useSignal(""), problem = useSignal("");
  const forced = surfaces.value.get(lane.surface)?.forced ?? [];
  if (!forced.length || !mayChange()) return null;
  const send = async () => {
    try {
      await change(pathOf(lane, "force"), { body: { status: status.value || forced[0] } });
      isOpen.value = false;
      problem.value = "";
    } catch (error) {
      problem.value = error.message;
    }
  };
  if (!isOpen.value) return html`<button onClick=${() => (isOpen.value = true)}>Force…</button>`;
  return html`<span class="group" role="group" aria-label="Force a status">
    <select aria-label="Status" onChange=${(event) => (status.value = event.target.value)}>${forced.map((each) => html`<option>${each}</option>`)}</select>
    <button class="go" onClick=${send}>Force now</button>
    <button onClick=${() => (isOpen.value = false)}>Cancel</button>
    ${problem.value && html`<span class="error" role="alert">${problem.value}</span>`}
  </span>`;
}

function Actions({ data, lane }) {
  const instant = data ? transitionOf(lane, data) : null;
  const reason = data && !data.opened_by ? "No call in the journal opened this session, so it cannot be copied as a test." : undefined;
  const test = (format) => () => call(pathOf(lane, `test?format=${format}`), { at: at.value });
  return html`<div class="acts">
    ${instant !== null && html`
      <button onClick=${() => showAt(instant)}>Go to the transition</button>
      <button onClick=${() => showAt(instant - 1)}>One µs before</button>`}
    <${Force} lane=${lane} />
    <${CopyButton} what="curl" text=${() => curl(lane)}>Copy curl<//>
    <${CopyButton} what="pytest" reason=${reason} text=${test("pytest")}>Copy as pytest<//>
    <${CopyButton} what="node" reason=${reason} text=${test("node")}>Copy as node test<//>
    ${reason && html`<span class="sub">${reason}</span>`}
  </div>`;
}

function Confirmation() {
  const { at: instant, different } = confirmed.value ?? {};
  if (instant !== shownAt.value || !different.length) return null;
  return html`<p class="error" role="alert">Drawn and read differ: ${different.slice(0, 3).map((each) => visible(each)).join("; ")}.</p>`;
}

export function Explain() {
  const lane = laneOf(selected.value);
  if (!lane) return html`<section class="explain" id="explain" tabindex="-1"><h2>Explain</h2><p class="sub">Choose a session (j, k or a click) to read why it has its status.</p></section>`;
  const status = statusAt(lane, shownAt.value), index = segmentAt(lane, shownAt.value);
  return html`<section class="explain" id="explain" tabindex="-1" aria-label="Explain">
    <h2>${surfaces.value.get(lane.surface)?.title ?? lane.surface} <span class="name">${visible(lane.title || lane.id)}</span></h2>
    <p class="why" aria-live="polite">
      <span class=${`pill m-${status ? meaningOf(lane.surface, status) : "closed"}`} data-status=${status ?? ""}>${status ? visible(status) : "does not exist"}</span>
      ${status && `since ${show(lane.segments[index][0], now.value)}, for ${span(shownAt.value - lane.segments[index][0])}`}
    </p>
    <${Confirmation} />
    <${Details} key=${lane.key} lane=${lane} exists=${status !== null} mark=${index} />
  </section>`;
}

/** What the server says; read again when another segment (`mark`) begins, as it does under a clock that runs. */
function Details({ lane, exists, mark }) {
  const { data, error, isStale } = useRead(pathOf(lane, "explain"), { at: at.value, when: exists, mark });
  if (!exists) return html`<p class="sub">It is opened later.</p>`;
  return html`${error && html`<p class="error" role="alert">${visible(error.message, 500)}</p>`}
    ${data && html`<div class=${isStale ? "stale" : ""}><${Facts} data=${data} lane=${lane} /></div>`}
    <${Actions} data=${data} lane=${lane} />`;
}
