"use strict";
// The page works without this script: it adds the plot, sorting, filters and details. All text goes in as text.
(() => {
const data = JSON.parse(document.getElementById("data").textContent);
const $ = id => document.getElementById(id);
const rows = data.rows;

// el makes an element; svg a shape.
function el(tag, props = {}, ...kids) {
  const e = Object.assign(document.createElement(tag), props);
  e.append(...kids);
  return e;
}
function svg(tag, attrs = {}, ...kids) {
  const e = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const k in attrs) e.setAttribute(k, attrs[k]);
  e.append(...kids);
  return e;
}

// Axes: how a field of the data is shown, and which end of it is better.
const axes = {
  macs: {text: "MACs of one image", unit: "G", scale: 1e9, log: true},
  params: {text: "parameters", unit: "M", scale: 1e6, log: true},
  activations: {text: "activations of one image", unit: "M", scale: 1e6, log: true},
  latency_p50_ns: {text: "latency, p50", unit: "ms", scale: 1e6, log: true, lo: "latency_p50_lo_ns", hi: "latency_p50_hi_ns"},
  latency_p90_ns: {text: "latency, p90", unit: "ms", scale: 1e6, log: true},
  images_per_s: {text: "rate", unit: "img/s", scale: 1, log: true, high: true},
  peak_rss_bytes: {text: "peak memory", unit: "MiB", scale: 1 << 20, log: true},
  joules_per_image: {text: "processor energy per image", unit: "J", scale: 1, log: true},
  // Accuracies on different images share no plot: over gives an identity of the images and their name.
  top1: {text: "top-1 measured here", unit: "%", scale: 1, high: true, lo: "top1_lo", hi: "top1_hi", decimals: r => r.n_images >= 10000 ? 2 : 1,
    over: r => [r.dataset_sha256 || r.top1_over, r.top1_over]},
  published_top1: {text: "published top-1, not measured here", unit: "%", scale: 1, high: true, decimals: () => 2,
    over: r => [r.published_dataset || "", r.published_dataset || "a set without a name"]},
  year: {text: "year of publication", unit: "", scale: 1, high: true},
  load_ns: {text: "time until ready", unit: "ms", scale: 1e6, log: true},
  tune_ns: {text: "trials of algorithms", unit: "ms", scale: 1e6, log: true},
  decode_p50_ns: {text: "decoding an image", unit: "ms", scale: 1e6, log: true},
  preprocess_p50_ns: {text: "preparing an image", unit: "ms", scale: 1e6, log: true},
  forward_p50_ns: {text: "forward call in the pipeline, per image", unit: "ms", scale: 1e6, log: true},
  end_to_end_p50_ns: {text: "one image from file to prediction", unit: "ms", scale: 1e6, log: true},
  batch: {text: "images in a batch", unit: "", scale: 1, log: true, setting: true},
  threads: {text: "threads", unit: "", scale: 1, log: true, setting: true},
  img_size: {text: "input size", unit: "px", scale: 1, setting: true},
};
const has = field => rows.some(r => r[field] !== null);
const title = a => a.unit ? `${a.text} (${a.unit})` : a.text;
function figure(v, a, r) {
  if (v === null || v === undefined) return "–";
  const x = v / a.scale;
  if (a.decimals) return x.toFixed(a.decimals(r));
  if (a.scale === 1 && !a.log && Number.isInteger(x)) return String(x);
  return x.toFixed(x >= 1000 ? 0 : x >= 100 ? 1 : x >= 10 ? 2 : 3);
}

// Theme.
const themeButton = $("theme");
const dark = () => document.documentElement.dataset.theme ? document.documentElement.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
function nameTheme() { themeButton.textContent = dark() ? "Light" : "Dark"; }
themeButton.hidden = false;
themeButton.onclick = () => { document.documentElement.dataset.theme = dark() ? "light" : "dark"; nameTheme(); };
nameTheme();

// marker draws a family's polygon or circle.
function marker(family, x, y, r, extra = "") {
  const f = data.families[family] || {color: 6, corners: 0, turn: 0};
  const a = {class: "mark " + extra, fill: `var(--c${f.color})`, stroke: `var(--c${f.color})`};
  if (extra.includes("hollow")) delete a.fill;
  if (!f.corners) return svg("circle", {...a, cx: x, cy: y, r});
  const far = r * Math.sqrt(2 * Math.PI / (f.corners * Math.sin(2 * Math.PI / f.corners)));
  const points = [];
  for (let i = 0; i < f.corners; i++) {
    const t = f.turn + 2 * Math.PI * i / f.corners;
    points.push(`${(x + far * Math.cos(t)).toFixed(2)},${(y - far * Math.sin(t)).toFixed(2)}`);
  }
  return svg("polygon", {...a, points: points.join(" ")});
}

// ticks are round values within [lo, hi].
function ticks(lo, hi, log) {
  const all = [];
  if (log) {
    const decades = Math.log10(hi / lo);
    const digits = decades > 4 ? [1] : decades > 0.8 ? [1, 2, 5] : [1, 1.5, 2, 3, 4, 5, 6, 7, 8];
    for (let e = Math.floor(Math.log10(lo)); e <= Math.ceil(Math.log10(hi)); e++)
      for (const d of digits) if (d * 10 ** e >= lo && d * 10 ** e <= hi) all.push(+(d * 10 ** e).toPrecision(3));
    return all;
  }
  let step = 10 ** Math.floor(Math.log10((hi - lo) / 6));
  for (const m of [1, 2, 5, 10]) if ((hi - lo) / (step * m) <= 8) { step *= m; break; }
  for (let v = Math.ceil(lo / step) * step; v <= hi + step * 1e-9; v += step) all.push(+v.toPrecision(6));
  return all;
}

// ruler maps values to [from, to], with some room at the ends.
function ruler(lo, hi, from, to, log) {
  const f = log ? Math.log : v => v;
  if (!(hi > lo)) { hi = log ? lo * 1.5 : lo + 1; lo = log ? lo / 1.5 : lo - 1; }
  const a = f(lo), b = f(hi), room = (b - a) * 0.05;
  const g = log ? Math.exp : v => v;
  const at = v => from + (f(v) - (a - room)) / (b - a + 2 * room) * (to - from);
  return Object.assign(at, {ticks: ticks(g(a - room), g(b + room), log)});
}

// frame draws grid, ticks and the axes' names.
function frame(g, x, y, box, xText, yText) {
  for (const v of x.ticks) g.append(svg("line", {class: "grid", x1: x(v), x2: x(v), y1: box.top, y2: box.bottom}), svg("text", {class: "tick", x: x(v), y: box.bottom + 17, "text-anchor": "middle"}, String(v)));
  for (const v of y.ticks) g.append(svg("line", {class: "grid", x1: box.left, x2: box.right, y1: y(v), y2: y(v)}), svg("text", {class: "tick", x: box.left - 7, y: y(v) + 4, "text-anchor": "end"}, String(v)));
  g.append(svg("line", {class: "axis", x1: box.left, x2: box.right, y1: box.bottom, y2: box.bottom}), svg("line", {class: "axis", x1: box.left, x2: box.left, y1: box.top, y2: box.bottom}));
  g.append(svg("text", {x: (box.left + box.right) / 2, y: box.bottom + 38, "text-anchor": "middle"}, xText));
  g.append(svg("text", {transform: `translate(${box.left - 46} ${(box.top + box.bottom) / 2}) rotate(-90)`, "text-anchor": "middle"}, yText));
}

// State of the filters and the plot.
let shownRows = rows.map((_, i) => i);
let points = [];  // of the plot: {i, x, y, mark}, from left to right
let current = -1; // the point that the keyboard is at

function summary(i, fx, fy) {
  const r = rows[i], lines = [r.name];
  if (r.settings) lines[0] += " · " + r.settings;
  for (const f of [fy, fx]) {
    const a = axes[f];
    let line = `${a.text}: ${figure(r[f], a, r)} ${a.unit}`.trimEnd();
    if (a.lo && r[a.lo] !== null) line += ` [${figure(r[a.lo], a, r)}, ${figure(r[a.hi], a, r)}]`;
    if (a.over && r[f] !== null) line += `, on ${a.over(r)[1]}`;
    lines.push(line);
  }
  if (r.invalid) lines.push("not to be trusted: " + (r.notes || []).join("; "));
  return lines.join("\n");
}

function pareto(ps, ax, ay) {
  const better = (a, v, w) => a.high ? v > w : v < w;
  const good = ps.filter(p => !rows[p.i].invalid);
  return good.filter(p => !good.some(q => q !== p && !better(ax, p.vx, q.vx) && !better(ay, p.vy, q.vy) && (better(ax, q.vx, p.vx) || better(ay, q.vy, p.vy))));
}

// curves joins the points of one network that differ in the setting across alone.
function curves(root, ps, across) {
  const all = new Map();
  for (const p of ps) {
    const r = rows[p.i], key = JSON.stringify([r.model, r.experiment, r.settings.replace(/\d+( px)?/g, ""), ...["img_size", "batch", "threads"].filter(f => f !== across).map(f => r[f])]);
    all.set(key, (all.get(key) || []).concat(p));
  }
  for (const some of all.values()) {
    const f = data.families[rows[some[0].i].family] || {color: 6};
    if (some.length > 1) root.append(svg("polyline", {class: "curve", stroke: `var(--c${f.color})`, points: some.sort((p, q) => p.vx - q.vx).map(p => `${p.x.toFixed(1)},${p.y.toFixed(1)}`).join(" ")}));
  }
}

// oneSet keeps those of the rows some whose accuracies are on one set of images: the one that the most networks have, of
// equals the first. It says which images these are and which rows it left out.
function oneSet(some, field) {
  const sets = new Map();
  for (const i of some) {
    const [id, text] = axes[field].over(rows[i]);
    if (!sets.has(id)) sets.set(id, {id, text, rows: []});
    sets.get(id).rows.push(i);
  }
  const networks = s => new Set(s.rows.map(i => rows[i].model)).size;
  const [best, ...others] = [...sets.values()].sort((a, b) => networks(b) - networks(a));
  if (!best) return [some, ""];
  let note = `The ${axes[field].text.split(",")[0]} comes from ${best.text}. `;
  if (others.length) note += "Left out, because theirs comes from other images: " + others.map(s => {
    const names = [...new Set(s.rows.map(i => rows[i].name))];
    return names.slice(0, 8).join(", ") + (names.length > 8 ? ` and ${names.length - 8} more` : "") + ` (${s.text}${s.text === best.text ? ", SHA-256 " + s.id.slice(0, 8) : ""})`;
  }).join(", ") + ". ";
  return [best.rows, note];
}

function draw() {
  const fx = $("x").value, fy = $("y").value, ax = axes[fx], ay = axes[fy], log = $("log").checked;
  const host = $("chart");
  const narrow = host.clientWidth < 520;
  const W = narrow ? 430 : 860, H = narrow ? 420 : 520, box = {left: 62, right: W - 14, top: 12, bottom: H - 50};
  let some = shownRows.filter(i => rows[i][fx] !== null && rows[i][fy] !== null), over = "";
  const without = shownRows.length - some.length;
  for (const f of new Set([fy, fx])) if (axes[f].over) {
    const [kept, note] = oneSet(some, f);
    some = kept;
    over += note;
  }
  const root = svg("svg", {viewBox: `0 0 ${W} ${H}`, tabindex: "0", role: "application",
    "aria-label": `Scatter plot of ${title(ay)} against ${title(ax)}, ${some.length} points. Arrow keys go from point to point, Enter opens details.`});
  points = []; current = -1;
  if (some.length) {
    const scale = (f, a, from, to) => {
      const vs = some.flatMap(i => [f, a.lo, a.hi].filter(k => k && rows[i][k] !== null).map(k => rows[i][k] / a.scale));
      const l = log && a.log && Math.min(...vs) > 0;
      return ruler(Math.min(...vs), Math.max(...vs), from, to, l);
    };
    const x = scale(fx, ax, box.left, box.right), y = scale(fy, ay, box.bottom, box.top);
    frame(root, x, y, box, title(ax), title(ay));
    const ps = some.map(i => ({i, vx: rows[i][fx] / ax.scale, vy: rows[i][fy] / ay.scale}));
    for (const p of ps) { p.x = x(p.vx); p.y = y(p.vy); }
    const edge = pareto(ps, ax, ay).sort((p, q) => p.vx - q.vx);
    if (ax.setting) curves(root, ps, fx);
    if (!ax.setting && $("front").checked && edge.length > 1) {
      // Steps, not slopes: there is no network in between.
      const steps = edge.flatMap((p, k) => k === 0 ? [p] : [ax.high ? {x: edge[k - 1].x, y: p.y} : {x: p.x, y: edge[k - 1].y}, p]);
      root.append(svg("polyline", {class: "front", points: steps.map(p => `${p.x.toFixed(1)},${p.y.toFixed(1)}`).join(" ")}));
    }
    for (const p of ps) {
      const r = rows[p.i], f = data.families[r.family] || {color: 6};
      const bar = (x1, y1, x2, y2) => root.append(svg("line", {class: "bar", stroke: `var(--c${f.color})`, x1, y1, x2, y2}));
      if (ax.lo && r[ax.lo] !== null) bar(x(r[ax.lo] / ax.scale), p.y, x(r[ax.hi] / ax.scale), p.y);
      if (ay.lo && r[ay.lo] !== null) bar(p.x, y(r[ay.lo] / ay.scale), p.x, y(r[ay.hi] / ay.scale));
    }
    for (const p of ps) {
      const r = rows[p.i];
      p.mark = marker(r.family, p.x, p.y, ps.length > 300 ? 4 : 6, (r.invalid ? "bad " : "") + (fy === "published_top1" || fx === "published_top1" ? "hollow" : ""));
      p.mark.dataset.row = p.i;
      root.append(p.mark);
    }
    points = ps.sort((p, q) => p.x - q.x || p.y - q.y);
    labels(root, edge.concat(points.filter(p => !edge.includes(p))), box, narrow ? 12 : 40);
  } else root.append(svg("text", {x: W / 2, y: H / 2, "text-anchor": "middle"}, "No visible row has both figures."));
  host.replaceChildren(root);
  $("plot-note").textContent = over + (without ? `${without} of ${shownRows.length} rows have no figure on one of the axes and are not drawn. ` : "") +
    (fy === "published_top1" || fx === "published_top1" ? "Hollow markers: published accuracies, measured by others. " : "") +
    (some.some(i => rows[i].invalid) ? "Dotted outlines: measured, but not to be trusted." : "");
  legend(new Set(some.map(i => rows[i].family)));
  root.onpointermove = e => { const i = e.target.dataset?.row; i === undefined ? hideTip() : showTip(summary(+i, fx, fy), e.clientX, e.clientY); };
  root.onpointerleave = hideTip;
  root.onclick = e => { const i = e.target.dataset?.row; if (i !== undefined) open(+i); };
  root.onblur = () => { hideTip(); mark(-1); };
  root.onkeydown = e => {
    const step = {ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1}[e.key];
    if (step && points.length) go((current + step + points.length) % points.length);
    else if (e.key === "Home" && points.length) go(0);
    else if (e.key === "End" && points.length) go(points.length - 1);
    else if (e.key === "Enter" && current >= 0) open(points[current].i);
    else if (e.key === "Escape") { hideTip(); mark(-1); }
    else return;
    e.preventDefault();
  };
  function mark(k) {
    if (current >= 0) points[current]?.mark.classList.remove("at");
    current = k;
    if (k >= 0) { points[k].mark.classList.add("at"); root.append(points[k].mark); }
  }
  function go(k) {
    mark(current < 0 && k === points.length - 2 ? points.length - 1 : k);
    const p = points[current], text = summary(p.i, fx, fy), b = p.mark.getBoundingClientRect();
    $("said").textContent = text;
    showTip(text, b.right, b.bottom);
  }
}

// labels names as many points as fit without covering one another, the first ones first.
function labels(root, ps, box, most) {
  const taken = ps.map(p => [p.x - 7, p.y - 7, p.x + 7, p.y + 7]);
  const free = b => b[0] > box.left && b[2] < box.right && b[1] > box.top && b[3] < box.bottom && !taken.some(t => b[0] < t[2] && b[2] > t[0] && b[1] < t[3] && b[3] > t[1]);
  const seen = new Set();
  for (const p of ps) {
    const name = rows[p.i].model, w = name.length * 6.1;
    if (seen.size >= most || seen.has(name)) continue;
    for (const [dx, dy, anchor] of [[9, 4, "start"], [-9, 4, "end"], [0, -11, "middle"], [0, 19, "middle"], [4, -11, "end"], [-4, -11, "start"], [4, 19, "end"], [-4, 19, "start"]]) {
      const left = p.x + dx - (anchor === "start" ? 0 : anchor === "end" ? w : w / 2);
      const b = [left, p.y + dy - 10, left + w, p.y + dy + 3];
      if (!free(b)) continue;
      taken.push(b); seen.add(name);
      root.append(svg("text", {class: "label", x: p.x + dx, y: p.y + dy, "text-anchor": anchor}, name));
      break;
    }
  }
}

function legend(families) {
  $("legend").replaceChildren(...[...families].sort().map(f => {
    const s = svg("svg", {viewBox: "0 0 16 16", "aria-hidden": "true"});
    s.append(marker(f, 8, 8, 5));
    return el("li", {}, s, f || "no family");
  }));
}

function showTip(text, x, y) {
  const t = $("tip");
  t.textContent = text; t.hidden = false;
  t.style.left = Math.max(4, Math.min(x + 14, innerWidth - t.offsetWidth - 8)) + "px";
  t.style.top = Math.max(4, y + 18 + t.offsetHeight > innerHeight ? y - t.offsetHeight - 10 : y + 18) + "px";
}
function hideTip() { $("tip").hidden = true; }

// Filters: what the table and the plot show.
const lines = [...document.querySelectorAll("#table tbody tr")];
const haystack = rows.map(r => [r.name, r.family, r.experiment, r.settings].join(" ").toLowerCase());
function filter() {
  const words = $("filter").value.toLowerCase().split(/[\s,]+/).filter(Boolean);
  const experiment = $("experiment").value, family = $("family").value;
  shownRows = [];
  rows.forEach((r, i) => {
    const ok = (!words.length || words.some(w => haystack[i].includes(w))) && (experiment === "" || r.experiment === JSON.parse(experiment)) && (family === "" || r.family === JSON.parse(family));
    lines[i].hidden = !ok;
    if (ok) shownRows.push(i);
  });
  $("count").textContent = `${shownRows.length} of ${rows.length} rows`;
  draw();
}
function options(select, values, all) {
  select.append(el("option", {value: "", textContent: all}), ...values.map(v => el("option", {value: JSON.stringify(v), textContent: v || "none"})));
  select.closest("label").hidden = values.length < 2;
}

// Sorting: rows without the figure come last, either way.
function sort(th) {
  const field = th.dataset.field, down = th.getAttribute("aria-sort") === "ascending";
  for (const h of th.parentNode.children) h.removeAttribute("aria-sort");
  th.setAttribute("aria-sort", down ? "descending" : "ascending");
  const order = rows.map((_, i) => i).sort((i, j) => {
    const a = rows[i][field], b = rows[j][field];
    if (a === null || b === null) return (a === null) - (b === null);
    const c = typeof a === "string" ? a.localeCompare(b, undefined, {numeric: true}) : a - b;
    return down ? -c : c;
  });
  document.querySelector("#table tbody").append(...order.map(i => lines[i]));
}

// Details of a row.
function open(i) {
  hideTip();
  const r = rows[i], body = $("panel-body");
  const facts = [["family", r.family], ["year", r.year], ["experiment", r.experiment], ["settings", r.settings], ["input", r.img_size && `${r.img_size} px`]];
  for (const f of ["params", "macs", "activations", "latency_p50_ns", "latency_p90_ns", "images_per_s", "peak_rss_bytes", "load_ns", "tune_ns", "decode_p50_ns", "preprocess_p50_ns", "forward_p50_ns", "end_to_end_p50_ns", "joules_per_image", "top1", "published_top1"]) {
    const a = axes[f], why = r.not_measured?.[f];
    let text = r[f] === null ? (f === "published_top1" ? why : why && "not measured: " + why) : `${figure(r[f], a, r)} ${a.unit}`;
    if (r[f] !== null && a.lo && r[a.lo] !== null) text += ` [${figure(r[a.lo], a, r)}, ${figure(r[a.hi], a, r)}]`;
    if (r[f] !== null && f === "published_top1" && r.published_source) text += ` (${r.published_source})`;
    facts.push([a.text, text]);
    if (f === "top1") facts.push(["top-1 on", r.top1_over && (r.dataset ? `${r.n_images} images of ${r.dataset}` : r.top1_over) + (r.dataset_sha256 ? `, SHA-256 ${r.dataset_sha256.slice(0, 16)}` : "")]);
  }
  facts.push(["predictions", r.predictions], ["plan", r.plan]);
  const dl = el("dl", {});
  for (const [k, v] of facts) if (v) dl.append(el("dt", {textContent: k}), el("dd", {textContent: v}));
  const close = el("button", {type: "button", textContent: "Close"});
  close.onclick = () => $("panel").close();
  const head = el("header", {}, el("h2", {id: "panel-title", textContent: r.name, tabIndex: -1, autofocus: true}), close);
  const parts = [head];
  if (r.notes) parts.push(el("p", {className: "note", textContent: (r.invalid ? "Not to be trusted. " : "") + r.notes.join("; ")}));
  const right = el("div", {});
  if (r.histogram) right.append(el("h3", {textContent: "Latency of each run"}), histogram(r));
  parts.push(el("div", {className: "two"}, dl, right));
  const plan = data.layers[r.layers];
  if (plan) parts.push(...layerParts(plan));
  else parts.push(el("p", {className: "note", textContent: "The record of this row has no layers, or the page had no room for them."}));
  body.replaceChildren(...parts);
  $("panel").showModal();
  $("panel").scrollTop = 0;
}

function histogram(r) {
  const h = r.histogram, W = 420, H = 190, box = {left: 60, right: W - 8, top: 8, bottom: H - 46};
  const x = v => box.left + (v - h.lo_ns / 1e6) / ((h.hi_ns - h.lo_ns) / 1e6) * (box.right - box.left);
  x.ticks = ticks(h.lo_ns / 1e6, h.hi_ns / 1e6, false);
  const top = Math.max(...h.count), y = v => box.bottom - v / top * (box.bottom - box.top);
  y.ticks = ticks(0, top, false).filter(Number.isInteger);
  const total = h.count.reduce((a, b) => a + b, 0) + h.above;
  const root = svg("svg", {viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": `Histogram of ${total} runs from ${(h.lo_ns / 1e6).toFixed(2)} ms`});
  frame(root, x, y, box, "ms" + (h.above ? ` (${h.above} runs beyond)` : ""), "runs");
  const w = (box.right - box.left) / h.count.length;
  h.count.forEach((n, k) => n && root.append(svg("rect", {x: box.left + k * w + 0.5, width: w - 1, y: y(n), height: box.bottom - y(n), fill: "var(--c0)", "fill-opacity": "0.75"})));
  if (r.latency_p50_ns !== null) root.append(svg("line", {x1: x(r.latency_p50_ns / 1e6), x2: x(r.latency_p50_ns / 1e6), y1: box.top, y2: box.bottom, stroke: "var(--c1)", "stroke-width": 2}));
  return root;
}

// layerParts are the stage table, the roofline where layers were timed, and all layers.
function layerParts(plan) {
  const n = plan.name.length, timed = !!plan.p50_ns;
  const stages = new Map();
  let stage = "input";
  for (let k = 0; k < n; k++) {
    if (plan.name[k]) { const p = plan.name[k].split("."); stage = p.length > 1 && /^\d+$/.test(p[1]) && p[0].match(/^(features|stages|blocks|layers)$/) ? p.slice(0, 2).join(".") : p[0]; }
    const s = stages.get(stage) || {layers: 0, params: 0, macs: 0, ns: 0};
    s.layers++; s.params += plan.params[k]; s.macs += plan.macs[k]; s.out = plan.out[k]; s.ns += timed ? plan.p50_ns[k] : 0;
    stages.set(stage, s);
  }
  const sum = {params: 0, macs: 0, ns: 0};
  for (const s of stages.values()) for (const k in sum) sum[k] += s[k];
  const share = (v, of) => of ? (100 * v / of).toFixed(1) + " %" : "–";
  const heads = ["stage", "layers", "output", "parameters", "share", "MACs", "share"].concat(timed ? ["ms per image", "share"] : []);
  const cells = [...stages].map(([name, s]) => [name, s.layers, s.out.join("×"), (s.params / 1e6).toFixed(3) + " M", share(s.params, sum.params), (s.macs / 1e9).toFixed(4) + " G", share(s.macs, sum.macs)]
    .concat(timed ? [(s.ns / 1e6).toFixed(3), share(s.ns, sum.ns)] : []));
  const parts = [el("h3", {textContent: "Stages"}), table(heads, cells)];
  if (timed && data.peak_gflops_per_core && data.read_gbytes_per_s_per_core) parts.push(el("h3", {textContent: "Roofline of the layers"}), roofline(plan),
    el("p", {className: "note", textContent: "Dashed: the machine's measured peak, and the measured rate at which it reads memory. A layer above the slope has its data in a cache. A layer above the flat roof does fewer multiplications than are counted, as Winograd's algorithm does. Blue: convolutions."}));
  else if (!timed) parts.push(el("p", {className: "note", textContent: "No roofline: this run did not time the layers one by one."}));
  const all = el("details", {}, el("summary", {textContent: `All ${n} layers`}), table(["layer", "operation", "output", "parameters", "MACs", "algorithm"].concat(timed ? ["ms per image"] : []),
    plan.name.map((name, k) => [name, plan.op[k], plan.out[k].join("×"), plan.params[k], plan.macs[k], plan.algorithm[k]].concat(timed ? [(plan.p50_ns[k] / 1e6).toFixed(4)] : []))));
  parts.push(all);
  return parts;
}
function table(heads, cells) {
  const t = el("table", {}, el("thead", {}, el("tr", {}, ...heads.map(h => el("th", {scope: "col", textContent: h})))),
    el("tbody", {}, ...cells.map(line => el("tr", {}, ...line.map((c, k) => el("td", {textContent: String(c), className: k && typeof c === "number" ? "figure" : ""}))))));
  const box = el("div", {className: "scroll", tabIndex: 0}, t);
  box.setAttribute("role", "region");
  box.setAttribute("aria-label", "Table, scrolls sideways");
  return box;
}

// roofline shows each timed layer's rate against its operations per byte of weights and output, the least that it moves.
function roofline(plan) {
  const W = 860, H = 380, box = {left: 62, right: W - 14, top: 12, bottom: H - 50};
  const dots = [];
  plan.name.forEach((name, k) => {
    const bytes = 4 * (plan.params[k] / plan.batch + plan.out[k].reduce((a, b) => a * b, 1));
    if (plan.macs[k] > 0 && plan.p50_ns[k] > 0 && bytes > 0) dots.push({name: name || plan.op[k], x: 2 * plan.macs[k] / bytes, y: 2 * plan.macs[k] / plan.p50_ns[k], op: plan.op[k]});
  });
  const root = svg("svg", {viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": `Roofline of ${dots.length} layers`});
  if (!dots.length) return root;
  const peak = data.peak_gflops_per_core * plan.threads, read = data.read_gbytes_per_s_per_core * plan.threads;
  const xs = dots.map(d => d.x), ys = dots.map(d => d.y);
  const x = ruler(Math.min(...xs, peak / read / 2), Math.max(...xs, peak / read * 2), box.left, box.right, true);
  const y = ruler(Math.min(...ys), Math.max(...ys, peak), box.bottom, box.top, true);
  frame(root, x, y, box, "FLOP per byte of weights and output", "GFLOP/s");
  const left = Math.min(...xs, peak / read / 2), right = Math.max(...xs, peak / read * 2);
  const low = Math.max(left, Math.min(...ys) / read);
  root.append(svg("polyline", {class: "front", points: [[low, low * read], [peak / read, peak], [right, peak]].map(p => `${x(p[0])},${y(p[1])}`).join(" ")}));
  for (const d of dots) root.append(svg("circle", {class: "mark", cx: x(d.x), cy: y(d.y), r: 5, fill: d.op.startsWith("conv") ? "var(--c0)" : "var(--c1)", stroke: "none"}, svg("title", {}, `${d.name}: ${d.y.toFixed(1)} GFLOP/s`)));
  return root;
}

// Start.
if (rows.length) {
  $("filters").hidden = false; $("plot").hidden = false;
  for (const s of [$("x"), $("y")]) for (const f in axes) if (has(f)) s.append(el("option", {value: f, textContent: title(axes[f])}));
  $("x").value = has("latency_p50_ns") ? "latency_p50_ns" : "macs";
  $("y").value = has("top1") ? "top1" : has("published_top1") ? "published_top1" : "macs";
  options($("experiment"), [...new Set(rows.map(r => r.experiment))], "all");
  options($("family"), [...new Set(rows.map(r => r.family))].sort(), "all");
  for (const id of ["x", "y", "log", "front"]) $(id).onchange = draw;
  let wait;
  $("filter").oninput = () => { clearTimeout(wait); wait = setTimeout(filter, 120); };
  for (const id of ["experiment", "family"]) $(id).onchange = filter;
  $("reset").onclick = () => { for (const id of ["filter", "experiment", "family"]) $(id).value = ""; filter(); };
  for (const th of document.querySelectorAll("#table thead th")) {
    const b = el("button", {type: "button"});
    b.append(...th.childNodes);
    b.onclick = () => sort(th);
    th.append(b);
  }
  // A column that says the same everywhere, or nothing, is left out.
  for (const field of ["settings", "latency_p90_ns", "top1", "published_top1", "year"]) {
    const th = document.querySelector(`#table th[data-field=${field}]`), k = [...th.parentNode.children].indexOf(th);
    if (new Set(lines.map(tr => tr.children[k].textContent)).size > 1 || lines.length === 1) continue;
    th.hidden = true;
    for (const tr of lines) tr.children[k].hidden = true;
  }
  lines.forEach((tr, i) => {
    const th = tr.firstElementChild, b = el("button", {type: "button", textContent: th.textContent});
    b.setAttribute("aria-haspopup", "dialog");
    b.onclick = () => open(i);
    th.replaceChildren(b);
  });
  filter();
  let width = innerWidth;
  addEventListener("resize", () => { if (innerWidth !== width) { width = innerWidth; draw(); } });
}
$("panel").onclick = e => { if (e.target === $("panel")) $("panel").close(); };

// Findings: verdicts filter them, and some show themselves in the plot.
for (const b of document.querySelectorAll(".counts button")) b.onclick = () => {
  const on = b.getAttribute("aria-pressed") !== "true";
  for (const o of document.querySelectorAll(".counts button")) o.setAttribute("aria-pressed", String(o === b && on));
  for (const c of document.querySelectorAll("#claims .claim")) c.hidden = on && c.dataset.verdict !== b.dataset.verdict;
  for (const t of document.querySelectorAll(".theme")) t.hidden = !t.querySelector(".claim:not([hidden])");
};
for (const b of document.querySelectorAll(".show")) {
  const {x, y} = b.dataset;
  if (!rows.length || !has(x) || !has(y)) continue;
  b.hidden = false;
  b.onclick = () => { $("x").value = x; $("y").value = y; draw(); $("plot").scrollIntoView(); $("x").focus(); };
}
let opened = [];
addEventListener("beforeprint", () => { opened = [...document.querySelectorAll("#claims details:not([open])")]; for (const d of opened) d.open = true; });
addEventListener("afterprint", () => { for (const d of opened) d.open = false; });
$("save").hidden = false;
$("save").onclick = () => {
  const a = el("a", {href: URL.createObjectURL(new Blob([$("data").textContent], {type: "application/json"})), download: "zoobench.json"});
  a.click();
  setTimeout(() => URL.revokeObjectURL(a.href), 1000);
};
})();
