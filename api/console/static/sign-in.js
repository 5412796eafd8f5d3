/** Signing in: the one-time token comes in the fragment, which no server and no log ever sees, and leaves the address bar at once. */

const AFTER = "/console/approvals";
const token = new URLSearchParams(location.hash.slice(1)).get("token") ?? location.hash.slice(1);
const show = (id) => {
  for (const other of ["ask", "working", "refused"]) document.getElementById(other).hidden = other !== id;
};

async function signIn() {
  show("working");
  const answer = await fetch("/console/sign-in", {
    method: "POST",
    credentials: "same-origin",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ token }),
  }).catch(() => null);
  if (answer?.ok) return location.replace(AFTER);
  const isAway = !answer || answer.status >= 500;
  document.getElementById("title").textContent = isAway ? "Switchboard does not answer" : "This link does not work any more";
  document.getElementById("why").textContent = isAway
    ? "It may be starting. The link was not used up: reload this page from your terminal’s link in a moment."
    : "It was used already, or it is too old. A link works once and for a short time, so that nobody else can use it later.";
  return show("refused");
}

if (token) {
  history.replaceState(null, "", location.pathname);
  signIn();
}
