// The start/stop button with its short, long and double presses: what the hardware one does. Where this browser may not
// write, it says why and takes a token.

import { $, el, list, remember, text } from "/static/ui/dom.js";
import { fetchJSON } from "/static/ui/live.js";
import { deeds } from "./words.js";

const slot = "holdfast-token";

export class Button {
  #button = $("#button"); #presses = $("#presses"); #hint = $("#button-hint"); #form = $("#token-form"); #input = $("#token");
  #token = remember.get(slot); #trusted = false; #busy = false; #failure = ""; #pressed;

  // pressed(view) is called with the view that a press brought about.
  constructor(pressed) {
    this.#pressed = pressed;
    this.#button.addEventListener("click", () => this.#press("short"));
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#try(this.#input.value.trim());
    });
    if (this.#token) this.#try(this.#token);
  }

  #headers() { return this.#token && this.#trusted ? { Authorization: `Bearer ${this.#token}` } : {}; }

  // may reports whether this browser may write.
  may(view) { return view.may_write || this.#trusted; }

  // put sets a setting.
  put(key, value) { return this.send(`/api/v1/settings/${key}`, "PUT", { value, reason: "switch on the page" }); }

  // send asks the gateway, as one who may write where that is known.
  send(path, method, body) { return fetchJSON(path, { method, headers: this.#headers(), body: JSON.stringify(body) }); }

  // acknowledge notes that somebody here has seen an alert.
  acknowledge(alert) { return this.#carry("Nothing was acknowledged", `/api/v1/alerts/${encodeURIComponent(alert.id)}/acknowledge`, {}); }

  show(view) {
    const may = this.may(view);
    text(this.#button, view.measuring ? "Stop measuring" : "Start measuring");
    list(this.#presses, deeds(view), (d) => d.press + d.text, (d) => el("button", { class: "button plain", type: "button", title: d.title, "data-press": d.press,
      onclick: () => this.#press(d.press) }, d.text), (node) => { node.disabled = !may || this.#busy; });
    this.#button.disabled = !may || this.#busy;
    this.#form.hidden = may || !view.token_set;
    const hint = may ? "" : view.token_set ? "To use the button from here, enter the gateway's token."
      : "The button works on the device itself. To use it from here, set DASHBOARD_TOKEN on the device.";
    text(this.#hint, this.#failure || hint);
  }

  // lost says that the gateway cannot be reached, so that nobody presses in vain.
  lost() { this.#disable(true); }

  #disable(off) {
    for (const button of [this.#button, ...this.#presses.children]) button.disabled = off;
  }

  #press(press) { return this.#carry("The button did nothing", "/api/v1/button", { press }); }

  async #carry(otherwise, path, body) {
    this.#busy = true;
    this.#disable(true);
    this.#failure = "";
    try {
      this.#pressed(await this.send(path, "POST", body));
    } catch (error) {
      this.#failure = `${otherwise}: ${error.message}.`;
      text(this.#hint, this.#failure);
    } finally {
      this.#busy = false;
      this.#disable(false);
    }
  }

  // The token counts once the gateway says that it may write with it; it stays in this tab.
  async #try(token) {
    try {
      const view = await fetchJSON("/api/v1/status", { headers: { Authorization: `Bearer ${token}` } });
      this.#trusted = view.may_write;
      this.#token = view.may_write ? token : null;
      this.#failure = view.may_write ? "" : "The gateway does not know this token.";
      remember.set(slot, this.#token);
      this.show({ ...view, may_write: this.#trusted });
    } catch (error) {
      this.#failure = `The token could not be tried: ${error.message}.`;
      text(this.#hint, this.#failure);
    }
  }
}
