import { Option } from 'commander';
import type { EmitInput, ConfigForm } from '../../emit/index.js';
import { option, RopeEvalError, words } from '../../errors.js';
import { wordFinding } from '../../findings/index.js';
import { paint } from '../../report/format.js';
import type { Environment } from '../environment.js';
import { loadConfig, type LoadedConfig } from '../inputs.js';
import {
  addReferenceOptions,
  type CommandModule,
  type ReferenceFlags,
  tokensFor,
} from '../options.js';

interface Flags extends ReferenceFlags {
  readonly base?: string;
  readonly target?: number;
  readonly engine?: string;
  readonly engineVersion?: string;
  readonly form?: ConfigForm;
  readonly write?: boolean;
  readonly json?: boolean;
}

export const emitCommand: CommandModule = (program, { environment }) => {
  const command = program
    .command('emit')
    .description(
      'print settings for a scaling, ready to paste: config.json, vLLM, SGLang, llama.cpp, TGI, ollama',
    )
    .argument('<config>', 'a config.json, a folder that holds one, or - for standard input')
    .argument('<candidate>', 'a scaling, such as yarn:4, or a JSON object as in a config')
    .option(
      '--target <tokens>',
      'length to serve; default: what the scaling stretches the trained window to',
      tokensFor('target'),
    )
    .option(
      '--base <config>',
      'the config before a change: the scaling is computed from what it says, as it was measured',
    )
    .option('--engine <name>', 'only this one: hf, vllm, sglang, llama.cpp, tgi, ollama')
    .option('--engine-version <version>', 'of that engine, such as 0.29; default: the newest known')
    .option('--write', 'edit the config file in place, keeping its formatting')
    .addOption(
      new Option(
        '--form <form>',
        'with --write: v4 writes rope_scaling, v5 rope_parameters; default: as the file has it',
      ).choices(['v4', 'v5']),
    );
  addReferenceOptions(command)
    .option('--json', 'print the settings, or with --write what was written, as JSON')
    .action(async (argument: string, candidate: string, flags: Flags) => {
      const config = await loadConfig(argument, environment);
      const { emitInput } = await import('../emit.js');
      const base = flags.base === undefined ? undefined : await loadConfig(flags.base, environment);
      const input = await emitInput(config, candidate, flags, base, environment);
      await checkTogether(flags);
      if (flags.write) await write(config, input, flags, environment);
      else await print(config, input, flags, environment);
    });
};

async function print(
  config: LoadedConfig,
  input: EmitInput,
  flags: Flags,
  { stdout }: Environment,
): Promise<void> {
  const { emit, engineNamed, ENGINES, windowNotes } = await import('../../emit/index.js');
  const engines = flags.engine === undefined ? ENGINES : [engineNamed(flags.engine)];
  const emissions = emit(input, engines, flags.engineVersion);
  const { label, length } = input;
  const { source } = config;
  const [only] = emissions;
  // The user asked for one engine that cannot express the scaling, so this is an error.
  if (flags.engine !== undefined && only && !only.ok) {
    throw new RopeEvalError('not_expressible', {
      option: 'engine',
      problem: `${only.engine} cannot express ${label}: ${only.reason}`,
      hint: only.instead,
    });
  }
  if (flags.json) {
    const { findings = [] } = input;
    stdout.json({
      candidate: label,
      config: source,
      length,
      findings,
      notes: windowNotes(input),
      emissions,
    });
    return;
  }
  const { emitText } = await import('../emit.js');
  const text = { input, source, emissions, columns: stdout.columns };
  stdout.write(emitText(text, paint(stdout.isLively)));
}

async function write(
  config: LoadedConfig,
  input: EmitInput,
  { form, json, engineVersion }: Flags,
  { stdout, stderr }: Environment,
): Promise<void> {
  const { file, source, text } = config;
  const translated = input.findings?.find(({ code }) => code === 'RE076');
  if (translated !== undefined) {
    throw new RopeEvalError('not_expressible', {
      option: 'write',
      problem: `${source} is no config.json: ${wordFinding(translated)}, and nothing writes it back`,
      hint: 'Give the config.json of the same model to --write, or leave --write away and pass the settings to the engine (--engine).',
    });
  }
  if (file === undefined) {
    throw new RopeEvalError('usage', {
      option: 'write',
      predicate: 'needs a file, not standard input',
    });
  }
  const [{ editedRecord, patchForVersion }, { otherNames, writeAtomically }, { patchedText }] =
    await Promise.all([import('../../emit/index.js'), import('../files.js'), import('../emit.js')]);
  const patch = patchForVersion(input, engineVersion, form);
  if (!patch.ok) {
    throw new RopeEvalError('not_expressible', {
      option: form === undefined ? 'write' : 'form',
      problem: `${source} cannot express ${input.label}: ${patch.reason}`,
      hint: patch.instead,
    });
  }
  const { edits, form: chosen } = patch;
  const patched = patchedText(text, edits, editedRecord(input.raw, edits), source);
  const links = edits.length > 0 ? await otherNames(file) : 0;
  if (edits.length > 0) await writeAtomically(file, patched);
  if (links > 0) {
    stderr.write(
      `${source} is a new file now: ${links} other name${links === 1 ? '' : 's'} (hard links) keep the old text.\n`,
    );
  }
  if (json) {
    const { label: candidate, length } = input;
    const named = edits.map(({ path, value }) => ({ path: path.join('.'), value }));
    const output = {
      candidate,
      config: source,
      length,
      form: chosen,
      written: named.filter(({ value }) => value !== undefined),
      removed: named.filter(({ value }) => value === undefined).map(({ path }) => path),
    };
    stdout.json(output);
    return;
  }
  const keys = edits.map(({ path }) => path.join('.')).join(', ');
  stdout.write(
    edits.length > 0
      ? `${source}: ${input.label} written (${keys})\n`
      : `${source} says ${input.label} already: nothing written\n`,
  );
}

async function checkTogether({ form, write, engine, engineVersion }: Flags): Promise<void> {
  if (form !== undefined && !write) {
    throw new RopeEvalError('no_effect', {
      option: 'form',
      predicate: words`has no effect without ${option('write')}: both forms are printed`,
    });
  }
  if (engineVersion !== undefined && engine === undefined) {
    throw new RopeEvalError('no_effect', {
      option: 'engineVersion',
      predicate: words`has no effect without ${option('engine')}: it is the version of one engine`,
    });
  }
  if (!write || engine === undefined) return;
  const { engineNamed } = await import('../../emit/index.js');
  if (engineNamed(engine) === 'hf') return;
  throw new RopeEvalError('no_effect', {
    option: 'engine',
    value: engine,
    predicate: words`has no effect with ${option('write')}, which edits config.json as transformers reads it`,
  });
}
