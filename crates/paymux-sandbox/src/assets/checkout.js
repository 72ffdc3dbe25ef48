// Without this script the page has a button that updates the total; with it, choosing a country does.
const update = document.getElementById("update");
const country = document.getElementById("country");
if (update && country) {
  update.hidden = true;
  country.addEventListener("change", () => update.form.requestSubmit(update));
}
