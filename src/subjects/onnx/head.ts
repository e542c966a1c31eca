import { ELEMENT, type Graph, type GraphEdit, type NewNode, type Node } from './graph.js';
import { errors } from './refusals.js';
import { indexOf } from './rotary.js';

/**
 * Changes the end of a decoder. The logits of every token are tokens x vocabulary numbers, which is
 * 20 GB for 32k tokens and 152k symbols. The edit projects only the rows that are asked for, and
 * returns their log-probabilities instead of logits.
 */

/** The names of what the edit adds. */
export const SCORED = Object.freeze({
  /** int64 [rows]: the tokens from which a target is predicted. */
  rows: 'rope_eval_rows',
  /** int64 [1, rows, 1]: the tokens whose log-probability is wanted. */
  targets: 'rope_eval_targets',
  /** float32 [1, rows, 1]. */
  logProbability: 'rope_eval_log_probability',
  /** int64 [1, rows]: the most probable token. */
  best: 'rope_eval_best',
});

/** Operators between the projection and the logits that process each row separately. */
const BY_ROW = new Set(['Cast', 'Mul', 'Div', 'Tanh', 'Add', 'Identity']);
const PROJECTS = new Set([
  'MatMul',
  'MatMulNBits',
  'Gemm',
  'MatMulInteger',
  'MatMulIntegerToFloat',
]);

/**
 * Makes the edit that replaces a decoder's logits by the scores of rows.
 *
 * @throws RopeEvalError `onnx_no_head` if the projection is not found
 */
export function scoredHead(
  graph: Graph,
): Pick<GraphEdit, 'addedInputs' | 'addedNodes' | 'rewired' | 'outputs'> {
  const { producer } = indexOf(graph);
  const logits = graph.outputs.find(({ name }) => name === 'logits');
  if (!logits) throw errors.noHead('no output is called "logits"');
  let node: Node | undefined = producer.get('logits');
  // The other input of a sum or product, such as a bias, is a weight or a constant.
  const before = (inputs: readonly string[]): Node | undefined =>
    inputs.map((name) => producer.get(name)).find((made) => made && made.op !== 'Constant');
  while (node && BY_ROW.has(node.op)) node = before(node.inputs);
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
