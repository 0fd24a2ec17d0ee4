// Loaded before the first paint, so a saved theme never flashes. An address may ask for one: ?theme=projector.
{
  const asked = new URLSearchParams(location.search).get("theme");
  const theme = [asked, localStorage.getItem("clusterviz.theme")].find((name) => ["light", "dark", "projector"].includes(name ?? ""));
  if (theme) document.documentElement.dataset.theme = theme;
}
