// The faults that are armed, with their hits; known failures of each vendor, armed by one click.
import { html, useEffect, useSignal } from "../vendor/preact.js";
import { change, changes, useRead } from "../api.js";
import { loaded, now, surfaces } from "../lanes.js";
import { a, b } from "../state.js";
import { count, numberOr, visible } from "../text.js";
import { format, parse, show } from "../time.js";
import { bands } from "../timeline/timeline.js";
import { mayChange, Outcome, Unlock, useWork } from "./parts.js";

export const id = "faults";
export const title = "Faults";
export const badge = () => changes.value?.faults || "";

const KINDS = ["status", "latency", "reset", "empty", "truncated"];

/** Draws the windows of the armed faults on the lanes; in the header they are for screen readers only. */
export function Header() {
  const { data } = useRead("faults", { when: badge() !== "" });
  const limited = badge() === "" ? [] : data?.faults.filter((each) => each.from || each.to) ?? [];
  useEffect(() => {
    bands.value = limited.map((each) => ({ from: parse(each.from) ?? loaded.value?.from, to: parse(each.to) ?? loaded.value?.to }));
  }, [data, badge(), loaded.value]);
  return limited.map((each) => html`<span class="sr" key=${each.id}>A fault acts from ${windowOf(each)}</span>`);
}

const windowOf = ({ from, to }) => `${from ? show(parse(from), now.value) : "the beginning"} to ${to ? show(parse(to), now.value) : "the end"}`;

function limits(fault) {
  const { hit_count: hits, times, after, probability, from, to, delay } = fault, window = (from || to) && windowOf(fault);
  return [!hits && times && count(times, "time"), after && `after ${after} calls`, probability < 1 && `probability ${probability}`, delay && `delay ${delay}`, window].filter(Boolean).join(", ");
}

function Armed({ fault, onDisarm }) {
  const { id, surface, method, route, preset, kind, status, matched_count: matched, hit_count: hits, times, spent } = fault;
  const isUnmatched = !matched;
  return html`<li class=${isUnmatched ? "unmatched" : spent ? "spent" : ""} data-fault=${id}>
    <b>${id}: ${surface} ${preset ?? kind}</b> ${status ?? ""} <span class="sub">${method ?? "any method"} ${visible(route ?? "any route")}</span>
    <div>${isUnmatched ? html`<b class="shown">no call matched yet</b>` : html`hit ${times ? `${hits} of ${count(times, "time")}` : count(hits, "time")}, ${count(matched, "call")} matched${spent ? ", spent" : ""}`} <span class="sub">${limits(fault)}</span></div>
    <button disabled=${!mayChange()} onClick=${onDisarm}>Disarm<span class="sr"> fault ${id}</span></button></li>`;
}

function Custom({ arm }) {
  const surface = useSignal(""), kind = useSignal(KINDS[0]);
  const routes = surfaces.value.get(surface.value || [...surfaces.value.keys()][0])?.routes ?? [];
  const send = ({ target: { elements: { where, status, delay } } }) => {
    const [method, route] = where.value ? where.value.split(" ") : [];
    return arm({
      surface: surface.value || [...surfaces.value.keys()][0], kind: kind.value, ...(route && { method, route }),
      ...(kind.value === "status" && { status: numberOr(status.value) }), ...(delay.value && { delay: delay.value }),
    });
  };
  return html`<form class="fields" onSubmit=${(event) => { event.preventDefault(); send(event); }}>
    <label>Surface <select onChange=${(event) => (surface.value = event.target.value)}>${[...surfaces.value.keys()].map((each) => html`<option>${each}</option>`)}</select></label>
    <label>Route <select name="where"><option value="">any</option>${routes.map(({ method, route }) => html`<option value=${`${method} ${route}`}>${method} ${route}</option>`)}</select></label>
    <label>Kind <select onChange=${(event) => (kind.value = event.target.value)}>${KINDS.map((each) => html`<option>${each}</option>`)}</select></label>
    ${kind.value === "status" && html`<label>Status <input type="text" name="status" value="503" /></label>`}
    <label>Delay <input type="text" name="delay" placeholder="250ms" required=${kind.value === "latency"} /></label>
    <button disabled=${!mayChange()}>Arm</button></form>`;
}

export function Component() {
  const { data, error } = useRead("faults"), known = useRead("faults/presets").data?.presets ?? [];
  const [run, outcome] = useWork(), times = useSignal("1"), isLimited = useSignal(false);
  const hasWindow = a.value !== null && b.value !== null;
  const [from, to] = [a.value, b.value].sort((one, other) => one - other);
  const arm = (fault) => run(async () => {
    const body = { ...fault, ...(times.value && { times: numberOr(times.value) }) };
    if (isLimited.value && hasWindow) Object.assign(body, { from: format(from), to: format(to) });
    const armed = await change("faults", { body });
    return `Fault ${armed.id} is armed.`;
  })();
  const disarm = (path) => run(() => change(path, { method: "DELETE" }).then(() => undefined));
  const faults = data?.faults ?? [];
  return html`<${Unlock} />
    <${Outcome} ...${outcome} error=${outcome.error ?? error} />
    <ul class="list">${faults.map((fault) => html`<${Armed} key=${fault.id} fault=${fault} onDisarm=${disarm(`faults/${fault.id}`)} />`)}</ul>
    ${data && !faults.length && html`<p class="sub">No fault is armed.</p>`}
    ${faults.length > 1 && html`<button disabled=${!mayChange()} onClick=${disarm("faults")}>Disarm all</button>`}
    <h3>Arm</h3>
    <p class="fields"><label>Times <input type="text" inputmode="numeric" value=${times} placeholder="until disarmed" onInput=${(event) => (times.value = event.target.value)} /></label>
      <label><input type="checkbox" checked=${isLimited} disabled=${!hasWindow} onChange=${(event) => (isLimited.value = event.target.checked)} /> only between A and B${!hasWindow && " (set them with [ and ])"}</label></p>
    ${[...surfaces.value.values()].map(({ name, title }) => html`<div key=${name} class="acts" role="group" aria-label=${title}><b>${title}</b>
      ${known.filter((each) => each.surface === name).map((each) => html`<button key=${each.name} title=${each.source} disabled=${!mayChange()} onClick=${() => arm({ surface: name, preset: each.name })}>${each.name} <span class="sub">${each.status}</span></button>`)}</div>`)}
    <details><summary>Another fault</summary><${Custom} arm=${arm} /></details>`;
}
