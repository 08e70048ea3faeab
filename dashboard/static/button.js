// The start/stop button: what the hardware one does. Where this browser may not write, it says why and takes a token.

import { $, remember, text } from "/static/ui/dom.js";
import { fetchJSON } from "/static/ui/live.js";

const slot = "holdfast-token";

export class Button {
  #button = $("#button"); #hint = $("#button-hint"); #form = $("#token-form"); #input = $("#token");
  #token = remember.get(slot); #trusted = false; #busy = false; #failure = ""; #pressed;

  // pressed(view) is called with the view that a press brought about.
  constructor(pressed) {
    this.#pressed = pressed;
    this.#button.addEventListener("click", () => this.#press());
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#try(this.#input.value.trim());
    });
    if (this.#token) this.#try(this.#token);
  }

  #headers() { return this.#token && this.#trusted ? { Authorization: `Bearer ${this.#token}` } : {}; }

  show(view) {
    const may = view.may_write || this.#trusted;
    text(this.#button, view.measuring ? "Stop measuring" : "Start measuring");
    this.#button.disabled = !may || this.#busy;
    this.#form.hidden = may || !view.token_set;
    const hint = may ? "" : view.token_set ? "To use the button from here, enter the gateway's token."
      : "The button works on the device itself. To use it from here, set DASHBOARD_TOKEN on the device.";
    text(this.#hint, this.#failure || hint);
  }

  // lost says that the gateway cannot be reached, so that nobody presses in vain.
  lost() { this.#button.disabled = true; }

  async #press() {
    this.#busy = this.#button.disabled = true;
    this.#failure = "";
    try {
      this.#pressed(await fetchJSON("/api/v1/button", { method: "POST", headers: this.#headers() }));
    } catch (error) {
      this.#failure = `The button did nothing: ${error.message}.`;
      text(this.#hint, this.#failure);
    } finally {
      this.#busy = this.#button.disabled = false;
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
