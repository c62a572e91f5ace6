import { DeployError } from '../errors.js';
import { DEPLOY_LIMITS } from '../limits.js';
import { containerEnvironment } from './container-environment.js';
import type { ResolvedSettings } from './settings.js';

/** Holds the variables of the container against SageMaker's bounds, which would otherwise show when the stack is half made. Throws `DeployError` `invalid_setting`. */
export function checkEnvironment(settings: ResolvedSettings): void {
  const { variablesMax, variableBytesMax, variablesBytesMax } = DEPLOY_LIMITS;
  const variables = Object.entries(containerEnvironment(settings, true));
  for (const [name, value] of variables) {
    for (const [what, text] of [
      ['name', name],
      ['value', value],
    ] as const) {
      const bytes = Buffer.byteLength(text);
      if (bytes <= variableBytesMax) continue;
      throw tooMuch(
        `The ${what} of ${flagOf(name)} is ${bytes} bytes long; SageMaker takes up to ${variableBytesMax}. Make it shorter.`,
      );
    }
  }
  const bytes = Buffer.byteLength(variables.flat().join(''));
  if (variables.length <= variablesMax && bytes <= variablesBytesMax) return;
  throw tooMuch(
    `These settings are ${variables.length} variables of the container with ${bytes} bytes; SageMaker takes up to ${variablesMax} with ${variablesBytesMax}. Leave some of --vllm out.`,
  );
}

/** `SM_VLLM_COMPILATION_CONFIG` as people wrote it. A name that is too long is not repeated as a whole. */
function flagOf(variable: string): string {
  const flag = variable.replace('SM_VLLM_', '').replaceAll('_', '-').toLowerCase();
  return flag.length > 64 ? `--${flag.slice(0, 64)}…` : `--${flag}`;
}

function tooMuch(sentence: string): DeployError {
  return new DeployError('invalid_setting', { sentence });
}
