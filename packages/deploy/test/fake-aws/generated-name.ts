/**
 * The name that CloudFormation makes where none is given. What is too long is cut as AWS's library for the makers of resources does it: stack name
 * and id get half of the room each, and what the other leaves.
 */
export function generatedName(stackName: string, id: string, charactersMax: number, suffix: string): string {
  const clean = stackName.replaceAll(/-{2,}/g, '-');
  const room = charactersMax - suffix.length - 2;
  const half = Math.ceil(room / 2);
  const ofStack = clean.slice(0, Math.max(half, room - id.length));
  return `${ofStack}-${id.slice(0, room - ofStack.length)}-${suffix}`;
}
