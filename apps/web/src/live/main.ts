import { fetchListener } from './listener.js';

async function showListener(): Promise<void> {
  const listener = await fetchListener();
  const place = document.querySelector('#listener');
  if (place !== null) place.textContent = listener?.models.join(', ') ?? 'The server does not answer.';
}

void showListener();
