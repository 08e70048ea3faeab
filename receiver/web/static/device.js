// One device in full: what it is, its live values, the chart, completeness, alerts and events.

import * as alerts from "/static/ui/alerts.js";
import { $, el, list, text } from "/static/ui/dom.js";
import * as events from "/static/ui/events.js";
import * as health from "/static/ui/health.js";
import { unitOf } from "/static/ui/format.js";
import { fetchJSON, live } from "/static/ui/live.js";
import { Values } from "/static/ui/values.js";
import { Acknowledge } from "./acknowledge.js";
import * as commands from "./commands.js";
import { Completeness } from "./completeness.js";
import { History, key, readings } from "./history.js";
import { every, now } from "./poll.js";
import { Series } from "./series.js";
import * as words from "./words.js";

const day = 24 * 3600 * 1000;

export class DeviceView {
  #id; #root; #page; #polls; #timer; #end;
  #device = null; #alerts = []; #events = []; #commands = []; #shadow = null; #complete = null; #seeded = false;
  #acknowledge; #series = new Series(); #completeness = new Completeness(); #values; #history;

  // page is {heard(alive), trouble(name, error)}: what the frame shows of the connection.
  constructor(root, id, page) {
    this.#id = id;
    this.#root = root;
    this.#page = page;
    root.replaceChildren($("#device-template").content.cloneNode(true));
    root.dataset.test = "device";
    root.dataset.device = id;
    text($("#where"), `device ${id}`);
    this.#values = new Values($("#values"), (item) => this.#history.choose(key(item)));
    this.#history = new History(id, () => this.#show());
    const path = `/api/v1/devices/${encodeURIComponent(id)}`;
    this.#acknowledge = new Acknowledge(path, () => this.#polls.commands.again());
    this.#polls = {
      device: this.#poll("device", 10000, async () => this.#take(await fetchJSON(path))),
      completeness: this.#poll("completeness", 5000, async () => { this.#complete = await fetchJSON(`${path}/completeness`); }),
      alerts: this.#poll("alerts", 30000, async () => { this.#alerts = (await fetchJSON(`/api/v1/alerts?${new URLSearchParams({ device: id, limit: 50 })}`)).alerts; }),
      events: this.#poll("events", 30000, async () => {
        const query = new URLSearchParams({ from: new Date(now() - 30 * day).toISOString(), to: new Date(now() + 60000).toISOString(), limit: 20 });
        this.#events = (await fetchJSON(`${path}/events?${query}`)).events;
      }),
      commands: this.#poll("commands", 5000, async () => {
        this.#commands = (await fetchJSON(`${path}/commands?limit=10`)).commands;
        this.#shadow = await fetchJSON(`${path}/shadow`);
      }),
    };
    this.#timer = setInterval(() => this.#show(), 1000);
    this.#end = live(`/api/v1/live?${new URLSearchParams({ device: id })}`, {
      sample: (reading) => this.#sample(reading),
      alert: () => this.#polls.alerts.again(),
      event: () => this.#polls.events.again(),
      device: () => this.#polls.device.again(),
      response: () => this.#polls.commands.again(),
      lagged: () => this.#again(),
    }, (alive) => page.heard(alive));
  }

  // stop ends all that the view started and leaves its place empty.
  stop() {
    this.#end();
    clearInterval(this.#timer);
    for (const poll of Object.values(this.#polls)) poll.stop();
    this.#root.replaceChildren();
    delete this.#root.dataset.test;
    delete this.#root.dataset.device;
  }

  #poll(name, ms, load) {
    return every(ms, load, (error) => {
      const unknown = error?.status === 404 ? new Error(`no device ${this.#id} has reported here so far`) : error;
      this.#page.trouble(name, unknown);
      this.#show();
    });
  }

  #again() {
    for (const poll of Object.values(this.#polls)) poll.again();
    this.#history.stale();
    this.#seeded = false;
  }

  #take(device) {
    this.#device = device;
    this.#series.update(device);
    if (!this.#seeded) this.#seed();
  }

  // seed fills the sparklines with the last minutes.
  async #seed() {
    this.#seeded = true;
    const found = await readings(this.#id, null, 300000, 150).catch(() => []);
    for (const series of found) this.#values.seed(series, series.points.map(([t, mean]) => [t, mean]));
    this.#show();
  }

  #sample(reading) {
    for (const item of this.#series.sample(reading)) {
      if (this.#values.add(item, Date.parse(item.time), item.value)) this.#history.add(item);
    }
    this.#show();
  }

  #show() {
    const device = this.#device;
    if (!device) return;
    const at = now();
    this.#head(device, at);
    const items = this.#series.items(device, this.#alerts, at);
    this.#history.show(items, (item) => this.#alerts.find((a) => key(a) === key(item))?.threshold ?? null);
    this.#values.show(items, at, this.#history.chosen);
    health.show($("#health-card"), this.#series.items(device, [], at, true));
    if (this.#complete) this.#completeness.show(this.#complete, device, at);
    alerts.show($("#alerts"), this.#alerts, at, (alert, quantity) => items.find((i) => key(i) === key({ ...alert, quantity })) ?? { unit: unitOf(quantity) },
      (alert) => this.#acknowledge.send(alert), (alert) => this.#acknowledge.asked(alert, this.#commands));
    this.#acknowledge.show();
    commands.show($("#commands"), this.#commands, at, 10);
    commands.wishes($("#wishes"), this.#shadow);
    events.show($("#events"), this.#events, at, (e) => `${e.stream} ${e.seq}`, 20);
  }

  #head(device, at) {
    const presence = words.presence(device), measuring = words.measuring(device);
    $("#device-name").dataset.level = presence.level;
    text($("#device-name").lastElementChild, device.id);
    text($("#device-about"), words.about(device, at));
    chip($("#presence"), presence);
    chip($("#measuring"), measuring);
    $("#measuring").dataset.measuring = measuring.state;
    document.title = `${device.id} · ${presence.text}`;
    list($("#notices"), words.problems(device, at), (p) => p.id ?? p.title.replace(/\d.*/, ""), () => el("li", { class: "notice" }, el("span", { class: "dot" }), el("strong"), el("span", { class: "quiet" })), (node, p) => {
      node.dataset.level = p.level;
      text($("strong", node), p.title);
      text($(".quiet", node), p.text);
    });
  }
}

// chip shows a state: its words and its colour.
export function chip(node, { level, text: said }) {
  node.dataset.level = level;
  text(node, said);
}
