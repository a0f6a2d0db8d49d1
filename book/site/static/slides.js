/* Shows one slide at a time: arrow keys, Home, End; Escape leads back to the lesson.
 * Without this script, and in print, all slides stand below each other. */
"use strict";

(() => {
  const slides = [...document.querySelectorAll(".slide")];
  const progress = document.querySelector(".progress");
  const FORWARD = ["ArrowRight", "ArrowDown", "PageDown", " "];
  const BACK = ["ArrowLeft", "ArrowUp", "PageUp"];
  let shown = 0;

  function show(number) {
    shown = Math.min(Math.max(number, 0), slides.length - 1);
    slides.forEach((slide, n) => slide.classList.toggle("shown", n === shown));
    progress.textContent = `${shown + 1} of ${slides.length}`;
    previous.disabled = shown === 0;
    next.disabled = shown === slides.length - 1;
    history.replaceState(null, "", `#${shown + 1}`);
    slides[shown].scrollTop = 0;
  }

  function button(text, name, step) {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = text;
    made.setAttribute("aria-label", name);
    made.addEventListener("click", () => show(shown + step));
    return made;
  }

  const previous = button("←", "Previous slide", -1);
  const next = button("→", "Next slide", 1);
  progress.before(previous);
  progress.after(next);

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "Escape") {
      location.href = document.body.dataset.lesson;
      return;
    }
    // a slider, a list and a button use these keys themselves
    const typed = event.target.closest("input, select, button, summary, a");
    if (typed && !(typed.closest("nav") && event.key !== " ")) return;
    const step = FORWARD.includes(event.key) ? 1 : BACK.includes(event.key) ? -1 : 0;
    const ends = { Home: 0, End: slides.length - 1 };
    if (!step && !(event.key in ends)) return;
    event.preventDefault();
    show(step ? shown + step : ends[event.key]);
  });

  window.addEventListener("hashchange", () => show(Number(location.hash.slice(1)) - 1 || 0));
  document.body.classList.add("one-at-a-time");
  show(Number(location.hash.slice(1)) - 1 || 0);
})();
