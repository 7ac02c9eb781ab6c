"use strict";
// What the page knows, and questions about it. Touches neither the document's look nor the mouse.
const data = JSON.parse(document.getElementById("data").textContent);
const NEVER = -1;
const COLOURS = ["#0072b2", "#e69f00", "#009e73", "#d55e00", "#56b4e9", "#cc79a7", "#f0e442", "#7a6fd0"];
const DARK_INK = ["#e69f00", "#56b4e9", "#cc79a7", "#f0e442"]; // colours that take dark letters
const pods = data.pods;
const podCount = pods ? pods.name.length : 0;
const barsShown = !data.levels;

/** Virtual time for the eye: 12.5 s, 3 min 20 s, 1 h 5 min. */
function timeText(micros) {
  const seconds = micros / 1e6;
  if (seconds < 60) return `${Number(seconds.toFixed(seconds < 10 ? 3 : 1))} s`;
  const minutes = Math.floor(seconds / 60);
  const [large, small, units] = minutes < 60 ? [minutes, Math.floor(seconds % 60), ["min", "s"]] : [Math.floor(minutes / 60), minutes % 60, ["h", "min"]];
  return `${large} ${units[0]}${small ? ` ${small} ${units[1]}` : ""}`;
}
/** When a pod stopped holding its node, or the end of the run. */
const heldUntil = (p) => (pods.end[p] === NEVER ? data.ended : Math.min(pods.end[p], data.ended));
/** When a pod stopped waiting, or the end of the run. */
const waitedUntil = (p) => (pods.bound[p] === NEVER ? heldUntil(p) : pods.bound[p]);
const podColour = (p) => COLOURS[pods.workload[p] % COLOURS.length];
const fullName = (p) => `${pods.namespaces[pods.namespace[p]]}/${pods.name[p]}`;
const spoken = (p, text) => text.replaceAll("{pod}", fullName(p)).replaceAll("{node}", pods.texts[pods.host[p]]);
const podReasons = (p) => [...new Set(pods.why[p].map(([, text]) => pods.reasons[text]))];

/** Index of the last time that is not behind `at`. */
function lastBefore(times, at) {
  let low = 0, high = times.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (times[middle] <= at) low = middle; else high = middle - 1;
  }
  return low;
}
/** GPUs that a node offers at a time. */
function offered(node, at) {
  const offers = data.nodes[node][3];
  let gpus = 0;
  for (const [since, count] of offers) if (since <= at) gpus = count;
  return gpus;
}
/** For each node, which pod holds each of its GPUs at a time (NEVER: none); counts where pods are not known. */
function holders(at) {
  if (!barsShown) return null;
  const lanes = data.nodes.map(([, , count]) => new Array(count).fill(NEVER));
  for (let p = 0; p < podCount; p++) {
    const held = pods.node[p] !== NEVER && pods.bound[p] !== NEVER && pods.bound[p] <= at;
    const open = pods.end[p] === NEVER || pods.end[p] > at;
    if (held && open) for (const lane of pods.lanes[p]) lanes[pods.node[p]][lane] = p;
  }
  return lanes;
}
/** GPUs in use on each node at a time. */
function usedAt(at) {
  if (barsShown) return holders(at).map((lanes) => lanes.filter((p) => p !== NEVER).length);
  const index = lastBefore(data.levels.times, at);
  return data.levels.used.map((row) => row[index]);
}
/** Pods that wait at a time, by main reason. */
function waitingAt(at) {
  const index = lastBefore(data.series.times, at), found = [];
  for (const [name, values] of Object.entries(data.series))
    if (name.startsWith("waiting: ") && values[index]) found.push([name.slice(9), values[index]]);
  return found;
}
/** Rows of waiting pods: those who wait do not overlap within a row. */
function waitingRows(most) {
  const ends = [], rows = new Map();
  let left = 0;
  const waiters = [];
  for (let p = 0; p < podCount; p++) if (waitedUntil(p) > pods.created[p]) waiters.push(p);
  waiters.sort((a, b) => pods.created[a] - pods.created[b] || a - b);
  for (const p of waiters) {
    let row = ends.findIndex((end) => end <= pods.created[p]);
    if (row < 0) row = ends.length;
    if (row >= most) { left++; continue; }
    ends[row] = waitedUntil(p);
    rows.set(p, row);
  }
  return { rows, count: ends.length, left };
}
