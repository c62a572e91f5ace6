import { type CommandInput, defineCommand } from '../command.js';
import type { Context } from '../context.js';
import type { Check, DoctorQuestion, Finding } from '../doctor/check.js';
import { ffmpegCheck, memoryCheck, microphoneCheck, nodeCheck, portCheck } from '../doctor/machine-checks.js';
import { modelCheck } from '../doctor/model-check.js';
import { speedCheck } from '../doctor/speed-check.js';
import { endingOf } from '../errors.js';
import { DOCTOR_CHECK_MS } from '../limits.js';
import { flag } from '../options.js';
import { modelOption, portOption } from '../options-shared.js';
import { beside } from '../terminal/beside.js';
import { createDisplay, type Display } from '../terminal/display.js';
import { jsonText } from '../terminal/screened.js';
import { styleFor } from '../terminal/style.js';

const CHECKS: readonly Check[] = [
  nodeCheck,
  memoryCheck,
  portCheck,
  ffmpegCheck,
  microphoneCheck,
  modelCheck,
  speedCheck,
];

const options = {
  port: portOption,
  model: modelOption,
  json: flag({ flags: '--json', description: 'print JSON' }),
};

/** `kikitori doctor`: looks at this machine and says what to do. Ends with 1 when something fails. */
export const doctor = defineCommand({
  summary: 'check this machine and say what to do',
  operands: [],
  options,
  examples: ['kikitori doctor', 'kikitori doctor --model tiny --json'],
  run: (input, context) => examine(CHECKS, input, context),
});

/** Runs the checks in order, one at a time: the last one wants the processor for itself. */
export async function examine(
  checks: readonly Check[],
  { options: given }: Pick<CommandInput<typeof options>, 'options'>,
  context: Context,
): Promise<number> {
  const display = createDisplay(context);
  const findings: (Finding & { readonly name: string })[] = [];
  try {
    for (const check of checks) {
      context.signal.throwIfAborted();
      display.status(() => `Looking at: ${check.name}…`);
      const finding = { name: check.name, ...(await lookAt(check, given, context)) };
      findings.push(finding);
      if (!given.json) show(finding, display, context);
    }
  } finally {
    display.close();
  }
  const isHealthy = findings.every(({ status }) => status !== 'fail');
  if (given.json) context.stdout.write(`${jsonText({ ok: isHealthy, checks: findings }, 2)}\n`);
  return isHealthy ? 0 : 1;
}

async function lookAt(
  check: Check,
  { port, model }: Omit<DoctorQuestion, 'signal'>,
  context: Context,
): Promise<Finding> {
  const deadline = AbortSignal.timeout(DOCTOR_CHECK_MS);
  const signal = AbortSignal.any([context.signal, deadline]);
  try {
    return await check.look({ port, model, signal }, context);
  } catch (error) {
    context.signal.throwIfAborted();
    if (deadline.aborted) {
      return { status: 'warn', detail: 'took too long', advice: 'Try again when the machine is less busy.' };
    }
    const { sentence } = endingOf(error);
    return { status: 'fail', detail: 'did not work', advice: sentence };
  }
}

const MARKS = { ok: 'ok  ', warn: 'warn', fail: 'fail' } as const;

const HEAD_CELLS = 18;

function show(finding: Finding & { readonly name: string }, display: Display, context: Context): void {
  const { stdout: output, env } = context;
  const style = styleFor(output, env);
  const paint = { ok: style.green, warn: style.yellow, fail: style.red }[finding.status];
  const name = finding.name.padEnd(11);
  const detail = beside(HEAD_CELLS, finding.detail, output);
  display.print(`${paint(MARKS[finding.status])}  ${style.bold(name)} ${detail}\n`);
  if (finding.advice === undefined) return;
  display.print(`${' '.repeat(HEAD_CELLS)}${beside(HEAD_CELLS, finding.advice, output)}\n`);
}
