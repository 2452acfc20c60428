/* Charts: the page brings traces and layouts; here they get the theme, the width and the ground. */
const FONT = '-apple-system, BlinkMacSystemFont, "Segoe UI", Roboto, Inter, "Noto Sans", "Liberation Sans", Arial, sans-serif';
/* No mode bar: it would offer to send charts away, and the page sends nothing. */
const CONFIG = { displaylogo: false, responsive: false, displayModeBar: false, doubleClick: "reset+autosize" };
const NARROW = 560;
/* A chart taller than a page would be cut; titles of panels side by side are smaller on paper. */
const PAPER = { width: 680, height: 800, font: 10 };
let printing = false;

function theme() {
  const style = getComputedStyle(document.documentElement);
  const read = (name) => style.getPropertyValue(name).trim();
  return printing
    ? { ink: "#000000", muted: "#555555", line: "#dddddd", ground: "#ffffff", paper: "#f4f4f2", surface: "#ffffff" }
    : { ink: read("--ink"), muted: read("--muted"), line: read("--line"), ground: read("--ground"), surface: read("--surface"),
      paper: isDark() ? "#262b33" : "#f4f4f2" };
}

/* Colours written "@ink" become the theme's; texts are left alone, whatever they say. */
function paint(value, colours, key = "") {
  if (typeof value === "string") {
    return /color(scale)?$/.test(key) && value[0] === "@" ? colours[value.slice(1)] ?? value : value;
  }
  if (Array.isArray(value)) {
    const plain = typeof value[0] !== "object" && !/color(scale)?$/.test(key);
    return plain ? value : value.map((v) => paint(v, colours, key));
  }
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, paint(v, colours, k)]));
  }
  return value;
}

const merge = (base, over) => {
  const out = { ...base };
  for (const [k, v] of Object.entries(over ?? {})) {
    out[k] = v && typeof v === "object" && !Array.isArray(v) && out[k] ? merge(out[k], v) : v;
  }
  return out;
};

function frame(colours, narrow) {
  const line = { gridcolor: colours.line, zerolinecolor: colours.muted, zerolinewidth: 1, linecolor: colours.line,
    tickcolor: colours.line, automargin: true, zeroline: false, spikecolor: colours.muted, spikethickness: 1, spikedash: "solid", title: { font: { size: 12, color: colours.muted } } };
  return {
    font: { family: FONT, size: 12, color: colours.muted },
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    margin: narrow ? { l: 8, r: 8, t: 28, b: 24 } : { l: 12, r: 16, t: 30, b: 28 },
    legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom", font: { size: 12, color: colours.ink }, bgcolor: "rgba(0,0,0,0)" },
    hoverlabel: { bgcolor: colours.surface, bordercolor: colours.line, align: "left", font: { family: FONT, size: 12, color: colours.ink } },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: colours.muted, activecolor: colours.ink },
    showlegend: false, dragmode: narrow ? false : "zoom", axis: line,
  };
}

function dress(chart, narrow, log) {
  const colours = theme();
  const { axis, ...base } = frame(colours, narrow);
  let layout = merge(base, paint(chart.layout, colours));
  if (narrow) layout = merge(layout, paint(chart.narrow, colours));
  layout.height ??= chart.height;
  if (printing) {
    layout.height = Math.min(layout.height, PAPER.height);
    layout.annotations = layout.annotations?.map((note) => merge(note, { font: { size: Math.min(note.font?.size ?? 12, PAPER.font) } }));
  }
  for (const name of new Set(["xaxis", "yaxis", ...Object.keys(layout).filter((k) => /^[xy]axis\d*$/.test(k))])) {
    layout[name] = merge(axis, layout[name]);
    if (name[0] === "x" && layout[name].showgrid === undefined) layout[name].showgrid = false;
  }
  if (log) layout.yaxis = { ...layout.yaxis, type: "log" };
  return { data: paint(chart.data, colours), layout };
}

const widthOf = (node) => Math.floor(node.clientWidth || node.parentElement.clientWidth);

/* What stands in a closed part is drawn when the part opens. */
const shut = (node) => Boolean(node.closest("details:not([open])"));

async function drawChart(node, chart) {
  const width = printing ? PAPER.width : widthOf(node);
  if (!width || shut(node)) return;
  const { data, layout } = dress(chart, width < NARROW, node.dataset.log === "on");
  layout.width = width;
  node.style.height = `${layout.height}px`;
  await Plotly.react(node, data, layout, CONFIG);
}

function wireLog(charts) {
  document.querySelectorAll("[data-log][aria-pressed]").forEach((button) => {
    button.closest(".files").hidden = false;
    button.addEventListener("click", () => {
      const node = byId(button.dataset.log);
      const on = node.dataset.log !== "on";
      node.dataset.log = on ? "on" : "off";
      button.setAttribute("aria-pressed", String(on));
      drawChart(node, charts[node.id]);
    });
  });
}

function wireImages() {
  document.querySelectorAll("[data-image]").forEach((button) => {
    button.closest(".files").hidden = false;
    button.addEventListener("click", () => {
      const node = byId(button.dataset.image);
      Plotly.downloadImage(node, { format: "svg", filename: button.dataset.name, width: node.clientWidth, height: node.clientHeight });
    });
  });
}

const pause = () => new Promise((done) => setTimeout(done, 0));
