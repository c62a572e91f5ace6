import { EngineError } from '@kikitori/engine';
import { DEFAULT_MODEL } from '@kikitori/engine-local';
import type { ModelStore } from '../model-store.js';
import type { Check, Finding } from './check.js';

/** The model is here, and every byte of it is what it should be. */
export const modelCheck: Check = {
  name: 'Model',
  async look({ model = DEFAULT_MODEL, signal }, context) {
    const store = await context.factories.openModelStore();
    try {
      return await modelFinding(store, model, signal);
    } catch (error) {
      // A folder of the user's own is none of the store's; the speed check tells whether it works.
      if (error instanceof EngineError && error.code === 'model_invalid') {
        return { status: 'ok', detail: 'a folder of your own' };
      }
      throw error;
    }
  },
};

async function modelFinding(store: ModelStore, model: string, signal: AbortSignal): Promise<Finding> {
  const rows = await store.list();
  const needed = [model, ...rows.filter(({ kind }) => kind === 'silero').map(({ name }) => name)];
  const absent = rows.filter(({ name, state }) => needed.includes(name) && state === 'absent');
  if (absent.length > 0) {
    return {
      status: 'warn',
      detail: `${absent.map(({ name }) => name).join(' and ')} not here yet`,
      advice: `It is fetched on first use; to do it now, run "kikitori models pull ${model}".`,
    };
  }
  for (const name of needed) {
    const problems = await store.problems(name, signal);
    if (problems.length === 0) continue;
    return {
      status: 'fail',
      detail: `${name} is damaged (${problems.join(', ')})`,
      advice: `Run "kikitori models pull ${name}" to repair it.`,
    };
  }
  return { status: 'ok', detail: `${needed.join(' and ')}, every byte checked` };
}
