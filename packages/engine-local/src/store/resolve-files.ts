import type { ModelFamily, ModelFiles } from '../families/family.js';
import { FAMILIES } from '../families/index.js';

/** For an error's sentence, behind "holds no". */
export const WHAT_IS_LOOKED_FOR = FAMILIES.map(({ label, looksFor }) => `${label} model: ${looksFor}`).join(
  '; nor a ',
);

/** Of which family a folder or a repository with these paths is, and which of them are the model's. */
export function findModel(
  paths: ReadonlySet<string>,
): { readonly family: ModelFamily; readonly files: ModelFiles } | undefined {
  for (const family of FAMILIES) {
    const files = family.find(paths);
    if (files !== undefined) return { family, files };
  }
  return undefined;
}
