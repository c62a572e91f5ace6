import { DeployError } from '../errors.js';
import type { Check } from './supply.js';

/**
 * A look whose failure is an answer: what is missing, and how to get it, is what the error says. What may pass by itself is still thrown.
 */
export async function asCheck(name: string, look: () => Promise<string>): Promise<Check> {
  try {
    return { name, state: 'ok', text: await look(), remedy: '' };
  } catch (error) {
    if (!(error instanceof DeployError) || error.retryable) throw error;
    if (error.code === 'access_denied') {
      return { name, state: 'unknown', text: 'these credentials may not look at it', remedy: error.message };
    }
    return { name, state: 'missing', text: 'not there, or not usable', remedy: error.message };
  }
}
