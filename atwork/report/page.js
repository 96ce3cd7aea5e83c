// Pages and the search. Without it, the page shows the first rows and sections; the others wait in templates.
const search = document.getElementById("search");
const counts = document.getElementById("counts");

/** A list of which one page is in the document; `prepare` is called with each item before it is shown. */
const paged = (name, prepare = () => {}) => {
  const list = document.getElementById(name);
  const nav = document.getElementById(`${name}-pages`);
  const size = Number(nav.dataset.size);
  const items = [...list.children, ...document.getElementById(`${name}-more`).content.children];
  const [previous, next] = nav.querySelectorAll("button");
  const number = nav.querySelector("input");
  let matching = items;
  let page = 1;
  const show = wanted => {
    const last = Math.max(1, Math.ceil(matching.length / size));
    page = Math.min(Math.max(wanted, 1), last);
    const shown = matching.slice((page - 1) * size, page * size);
    shown.forEach(prepare);
    list.replaceChildren(...shown);
    nav.hidden = last === 1;
    nav.parentElement.hidden = matching.length === 0;
    number.value = page;
    number.max = last;
    nav.querySelector("output").value = `of ${last}`;
    previous.setAttribute("aria-disabled", page === 1);
    next.setAttribute("aria-disabled", page === last);
  };
  const turn = wanted => {
    show(wanted);
    if (nav.getBoundingClientRect().top <= 0) nav.parentElement.scrollIntoView();
  };
  previous.addEventListener("click", () => turn(page - 1));
  next.addEventListener("click", () => turn(page + 1));
  number.addEventListener("change", () => turn(Math.trunc(Number(number.value)) || 1));
  return {
    items,
    /** Show the first page of the items that match; returns their number. */
    filter: matches => {
      matching = items.filter(matches);
      show(1);
      return matching.length;
    },
  };
};

let words = [];
let count = 0;
const contains = text => words.every(word => text.includes(word));
const textOf = element => element.textContent.toLowerCase();

/** The leaves of a section (changes, outputs, policies) with the texts that a search looks at. */
const contents = new Map();
const contentOf = section => {
  if (!contents.has(section)) {
    const about = [section.querySelector("summary"), ...section.querySelectorAll(":scope > .list")].map(textOf).join(" ");
    const leaves = [...section.querySelectorAll(".leaf")].map(leaf => {
      const type = leaf.parentElement === section ? "" : textOf(leaf.parentElement.firstElementChild);
      return { leaf, text: `${about} ${type} ${textOf(leaf)}`, open: leaf.open };
    });
    const branches = [section, ...section.querySelectorAll(".branch")].map(branch => ({ branch, open: branch.open }));
    contents.set(section, { leaves, branches });
  }
  return contents.get(section);
};

const sections = paged("sections", section => {
  const { leaves, branches } = contentOf(section);
  for (const { leaf, text, open } of leaves) {
    leaf.hidden = !contains(text);
    leaf.open = words.length && count < 500 ? !leaf.hidden : open;
  }
  for (const { branch, open } of branches) {
    branch.hidden = words.length > 0 && !branch.querySelector(".leaf:not([hidden])");
    branch.open = words.length ? !branch.hidden : open;
  }
});
const stacks = paged("stacks");
const lists = [...document.querySelectorAll(".searched")].map(list => ({ list, items: [...list.querySelectorAll("li")] }));

const filter = () => {
  words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  count = 0;
  let total = 0;
  sections.filter(section => {
    if (!words.length) return true;
    const { leaves } = contentOf(section);
    const matching = leaves.filter(({ text }) => contains(text)).length;
    count += matching;
    total += leaves.length;
    return matching > 0;
  });
  const rows = stacks.filter(row => contains(textOf(row)));
  for (const { list, items } of lists) {
    for (const item of items) item.hidden = !contains(`${list.dataset.words ?? ""}${textOf(item)}`);
    list.open = words.length > 0 && items.some(item => !item.hidden);
  }
  counts.hidden = words.length === 0;
  document.getElementById("found").textContent = `${count} of ${total}`;
  document.getElementById("found-stacks").textContent = `${rows} of ${stacks.items.length}`;
};

// The address keeps the search, so that a place in the report can be sent to somebody.
const recall = () => {
  try { search.value = decodeURIComponent(location.hash.slice(1)); } catch { search.value = ""; }
  filter();
  if (search.value) search.scrollIntoView();
};
search.addEventListener("input", () => {
  history.replaceState(null, "", `#${encodeURIComponent(search.value)}`);
  filter();
});
addEventListener("hashchange", recall);
search.hidden = false;
recall();
