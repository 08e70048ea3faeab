// One quantity over time: the mean as a line, minimum to maximum as a band, gaps left open. Times are ms, as in Date.

import uPlot from "./vendor/uPlot-1.6.32.esm.js";
import { number, withUnit } from "./format.js";

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const two = (n) => String(n).padStart(2, "0");

// ticks writes the marks of the time axis, as finely as they lie apart, in the reader's time zone.
function ticks(_, splits, __, ___, apart) {
  return splits.map((s) => {
    const at = new Date(s * 1000);
    const midnight = at.getHours() + at.getMinutes() + at.getSeconds() === 0;
    if (apart >= 86400 || (midnight && apart >= 3600)) return `${at.getDate()} ${at.toLocaleString("en", { month: "short" })}`;
    return `${two(at.getHours())}:${two(at.getMinutes())}${apart < 60 ? ":" + two(at.getSeconds()) : ""}`;
  });
}

// gaps puts a null wherever two points lie much farther apart than most do, so that the line breaks there.
export function gaps(points, least) {
  const apart = points.slice(1).map((p, i) => p[0] - points[i][0]).sort((a, b) => a - b);
  const limit = Math.max(3 * (apart[Math.floor(apart.length / 2)] ?? 0), least);
  const out = [];
  points.forEach((p, i) => {
    if (i > 0 && p[0] - points[i - 1][0] > limit) out.push([points[i - 1][0] + 1, null, null, null]);
    out.push(p);
  });
  return out;
}

// Chart draws into host. told(sentence) is called with what a reader of the chart would say of it.
export class Chart {
  #host; #told; #plot; #points = [];
  #look = { span: 300000, unit: "", precision: undefined, threshold: null, least: 10000 };
  #now = Date.now();

  constructor(host, told) {
    this.#host = host;
    this.#told = told;
    new ResizeObserver(() => this.#plot?.setSize(this.#size())).observe(host);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#build());
    host.addEventListener("pointermove", (event) => this.#touch(event));
    host.addEventListener("pointerdown", (event) => this.#touch(event));
  }

  // show replaces everything. points are [ms, mean, min, max] in order of time; look is {span (ms), unit, precision,
  // threshold (a value or null), least (ms between two points that is no gap)}.
  show(points, now, look) {
    this.#look = { ...this.#look, ...look };
    this.#points = points;
    this.#now = now;
    this.#build();
  }

  // add puts one more sample at the end.
  add(ms, value) {
    const last = this.#points.at(-1);
    if (!last || ms > last[0]) this.#points.push([ms, value, value, value]);
  }

  // tick moves the window to now.
  tick(now, threshold) {
    this.#now = now;
    if (threshold !== undefined) this.#look.threshold = threshold;
    while (this.#points.length > 1 && this.#points[1][0] < now - this.#look.span) this.#points.shift();
    this.#plot?.setData(this.#data());
    this.#tell();
  }

  #size() { return { width: this.#host.clientWidth, height: this.#host.clientHeight }; }

  #data() {
    const rows = gaps(this.#points, this.#look.least);
    return [rows.map((p) => p[0] / 1000), ...[2, 3, 1].map((i) => rows.map((p) => p[i]))];
  }

  #visible() { return this.#points.filter((p) => p[0] >= this.#now - this.#look.span); }

  #range(low, high) {
    if (low === null) return [0, 1];
    const { threshold, precision } = this.#look;
    const extent = high - low;
    if (threshold !== null && threshold > low - 1.5 * extent && threshold < high + 1.5 * extent) {
      [low, high] = [Math.min(low, threshold), Math.max(high, threshold)];
    }
    const pad = Math.max((high - low) * 0.12, 10 * 10 ** -(precision ?? 2));
    return [low - pad, high + pad];
  }

  #build() {
    this.#plot?.destroy();
    const [ink, line, accent, band] = ["--muted", "--line", "--accent", "--band"].map(color);
    const font = `12px ${color("--font")}`;
    const axis = { stroke: ink, font, grid: { stroke: line, width: 1 }, ticks: { show: false } };
    this.#plot = new uPlot({
      ...this.#size(),
      padding: [10, 6, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 8, width: 2 } },
      scales: {
        x: { time: true, range: () => [(this.#now - this.#look.span) / 1000, this.#now / 1000] },
        y: { range: (_, low, high) => this.#range(low, high) },
      },
      axes: [
        { ...axis, values: ticks, space: 72, size: 30, gap: 8 },
        { ...axis, gap: 8, size: (_, values) => 14 + 7.4 * Math.max(3, ...(values ?? []).map((v) => v.length)), values: (_, splits, __, ___, apart) => {
          const places = Math.max(0, -Math.floor(Math.log10(apart) + 1e-9));
          return splits.map((v) => number(v, places));
        } },
      ],
      series: [{},
        { stroke: "transparent", points: { show: false } },
        { stroke: "transparent", points: { show: false } },
        { stroke: accent, width: 2, points: { show: (u) => u.data[0].length < 30, size: 5, fill: accent } }],
      bands: [{ series: [2, 1], fill: band }],
      hooks: { draw: [(u) => this.#drawThreshold(u)], setCursor: [() => this.#tell()] },
    }, this.#data(), this.#host);
    this.#tell();
  }

  #drawThreshold(u) {
    const { threshold } = this.#look;
    if (threshold === null || threshold < u.scales.y.min || threshold > u.scales.y.max) return;
    const y = u.valToPos(threshold, "y", true), { left, width } = u.bbox;
    u.ctx.save();
    u.ctx.strokeStyle = color("--warn");
    u.ctx.lineWidth = devicePixelRatio * 1.5;
    u.ctx.setLineDash([6 * devicePixelRatio, 5 * devicePixelRatio]);
    u.ctx.beginPath();
    u.ctx.moveTo(left, y);
    u.ctx.lineTo(left + width, y);
    u.ctx.stroke();
    u.ctx.restore();
  }

  // A finger has no cursor: let it drag ours.
  #touch(event) {
    if (event.pointerType === "mouse" || !this.#plot) return;
    const box = this.#plot.over.getBoundingClientRect();
    this.#plot.setCursor({ left: event.clientX - box.left, top: event.clientY - box.top });
  }

  #tell() {
    const { unit, precision } = this.#look;
    const say = (v) => withUnit(number(v, precision), unit);
    const i = this.#plot?.cursor.idx;
    if (i !== null && i !== undefined && this.#plot.data[3][i] != null) {
      const [t, low, high, mean] = this.#plot.data.map((column) => column[i]);
      const at = new Date(t * 1000).toLocaleTimeString("en-GB");
      this.#told(low === high ? `${at}  ${say(mean)}` : `${at}  ${say(mean)}  (${number(low, precision)} to ${say(high)})`);
      return;
    }
    const shown = this.#visible();
    if (shown.length === 0) {
      this.#told("no readings in this span");
      return;
    }
    const low = shown.reduce((a, p) => Math.min(a, p[2]), Infinity), high = shown.reduce((a, p) => Math.max(a, p[3]), -Infinity);
    this.#told(`between ${number(low, precision)} and ${say(high)}`);
  }
}
