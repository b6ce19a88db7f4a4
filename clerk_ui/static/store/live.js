// Fetches the live board again and again. What did not change is left alone, so that nothing is read out twice.
const EVERY = 20_000;

function take(fresh) {
  const old = document.querySelector("[data-live]");
  const oldSays = old.querySelector("[data-says]");
  const freshSays = fresh.querySelector("[data-says]");
  if (oldSays.textContent.trim() !== freshSays.textContent.trim()) {
    oldSays.className = freshSays.className;
    oldSays.replaceChildren(...freshSays.childNodes);
  }
  const rest = [...fresh.children].filter((child) => child !== freshSays);
  old.replaceChildren(oldSays, ...rest);
}

async function look() {
  if (!document.hidden) {
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" }, redirect: "error" });
      if (!answer.ok) throw new Error(String(answer.status));
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      take(page.querySelector("[data-live]"));
    } catch {
      document.querySelector("[data-trouble]").hidden = false;
    }
  }
  setTimeout(look, EVERY);
}

setTimeout(look, EVERY);
