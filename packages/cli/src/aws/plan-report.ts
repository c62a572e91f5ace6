import type { Check, Plan } from '@kikitori/deploy';
import type { Output } from '../context.js';
import { beside, folded } from '../terminal/beside.js';
import type { Style } from '../terminal/style.js';

/** What `--dry-run` prints: everything that would be done, what it costs, and who may do it. */
export function planReport(plan: Plan, template: string, output: Output): string {
  const { settings } = plan;
  const row = (head: string, text: string): string => head + beside(head.length, text, output);
  const rows = [
    `Plan: ${plan.kind} the endpoint ${settings.endpointName} (${settings.engine} on ${settings.instancesMin} to ${settings.instancesMax} × ${settings.instanceType})`,
    '',
    row('Cost: ', plan.cost),
    '',
    'Steps:',
    ...plan.steps.flatMap(({ id, text, minutes: [least, most], calls }, index) => [
      row(`  ${index + 1}. `, `${id}: ${text} (${least === most ? least : `${least} to ${most}`} min)`),
      ...byService(calls).map((each) => row('     calls ', each)),
    ]),
    '',
    'Variables of the container:',
    ...Object.entries(plan.environment).map(([name, value]) => `  ${name}=${value}`),
    '',
    row(
      'Template: ',
      `packages/deploy/template/kikitori-endpoint.yaml, ${Buffer.byteLength(template)} bytes; stack ${plan.stackName}`,
    ),
    '',
    'Policy for whoever deploys (IAM, as JSON):',
    JSON.stringify(plan.policy, undefined, 2),
    '',
  ];
  return rows.join('\n');
}

/** `iam: CreateRole, GetRole`, a line for each service. */
function byService(calls: readonly string[]): readonly string[] {
  const services = new Map<string, Set<string>>();
  for (const call of calls) {
    const [service = '', name = ''] = call.split(':');
    services.set(service, (services.get(service) ?? new Set()).add(name));
  }
  return [...services].map(([service, names]) => `${service}: ${[...names].join(', ')}`);
}

const MARKS = { ok: 'ok     ', missing: 'missing', unknown: 'unknown' } as const;

/** Mark and name of a check, with the spaces behind them. */
const HEAD_CELLS = 21;

/** One check as a row, and below it how to get what is missing. */
export function checkRows({ name, state, text, remedy }: Check, style: Style, output: Output): string {
  const paint = { ok: style.green, missing: style.red, unknown: style.yellow }[state];
  const row = `${paint(MARKS[state])}  ${name.padEnd(11)} ${beside(HEAD_CELLS, text, output)}`;
  const below = folded(' '.repeat(HEAD_CELLS) + remedy, output);
  return state === 'ok' || remedy === '' ? row : `${row}\n${below}`;
}
