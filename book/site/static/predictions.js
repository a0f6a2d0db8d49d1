// The forms, results and summary of the predictions in a page, and the answers that this browser
// keeps. What an answer means stands in judging.js, which is loaded before. Whatever a person
// typed, or the store held, reaches the page as text alone (textContent).
(() => {
  "use strict";
  const { KINDS, answered, counted, fresh, isRecord, judgementOf, summed } = seqkdPredictions;
  const STORE = "seqkd_lab.predictions";
  const DAMAGED = `${STORE}.damaged`;

  // ---- the store: the records of all lessons by key, as JSON ----

  const changed = new Map(); // by this page; kept here, too, where the browser keeps nothing
  let trouble = null;

  function stored() {
    let text;
    try {
      text = localStorage.getItem(STORE);
    } catch (error) {
      trouble = `This browser keeps no answers (${error.name}): they last as long as this page.`;
    }
    return text ? readable(text) : new Map();
  }

  function readable(text) { // leaves out, and sets aside, what is damaged
    let entries = null;
    try {
      entries = Object.entries(JSON.parse(text));
    } catch (error) {
      if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
    }
    const sound = (entries ?? []).filter(([, record]) => isSound(record));
    if (entries === null || sound.length < entries.length) setAside(text);
    return new Map(sound);
  }

  function isSound(record) {
    try {
      return isRecord(record);
    } catch (error) {
      return false; // a record without a part that every record has
    }
  }

  function setAside(text) {
    trouble = "Some answers in this browser's store could not be read, and are left out.";
    try {
      localStorage.setItem(DAMAGED, text);
    } catch (error) {
      trouble += ` They could not be set aside either (${error.name}).`;
    }
  }

  const records = () => new Map([...stored(), ...changed]);

  function save(key, record) {
    changed.set(key, record);
    const text = JSON.stringify(Object.fromEntries(records()));
    try {
      localStorage.setItem(STORE, text);
    } catch (error) {
      trouble = `This browser does not keep the answers (${error.name}): ` +
        "they last as long as this page.";
    }
  }

  function forget() {
    changed.clear();
    trouble = null;
    try {
      localStorage.removeItem(STORE);
      localStorage.removeItem(DAMAGED);
    } catch (error) {
      trouble = `This browser's store cannot be reached (${error.name}).`;
    }
  }

  // ---- the page ----

  const forms = [...document.querySelectorAll("form.prediction")];
  const askedBy = (form) => JSON.parse(form.dataset.prediction);
  const questions = new Map(forms.map((form) => [askedBy(form).key, askedBy(form)]));
  const resultOf = (details) => JSON.parse(details.dataset.result);
  const results = [...document.querySelectorAll("details.prediction-result")]
    .filter((details) => questions.has(resultOf(details).key));
  const summaries = [...document.querySelectorAll(".prediction-summary")];

  function recordOf(key) { // anew where the question has changed since it was answered
    const asked = questions.get(key);
    const known = records().get(key);
    const isSame = known && known.question === asked.question &&
      JSON.stringify(known.kind) === JSON.stringify(asked.kind);
    return isSame ? structuredClone(known) : fresh(asked);
  }

  function write(place, lines) {
    place.replaceChildren(...lines.filter(Boolean).map((line) => {
      const paragraph = document.createElement("p");
      paragraph.textContent = line;
      return paragraph;
    }));
  }

  function typedIn(form) {
    const answer = form.querySelector(".prediction-answer");
    const lists = [...answer.querySelectorAll("select")];
    if (lists.length > 0) return lists.map((list) => list.value).filter(Boolean);
    const text = answer.querySelector("input[type=text]");
    return text ? text.value : (answer.querySelector("input:checked")?.value ?? "");
  }

  function recordAnswer(form) {
    const asked = askedBy(form);
    const record = recordOf(asked.key);
    const sure = form.querySelector(".prediction-sure select").value;
    const { accepted, lines } =
      answered(record, asked.how_to, typedIn(form), sure ? Number(sure) : null);
    if (accepted) save(asked.key, record);
    write(form.querySelector(".prediction-note"), [...lines, trouble]);
    showWhatIsKnown();
  }

  function prepare(form) {
    const { key, kind } = askedBy(form);
    const kept = counted(recordOf(key));
    const recorded = kept && `Recorded: ${KINDS[kind.name].say(kind, kept.answer)}.`;
    write(form.querySelector(".prediction-note"), [recorded]);
    form.querySelector("button").disabled = false;
  }

  function showWhatIsKnown() {
    for (const details of results) {
      const { key, value, interval } = resultOf(details);
      const record = recordOf(key);
      const hasAnswer = counted(record) !== undefined;
      details.open ||= hasAnswer || record.shown;
      const words = hasAnswer
        ? judgementOf(record, value, interval).words
        : "Predict first: no answer has been recorded. The result has been shown now: an answer " +
          "would be kept, but not counted.";
      write(details.querySelector(".prediction-judgement"), [words]);
    }
    const ofThisPage = new Map([...questions.keys()].map((key) => [key, recordOf(key)]));
    const lines = summed([...new Map([...records(), ...ofThisPage]).values()]);
    for (const summary of summaries) write(summary.querySelector("div"), [...lines, trouble]);
  }

  // An answer may be changed until its result has come into view.
  const watcher = new IntersectionObserver((entries) => {
    const seen = entries.filter((entry) => entry.isIntersecting)
      .map((entry) => entry.target.closest("details")).filter((details) => details.open);
    for (const details of seen) {
      const { key, value, interval } = resultOf(details);
      const before = recordOf(key);
      const record = { ...before, shown: true, ...(counted(before) && { value, interval }) };
      if (JSON.stringify(record) !== JSON.stringify(before)) save(key, record);
    }
    if (seen.length > 0) showWhatIsKnown();
  });

  function watch(details) {
    const judgement = details.querySelector(".prediction-judgement");
    watcher.unobserve(judgement);
    if (details.open) watcher.observe(judgement);
  }

  function beginAgain() {
    for (const details of results) details.open = false;
    forms.forEach(prepare);
    showWhatIsKnown();
  }

  for (const form of forms) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      recordAnswer(form);
    });
  }
  for (const details of results) details.addEventListener("toggle", () => watch(details));
  for (const summary of summaries) {
    const button = summary.querySelector("button");
    button.hidden = false;
    button.addEventListener("click", () => {
      if (!window.confirm("Forget the answers to the questions of all lessons?")) return;
      forget();
      beginAgain();
    });
  }
  window.addEventListener("storage", (event) => { // another page of the book has changed it
    if (event.key !== STORE && event.key !== null) return;
    if (trouble === null) changed.clear();
    beginAgain();
  });
  beginAgain();
})();
