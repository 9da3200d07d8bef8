// One call: its request, its response, the fault that it met, and everything that is wrong with it.
import { html, useEffect, useRef, useSignal } from "../vendor/preact.js";
import { call as ask, request, useRead } from "../api.js";
import { now } from "../lanes.js";
import { call, consoleOf, namespace, panel, select } from "../state.js";
import { block, visible } from "../text.js";
import { parse, show } from "../time.js";
import { showAt } from "../timeline/scale.js";
import { isServer, Outcome, useWork } from "./parts.js";

export const id = "call";
export const title = "Call";
export const hasNoButton = true;

const text = (value) => block(typeof value === "string" ? value : JSON.stringify(value, null, 2), 20_000);
const ANYBODY = { Authorization: "Bearer any", "x-api-key": "any" }; // a double takes any key

function Body({ name, value, bytes, truncated }) {
  const size = `${bytes.toLocaleString("en")} bytes${truncated ? ", cut" : ""}`;
  return html`<h3>${name} <span class="sub">${bytes ? size : "no body"}</span></h3>${value !== null && html`<pre tabindex="0">${text(value)}</pre>`}`;
}

const Violation = ({ location, pointer, expected, actual, suggestion, hint }) => html`<li>
  <code>${location} ${visible(pointer)}</code> ${visible(expected)}${actual !== undefined && html`, is <code>${visible(JSON.stringify(actual), 100)}</code>`}
  ${suggestion != null && html`, for example <code>${visible(JSON.stringify(suggestion), 100)}</code>`}${hint && html`: ${visible(hint)}`}</li>`;

function Wrong({ path }) {
  const { data, error } = useRead(`${path}/explain`);
  if (!data) return html`<${Outcome} error=${error} />`;
  const { note, violations, ignored } = data;
  return html`<h3>What is wrong</h3>
    ${note && html`<p>${visible(note, 1000)}</p>`}
    ${violations.length > 0 && html`<ul class="wrong">${violations.map((each) => html`<${Violation} ...${each} />`)}</ul>`}
    ${ignored.length > 0 && html`<p class="sub">Ignored: ${ignored.map((each) => visible(each.pointer ?? JSON.stringify(each), 200)).join(", ")}</p>`}
    ${!note && !violations.length && html`<p class="sub">Nothing.</p>`}`;
}

/** The text that was sent: JSON was parsed by the server, any other text was not. */
function contentOf({ body, body_bytes }) {
  if (body === null) return undefined;
  return typeof body === "string" && new Blob([body]).size === body_bytes ? body : JSON.stringify(body);
}

async function sendAgain(data) {
  const { name } = await ask(`namespaces/${namespace}/fork`, { method: "POST", body: {} });
  const { surface, method, path, query, headers } = data;
  const search = Object.entries(query).flatMap(([key, values]) => values.map((each) => `${encodeURIComponent(key)}=${encodeURIComponent(each)}`));
  const hasBody = !["GET", "HEAD"].includes(method);
  const response = await request(`/${surface}${path}${search.length ? "?" : ""}${search.join("&")}`, {
    ns: name, method, body: hasBody ? contentOf(data) : undefined,
    headers: { ...ANYBODY, "Content-Type": headers["content-type"] ?? "application/json" },
  });
  return { name, status: response.status, body: await response.text() };
}

function Again({ data }) {
  const [run, outcome] = useWork(), sent = useSignal(null), answer = useRef();
  useEffect(() => answer.current?.scrollIntoView({ block: "nearest" }), [sent.value]);
  if (isServer()) return null;
  const reason = data.surface === null ? "no vendor has this path" : data.method === "WS" ? "it is a message" : data.body_truncated ? "its body was cut" : "";
  const send = run(async () => void (sent.value = await sendAgain(data)));
  const { name, status, body } = sent.value ?? {};
  return html`<button onClick=${send} disabled=${reason !== ""} title=${reason && `It cannot be sent again: ${reason}`}>Send again in a fork</button>
    <${Outcome} ...${outcome} />
    ${name && html`<div role="status" ref=${answer}><p>The fork <a href=${consoleOf(name)}>${name}</a> answered <b>${status}</b>:</p><pre tabindex="0">${text(body)}</pre></div>`}`;
}

function Facts({ data }) {
  const { surface, session, route, caller, fault, at } = data, key = `${surface}/${session}`;
  return html`<dl>
    <dt>at</dt><dd><button onClick=${() => showAt(parse(at))} title="Show this instant">${show(parse(at), now.value)}</button></dd>
    <dt>route</dt><dd>${surface ?? "no surface"} ${visible(route ?? "no route")}</dd>
    ${session && html`<dt>session</dt><dd><button onClick=${() => select(key)}>${visible(session, 60)}</button></dd>`}
    <dt>caller</dt><dd>${caller ? visible(caller.user) : "not admitted"}</dd>
    ${fault && html`<dt>fault</dt><dd class="error">fault ${fault.id} (${fault.kind}), ${fault.phase} its work</dd>`}
  </dl>`;
}

export function Component() {
  const path = `journal/${call.value}`, { data, error } = useRead(path, { when: call.value !== null });
  return html`<button onClick=${() => (panel.value = "")}>← All calls</button>
    <${Outcome} error=${error} />
    ${data && html`<h3 class="call">${data.id}: ${data.method} ${visible(data.path, 500)} <b class=${data.status >= 400 || data.status === null ? "error" : ""}>${data.status ?? "connection cut"}</b></h3>
      <${Facts} data=${data} />
      <${Wrong} path=${path} />
      <${Body} name="Request" value=${data.body} bytes=${data.body_bytes} truncated=${data.body_truncated} />
      <${Body} name="Response" value=${data.response} bytes=${data.response_bytes} truncated=${data.response_truncated} />
      <div class="acts"><${Again} data=${data} /></div>`}`;
}
