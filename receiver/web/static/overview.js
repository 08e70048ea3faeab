// All devices, one card each. With one device alone, that device in full.

import { $, el, list, text } from "/static/ui/dom.js";
import { number, plural, quantityName } from "/static/ui/format.js";
import { fetchJSON, live } from "/static/ui/live.js";
import { chip, DeviceView } from "./device.js";
import { key } from "./history.js";
import { every, now } from "./poll.js";
import { Series } from "./series.js";
import * as words from "./words.js";

const most = 6; // values on a card

export class Overview {
  #root; #page; #poll; #shown = ""; #view = null; #end = null; #timer;
  #devices = []; #details = new Map(); // by id: {device, series, streams, lost}

  constructor(root, page) {
    this.#root = root;
    this.#page = page;
    this.#poll = every(5000, async () => this.#take((await fetchJSON("/api/v1/devices")).devices), (error) => {
      page.trouble("devices", error);
      if (!this.#view && !this.#end) page.heard(!error);
    });
  }

  async #take(devices) {
    this.#devices = devices;
    this.#frame(devices.length === 0 ? "none" : devices.length === 1 ? `only ${devices[0].id}` : "many");
    if (!this.#end) return;
    this.#show();
    for (const device of devices) await this.#detail(device);
    this.#show();
  }

  // frame changes between the three faces: none, one device in full, many.
  #frame(face) {
    if (face === this.#shown) return;
    this.#shown = face;
    this.#view?.stop();
    this.#end?.();
    clearInterval(this.#timer);
    this.#view = this.#end = null;
    if (face.startsWith("only ")) {
      this.#view = new DeviceView(this.#root, this.#devices[0].id, this.#page);
      return;
    }
    this.#root.replaceChildren($(face === "none" ? "#none-template" : "#overview-template").content.cloneNode(true));
    text($("#where"), "receiver");
    document.title = "Holdfast receiver";
    if (face === "none") return;
    this.#end = live("/api/v1/live", {
      sample: (reading) => this.#details.get(reading.device)?.series.sample(reading),
      alert: () => this.#poll.again(),
      device: (changed) => {
        this.#details.delete(changed.device);
        this.#poll.again();
      },
      lagged: () => this.#details.clear(),
    }, (alive) => this.#page.heard(alive));
    this.#timer = setInterval(() => this.#show(), 1000);
  }

  // detail fetches a device's values once, and why numbers are lost whenever there are more of those.
  async #detail(device) {
    const path = `/api/v1/devices/${encodeURIComponent(device.id)}`;
    let known = this.#details.get(device.id);
    if (!known) {
      known = { series: new Series(), streams: null, lost: 0 };
      known.series.update(await fetchJSON(path));
      this.#details.set(device.id, known);
    }
    const lost = device.totals.dropped + device.totals.rejected;
    if (lost !== known.lost) {
      known.streams = (await fetchJSON(`${path}/completeness`)).streams;
      known.lost = lost;
    }
  }

  #show() {
    const online = this.#devices.filter((d) => d.online).length;
    text($("#overview-title"), `${plural(this.#devices.length, "device")}, ${online} online`);
    list($("#devices"), this.#devices, (d) => d.id, make, (node, device) => this.#card(node, device));
  }

  #card(node, device) {
    const at = now(), known = this.#details.get(device.id);
    node.dataset.online = device.online;
    chip($(".presence", node), words.presence(device));
    const measuring = words.measuring(device);
    chip($(".measuring", node), measuring);
    $(".measuring", node).dataset.measuring = measuring.state;
    const items = known?.series.items(device, [], at) ?? [];
    list($(".now", node), items.slice(0, most), key, makeValue, (li, item) => {
      text($(".number", li), number(item.value, item.precision));
      text($(".unit", li), item.unit);
    });
    const said = (name, { level, text: sentence }) => {
      $(name, node).dataset.level = level;
      text($(name, node), sentence);
    };
    said(".more", { text: items.length > most ? `and ${items.length - most} more` : "", level: "" });
    said(".alerts", words.alertsOpen(device));
    said(".complete", words.completeness(device.totals, known?.streams, device));
    said(".backlog", { text: words.backlogSentence(device, device.totals, at), level: "" });
    said(".problem", { text: words.problems(device, at).map((p) => p.title).join(" "), level: "warn" });
    for (const name of [".more", ".problem"]) $(name, node).hidden = $(name, node).textContent === "";
  }
}

function make(device) {
  const node = el("li", { class: "card device", "data-test": "device" },
    el("div", { class: "device-head" },
      el("h2", {}, el("a", { href: `/devices/${encodeURIComponent(device.id)}` }, device.id)),
      el("p", { class: "chips" }, el("span", { class: "chip presence", "data-test": "online" }), el("span", { class: "chip measuring", "data-test": "measuring" }))),
    el("ul", { class: "now" }), el("p", { class: "quiet more" }),
    el("p", { class: "said problem" }), el("p", { class: "said alerts" }),
    el("p", { class: "said complete", "data-test": "completeness" }), el("p", { class: "quiet backlog", "data-test": "backlog" }));
  node.dataset.device = device.id;
  return node;
}

function makeValue(item) {
  const figure = el("span", { class: "number", "data-test": "value", "data-sensor": item.sensor, "data-quantity": item.quantity });
  return el("li", { title: item.sensor }, el("span", { class: "value-name" }, quantityName(item.quantity)), figure, el("span", { class: "unit" }));
}
