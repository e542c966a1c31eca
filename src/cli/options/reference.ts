import { Option, type Command } from 'commander';
import { tokensFor } from './numbers.js';

/** What the weights were trained with, where the user knows better than the evidence table. */
export interface ReferenceFlags {
  readonly reference?: 'unscaled' | 'configured';
  readonly trainedWindow?: number;
}

export function addReferenceOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--reference <reading>',
        'whether the weights were trained with the scaling of the config (configured) or ' +
          'without it (unscaled); default: by rope type and model type',
      ).choices(['unscaled', 'configured']),
    )
    .option(
      '--trained-window <tokens>',
      'tokens the weights were trained to see; default: from the config',
      tokensFor('--trained-window'),
    );
}

export function referenceOptions({ reference, trainedWindow }: ReferenceFlags): ReferenceFlags {
  return {
    ...(reference === undefined ? {} : { reference }),
    ...(trainedWindow === undefined ? {} : { trainedWindow }),
  };
}
