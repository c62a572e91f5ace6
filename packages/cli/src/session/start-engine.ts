import type { SpeechEngine } from '@kikitori/engine';
import type { Context, EngineProgress, EngineRequest } from '../context.js';
import type { Display } from '../terminal/display.js';
import { byteSize } from '../terminal/figures.js';
import { loadingRow } from '../terminal/status-row.js';

/** Which engine, and who wants to know how far its model is fetched. */
export interface StartEngineRequest extends Omit<EngineRequest, 'onProgress'> {
  readonly onFetch?: (progress: Omit<EngineProgress, 'label'>) => void;
}

/**
 * Starts the embedded engine and shows how far it is: a bar while a model is fetched, plain lines where nobody can
 * see a bar. Rejects with `EngineError` or the signal's reason.
 */
export async function startEngine(
  { onFetch, ...request }: StartEngineRequest,
  context: Context,
  display: Display,
): Promise<SpeechEngine> {
  const announced = new Set<string>();
  display.status((cells) => loadingRow('Loading the model…', undefined, '', cells, display.style));
  try {
    return await context.factories.createEngine({
      ...request,
      onProgress: ({ label, receivedBytes, totalBytes }) => {
        onFetch?.({ receivedBytes, totalBytes });
        const text = `Fetching the model ${label} (once)`;
        if (!display.isLive && !announced.has(label)) display.note(`${text}, ${byteSize(totalBytes)}…`);
        announced.add(label);
        const detail = `${byteSize(receivedBytes)} of ${byteSize(totalBytes)}`;
        display.status((cells) => loadingRow(text, receivedBytes / totalBytes, detail, cells, display.style));
      },
    });
  } finally {
    display.status(undefined);
  }
}
