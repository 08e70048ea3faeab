// The simulated Pi's chips: plug them in and out, have one hang the bus or break its wire. A real Pi has no such card.

import { $, attribute, el, list, text } from "/static/ui/dom.js";
import { fetchJSON } from "/static/ui/live.js";
import { fault, place } from "./words.js";

const path = "/api/v1/simulated", every = 5000; // ms between two looks: others have keys

export class Workbench {
  #send; #chips = []; #may = false; #looked = 0; #said = "";

  // send(path, method, body) asks the gateway as one who may write.
  constructor(send) {
    this.#send = send;
    $("#drawer-plug").addEventListener("click", () => this.#do($("#drawer").value, "plug"));
  }

  show(view, may) {
    $("#workbench").hidden = !view.simulated;
    this.#may = may;
    if (!view.simulated || Date.now() - this.#looked < every) return;
    this.#looked = Date.now();
    fetchJSON(path).then((found) => this.#take(found), () => {});
  }

  #take(found) {
    this.#chips = found.chips;
    const plugged = this.#chips.filter((c) => c.plugged), drawer = this.#chips.filter((c) => !c.plugged);
    list($("#chips"), plugged, (c) => c.name, (c) => this.#row(c), (row, c) => {
      attribute(row, "data-level", c.fault ? "bad" : "good");
      text($(".quiet", row), [place(c), c.about, fault(c)].filter(Boolean).join(" · "));
      const [out, hang, corrupt, mend] = row.querySelectorAll("button");
      for (const button of [out, hang, corrupt, mend]) button.disabled = !this.#may;
      hang.hidden = corrupt.hidden = Boolean(c.fault);
      mend.hidden = !c.fault;
    });
    list($("#drawer"), drawer, (c) => c.name, (c) => el("option", { value: c.name }, `${c.name}, ${place(c)}: ${c.about}`));
    $("#drawer-plug").disabled = !this.#may || !drawer.length;
    text($("#workbench-hint"), this.#said);
  }

  #row(c) {
    const act = (deed, name) => el("button", { class: "button plain", type: "button", "data-do": deed, onclick: () => this.#do(c.name, deed) }, name);
    return el("li", { class: "output", "data-test": "chip" }, el("span", { class: "dot" }), el("strong", {}, c.name), el("span", { class: "quiet" }),
      el("span", { class: "presses" }, act("unplug", "Unplug"), act("hang", "Hang the bus"), act("corrupt", "Break the wire"), act("mend", "Mend")));
  }

  async #do(chip, deed) {
    this.#said = "";
    try {
      this.#take(await this.#send(path, "POST", { chip, do: deed }));
    } catch (error) {
      this.#said = `Nothing was done: ${error.message}.`;
      text($("#workbench-hint"), this.#said);
    }
  }
}
