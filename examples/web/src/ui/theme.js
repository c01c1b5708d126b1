// Light and dark: as the system has it, until somebody says otherwise.

const KEY = 'adsum.theme';
const NEXT = { system: 'light', light: 'dark', dark: 'system' };

export const theme = () => document.documentElement.dataset.theme ?? 'system';

export function startTheme() {
  apply(localStorage.getItem(KEY) ?? 'system');
}

export function nextTheme() {
  const next = NEXT[theme()];
  localStorage.setItem(KEY, next);
  apply(next);
  return next;
}

function apply(name) {
  document.documentElement.dataset.theme = name in NEXT ? name : 'system';
}
