// Search, filters, sorting and keys of the people page. Nothing here leaves the folder or needs a server.
"use strict";
(() => {
  const list = document.getElementById("people");
  const form = document.getElementById("search");
  if (!list || !form) return;

  const field = (id) => document.getElementById(id);
  const [query, named, video, sort, doubtful] = ["q", "named", "video", "sort", "doubtful"].map(field);
  const found = field("found"), more = field("more"), pages = field("pages");
  const pageSize = Number(list.dataset.pageSize);
  const first = Array.from(list.children); // as the page came: shown whenever nothing is asked for
  const ID = 0, NAME = 1, APPEARANCES = 2, VIDEOS = 3, SECONDS = 4, DOUBTFUL = 5, FILE = 6, PORTRAIT = 7, CONFIRMED = 8;
  const OFFERED = 500;

  // data: scripts beside the page, for a browser reads no JSON from a folder

  const loading = {};
  const load = (file, name) => {
    loading[name] ??= new Promise((done, failed) => {
      const script = document.createElement("script");
      script.src = file;
      script.onload = () => done(window[name]);
      script.onerror = failed;
      document.head.append(script);
    });
    return loading[name];
  };
  const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

  // what is asked for

  const asked = () => ({
    q: plain(query.value.trim()), named: named.value, video: plain(video.value.trim()), sort: sort.value,
    doubtful: doubtful.checked,
  });
  const nothing = (ask) => !(ask.q || ask.named || ask.video || ask.sort || ask.doubtful);

  const ORDERS = {
    time: (a, b) => b[SECONDS] - a[SECONDS],
    videos: (a, b) => b[VIDEOS] - a[VIDEOS],
    doubtful: (a, b) => b[DOUBTFUL] - a[DOUBTFUL],
    name: (a, b) => (a[NAME] === "") - (b[NAME] === "") || a[NAME].localeCompare(b[NAME]),
    id: (a, b) => a[ID].length - b[ID].length || (a[ID] < b[ID] ? -1 : 1),
  };

  let turn = 0, matches = [], shown = 0;

  const search = async () => {
    const mine = ++turn, ask = asked();
    remember(ask);
    if (nothing(ask)) {
      list.replaceChildren(...first);
      found.textContent = "";
      more.hidden = true;
      pages.hidden = false;
      return;
    }
    let people = await load("assets/people.js", "cvidPeople");
    let inside = null;
    if (ask.video) {
      const where = await load("assets/where.js", "cvidWhere");
      const wanted = new Set(where[0].flatMap((name, place) => (plain(name).includes(ask.video) ? [place] : [])));
      inside = (place) => where[place + 1].some((one) => wanted.has(one));
    }
    if (mine !== turn) return;
    const total = people.length;
    people = people.filter((one, place) =>
      (!ask.q || plain(one[NAME]).includes(ask.q) || plain(one[ID]).includes(ask.q)) &&
      (!ask.named || (ask.named === "named") === (one[NAME] !== "")) &&
      (!ask.doubtful || one[DOUBTFUL] > 0) &&
      (!inside || inside(place)));
    if (ask.sort) people.sort(ORDERS[ask.sort]);
    matches = people;
    shown = 0;
    list.replaceChildren();
    pages.hidden = true;
    found.textContent = matches.length ? `${counted(matches.length)} of ${counted(total)} people` : "Nobody fits.";
    showMore();
  };

  // cards: built from text alone, never from markup

  const counted = (number) => number.toLocaleString("en");
  const nouns = (number, noun) => `${counted(number)} ${noun}${number === 1 ? "" : "s"}`;
  const element = (tag, className, text) => {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const card = (one) => {
    const item = element("li"), link = element("a"), called = one[NAME] || one[ID];
    link.href = `people/${one[FILE]}.html`;
    if (one[PORTRAIT]) {
      const face = element("img");
      Object.assign(face, { width: 144, height: 144, loading: "lazy", decoding: "async", alt: `Portrait of ${called}` });
      face.src = `portraits/${one[FILE]}.jpg`;
      link.append(face);
    } else {
      link.append(element("span", "noface", "no picture"));
    }
    const name = element("span", "name");
    name.append(element("bdi", "", called));
    const facts = element("span", "facts");
    const told = [nouns(one[APPEARANCES], "appearance"), nouns(one[VIDEOS], "video")];
    for (const fact of one[NAME] ? [one[ID], ...told] : told) facts.append(element("span", "", fact), " ");
    const flags = element("span", "flags");
    if (one[CONFIRMED]) flags.append(element("span", "level confirmed", "✓ confirmed"), " ");
    if (one[DOUBTFUL]) flags.append(element("span", "level doubtful", `? ${counted(one[DOUBTFUL])} doubtful`));
    link.append(name, facts, flags);
    item.append(link);
    return item;
  };
  const showMore = () => {
    list.append(...matches.slice(shown, shown + pageSize).map(card));
    shown = Math.min(shown + pageSize, matches.length);
    more.hidden = shown >= matches.length;
  };

  // what was asked stays in the address, for the way back from a person

  const remember = (ask) => {
    const kept = new URLSearchParams();
    for (const input of [query, named, video, sort]) if (input.value.trim()) kept.set(input.id, input.value);
    if (ask.doubtful) kept.set("doubtful", "1");
    const hash = kept.toString();
    if (hash !== location.hash.slice(1)) history.replaceState(null, "", hash ? `#${hash}` : location.href.split("#")[0]);
  };
  const recall = () => {
    const kept = new URLSearchParams(location.hash.slice(1));
    for (const input of [query, named, video, sort]) input.value = kept.get(input.id) ?? "";
    doubtful.checked = kept.has("doubtful");
  };

  // keys

  const typing = (target) => target.matches("input, select, textarea, [contenteditable]");
  const columns = (cards) => {
    const top = cards[0].getBoundingClientRect().top;
    const below = cards.findIndex((one) => one.getBoundingClientRect().top > top + 1);
    return below < 0 ? cards.length : below;
  };
  const move = (event) => {
    const cards = Array.from(list.querySelectorAll("a"));
    const at = cards.indexOf(event.target);
    if (at < 0) return;
    const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns(cards), ArrowUp: -columns(cards) };
    let to = event.key === "Home" ? 0 : event.key === "End" ? cards.length - 1 : at + steps[event.key];
    if (Number.isNaN(to) || to < 0 || to >= cards.length) return;
    event.preventDefault();
    cards[to].focus();
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "/" && !typing(event.target)) {
      event.preventDefault();
      query.focus();
      query.select();
    } else if (event.key === "Escape" && form.contains(event.target)) {
      form.reset();
      search();
      query.focus();
    } else if (event.key === "ArrowDown" && event.target === query) {
      event.preventDefault();
      list.querySelector("a")?.focus();
    } else {
      move(event);
    }
  });

  form.addEventListener("input", search);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    list.querySelector("a")?.focus();
  });
  form.addEventListener("reset", () => setTimeout(search));
  more.firstElementChild.addEventListener("click", () => {
    const before = shown;
    showMore();
    list.children[before]?.firstElementChild.focus();
  });
  video.addEventListener("focus", async () => {
    const where = await load("assets/where.js", "cvidWhere");
    const offered = field("videos");
    if (offered.children.length) return;
    offered.append(...where[0].slice(0, OFFERED).map((name) => Object.assign(document.createElement("option"), { value: name })));
  }, { once: true });
  window.addEventListener("hashchange", () => { recall(); search(); });

  form.hidden = false;
  field("keys").hidden = false;
  recall();
  if (!nothing(asked())) search();
})();
