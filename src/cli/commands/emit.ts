import { Option } from 'commander';
import type { EmitInput, Engine, Form } from '../../emit/index.js';
import { ENGINES } from '../../emit/types.js';
import { RopeEvalError } from '../../errors.js';
import type { CommandModule } from '../command.js';
import type { Environment } from '../environment.js';
import { loadConfig, type LoadedConfig } from '../inputs.js';
import { addReferenceOptions, type ReferenceFlags, tokensFor } from '../options.js';
import { paint } from '../../report/paint.js';

interface Flags extends ReferenceFlags {
  readonly target?: number;
  readonly engine?: Engine;
  readonly form?: Form;
  readonly write?: boolean;
  readonly json?: boolean;
}

export const emitCommand: CommandModule = (program, { environment }) => {
  const command = program
    .command('emit')
    .description(
      'settings for a scaling, ready to paste: config.json, vLLM, SGLang, llama.cpp, TGI',
    )
    .argument('<config>', 'a config.json, a folder that holds one, or - for standard input')
    .argument('<candidate>', 'a scaling, such as yarn:4, or a JSON object as in a config')
    .option(
      '--target <tokens>',
      'length to serve; default: what the scaling stretches the trained window to',
      tokensFor('--target'),
    )
    .addOption(new Option('--engine <name>', 'only this one').choices(ENGINES))
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
      const input = await emitInput(config, candidate, flags, environment);
      checkTogether(flags);
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
  const { emit } = await import('../../emit/index.js');
  const emissions = emit(input, flags.engine === undefined ? ENGINES : [flags.engine]);
  const { label, length } = input;
  const { source } = config;
  const [only] = emissions;
  // Asked for one engine that has no words for it: an answer, but not the one wanted.
  if (flags.engine !== undefined && only && !only.ok) {
    throw new RopeEvalError(
      `${only.engine} cannot express ${label}: ${only.reason}`,
      2,
      'not_expressible',
      '--engine',
      only.instead,
    );
  }
  if (flags.json) {
    stdout.json({ candidate: label, config: source, length, emissions });
    return;
  }
  const { emitText } = await import('../emit.js');
  stdout.write(
    emitText({ label, source, length, emissions, columns: stdout.columns }, paint(stdout.isLively)),
  );
}

async function write(
  config: LoadedConfig,
  input: EmitInput,
  { form, json }: Flags,
  { stdout }: Environment,
): Promise<void> {
  const { file, source } = config;
  if (file === undefined) {
    throw new RopeEvalError('--write needs a file, not standard input', 2, 'usage', '--write');
  }
  const [{ formOf, hfPatch, patchConfig }, { writeAtomically }] = await Promise.all([
    import('../../emit/index.js'),
    import('../files.js'),
  ]);
  const chosen = form ?? formOf(input);
  const patch = hfPatch(input, chosen);
  if (!patch.ok) {
    throw new RopeEvalError(
      `${source} cannot express ${input.label}: ${patch.reason}`,
      2,
      'not_expressible',
      form === undefined ? '--write' : '--form',
      patch.instead,
    );
  }
  const { edits } = patch;
  await writeAtomically(file, patchConfig(config.text, edits));
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
  stdout.write(`${source}: ${input.label} written (${keys})\n`);
}

function checkTogether({ form, write, engine }: Flags): void {
  if (form !== undefined && !write) {
    throw noEffect('--form has no effect without --write: both forms are printed', '--form');
  }
  if (write && engine !== undefined && engine !== 'hf') {
    throw noEffect(
      `--engine ${engine} has no effect with --write, which edits config.json as transformers reads it`,
      '--engine',
    );
  }
}

function noEffect(message: string, option: string): RopeEvalError {
  return new RopeEvalError(message, 2, 'no_effect', option);
}
