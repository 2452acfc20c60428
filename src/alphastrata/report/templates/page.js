"use strict";
/* Reads what the page carries: compressed JSON and plotly's script. */
const byId = (id) => document.getElementById(id);
const bytes = (letters) => Uint8Array.from(atob(letters), (c) => c.charCodeAt(0));

async function unpack(id) {
  const stream = new Blob([bytes(byId(id).textContent)]).stream();
  return new Response(stream.pipeThrough(new DecompressionStream("gzip"))).text();
}

async function loadPlotly() {
  const script = document.createElement("script");
  script.textContent = await unpack("plotly");
  document.head.append(script);
  byId("plotly").remove();
}

/* Tables: click a heading to sort, again to turn round, a third time for the first order. */
function sortTable(table, column, head) {
  const body = table.tBodies[0];
  const rows = [...body.rows];
  rows.forEach((row, i) => { row.dataset.i ??= i; });
  const old = head.getAttribute("aria-sort");
  const numeric = head.classList.contains("n");
  const next = numeric
    ? { null: "descending", descending: "ascending" }[old]
    : { null: "ascending", ascending: "descending" }[old];
  table.querySelectorAll("[aria-sort]").forEach((cell) => cell.removeAttribute("aria-sort"));
  if (next) head.setAttribute("aria-sort", next);
  const value = (row) => {
    const cell = row.cells[column];
    if (!numeric) return cell.textContent;
    return cell.dataset.v === undefined || cell.dataset.v === "" ? NaN : Number(cell.dataset.v);
  };
  const sign = next === "descending" ? -1 : 1;
  rows.sort((a, b) => {
    if (!next) return a.dataset.i - b.dataset.i;
    const x = value(a), y = value(b);
    if (!numeric) return sign * x.localeCompare(y, undefined, { numeric: true });
    if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y);
    return sign * (x - y);
  });
  body.append(...rows);
}

function wireTables() {
  for (const table of document.querySelectorAll("table.grid")) {
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      const label = head.querySelector("span");
      label.classList.add("sort");
      label.tabIndex = 0;
      label.setAttribute("role", "button");
      label.addEventListener("click", () => sortTable(table, column, head));
      label.addEventListener("keydown", (event) => {
        if (event.key === "Enter" || event.key === " ") { event.preventDefault(); sortTable(table, column, head); }
      });
    });
  }
}

/* Downloads: the texts were written with the page; here they only become files. */
function wireDownloads(files) {
  document.querySelectorAll("[data-file]").forEach((button) => {
    button.closest(".files").hidden = false;
    button.addEventListener("click", () => {
      const { file, kind, name } = button.dataset;
      const mark = kind === "csv" ? "\ufeff" : "";
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([mark + files[file][kind]], { type: "text/plain;charset=utf-8" }));
      link.download = `${name}.${kind}`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    });
  });
}

/* Links into closed parts open them. */
function openTarget() {
  const target = location.hash.length > 1 && byId(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  for (let part = target; part; part = part.parentElement) if (part.tagName === "DETAILS") part.open = true;
  target.scrollIntoView();
}

function wireContents() {
  const links = new Map([...document.querySelectorAll(".toc a")].map((a) => [a.hash.slice(1), a]));
  const parts = [...links.keys()].map(byId).filter((part) => part && part.id !== "main");
  const mark = () => {
    const passed = parts.filter((part) => part.getBoundingClientRect().top < innerHeight * 0.3);
    const here = passed.length ? passed[passed.length - 1].id : "main";
    links.forEach((a, id) => a.classList.toggle("here", id === here));
  };
  addEventListener("scroll", mark, { passive: true });
  mark();
  if (matchMedia("(max-width: 960px)").matches) document.querySelector(".toc").open = false;
  addEventListener("hashchange", openTarget);
  openTarget();
}

/* Light and dark. */
const darkMedia = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : darkMedia.matches;
};

function wireTheme(repaint) {
  byId("theme").hidden = false;
  byId("theme").addEventListener("click", () => {
    document.documentElement.dataset.theme = isDark() ? "light" : "dark";
    repaint();
  });
  darkMedia.addEventListener("change", repaint);
}
