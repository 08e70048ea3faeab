// What of its readings a device sends, and why, in words. Pure: the data of an event "edge", or the "edge" of a state, in.

export const edgeMode = (d) => ({
  raw: "Every reading goes up",
  aggregate: "Summaries go up, readings stay on the device",
  hold: "Telemetry waits on the device",
}[d.mode] ?? `Mode ${d.mode}`);

const number = (before, n, after = "") => (typeof n === "number" ? `${before}${n.toFixed(2)}${after}` : "");

// edgeReason has the number that decided, where an event has it.
export function edgeReason(d) {
  const link = d.mode === "aggregate" ? `the buffer is nearly full${number(": ", d.backlog)}` : `the link is not stable${number(": ", d.stability)}`;
  return {
    latency_requirement: "decisions are needed sooner than the cloud can make them",
    cost_optimization: `every reading would cost too much${number(": ", d.cost_per_day, " a day")}`,
    redundancy: link,
    cloud_optimized: "nothing speaks against it",
    configuration: "by configuration",
  }[d.reason] ?? d.reason;
}

// edgeProblem is what a person should know of it: nothing where every reading goes up.
export function edgeProblem(edge) {
  if (!edge || edge.mode === "raw") return [];
  const why = edgeReason(edge);
  return [{ level: "info", title: `${edgeMode(edge)}.`, text: `${why.charAt(0).toUpperCase()}${why.slice(1)}. Alerts and events go up at once.` }];
}
