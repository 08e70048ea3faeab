// Live values: one card for each quantity of each sensor. A card is a button that puts its quantity into the chart.

import { ago, isSet, number, quantityName } from "./format.js";
import { attribute, el, list, text, $ } from "./dom.js";
import { spark } from "./spark.js";

const shown = 5 * 60 * 1000; // ms of a sparkline

// Values keeps the cards in host and the last minutes of each quantity. picked(item) is called when a card is chosen.
export class Values {
  #host; #picked; #samples = new Map(); #sparks = new WeakMap();

  constructor(host, picked) {
    this.#host = host;
    this.#picked = picked;
  }

  static key(item) { return `${item.sensor} ${item.quantity}`; }

  // seed gives a quantity's past: [ms, value] pairs in order of time.
  seed(item, samples) {
    const key = Values.key(item);
    const newer = (this.#samples.get(key) ?? []).filter(([t]) => !samples.length || t > samples.at(-1)[0]);
    this.#samples.set(key, [...samples, ...newer]);
  }

  // add puts one more sample behind a quantity's past; false where it is not new.
  add(item, ms, value) {
    const samples = this.#samples.get(Values.key(item)) ?? [];
    if (samples.length && samples.at(-1)[0] >= ms) return false;
    samples.push([ms, value]);
    while (samples[0][0] < ms - shown - 10000) samples.shift();
    this.#samples.set(Values.key(item), samples);
    return true;
  }

  // show brings the cards up to date. An item is {sensor, quantity, unit, precision, value, time, level, stale}: level is
  // bad, warn or empty (an alert stands on it), stale says why the value is old, or is empty.
  show(items, now, chosen) {
    list(this.#host, items, Values.key, (item) => this.#make(item), (node, item) => {
      const key = Values.key(item);
      attribute(node, "aria-pressed", key === chosen);
      node.dataset.level = item.level ?? "";
      node.dataset.stale = item.stale ? "yes" : "";
      text($(".number", node), number(item.value, item.precision));
      text($(".unit", node), item.unit);
      text($(".age", node), item.stale || (isSet(item.time) ? ago(item.time, now) : "no reading yet"));
      this.#sparks.get(node).draw(this.#samples.get(key) ?? [], now, shown, 10 * 10 ** -(item.precision ?? 2));
    });
  }

  #make(item) {
    const line = spark();
    const node = el("button", { type: "button", class: "value", onclick: () => this.#picked(item) },
      el("span", { class: "value-name" }, quantityName(item.quantity)),
      el("span", { class: "value-now" }, el("span", { class: "number", "data-test": "value", "data-sensor": item.sensor, "data-quantity": item.quantity }), el("span", { class: "unit" })),
      line.node,
      el("span", { class: "value-foot" }, el("span", { class: "sensor" }, item.sensor), el("span", { class: "age" })));
    node.dataset.sensor = item.sensor;
    node.dataset.quantity = item.quantity;
    this.#sparks.set(node, line);
    return node;
  }
}
