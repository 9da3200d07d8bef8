// The control plane of this namespace. Every request goes through `call`.
import { batch, effect, signal, useEffect, useSignal } from "./vendor/preact.js";
import { at, namespace, rootPath } from "./state.js";
import { format } from "./time.js";

const TOKEN = "sessionary.token";
/** Milliseconds after which an instant that was moved has rested. */
export const REST = 150;
/** "ok"; "dropped" while there is no such namespace; "gone" while the server does not answer; "token" if it wants one, "refused" a wrong one. */
export const connection = signal("ok");
/** The change number: what is shown is read again when it grows. */
export const number = signal(-1);
/** The latest answer of `GET changes`. */
export const changes = signal(null);
/** When that answer came, by the browser's steady clock, in milliseconds. */
export let receivedAt = 0;

/** An error response: `message` says what to do, `errors` where. */
export class Problem extends Error {
  constructor(status, body) {
    const places = body?.errors?.map(({ pointer, detail }) => `${pointer.replace(/^\//, "")} ${detail}`.trim()).join("; ");
    super(places || (body?.detail ?? body?.message ?? `The server answers ${status}.`));
    this.status = status;
    this.errors = body?.errors ?? [];
  }
}

/** No answer: the server is gone, or the network. */
class NoAnswer extends Error {}

/** The address of the server, with the path of a namespace. */
export const serverUrl = (ns = namespace) =>
  location.origin + rootPath + (ns === "default" ? "" : `/~${encodeURIComponent(ns)}`);

/** Fetch a path below `/_control/v1/` (or of a vendor, if it begins with `/`). Throws Problem. */
export async function request(path, { method = "GET", body, type = "application/json", at, ns, headers, signal: abort } = {}) {
  const url = `${serverUrl(ns)}${path.startsWith("/") ? "" : "/_control/v1/"}${path}`;
  const sent = { ...headers }, token = sessionStorage.getItem(TOKEN);
  if (token) sent.Authorization ??= `Bearer ${token}`;
  if (at != null) sent["Sessionary-At"] = format(at);
  if (body !== undefined) sent["Content-Type"] ??= type;
  const isText = typeof body === "string" || body instanceof Blob;
  const response = await fetch(url, { method, headers: sent, body: body === undefined || isText ? body : JSON.stringify(body), signal: abort, cache: "no-store" }).catch((error) => {
    throw error instanceof TypeError ? new NoAnswer("The server does not answer.") : error;
  });
  if (response.status === 401 && !path.startsWith("/") && !headers?.Authorization) connection.value = token ? "refused" : "token";
  return response;
}

/** As `request`, but return what the answer holds. */
export async function call(path, options) {
  const response = await request(path, options);
  const isJson = (response.headers.get("Content-Type") ?? "").includes("json");
  const body = isJson ? await response.json() : await response.text();
  if (!response.ok) throw new Problem(response.status, isJson ? body : null);
  return body;
}

/** Change something, then show what has changed at once. */
export async function change(path, options) {
  const answer = await call(path, { method: "POST", ...options });
  await refresh();
  return answer;
}

let movedAt = -REST;
effect(() => {
  at.value;
  movedAt = performance.now();
});

/** Read in a component: `{data, error, isStale}`; again when an argument or the change number changes.
 *
 * While the instant shown moves, nothing is read: the data are stale until it has rested. */
export function useRead(path, { at: instant = null, ns, when = true, mark } = {}) {
  const found = useSignal({});
  const key = `${path} ${instant} ${ns} ${mark}`;
  const seen = number.value, isOk = connection.value === "ok";
  useEffect(() => {
    if (!when || !isOk) return undefined;
    const abort = new AbortController();
    const read = () => call(path, { at: instant, ns, signal: abort.signal }).then(
      (data) => (found.value = { data, key }),
      (error) => abort.signal.aborted || (found.value = { ...found.value, key, error }),
    );
    const wait = instant === null ? 0 : Math.max(0, movedAt + REST - performance.now());
    const timer = setTimeout(read, wait);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [key, when, seen, isOk]);
  return { ...found.value, isStale: found.value.key !== key };
}

let etag = "", timer = 0, polls = 0;

/** Ask now whether anything changed. */
export async function refresh() {
  const mine = ++polls;
  clearTimeout(timer);
  try {
    const response = await request("changes", { headers: etag ? { "If-None-Match": etag } : {} });
    if (response.status === 401) return;
    if (response.status !== 304) await take(response);
    if (connection.value !== "ok") connection.value = "ok";
  } catch (error) {
    if (error instanceof NoAnswer) connection.value = "gone";
    else if (error.status === 404) drop();
    else throw error;
  } finally {
    if (mine === polls && !document.hidden) timer = setTimeout(refresh, connection.value === "dropped" ? 10_000 : 1000);
  }
}

/** Forget what was read of a namespace that does not exist. */
function drop() {
  etag = "";
  batch(() => {
    connection.value = "dropped";
    changes.value = null;
    number.value = -1;
  });
}

async function take(response) {
  const body = await response.json();
  if (!response.ok) throw new Problem(response.status, body);
  etag = response.headers.get("ETag") ?? "";
  receivedAt = performance.now();
  changes.value = body;
  number.value = body.number;
}

/** Keep a token for this tab, until it is forgotten. */
export function useToken(token) {
  if (token) sessionStorage.setItem(TOKEN, token);
  else sessionStorage.removeItem(TOKEN);
  etag = "";
  return refresh();
}
export const hasToken = () => sessionStorage.getItem(TOKEN) !== null;

/** Take the token out of the address. The tab keeps the one it has until the server accepts another. */
async function takeToken() {
  const token = new URLSearchParams(location.hash.slice(1).replaceAll("+", "%2B")).get("token");
  if (!token) return;
  history.replaceState(null, "", location.pathname + location.search);
  const isAccepted = () => request("changes", { headers: { Authorization: `Bearer ${token}` } }).then(({ status }) => status !== 401, () => false);
  if (!hasToken() || (await isAccepted())) sessionStorage.setItem(TOKEN, token);
}

/** Poll once a second while the page is visible. */
export async function start() {
  addEventListener("hashchange", () => takeToken().then(refresh));
  await takeToken();
  document.addEventListener("visibilitychange", () => {
    etag = ""; // a clock may have run differently meanwhile
    if (document.hidden) clearTimeout(timer);
    else refresh();
  });
  return refresh();
}
