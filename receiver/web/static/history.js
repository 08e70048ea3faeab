// The chart's card: which quantity, which span, and the readings behind it.

import { Chart } from "/static/ui/chart.js";
import { $, attribute, el, list, remember, text } from "/static/ui/dom.js";
import { quantityName } from "/static/ui/format.js";
import { fetchJSON } from "/static/ui/live.js";
import { now } from "./poll.js";

const minute = 60 * 1000;
// ms, name, points asked for
const spans = [[5 * minute, "5 min", 300], [60 * minute, "1 h", 600], [24 * 60 * minute, "24 h", 720], [7 * 24 * 60 * minute, "7 d", 1008]];
const slot = "holdfast-receiver-quantity";

export const key = (item) => `${item.sensor} ${item.quantity}`;

// readings fetches buckets of one series, or of all where no item is given: [{sensor, quantity, points}…].
export async function readings(device, item, span, points) {
  const query = new URLSearchParams({ from: new Date(now() - span).toISOString(), to: new Date(now() + 1000).toISOString(), points });
  if (item) [["sensor", item.sensor], ["quantity", item.quantity]].forEach(([name, value]) => query.set(name, value));
  const answer = await fetchJSON(`/api/v1/devices/${encodeURIComponent(device)}/readings?${query}`);
  return answer.series.map((s) => ({ sensor: s.sensor, quantity: s.quantity, points: (s.buckets ?? []).map((b) => [Date.parse(b.time), b.mean, b.min, b.max]) }));
}

export class History {
  #device; #chosen = remember.get(slot); #span = spans[0]; #items = []; #changed;
  #drawn = ""; #drawnAt = 0;
  #chart = new Chart($("#chart"), (sentence) => text($("#chart-told"), sentence));

  // changed() is called when the reader chose another quantity or span.
  constructor(device, changed) {
    this.#device = device;
    this.#changed = changed;
    $("#span").append(...spans.map((s) => el("label", {},
      el("input", { type: "radio", name: "span", checked: s === this.#span, onchange: () => { this.#span = s; changed(); } }), el("span", {}, s[1]))));
    $("#series").addEventListener("change", (event) => this.choose(event.target.value));
  }

  get chosen() { return this.#chosen; }

  choose(chosen) {
    this.#chosen = chosen;
    remember.set(slot, chosen);
    this.#changed();
  }

  // add puts a live sample at the chart's end; the long spans wait for the next reading of the history.
  add(item) {
    if (this.#drawn.startsWith(key(item) + " ") && this.#span[0] <= 60 * minute) this.#chart.add(Date.parse(item.time), item.value);
  }

  // stale makes the next show read the history again.
  stale() { this.#drawnAt = 0; }

  // show keeps the chart on the chosen quantity. The history is read when the choice changes and now and then; in between
  // the window moves on. threshold is the value of the item's rule, or null.
  async show(items, threshold) {
    this.#items = items;
    if (!items.some((item) => key(item) === this.#chosen)) this.#chosen = items.length ? key(items[0]) : null;
    const item = items.find((i) => key(i) === this.#chosen);
    $("#chart-card").hidden = !item;
    if (!item) return;
    this.#title(item);
    const [span, , points] = this.#span;
    const drawn = `${key(item)} ${span}`;
    if (drawn === this.#drawn && Date.now() - this.#drawnAt < Math.max(minute / 2, span / 200)) {
      this.#chart.tick(now(), threshold(item));
      return;
    }
    const look = { span, unit: item.unit, precision: item.precision, threshold: threshold(item), least: Math.max(5000, 3.5 * (item.interval || 0), 2.5 * span / points) };
    if (drawn !== this.#drawn) this.#chart.show([], now(), look);
    this.#drawn = drawn;
    this.#drawnAt = Date.now();
    try {
      const [found] = await readings(this.#device, item, span, points);
      if (this.#drawn === drawn) this.#chart.show(found?.points ?? [], now(), look);
    } catch (error) {
      text($("#chart-told"), `The history could not be read: ${error.message}. It is tried again.`);
      this.#drawnAt = Date.now() - minute / 2 - span / 200 + 5000;
    }
  }

  #title(item) {
    text($("#chart-title"), `${quantityName(item.quantity)} · ${item.sensor}`);
    list($("#series"), this.#items, key, (i) => el("option", { value: key(i) }, `${quantityName(i.quantity)} · ${i.sensor}`));
    if ($("#series").value !== this.#chosen) $("#series").value = this.#chosen;
    attribute($("#chart"), "data-quantity", item.quantity);
  }
}
