// A sparkline: the last readings of one quantity, as a line without axes.

import { svg } from "./dom.js";

const width = 120, height = 32, inset = 2;

export function spark() {
  const line = svg("polyline", { fill: "none", "vector-effect": "non-scaling-stroke" });
  const root = svg("svg", { class: "spark", viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", "aria-hidden": "true" }, line);
  return {
    node: root,
    // draw takes [ms, value] pairs in order of time and shows those of the last span ms before now. A change smaller than
    // least fills no more than its share of the height: noise of the last digit looks like what it is.
    draw(samples, now, span, least) {
      const shown = samples.filter(([t]) => t >= now - span);
      if (shown.length < 2) {
        line.setAttribute("points", "");
        return;
      }
      const values = shown.map(([, v]) => v);
      const low = Math.min(...values), high = Math.max(...values);
      const extent = Math.max(high - low, least), middle = (low + high) / 2;
      line.setAttribute("points", shown.map(([t, v]) => {
        const x = width * (1 - (now - t) / span);
        const y = height / 2 - ((v - middle) / extent) * (height - 2 * inset);
        return `${x.toFixed(1)},${y.toFixed(1)}`;
      }).join(" "));
    },
  };
}
