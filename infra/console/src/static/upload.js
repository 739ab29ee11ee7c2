// What the upload page does beyond its form: files can be dropped, the upload itself has a bar, and can be stopped. Without
// this the form is sent as it is.
"use strict";

const form = document.getElementById("upload");
const [drop, file, table] = [form.querySelector(".drop"), form.elements.file, form.elements.table];
const sending = document.getElementById("sending");

function size(bytes) {
  const units = ["bytes", "KiB", "MiB", "GiB"];
  const power = bytes < 1024 ? 0 : Math.min(3, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1024 ** power).toFixed(power ? 1 : 0)} ${units[power]}`;
}

// A name without its endings, for the table that is most likely meant.
function suggest() {
  const stem = (file.files[0]?.name ?? "").toLowerCase().replace(/(\.(csv|tsv|txt|gz|zst))+$/, "");
  const known = [...document.querySelectorAll("#tables option")].map((option) => option.value);
  if (!table.value && known.includes(stem)) table.value = stem;
}

function check() {
  const isTooLarge = (file.files[0]?.size ?? 0) > Number(form.dataset.most);
  file.setCustomValidity(isTooLarge ? `This file has ${size(file.files[0].size)}, more than the console takes.` : "");
}

file.addEventListener("change", () => { suggest(); check(); });

for (const kind of ["dragenter", "dragover"]) {
  drop.addEventListener(kind, (event) => { event.preventDefault(); drop.classList.add("over"); });
}
for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  if (event.dataTransfer.files.length !== 1) return;
  file.files = event.dataTransfer.files;
  file.dispatchEvent(new Event("change"));
});
// A file that misses its place must not take the place of the page.
for (const kind of ["dragover", "drop"]) addEventListener(kind, (event) => event.preventDefault());

function show(message, done, total) {
  sending.querySelector("span").textContent = message;
  const bar = sending.querySelector("progress");
  if (total) [bar.max, bar.value] = [total, done];
  else bar.removeAttribute("value");
}

// Takes the form apart from the browser's own sending, which has no bar.
form.addEventListener("submit", (event) => {
  const chosen = file.files[0];
  if (!chosen) return;
  event.preventDefault();
  const body = new FormData(form, event.submitter);
  // Last, so that everything else is known when it comes.
  body.delete("file");
  body.append("file", chosen);
  const request = new XMLHttpRequest();
  const buttons = form.querySelectorAll("button[type=submit]");
  const end = (message) => {
    buttons.forEach((button) => (button.disabled = false));
    show(message, 0, 1);
  };
  request.upload.addEventListener("progress", ({ loaded, total }) => {
    const isSent = loaded >= total;
    show(isSent ? "Sent; the console puts it into the queue" : `${size(loaded)} of ${size(total)}`, loaded, isSent ? 0 : total);
  });
  request.addEventListener("load", () => {
    // What follows, be it the form with what is wrong, is a page with an address of its own.
    if (request.status < 300) return location.assign(request.responseURL);
    const answer = new DOMParser().parseFromString(request.responseText, "text/html").querySelector("main");
    end(answer?.innerText.trim() || `The console answered ${request.status}.`);
  });
  request.addEventListener("error", () => end("The upload broke off; send the file once more."));
  request.addEventListener("abort", () => end("Stopped; nothing was imported."));
  sending.querySelector("button").onclick = () => request.abort();
  buttons.forEach((button) => (button.disabled = true));
  sending.hidden = false;
  show("Begins", 0, 1);
  request.open("POST", form.getAttribute("action"));
  request.send(body);
});
