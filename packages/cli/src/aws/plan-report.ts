import type { Check, Plan } from '@kikitori/deploy';
import type { Style } from '../terminal/style.js';

/** What `--dry-run` prints: everything that would be done, what it costs, and who may do it. */
export function planReport(plan: Plan, template: string): string {
  const { settings } = plan;
  const rows = [
    `Plan: ${plan.kind} the endpoint ${settings.endpointName} (${settings.engine} on ${settings.instancesMin} to ${settings.instancesMax} × ${settings.instanceType})`,
    '',
    `Cost: ${plan.cost}`,
    '',
    'Steps:',
    ...plan.steps.flatMap(({ id, text, minutes: [least, most], calls }, index) => [
      `  ${index + 1}. ${id}: ${text} (${least === most ? least : `${least} to ${most}`} min)`,
      `     calls: ${[...new Set(calls)].join(', ')}`,
    ]),
    '',
    'Variables of the container:',
    ...Object.entries(plan.environment).map(([name, value]) => `  ${name}=${value}`),
    '',
    `Template: packages/deploy/template/kikitori-endpoint.yaml, ${Buffer.byteLength(template)} bytes; stack ${plan.stackName}`,
    '',
    'Policy for whoever deploys (IAM, as JSON):',
    JSON.stringify(plan.policy, undefined, 2),
    '',
  ];
  return rows.join('\n');
}

const MARKS = { ok: 'ok     ', missing: 'missing', unknown: 'unknown' } as const;

/** One check as a row, and below it how to get what is missing. */
export function checkRows({ name, state, text, remedy }: Check, style: Style): string {
  const paint = { ok: style.green, missing: style.red, unknown: style.yellow }[state];
  const row = `${paint(MARKS[state])}  ${name.padEnd(11)} ${text}`;
  return state === 'ok' || remedy === '' ? row : `${row}\n                     ${remedy}`;
}
