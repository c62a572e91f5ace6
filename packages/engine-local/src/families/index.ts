import { CATALOGUE } from '../store/catalogue.js';
import type { ModelFamily, ModelTraits } from './family.js';
import { moonshine } from './moonshine/index.js';

/** Every family whose models can be run; the first is that of a model of which nothing is known. */
export const FAMILIES: readonly [ModelFamily, ...ModelFamily[]] = [moonshine];

/** The family of that name. */
export function familyOf(name: string): ModelFamily | undefined {
  return FAMILIES.find((family) => family.name === name);
}

/** What is known of a model, by the name that it is asked for with. */
export function traitsOf(model: string): ModelTraits {
  const kind = CATALOGUE.find(({ name }) => name === model)?.kind;
  return (FAMILIES.find(({ name }) => name === kind) ?? FAMILIES[0]).traits(model);
}
