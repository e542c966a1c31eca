import { option, RopeEvalError, words, type ErrorKind, type Words } from '../../errors.js';
import { counted } from '../../text.js';

/** Words the errors about a user's ONNX model. Each says what was found and what to do. */

const refuse = (kind: ErrorKind, problem: Words, hint: Words = ''): RopeEvalError =>
  new RopeEvalError(kind, { option: 'model', problem, hint });

const EXPORT_AGAIN =
  'Export it again with onnxruntime-genai’s model builder or with optimum (docs/real-weights.md).';

export const errors = Object.freeze({
  damaged: (reason: string) =>
    refuse('onnx_damaged', `the file is not a whole ONNX model: ${reason}`),
  functions: () =>
    refuse(
      'onnx_functions',
      'the graph keeps parts of itself in model-local functions, which cannot be edited',
      EXPORT_AGAIN,
    ),
  noRope: (seen: string) =>
    refuse(
      'onnx_no_rope',
      `no rotary table that can be replaced was found in the graph: ${seen}`,
      EXPORT_AGAIN,
    ),
  rotaryNode: (node: string, reason: string) =>
    refuse('onnx_rotary_node', `the rotary embedding at node "${node}" ${reason}`, EXPORT_AGAIN),
  noHead: (reason: string) =>
    refuse(
      'onnx_no_head',
      `the projection to the vocabulary was not found: ${reason}`,
      EXPORT_AGAIN,
    ),
  input: (name: string, reason: string) =>
    refuse('onnx_input', `the graph’s input "${name}" ${reason}`, EXPORT_AGAIN),
  external: (file: string, reason: string) =>
    refuse('onnx_external', `the weights in ${file} ${reason}`),
  notOpened: (reason: string) =>
    refuse('onnx_not_opened', `ONNX Runtime cannot open the graph: ${reason}`, EXPORT_AGAIN),
  notRun: (tokens: number, reason: string) => {
    // The runtime puts the node and a place in its own source before what is wrong.
    const [, node, status] = /Name:'([^']*)' Status Message: (.*)/.exec(reason) ?? [];
    const what = (status ?? reason).replace(/^\S+:\d+ .*?\) /, '');
    return refuse(
      'onnx_not_run',
      `ONNX Runtime cannot run the graph on ${tokens} tokens${node ? `, at node "${node}"` : ''}: ${what}`,
      `The exporter may have written the length of its example into the graph. ${EXPORT_AGAIN}`,
    );
  },
  missing: (path: string) => refuse('onnx_missing', `${path}: no such file or folder`),
  notOnnx: (path: string) =>
    refuse('onnx_other_file', `${path} is not an .onnx file`, 'Give the .onnx file or its folder.'),
  noGraph: (folder: string) =>
    refuse(
      'onnx_missing',
      `${folder} holds no .onnx file, nor does its folder onnx/`,
      EXPORT_AGAIN,
    ),
  several: (names: readonly string[]) =>
    refuse(
      'onnx_several',
      `there are ${names.length} models: ${names.join(', ')}`,
      words`Name one of them with ${option('modelFile')}.`,
    ),
  choice: (name: string, names: readonly string[]) =>
    refuse('onnx_several', `no model is called "${name}"; there are ${names.join(', ')}`),
  noTokenizer: (folder: string) =>
    refuse(
      'onnx_no_tokenizer',
      `${folder} has no tokenizer.json, nor has the folder above it`,
      'Copy tokenizer.json of the model there: facts and text are asked in its tokens.',
    ),
  tokenizer: (file: string, reason: string) =>
    refuse('onnx_tokenizer', `${file} cannot be used: ${reason}`),
  vocabulary: (id: number, size: number) =>
    refuse(
      'onnx_tokenizer',
      `the tokenizer gives the id ${id}, the model has ${size} symbols: they are not of one model`,
    ),
  tables: (graph: number, layerType: string) =>
    refuse(
      'onnx_other_model',
      `the graph has ${counted(graph, 'rotary table')}, none of which serves the ${layerType} layers`,
      'Export it again with a version of the exporter that knows this model type.',
    ),
  layer: (layer: number, config: number) =>
    refuse(
      'onnx_other_model',
      `layer ${layer} of the graph rotates, but the ${config} rotating layers of the config do not include it: they are not of one model`,
    ),
  layers: (graph: number, config: number) =>
    refuse(
      'onnx_other_model',
      `the graph has ${graph} layers that rotate, the config ${config}: they are not of one model`,
    ),
  pairs: (graph: number, config: number) =>
    refuse(
      'onnx_other_model',
      `the graph rotates ${graph} pairs of a head, the config ${config}: they are not of one model`,
    ),
  cache: (graph: readonly [number, number], config: readonly [number, number]) =>
    refuse(
      'onnx_other_model',
      `the graph keeps keys of ${graph.join(' x ')} numbers a token, the config ${config.join(' x ')} (heads x width): they are not of one model`,
    ),
  softmax: () =>
    refuse(
      'onnx_softmax',
      'the scaling changes the softmax scale of a model whose heads rotate in part, which rotary tables cannot say',
    ),
  values: (found: number, of: number) =>
    refuse(
      'text_values',
      `the tokenizer keeps ${found} of the ${of} words of answers whole, too few to ask for one token each`,
      'Facts are English words; a model of another script cannot be asked with them.',
    ),
  text: (tokens: number, least: number) =>
    new RopeEvalError('text_short', {
      option: 'text',
      problem: `the texts have ${tokens} tokens, fewer than the ${least} whose loss is counted at a length`,
      hint: 'Give longer texts of the domain, or leave the option out for those of the package.',
    }),
  window: (tokens: number, least: number) =>
    refuse(
      'window_too_short',
      `a context of ${tokens} tokens has no room for facts and questions, which take ${least}`,
      words`Give a longer ${option('trainedWindow')} or ${option('target')}.`,
    ),
  memoryAllowed: (needed: number, limit: number, tokens: number) =>
    refuse(
      'onnx_memory',
      `a context of ${tokens} tokens takes up to ${needed} MiB, and ${limit} MiB are allowed`,
      words`Give a higher ${option('memory')}, a shorter ${option('target')}, or an export with fewer bits.`,
    ),
  memoryLeft: (needed: number, limit: number, tokens: number) =>
    refuse(
      'onnx_memory',
      `weights and cache of a context of ${tokens} tokens take ${needed} MiB, and ${limit} MiB of memory are left`,
      words`Give a shorter ${option('target')}, or an export with fewer bits.`,
    ),
  notTheSame: (difference: number, limit: number) =>
    refuse(
      'onnx_edit_differs',
      `with its own rotary table the edited graph answers otherwise than the original: log-probabilities differ by up to ${difference.toPrecision(2)}, allowed is ${limit}`,
      'Please report it with the name of the exporter; nothing was measured.',
    ),
});
