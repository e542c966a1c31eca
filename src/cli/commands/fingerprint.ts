import { EXIT, option, RopeEvalError, words } from '../../errors.js';
import type { FingerprintDiff } from '../../geometry/fingerprint.js';
import { defined } from '../../json/parse.js';
import type { Section } from '../../report/sections/section.js';
import type { RopeSpec } from '../../rope/registry.js';
import type { Environment } from '../environment.js';
import { noEffect } from '../failure.js';
import { loadConfig, loadDump } from '../inputs.js';
import type { RopeModel } from '../model.js';
import {
  addExportOptions,
  type CommandModule,
  type ExportFlags,
  exportOptions,
  tokensFor,
} from '../options.js';

interface Flags extends ExportFlags {
  readonly json?: boolean;
  readonly diff?: string;
  readonly layerType?: string;
  readonly candidate?: string;
  readonly seqLen?: number;
}

export const fingerprintCommand: CommandModule = (program, { environment, exitWith }) => {
  const command = program
    .command('fingerprint')
    .description('print the rotary tables that an engine should hold for a config, with their hash')
    .argument('<config>', 'a config.json, a folder that holds one, or - for standard input')
    .option('--json', 'print JSON, and nothing else, on standard output')
    .option(
      '--diff <dump.json>',
      'compare with numbers dumped from an engine: an object with one of inv_freq, cos, sin, ' +
        'cos_sin_cache; exit code 1 where they differ',
    )
    .option('--layer-type <name>', 'layers to compare with the dump; default: the first')
    .option('--candidate <scaling>', 'another scaling, such as yarn:4 or a JSON object')
    .option(
      '--seq-len <tokens>',
      'tables for this length, for scalings that depend on it',
      tokensFor('sequenceLength'),
    );
  addExportOptions(
    command,
    'compare with the tables that an exported graph runs with, an .onnx file or its folder; ' +
      'exit code 1 where they differ',
  ).action(async (argument: string, flags: Flags) => {
    exitWith(await fingerprint(argument, flags, environment));
  });
};

async function fingerprint(
  argument: string,
  flags: Flags,
  environment: Environment,
): Promise<number> {
  const { diff: dump, seqLen: sequenceLength, candidate } = flags;
  if (flags.layerType !== undefined && dump === undefined) {
    throw noEffect('layerType', words`without ${option('diff')}`);
  }
  const [beside] = Object.keys(defined({ diff: dump, sequenceLength }));
  if (flags.model !== undefined && beside !== undefined) {
    throw noEffect(beside, words`beside ${option('model')}`);
  }
  const [
    { candidateSpecs, readRopeGeometry },
    { fingerprintData },
    sections,
    { contextOf, textOf },
  ] = await Promise.all([
    import('../model.js'),
    import('../../geometry/fingerprint.js'),
    import('../../report/fingerprint.js'),
    import('../../report/terminal.js'),
  ]);
  const config = await loadConfig(argument, environment);
  const read = await readRopeGeometry(config, {});
  const exported = await exportOptions(flags, environment);
  const specs =
    candidate === undefined
      ? read.model.groups.map(({ rope }) => rope)
      : (await candidateSpecs(candidate, read, environment)).specs;
  const { stdout } = environment;
  const print = <Data>(data: Data, draw: (data: Data) => readonly Section[]): void => {
    if (flags.json) stdout.json(data);
    else stdout.write(textOf(draw(data), contextOf(stdout)));
  };
  if (exported !== undefined) {
    const { inspectExport } = await import('../../subjects/onnx/compare.js');
    const found = await inspectExport(exported, read.model, specs);
    print(found, sections.exportSections);
    return found.tables.every(({ same }) => same) ? EXIT.ok : EXIT.gateFailed;
  }
  if (dump !== undefined) {
    const diff = await compare(dump, read, specs, flags, environment);
    print(diff, sections.fingerprintDiffSections);
    return diff.same ? EXIT.ok : EXIT.gateFailed;
  }
  print(
    fingerprintData(read.model, defined({ specs, sequenceLength })),
    sections.fingerprintSections,
  );
  return EXIT.ok;
}

async function compare(
  dumpFile: string,
  { model }: RopeModel,
  specs: readonly RopeSpec[],
  { layerType, seqLen }: Flags,
  environment: Environment,
): Promise<FingerprintDiff> {
  const [{ diffFingerprint, stored }, { computeRope }] = await Promise.all([
    import('../../geometry/fingerprint.js'),
    import('../../rope/registry.js'),
  ]);
  const names = model.groups.map((group) => group.layerType);
  const index = layerType === undefined ? 0 : names.indexOf(layerType);
  const [spec, group] = [specs[index], model.groups[index]];
  if (spec === undefined || group === undefined) {
    throw new RopeEvalError('unknown_layer_type', {
      option: 'layerType',
      value: layerType ?? '',
      problem: `this model has ${names.join(', ')}`,
    });
  }
  const table = stored(computeRope(spec, seqLen), model);
  return diffFingerprint(table, await loadDump(dumpFile, environment), {
    upTo: seqLen ?? model.maxPositions,
    unscaled: stored(computeRope(group.unscaled, seqLen), model),
  });
}
