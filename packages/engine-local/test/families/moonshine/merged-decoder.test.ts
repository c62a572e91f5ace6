import { describe, expect, it } from 'vitest';
import { splitMergedDecoder } from '../../../src/families/moonshine/merged-decoder.js';
import { floatOutput, type Graph, node, parseModel } from '../../../src/onnx/graph.js';
import { MessageWriter } from '../../../src/onnx/protobuf.js';

/** A merged decoder in miniature: one layer, an output layer that expands its weights, two branches. */
function mergedDecoder(): Buffer {
  const branch = (): Buffer =>
    graphBytes({
      nodes: [
        node('Transpose', ['embedding'], ['embedding_transposed']),
        node('DequantizeLinear', ['embedding_transposed', 'scale', 'zero'], ['weights']),
        { ...node('Softmax', ['scores'], ['layer0_attention']), name: '/layers.0/encoder_attn/Softmax' },
        node('MatMul', ['hidden', 'weights'], ['logits']),
      ],
      outputs: ['logits', 'present.0.decoder.key', 'present.0.encoder.key'],
    });
  const attribute = (name: string): Buffer =>
    new MessageWriter().text(1, name).bytes(6, branch()).integer(20, 5).finish();
  const choose = new MessageWriter()
    .text(1, 'use_cache_branch')
    .text(2, 'logits')
    .text(4, 'If')
    .bytes(5, attribute('then_branch'))
    .bytes(5, attribute('else_branch'))
    .finish();
  const graph = new MessageWriter()
    .bytes(1, choose)
    .text(2, 'merged')
    .bytes(5, new MessageWriter().text(8, 'embedding').finish())
    .bytes(5, new MessageWriter().text(8, 'scale').finish())
    .bytes(5, new MessageWriter().text(8, 'zero').finish())
    .bytes(5, new MessageWriter().text(8, 'unused').finish())
    .bytes(11, floatOutput('hidden').bytes)
    .bytes(11, floatOutput('use_cache_branch').bytes)
    .bytes(12, floatOutput('logits').bytes)
    .finish();
  return new MessageWriter().integer(1, 10).bytes(7, graph).finish();
}

function graphBytes(graph: Pick<Graph, 'nodes'> & { outputs: string[] }): Buffer {
  const writer = new MessageWriter();
  for (const { name, operator, inputs, outputs } of graph.nodes) {
    const part = new MessageWriter();
    for (const input of inputs) part.text(1, input);
    for (const output of outputs) part.text(2, output);
    writer.bytes(1, part.text(3, name).text(4, operator).finish());
  }
  for (const output of graph.outputs) writer.bytes(12, floatOutput(output).bytes);
  return writer.finish();
}

describe('splitting a merged decoder', () => {
  const split = splitMergedDecoder(mergedDecoder());
  const withPast = parseModel(split.withPast).graph;
  const first = parseModel(split.first).graph;

  it('makes two graphs without the choice between them, keeping only the weights that are used', () => {
    expect(first.inputs.map(({ name }) => name)).toEqual(['hidden']);
    expect(first.initializers.map(({ name }) => name)).toEqual(['embedding', 'scale', 'zero']);
    expect(split.layers).toBe(1);
  });

  it('multiplies the output layer in integers instead of expanding its weights', () => {
    const operators = first.nodes.map(({ operator }) => operator);
    expect(operators).toContain('MatMulInteger');
    expect(operators).not.toContain('DequantizeLinear');
    expect(first.nodes.at(-1)?.outputs).toEqual(['logits']);
  });

  it('gives out where it listened, and the memory of the audio only once', () => {
    expect(split.attentionNames).toEqual(['layer0_attention']);
    expect(first.outputs.map(({ name }) => name)).toContain('present.0.encoder.key');
    expect(withPast.outputs.map(({ name }) => name)).toEqual([
      'logits',
      'present.0.decoder.key',
      'layer0_attention',
    ]);
  });

  it('refuses files that are no merged decoder', () => {
    expect(() => splitMergedDecoder(Buffer.from('not a model'))).toThrow(RangeError);
    expect(() => splitMergedDecoder(Buffer.alloc(0))).toThrow(RangeError);
    const plain = new MessageWriter().bytes(
      7,
      graphBytes({ nodes: [node('Add', ['a', 'b'], ['c'])], outputs: ['c'] }),
    );
    expect(() => splitMergedDecoder(plain.finish())).toThrow(/merged/);
  });
});
