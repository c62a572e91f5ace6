import type { PolicyDocument } from '../../src/plan/permissions.js';

/** Whether a policy allows an action on a resource, in a context. Only what our policies use: Allow, wildcards, two conditions. */
export function allows(
  policy: PolicyDocument,
  action: string,
  resource: string,
  context: Readonly<Record<string, string>> = {},
): boolean {
  return policy.Statement.some(
    ({ Action, Resource, Condition = {} }) =>
      Action.some((one) => matches(one, action)) &&
      Resource.some((one) => matches(one, resource)) &&
      Object.values(Condition).every((rule) =>
        Object.entries(rule).every(
          ([key, wanted]) => context[key] !== undefined && matches(wanted, context[key]),
        ),
      ),
  );
}

function matches(pattern: string, text: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`).test(text);
}
