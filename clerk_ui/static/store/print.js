// Opens the browser's print window, from which a PDF can be kept as well.
for (const button of document.querySelectorAll("[data-print]")) {
  button.addEventListener("click", () => print());
}
