import { InvalidArgumentError, Option } from 'commander';
import { CACHE_DTYPES, type CacheDtype, dtypeNamed } from '../../geometry/drift.js';
import { defined } from '../../json/parse.js';
import type { NotRope } from '../../model/types.js';
import type { InspectData } from '../../report/schema/inspect.js';
import type { Environment } from '../environment.js';
import { loadConfig } from '../inputs.js';
import {
  addExportOptions,
  addReferenceOptions,
  type CommandModule,
  type ExportFlags,
  exportOptions,
  positiveNumber,
  type ReferenceFlags,
  referenceOptions,
  tokensFor,
} from '../options.js';

interface Flags extends ReferenceFlags, ExportFlags {
  readonly json?: boolean;
  readonly seqLen?: number;
  readonly candidate?: string;
  readonly target?: number;
  readonly dtype?: CacheDtype;
  readonly bandwidth?: number;
  readonly plots: boolean;
  readonly details?: boolean;
}

export const inspectCommand: CommandModule = (program, { environment }) => {
  const command = program
    .command('inspect')
    .description(
      'show the exact geometry of a config: frequencies, turns, cost, findings; runs no model',
    )
    .argument('<config>', 'a config.json, a folder that holds one, or - for standard input')
    .option('--json', 'print JSON, and nothing else, on standard output')
    .option(
      '--seq-len <tokens>',
      'show tables for this length, for scalings that depend on it',
      tokensFor('sequenceLength'),
    )
    .option('--candidate <scaling>', 'show another scaling, such as yarn:4 or a JSON object')
    .option(
      '--target <tokens>',
      'length to reach; default: 4 x the trained window',
      tokensFor('target'),
    );
  addExportOptions(
    addReferenceOptions(command),
    'an exported graph, an .onnx file or its folder: shows whether it runs with the tables of the config',
  )
    .addOption(
      new Option('--dtype <name>', 'number format of the KV cache (default: bfloat16)')
        .choices(Object.keys(CACHE_DTYPES))
        .argParser(dtype),
    )
    .option(
      '--bandwidth <GB/s>',
      'memory bandwidth of the device, for the time to decode a token',
      positiveNumber,
    )
    .option('--details', 'print every table and chart, not only the answer')
    .option('--no-plots', 'with --details: leave the charts out')
    .action(async (argument: string, flags: Flags) => {
      const data = await inspectArgument(argument, flags, environment);
      const { stdout } = environment;
      if (flags.json) stdout.json(data);
      else stdout.write(await asText(data, flags, environment));
    });
};

/** Flags that only apply to RoPE. */
const ROPE_FLAGS: readonly (keyof Flags)[] = [
  'candidate',
  'target',
  'seqLen',
  'dtype',
  'bandwidth',
  'reference',
  'trainedWindow',
  'model',
];

/** Describes a model without RoPE: its encoding, and how the twin with it was measured. */
async function withoutRope(model: NotRope, source: string, flags: Flags): Promise<InspectData> {
  const [
    { inspectNotRope },
    { measuredEncodings, twinFindings, twinOf, twinRow },
    { refuseFlags },
  ] = await Promise.all([
    import('../../report/inspect/data.js'),
    import('../../encodings/twins.js'),
    import('../encodings.js'),
  ]);
  refuseFlags(model, flags, ROPE_FLAGS);
  const data = inspectNotRope(model, source);
  const rows = twinOf(model) === undefined ? [] : (await measuredEncodings()).rows;
  const twin = twinRow(model, rows);
  return {
    ...data,
    findings: [...data.findings, ...twinFindings(model, rows)],
    ...defined({ twin }),
  };
}

async function inspectArgument(
  argument: string,
  flags: Flags,
  environment: Environment,
): Promise<InspectData> {
  const [{ inspectData }, { candidateSpecs, readGeometry, usesRope }] = await Promise.all([
    import('../../report/inspect/data.js'),
    import('../model.js'),
  ]);
  const config = await loadConfig(argument, environment);
  const read = await readGeometry(config, referenceOptions(flags));
  if (!usesRope(read)) return withoutRope(read, config.source, flags);
  const { target, dtype } = flags;
  const candidate =
    flags.candidate === undefined
      ? undefined
      : await candidateSpecs(flags.candidate, read, environment);
  const exported = await exportOptions(flags, environment);
  const options = { target, sequenceLength: flags.seqLen, candidate, dtype };
  const data = inspectData(
    read.model,
    read.reference,
    defined({ source: config.source, ...options, bandwidthGBps: flags.bandwidth }),
  );
  if (exported === undefined) return data;
  const { exportFindings, inspectExport } = await import('../../subjects/onnx/compare.js');
  const found = await inspectExport(exported, read.model, candidate?.specs);
  return {
    ...data,
    exported: found,
    findings: [...data.findings, ...exportFindings(found.tables)],
  };
}

async function asText(
  data: InspectData,
  { details = false, plots }: Flags,
  { stdout }: Environment,
): Promise<string> {
  const { contextOf, textOf } = await import('../../report/terminal.js');
  if (!details) {
    const { inspectAnswer } = await import('../../report/inspect/sections.js');
    return textOf(inspectAnswer(data), contextOf(stdout));
  }
  const [{ inspectSections }, { evidenceWords }] = await Promise.all([
    import('../../report/inspect/sections.js'),
    import('../../report/sections/conditions.js'),
  ]);
  return textOf(inspectSections(data, { evidenceWords }), contextOf(stdout, plots));
}

/** Parses a number format: `fp8` is float8, `bf16` is bfloat16. */
function dtype(text: string): CacheDtype {
  const found = dtypeNamed(text);
  if (found !== undefined) return found;
  throw new InvalidArgumentError(`Allowed choices are ${Object.keys(CACHE_DTYPES).join(', ')}.`);
}
