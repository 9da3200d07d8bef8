// The screen of an empty namespace: how each vendor's client gets here, and the demo.
import { html, useSignal } from "./vendor/preact.js";
import { call, change, serverUrl } from "./api.js";
import { CopyButton } from "./copy.js";
import { surfaces } from "./lanes.js";
import { isServer } from "./panels/parts.js";
import { namespace } from "./state.js";

const environment = (surface) =>
  `export ${Object.entries(surface.environment).map(([name, value]) => `${name}=${value}`).join(" ")}`;

function Line({ name, text, what }) {
  return html`<div class="line"><span class="sub">${name}</span><pre>${text}</pre><${CopyButton} text=${text} what=${what} /></div>`;
}

function Vendor({ surface }) {
  const { name, title, example } = surface;
  return html`<article>
    <h3>${title}</h3>
    <${Line} name="env" text=${environment(surface)} what=${`${name} env`} />
    ${Object.entries(example).map(([language, text]) => html`<${Line} key=${language} name=${language} text=${text} what=${`${name} ${language}`} />`)}
  </article>`;
}

export function FirstRun() {
  const problem = useSignal("");
  const load = async () => {
    try {
      const body = await (await fetch("demo.toml")).text();
      await change(`namespaces/${namespace}/seed`, { body, type: "application/toml" });
    } catch (error) {
      problem.value = error.message;
    }
  };
  const ns = namespace === "default" ? "" : ` --namespace ${namespace}`;
  return html`<section class="first" aria-label="First run">
    <h2>No sessions yet</h2>
    <p>Point a client at this address, and each session that it opens appears here at once.</p>
    ${!isServer() && html`<p class="group"><button class="go" onClick=${load}>Load the demo</button> <span class="sub">30 sessions of all vendors around now</span></p>`}
    ${problem.value && html`<p class="error" role="alert">${problem.value}</p>`}
    <${Line} name="env" text=${`eval "$(sessionary env --url ${serverUrl("default")}${ns})"`} what="all env" />
    <div class="vendors">${[...surfaces.value.values()].map((surface) => html`<${Vendor} key=${surface.name} surface=${surface} />`)}</div>
  </section>`;
}
