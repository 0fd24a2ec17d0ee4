// Loaded before the first paint, so a saved theme never flashes.
{
  const saved = localStorage.getItem("clusterviz.theme");
  if (saved === "light" || saved === "dark") document.documentElement.dataset.theme = saved;
}
