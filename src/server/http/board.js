// Shows where browsers connect, as the server tells every program (XEP-0156).
const answer = await fetch(".well-known/host-meta.json");
if (answer.ok) {
  for (const { rel, href } of (await answer.json()).links) {
    const place = document.getElementById(rel.split(":").pop());
    if (place) place.textContent = href;
  }
}
