// The page is shown in a frame of Airflow's. A way to Airflow itself leads its whole window there;
// without this script, or outside the frame, it is a link like any other.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-airflow]");
  if (!link || window.parent === window || event.ctrlKey || event.metaKey || event.shiftKey) return;
  try {
    const outer = window.parent.document;
    const way = outer.createElement("a");
    way.href = link.href;
    outer.body.append(way);
    event.preventDefault();
    way.click();
    way.remove();
  } catch (error) {
    // Somebody else's frame: the link is followed within it.
  }
});
