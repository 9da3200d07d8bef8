// What the page shows, all of it in its address: a link shows the same to others.
import { batch, computed, effect, signal } from "./vendor/preact.js";
import { format, parse } from "./time.js";

const given = new URLSearchParams(location.search);
const [, root, name] = /^(.*?)(?:\/~([^/@]*)[^/]*)?\/_control\/console\//.exec(location.pathname);

export const namespace = decodeURIComponent(name ?? "default");
/** The path before that of a namespace, if a proxy adds one. */
export const rootPath = root;
/** The instants and the window in the address, as texts. A `+` there is read as a space. */
export const asked = Object.fromEntries(["at", "a", "b", "view"].map((each) => [each, (given.get(each) ?? "").replaceAll(" ", "+")]));
export const at = signal(parse(asked.at)); // null: now
export const selected = signal(given.get("sel") ?? ""); // "surface/id"
export const query = signal(given.get("q") ?? "");
export const a = signal(parse(asked.a));
export const b = signal(parse(asked.b));
export const view = signal(parseView(asked.view)); // [from, to]; null: everything
export const panel = signal(given.get("panel") ?? ""); // the id of the open panel
export const call = signal(Number(given.get("call")) || null); // the number of the call that its panel shows
export const theme = signal(given.get("theme") ?? ""); // "": as the system has it

function parseView(text) {
  const [from, to] = text.split("~").map(parse);
  return from && to > from ? [from, to] : null;
}

const instant = (value) => (value === null ? "" : format(value));
const parameters = computed(() => {
  const values = {
    at: instant(at.value), sel: selected.value, q: query.value, a: instant(a.value), b: instant(b.value),
    view: view.value?.map((each) => format(Math.round(each))).join("~"), panel: panel.value, call: panel.value === "call" && call.value, theme: theme.value,
  };
  const text = Object.entries(values).filter(([, value]) => value)
    .map(([key, value]) => `${key}=${encodeURIComponent(value).replace(/%2F/g, "/").replace(/%3A/g, ":")}`);
  return text.length ? `?${text.join("&")}` : "";
});

/** Keep the address as it is shown; at most five times a second, as browsers limit it. */
export function keepAddress() {
  let timer = 0;
  effect(() => {
    const search = parameters.value;
    clearTimeout(timer);
    timer = setTimeout(() => history.replaceState(null, "", location.pathname + search), 200);
  });
}

/** Open a panel, or close it if it is open. */
export const togglePanel = (id) => (panel.value = panel.value === id ? "" : id);

/** Show a call of the journal. */
export function openCall(number) {
  batch(() => {
    call.value = number;
    panel.value = "call";
  });
}

/** Show a session, at an instant if one is given. */
export function select(key, instantShown) {
  batch(() => {
    selected.value = key;
    if (instantShown !== undefined) at.value = instantShown;
  });
}

/** The address of the console in another namespace. */
export const consoleOf = (other) =>
  `${rootPath}${other === "default" ? "" : `/~${encodeURIComponent(other)}`}/_control/console/`;

const prefersDark = matchMedia("(prefers-color-scheme: dark)");
const systemIsDark = signal(prefersDark.matches);
prefersDark.addEventListener("change", () => (systemIsDark.value = prefersDark.matches));
export const isDark = computed(() => (theme.value ? theme.value === "dark" : systemIsDark.value));
export const switchTheme = () => (theme.value = isDark.value ? "light" : "dark");
effect(() => void (document.documentElement.dataset.theme = isDark.value ? "dark" : "light"));
