// What scrolls sideways can be scrolled with the keyboard too, and the search has a name for who cannot see it.
const boxes = () => document.querySelectorAll(".md-typeset__scrollwrap, .md-typeset pre > code, .report .scroll");
const mark = () => boxes().forEach((box) => { if (box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight) box.tabIndex = 0; });
addEventListener("resize", mark);
addEventListener("load", () => {
  document.querySelector(".md-search")?.setAttribute("aria-label", "Search");
  document.querySelectorAll(".md-typeset details").forEach((one) => one.addEventListener("toggle", mark));
  requestAnimationFrame(mark);
});
