/** The room is dark unless its reader has chosen light; the choice is shared with all pages. */

const KEY = "fovea-theme";

export const changeTheme = (): void => {
  const { dataset } = document.documentElement;
  dataset.theme = dataset.theme === "light" ? "dark" : "light";
  window.localStorage.setItem(KEY, dataset.theme);
};
