/**
 * ONNX graphs as data: parse, encode, find. Weights stay views on the file until the new file is written.
 * Field numbers: onnx/onnx.proto (ModelProto.graph 7; GraphProto.node 1, name 2, initializer 5, input 11,
 * output 12, value_info 13; NodeProto.input 1, output 2, name 3, op_type 4, attribute 5; AttributeProto.name 1, g 6).
 */
import { fields, MessageWriter } from './protobuf.js';

export interface GraphNode {
  inputs: string[];
  readonly outputs: string[];
  readonly name: string;
  readonly operator: string;
  readonly attributes: readonly Buffer[];
  readonly rest: readonly Buffer[];
}

/** A named piece kept as it was: an initializer, an input, an output. */
export interface NamedPart {
  readonly name: string;
  readonly bytes: Buffer;
}

export interface Graph {
  nodes: GraphNode[];
  initializers: NamedPart[];
  inputs: NamedPart[];
  outputs: NamedPart[];
  /** The graph's own name and whatever else is carried over. */
  readonly rest: readonly Buffer[];
}

export interface Model {
  readonly graph: Graph;
  readonly rest: readonly Buffer[];
}

const TENSOR_NAME = 8;
const VALUE_NAME = 1;
const FLOAT = 1;

/** Parses an ONNX file. Throws `RangeError` when the bytes are not one. */
export function parseModel(file: Buffer): Model {
  const rest: Buffer[] = [];
  let graph: Graph | undefined;
  for (const field of fields(file)) {
    if (field.number === 7) graph = parseGraph(field.data);
    else rest.push(field.raw);
  }
  if (graph === undefined) throw new RangeError('onnx: the file holds no graph');
  return { graph, rest };
}

export function encodeModel(model: Model): Buffer {
  const writer = new MessageWriter();
  for (const part of model.rest) writer.raw(part);
  return writer.bytes(7, encodeGraph(model.graph)).finish();
}

function parseGraph(message: Buffer): Graph {
  const graph = { nodes: [], initializers: [], inputs: [], outputs: [] } as Omit<Graph, 'rest'>;
  const rest: Buffer[] = [];
  for (const field of fields(message)) {
    if (field.number === 1) graph.nodes.push(parseNode(field.data));
    else if (field.number === 5) graph.initializers.push(named(field.data, TENSOR_NAME));
    else if (field.number === 11) graph.inputs.push(named(field.data, VALUE_NAME));
    else if (field.number === 12) graph.outputs.push(named(field.data, VALUE_NAME));
    // Shape hints (13) would be wrong for a rewritten graph; the runtime infers them again.
    else if (field.number !== 13) rest.push(field.raw);
  }
  return { ...graph, rest };
}

function encodeGraph(graph: Graph): Buffer {
  const writer = new MessageWriter();
  for (const node of graph.nodes) writer.bytes(1, encodeNode(node));
  for (const part of graph.rest) writer.raw(part);
  for (const part of graph.initializers) writer.bytes(5, part.bytes);
  for (const part of graph.inputs) writer.bytes(11, part.bytes);
  for (const part of graph.outputs) writer.bytes(12, part.bytes);
  return writer.finish();
}

function parseNode(message: Buffer): GraphNode {
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes: Buffer[] = [];
  const rest: Buffer[] = [];
  let name = '';
  let operator = '';
  for (const field of fields(message)) {
    if (field.number === 1) inputs.push(field.data.toString());
    else if (field.number === 2) outputs.push(field.data.toString());
    else if (field.number === 3) name = field.data.toString();
    else if (field.number === 4) operator = field.data.toString();
    else if (field.number === 5) attributes.push(field.data);
    else rest.push(field.raw);
  }
  return { inputs, outputs, name, operator, attributes, rest };
}

function encodeNode(node: GraphNode): Buffer {
  const writer = new MessageWriter();
  for (const input of node.inputs) writer.text(1, input);
  for (const output of node.outputs) writer.text(2, output);
  writer.text(3, node.name).text(4, node.operator);
  for (const attribute of node.attributes) writer.bytes(5, attribute);
  for (const part of node.rest) writer.raw(part);
  return writer.finish();
}

function named(bytes: Buffer, nameField: number): NamedPart {
  for (const field of fields(bytes))
    if (field.number === nameField) return { name: field.data.toString(), bytes };
  return { name: '', bytes };
}

/** The graph inside a node's attribute (the branches of an `If`). */
export function subgraph(node: GraphNode, attributeName: string): Graph | undefined {
  for (const attribute of node.attributes) {
    let name = '';
    let graph: Buffer | undefined;
    for (const field of fields(attribute)) {
      if (field.number === 1) name = field.data.toString();
      if (field.number === 6) graph = field.data;
    }
    if (name === attributeName && graph !== undefined) return parseGraph(graph);
  }
  return undefined;
}

/** Makes a node. `integers` are its integer attributes. */
export function node(
  operator: string,
  inputs: string[],
  outputs: string[],
  integers: Readonly<Record<string, number>> = {},
): GraphNode {
  const attributes = Object.entries(integers).map(([name, value]) =>
    new MessageWriter().text(1, name).integer(3, value).integer(20, 2).finish(),
  );
  return { inputs, outputs, name: `kikitori/${outputs[0]}`, operator, attributes, rest: [] };
}

/** Declares a value of 32-bit floats, of any shape, as an output of a graph. */
export function floatOutput(name: string): NamedPart {
  const tensor = new MessageWriter().integer(1, FLOAT).finish();
  const type = new MessageWriter().bytes(1, tensor).finish();
  return { name, bytes: new MessageWriter().text(1, name).bytes(2, type).finish() };
}

/** The names that a graph's nodes read or that it gives out. */
export function usedNames(graph: Graph): Set<string> {
  const used = new Set(graph.outputs.map((output) => output.name));
  for (const { inputs } of graph.nodes) for (const input of inputs) used.add(input);
  return used;
}
