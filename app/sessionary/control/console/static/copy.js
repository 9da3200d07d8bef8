// Copying to the clipboard, with a word that it was done.
import { html, signal, useSignal } from "./vendor/preact.js";
import { visible } from "./text.js";

/** What was copied last; shown for two seconds. */
const copied = signal("");

export async function copy(text, what) {
  await write(await text);
  copied.value = what;
  setTimeout(() => copied.value === what && (copied.value = ""), 2000);
}

/** The clipboard of a page that is not on a secure origin is reached by a selection only. */
async function write(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.body.appendChild(document.createElement("textarea"));
  area.value = text;
  area.select();
  document.execCommand("copy");
  return area.remove();
}

/** A button that copies; `text` is a text, or a function that makes it or a promise of it; `reason` is why it cannot. */
export function CopyButton({ text, what, reason, children }) {
  const problem = useSignal("");
  const onClick = async () => {
    try {
      await copy(typeof text === "function" ? text() : text, what);
      problem.value = "";
    } catch (error) {
      problem.value = error.message;
    }
  };
  return html`<button onClick=${onClick} disabled=${Boolean(reason)} title=${reason}>${copied.value === what ? "Copied" : children ?? "Copy"}</button>
    ${problem.value && html`<p class="error" role="alert">${visible(problem.value)}</p>`}`;
}
