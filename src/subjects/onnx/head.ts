import { ELEMENT, type Graph, type GraphEdit, type NewNode, type Node } from './graph.js';
import { errors } from './refusals.js';
import { indexOf } from './rotary.js';

/**
 * The end of a decoder: logits of every token are tokens x vocabulary numbers, 20 GB at 32k tokens of
 * 152k symbols. The edit projects the rows that are asked for alone, and gives their
 * log-probabilities instead of logits.
 */

/** Names of what the edit adds. */
export const SCORED = Object.freeze({
  /** int64 [rows] tokens from which a target is predicted */
  rows: 'rope_eval_rows',
  /** int64 [1, rows, 1] the tokens whose log-probability is wanted */
  targets: 'rope_eval_targets',
  /** float32 [1, rows, 1] */
  logProbability: 'rope_eval_log_probability',
  /** int64 [1, rows] the most probable token */
  best: 'rope_eval_best',
});

/** Ops between the projection and the logits that work on each row alone. */
const BY_ROW = new Set(['Cast', 'Mul', 'Div', 'Tanh', 'Add', 'Identity']);
const PROJECTS = new Set([
  'MatMul',
  'MatMulNBits',
  'Gemm',
  'MatMulInteger',
  'MatMulIntegerToFloat',
]);

/** The edit for the logits of a decoder. Errors as `rotarySites`: `onnx_no_head`. */
export function scoredHead(
  graph: Graph,
): Pick<GraphEdit, 'addedInputs' | 'addedNodes' | 'rewired' | 'outputs'> {
  const { producer } = indexOf(graph);
  const logits = graph.outputs.find(({ name }) => name === 'logits');
  if (!logits) throw errors.noHead('no output is called "logits"');
  let node: Node | undefined = producer.get('logits');
  while (node && BY_ROW.has(node.op)) node = producer.get(node.inputs[0]!);
  if (!node || !PROJECTS.has(node.op))
    throw errors.noHead(node ? `"${node.name}" is a ${node.op}` : 'the logits come from nowhere');
  const hidden = node.inputs[0]!;
  const gathered = 'rope_eval_hidden';
  const float = 'rope_eval_logits';
  const all = 'rope_eval_log_softmax';
  const addedNodes: NewNode[] = [
    {
      op: 'Gather',
      inputs: [hidden, SCORED.rows],
      outputs: [gathered],
      attributes: { axis: 1 },
    },
    { op: 'Cast', inputs: ['logits'], outputs: [float], attributes: { to: ELEMENT.float32 } },
    { op: 'LogSoftmax', inputs: [float], outputs: [all], attributes: { axis: -1 } },
    {
      op: 'GatherElements',
      inputs: [all, SCORED.targets],
      outputs: [SCORED.logProbability],
      attributes: { axis: -1 },
    },
    {
      op: 'ArgMax',
      inputs: [float],
      outputs: [SCORED.best],
      attributes: { axis: -1, keepdims: 0 },
    },
  ];
  return {
    addedInputs: [
      { name: SCORED.rows, element: ELEMENT.int64, dims: ['rope_rows'] },
      { name: SCORED.targets, element: ELEMENT.int64, dims: [1, 'rope_rows', 1] },
    ],
    addedNodes,
    rewired: new Map([[node, new Map([[hidden, gathered]])]]),
    outputs: [
      { name: SCORED.logProbability, element: ELEMENT.float32, dims: [1, 'rope_rows', 1] },
      { name: SCORED.best, element: ELEMENT.int64, dims: [1, 'rope_rows'] },
      ...graph.outputs.filter(({ name }) => name !== 'logits'),
    ],
  };
}
