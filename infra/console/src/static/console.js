// What pages do beyond HTML: parts that move are asked for again, times are told in the reader's own zone as well, a form
// is sent once. Everything works without.
"use strict";

const EVERY_MS = 1500;

// Makes the element `now` like `next`, leaving alone what is the same: what has the focus, is selected or unfolded stays so.
function become(now, next) {
  if (now.nodeType !== next.nodeType || now.nodeName !== next.nodeName || now.id !== next.id) {
    now.replaceWith(document.importNode(next, true));
    return;
  }
  if (now.nodeType !== Node.ELEMENT_NODE) {
    if (now.nodeValue !== next.nodeValue) now.nodeValue = next.nodeValue;
    return;
  }
  const isKept = (name) => now.nodeName === "DETAILS" && name === "open";
  for (const { name } of [...now.attributes]) {
    if (!next.hasAttribute(name) && !isKept(name)) now.removeAttribute(name);
  }
  for (const { name, value } of next.attributes) {
    if (now.getAttribute(name) !== value && !isKept(name)) now.setAttribute(name, value);
  }
  becomeChildren(now, next);
}

// A row of a list is known by where it leads, so that the row that has the focus does not become another one when a new
// one comes before it.
const keyOf = (node) => node.id || (node.nodeName === "TR" && node.querySelector("a[href]")?.getAttribute("href")) || null;

function becomeChildren(now, next) {
  const known = new Map([...now.childNodes].filter(keyOf).map((child) => [keyOf(child), child]));
  const wanted = new Set([...next.childNodes].map(keyOf));
  let place = now.firstChild;
  const drop = () => {
    const gone = place;
    place = place.nextSibling;
    gone.remove();
  };
  for (const want of next.childNodes) {
    while (place && keyOf(place) && !wanted.has(keyOf(place))) drop();
    const have = keyOf(want) ? known.get(keyOf(want)) : place && !keyOf(place) ? place : null;
    if (!have) {
      now.insertBefore(document.importNode(want, true), place);
      continue;
    }
    if (have === place) place = place.nextSibling;
    else now.insertBefore(have, place);
    become(have, want);
  }
  while (place) drop();
}

async function refresh(part) {
  const answer = await fetch(part.dataset.live, { headers: { accept: "text/html" }, cache: "no-store" });
  if (answer.status === 401) return location.reload();
  if (!answer.ok) throw new Error(`the console answered ${answer.status}`);
  const next = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(part.id);
  if (next) become(part, next);
  localTimes(document.getElementById(part.id));
}

async function refreshAll() {
  const parts = [...document.querySelectorAll("[data-live]")];
  if (!document.hidden && parts.length > 0) {
    const ended = await Promise.allSettled(parts.map(refresh));
    document.getElementById("stale").hidden = ended.every(({ status }) => status === "fulfilled");
  }
  setTimeout(refreshAll, EVERY_MS);
}

function localTimes(within) {
  for (const time of within?.querySelectorAll("time[datetime]") ?? []) {
    const at = new Date(time.dateTime);
    const utc = time.dateTime.replace("T", " ").replace("Z", " UTC");
    time.title = `${utc}\n${at.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" })} here`;
  }
}

// A box that ticks all boxes of its form.
document.addEventListener("change", ({ target }) => {
  const all = target.dataset?.ticksAll;
  if (all) target.form.querySelectorAll(`input[name="${all}"]`).forEach((box) => (box.checked = target.checked));
});

document.addEventListener("submit", (event) => {
  if (event.target.method !== "post" || event.defaultPrevented) return;
  if (event.target.dataset.sent) return event.preventDefault();
  event.target.dataset.sent = "yes";
});
// Whoever comes back to the page may send its forms again.
addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent));

// As in many lists: / leads to the search.
document.addEventListener("keydown", (event) => {
  const search = document.querySelector("input[type=search]");
  const isTyping = event.target.closest("input, textarea, select");
  if (event.key === "/" && search && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    search.focus();
  }
});

localTimes(document);
setTimeout(refreshAll, EVERY_MS);
