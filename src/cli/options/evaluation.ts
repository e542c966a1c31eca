import { Option, type Command } from 'commander';
import type { Device, EvaluateOptions, Preset } from '../../evaluate-types.js';
import { LIMITS } from '../../limits.js';
import { wholeNumber } from './numbers.js';

/** How the probes are run; the same options for every command that runs them. */
export interface EvaluationFlags {
  readonly preset?: Preset;
  readonly device?: Device;
  readonly seed?: number;
  readonly samples?: number;
  readonly threads?: number;
}

const PRESETS =
  'how many contexts are probed, and up to four times as many long ones where a verdict is open; ' +
  'quick leaves out causes of a loss, cached keys and offset, thorough adds the neighbouring probe models';

/** @param presets what they differ in */
export function addEvaluationOptions(command: Command, presets = PRESETS): Command {
  return command
    .addOption(
      new Option('--preset <name>', `${presets}; default: standard`).choices([
        'quick',
        'standard',
        'thorough',
      ]),
    )
    .addOption(
      new Option(
        '--device <name>',
        'where the probe model runs; auto (the default) takes CUDA where it works; the report says which',
      ).choices(['auto', 'cpu', 'cuda']),
    )
    .option('--seed <n>', 'seed of the contexts; default: 1', wholeNumber(0, LIMITS.seed))
    .option(
      '--samples <n>',
      'exactly so many long contexts, whatever the preset; the cheaper probes get two or four times as many',
      wholeNumber(1, LIMITS.samples),
    )
    .option(
      '--threads <n>',
      'CPU threads of the probe model; default: all, at most 8',
      wholeNumber(1, LIMITS.threads),
    );
}

/** Only what was given: the defaults belong to `evaluate`. */
export function evaluationOptions(flags: EvaluationFlags): EvaluateOptions {
  const { preset, device, seed, samples, threads } = flags;
  return {
    ...(preset === undefined ? {} : { preset }),
    ...(device === undefined ? {} : { device }),
    ...(seed === undefined ? {} : { seed }),
    ...(samples === undefined ? {} : { samples }),
    ...(threads === undefined ? {} : { threads }),
  };
}
