// Keys, countdowns and conditional polling. Every page works without it.
"use strict";

const POLL_MS = 3000;
const POLL_HIDDEN_MS = 30000;
const main = document.getElementById("main");
const live = document.getElementById("live");
let etag = document.querySelector('meta[name="etag"]').content;
let waiting = null; // a newer page that is not shown yet
let here = null; // the name of the chosen line
let next = 0; // the timer of the next poll, 0 while one is under way

// Relative times

function lengthText(seconds) {
  const parts = [];
  let left = Math.floor(Math.abs(seconds));
  for (const [unit, size] of [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]]) {
    const count = Math.floor(left / size);
    left %= size;
    if (count) parts.push(`${count} ${unit}`);
    else if (parts.length) break;
  }
  return parts.slice(0, 2).join(" ");
}

function countOn() {
  const now = Date.now() / 1000 + skew;
  for (const span of document.querySelectorAll(".rel")) {
    const away = Number(span.dataset.at) - now;
    const text = lengthText(away);
    const words = !text ? "now" : away > 0 ? `in ${text}` : `${text} ago`;
    if (span.textContent !== words) span.textContent = words;
  }
}

// The clock of this screen may be wrong: the page says what time the store has.
function skewOf(root) {
  const now = Number(root.querySelector('meta[name="etag"]').dataset.now);
  return now ? now - Date.now() / 1000 : 0;
}

let skew = skewOf(document);

// Polling

function isInUse() {
  const focused = document.activeElement;
  return (
    main.querySelector("tr:hover, a:hover, button:hover, label:hover, svg:hover") ||
    (main.contains(focused) && focused !== main) ||
    main.querySelector("input[type=checkbox]:checked, details[open]") ||
    document.querySelector("dialog[open]") ||
    !getSelection().isCollapsed
  );
}

function show(page) {
  waiting = null;
  etag = page.etag;
  main.replaceChildren(...page.root.getElementById("main").childNodes);
  document.getElementById("banners").replaceChildren(...page.root.getElementById("banners").childNodes);
  document.title = page.root.title;
  skew = skewOf(page.root);
  choose(here, false);
  countOn();
}

function say(text, button) {
  if (live.firstChild?.textContent === text) return;
  live.textContent = text;
  if (!button) return;
  const made = document.createElement("button");
  made.className = "quiet";
  made.textContent = button;
  made.addEventListener("click", () => { if (waiting) show(waiting); say("Live."); });
  live.append(" ", made);
}

async function poll() {
  clearTimeout(next);
  next = 0;
  try {
    const answer = await fetch(location.href, {
      headers: { "If-None-Match": waiting ? waiting.etag : etag, Accept: "text/html" },
      signal: AbortSignal.timeout(10000),
    });
    if (answer.redirected) return location.reload();
    if (answer.status !== 304) {
      const root = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (!root.getElementById("main")) throw new Error("no page");
      waiting = { root, etag: answer.headers.get("ETag") || "" };
    }
    if (!waiting) say("Live.");
    else if (isInUse()) say("There is something new.", "Show it");
    else { show(waiting); say("Live."); }
  } catch {
    say("This daemon does not answer; trying again.");
  }
  later();
}

function later() {
  next = setTimeout(poll, document.hidden ? POLL_HIDDEN_MS : POLL_MS);
}

document.addEventListener("visibilitychange", () => { if (!document.hidden && next) poll(); });

// Lines and ticks

const lines = () => [...main.querySelectorAll("tr[data-entry]")];
const chosen = () => lines().find((line) => line.dataset.entry === here);
const ticks = () => [...main.querySelectorAll("input[name=name][type=checkbox]")];

function choose(name, scrolls) {
  for (const line of lines()) {
    const is = line.dataset.entry === name;
    line.classList.toggle("here", is);
    if (is && scrolls) line.scrollIntoView({ block: "nearest" });
  }
  here = name;
}

function step(by) {
  const names = lines().map((line) => line.dataset.entry);
  if (!names.length) return;
  const at = names.indexOf(here);
  const to = at < 0 ? (by > 0 ? 0 : names.length - 1) : at + by;
  choose(names[Math.min(Math.max(to, 0), names.length - 1)], true);
}

function countTicks() {
  const count = ticks().filter((one) => one.checked).length;
  const text = main.querySelector(".ticked");
  if (text) text.textContent = count ? `${count} ticked` : "";
}

function act(action) {
  const button = main.querySelector(`#bulk button[value=${action}]`);
  const line = chosen();
  if (!button) return;
  if (line && !ticks().some((one) => one.checked)) line.querySelector("input").checked = true;
  if (ticks().some((one) => one.checked)) button.click();
}

// A form that the server checks after each change

const edited = main.querySelector("form[data-preview]");
// The page shows what each change does, so what is saved was seen.
for (const one of main.querySelectorAll("[data-checked]")) one.hidden = false;
let checking = 0;

async function check() {
  const mine = ++checking;
  const body = new URLSearchParams(new FormData(edited));
  body.set("step", "preview");
  try {
    const answer = await fetch(edited.action, { method: "POST", body });
    if (answer.redirected) return say("You are signed out; sign in again in another tab.");
    const text = await answer.text();
    if (mine === checking && answer.ok) document.getElementById(edited.dataset.preview).innerHTML = text;
  } catch {
    say("This daemon does not answer; the form is not checked.");
  }
}

edited?.addEventListener("input", () => {
  const mine = ++checking;
  setTimeout(() => { if (mine === checking) check(); }, 400);
});

const KEYS = {
  "/": () => document.getElementById("search")?.focus(),
  j: () => step(1),
  k: () => step(-1),
  Enter: () => chosen()?.querySelector("a.entry")?.click(),
  x: () => chosen()?.querySelector("input[type=checkbox]")?.click(),
  p: () => act("pause"),
  r: () => act("trigger"),
  "?": () => document.getElementById("keys")?.showModal(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (document.querySelector("dialog[open]") || !(event.key in KEYS)) return;
  const at = event.target;
  if (at.matches("input:not([type=checkbox]), select, textarea")) return;
  if (event.key === "Enter" && at.matches("a, button, summary, input")) return;
  event.preventDefault();
  KEYS[event.key]();
});

document.addEventListener("change", (event) => {
  if (event.target.id === "tick-all") for (const one of ticks()) one.checked = event.target.checked;
  countTicks();
});

document.getElementById("keys-link")?.addEventListener("click", (event) => {
  event.preventDefault();
  KEYS["?"]();
});

countTicks(); // a browser keeps ticks when it goes back
countOn();
setInterval(countOn, 1000);
if (etag || main.querySelector("[data-retry]")) later();
