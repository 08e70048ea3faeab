// Status LED and outputs: what the LED shows, and a switch for each output.

import { $, attribute, el, list, text } from "/static/ui/dom.js";
import { lamp, output } from "./words.js";

export class Lines {
  #put; #failures = {};

  // put(key, value) sets a setting, and is refused with an error that says why.
  constructor(put) { this.#put = put; }

  show(view, now, may) {
    const outputs = view.outputs ?? [];
    $("#lines").hidden = !view.led && !outputs.length;
    $("#led").hidden = !view.led;
    if (view.led) {
      attribute($("#led"), "data-shows", view.led.shows);
      text($("#led").lastElementChild, lamp(view.led.shows));
    }
    list($("#outputs"), outputs, (o) => o.name, (o) => this.#row(o), (row, o) => {
      const { level, text: said } = output(o, now, this.#failures[o.name]);
      row.dataset.level = level;
      row.dataset.on = o.on;
      text($(".quiet", row), said);
      const button = $("button", row);
      text(button, o.on ? "Switch off" : "Switch on");
      button.disabled = !may || (Boolean(o.error) && !o.on);
    });
  }

  #row(o) {
    const row = el("li", { class: "output", "data-test": "output" }, el("span", { class: "dot" }), el("strong", {}, o.name), el("span", { class: "quiet" }),
      el("button", { class: "button plain", type: "button", onclick: () => this.#switch(o.name, row.dataset.on !== "true") }));
    return row;
  }

  async #switch(name, on) {
    delete this.#failures[name];
    try {
      await this.#put(`output.${name}`, on);
    } catch (error) {
      this.#failures[name] = error.message;
    }
  }
}
