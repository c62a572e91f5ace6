/**
 * Turns a Moonshine decoder as it is published into two that are twice as fast and say where they listened.
 *
 * The published file is one `If` around two graphs, "first pass" and "with past". Its output layer expands the
 * 8-bit vocabulary matrix to floats anew at every token, which costs more than the rest of the network. Here
 * - the branches become two graphs of their own, so that the runtime folds and fuses across the whole of each;
 * - the output layer multiplies in integers, like every other layer of the export;
 * - the cross-attention of each layer becomes an output: it tells which moment of the audio a token came from.
 * A decoder that is not built like this (floats, another exporter) is used as it is as far as possible.
 */
import {
  encodeModel,
  floatOutput,
  type Graph,
  type Model,
  node,
  parseModel,
  subgraph,
  usedNames,
} from '../../onnx/graph.js';

export interface SplitDecoder {
  /** ONNX file: `input_ids`, `encoder_hidden_states` → `logits`, `present.*`, attention. */
  readonly first: Buffer;
  /** ONNX file: `input_ids`, `past_key_values.*` → `logits`, `present.*.decoder.*`, attention. */
  readonly withPast: Buffer;
  /** Names of the attention outputs, one a layer: [1, heads, tokens, frames]. */
  readonly attentionNames: readonly string[];
  readonly layers: number;
}

/** Splits a merged decoder. Throws `RangeError` when the file has not the two branches. */
export function splitMergedDecoder(file: Buffer): SplitDecoder {
  const model = parseModel(file);
  const merged = model.graph.nodes.find((candidate) => candidate.operator === 'If');
  const firstBranch = merged && subgraph(merged, 'else_branch');
  const pastBranch = merged && subgraph(merged, 'then_branch');
  if (firstBranch === undefined || pastBranch === undefined) {
    throw new RangeError('onnx: the decoder is not a merged one (no "If" with two branches)');
  }
  const attentionNames = attentionOutputs(firstBranch).filter((name) =>
    attentionOutputs(pastBranch).includes(name),
  );
  const layers = firstBranch.outputs.filter(({ name }) => /^present\.\d+\.decoder\.key$/.test(name)).length;
  // What the cross-attention remembers of the audio does not change after the first pass: no need to copy it out.
  pastBranch.outputs = pastBranch.outputs.filter(({ name }) => !/^present\.\d+\.encoder\./.test(name));
  return {
    first: branchFile(model, firstBranch, attentionNames),
    withPast: branchFile(model, pastBranch, attentionNames),
    attentionNames,
    layers,
  };
}

function attentionOutputs(graph: Graph): string[] {
  return graph.nodes
    .filter(({ operator, name }) => operator === 'Softmax' && /encoder_attn/.test(name))
    .map(({ outputs }) => outputs[0] ?? '');
}

function branchFile(model: Model, branch: Graph, attentionNames: readonly string[]): Buffer {
  integerOutputLayer(branch);
  branch.outputs.push(...attentionNames.map(floatOutput));
  const used = usedNames(branch);
  const graphName = model.graph.rest.filter((part) => part[0] === 0x12);
  return encodeModel({
    rest: model.rest,
    graph: {
      nodes: branch.nodes,
      initializers: [...model.graph.initializers, ...branch.initializers].filter(({ name }) =>
        used.has(name),
      ),
      inputs: model.graph.inputs.filter(({ name }) => used.has(name)),
      outputs: branch.outputs,
      rest: [...graphName, ...branch.rest.filter((part) => part[0] !== 0x12)],
    },
  });
}

/** `DequantizeLinear(weights) → MatMul` becomes `DynamicQuantizeLinear → MatMulInteger → scale`. */
function integerOutputLayer(graph: Graph): void {
  const producer = (name: string | undefined) =>
    graph.nodes.find(({ outputs }) => outputs.includes(name ?? ''));
  const output = producer('logits');
  if (output?.operator !== 'MatMul') return;
  const dequantize = producer(output.inputs[1]);
  if (dequantize?.operator !== 'DequantizeLinear') return;
  const [hidden] = output.inputs;
  const [weights, scale, zeroPoint] = dequantize.inputs;
  if (hidden === undefined || weights === undefined || scale === undefined || zeroPoint === undefined) return;
  const at = graph.nodes.indexOf(output);
  graph.nodes.splice(
    at,
    1,
    node('DynamicQuantizeLinear', [hidden], ['head_input', 'head_input_scale', 'head_input_zero']),
    node('MatMulInteger', ['head_input', weights, 'head_input_zero', zeroPoint], ['head_product']),
    node('Cast', ['head_product'], ['head_float'], { to: 1 }),
    node('Mul', ['head_input_scale', scale], ['head_scale']),
    node('Mul', ['head_float', 'head_scale'], ['logits']),
  );
  graph.nodes = graph.nodes.filter((candidate) => candidate !== dequantize);
}
