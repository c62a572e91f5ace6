/**
 * Ctrl and Enter start and stop, wherever the focus is: not while something is typed or asked. No letter alone, which would also be
 * pressed by whoever dictates to the computer (WCAG 2.1.4).
 */
export function listenToShortcut(press: () => void): void {
  addEventListener('keydown', (event) => {
    const isShortcut =
      event.key === 'Enter' && event.ctrlKey && !event.altKey && !event.shiftKey && !event.metaKey;
    if (!isShortcut || event.repeat || event.isComposing || isTaken(event.target)) return;
    // What has the focus is not pressed as well.
    event.preventDefault();
    press();
  });
}

function isTaken(target: EventTarget | null): boolean {
  if (document.querySelector('dialog[open]') !== null) return true;
  return target instanceof Element && target.closest('input:not([type="radio"]), select, textarea') !== null;
}
