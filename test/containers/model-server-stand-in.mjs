#!/usr/local/bin/node
/**
 * What stands for `python3` in the stand-in of vLLM's image. `-m vllm.entrypoints.openai.api_server` runs our own server
 * under vLLM's flags, `-m pip` writes down what it is asked to install. Anything else is refused, as a parser would.
 * Installed as `/usr/bin/python3`; the checkout is mounted at `/srv/kikitori`. It loads until `/srv/gate/loaded` is there.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

/** vLLM's flags that reach our server, and those that only vLLM knows. */
const PASSED_ON = new Set(['--port', '--host', '--model', '--served-model-name']);
const VLLM_ONLY = new Map([
  ['--max-model-len', '45000'],
  ['--compilation-config', '{"cudagraph_mode": "PIECEWISE"}'],
]);

const [, , dashM, module, ...args] = process.argv;
if (dashM === '-m' && module === 'vllm.entrypoints.openai.api_server') await serve(args);
else if (dashM === '-m' && module === 'pip') pip(args);
else refuse(`cannot run ${dashM} ${module}`);

async function serve(words) {
  // What vLLM asks for before it reports its usage.
  if (process.env['VLLM_NO_USAGE_STATS'] !== '1') refuse('would report its usage');
  const passed = [];
  for (let at = 0; at < words.length; at += 2) {
    const [flag, value] = words.slice(at, at + 2);
    if (PASSED_ON.has(flag)) passed.push(flag, value);
    else if (VLLM_ONLY.get(flag) !== value) refuse(`unrecognized arguments: ${flag} ${value}`);
  }
  while (!existsSync('/srv/gate/loaded')) await new Promise((resolve) => setTimeout(resolve, 20));
  process.argv = [process.execPath, 'kikitori', 'serve', ...passed];
  await import('/srv/kikitori/packages/cli/bin/kikitori.js');
}

function pip([command, ...words]) {
  if (command === 'list') return process.stdout.write('numpy==2.2.6\n');
  const constraints = readFileSync(words[words.indexOf('--constraint') + 1], 'utf8');
  if (command !== 'install' || constraints !== 'numpy==2.2.6\n') return refuse(`pip ${command}`);
  return writeFileSync('/opt/stand-in/installed', words.filter((word) => word.includes('==')).join(' '));
}

function refuse(reason) {
  process.stderr.write(`python3 of the stand-in: ${reason}\n`);
  process.exit(2);
}
