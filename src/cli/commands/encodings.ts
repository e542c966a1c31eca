import type { EncodingsFlags } from '../encodings.js';
import { addEvaluationOptions, collect, type CommandModule } from '../options.js';

export const encodingsCommand: CommandModule = (program, { environment, exitWith }) => {
  const command = program
    .command('encodings')
    .description(
      'compare position encodings on twins of one probe model: RoPE, ALiBi, T5’s buckets, ' +
        'learned or sinusoidal positions or none, at 1x to 8x of their window',
    );
  addEvaluationOptions(command, 'how many contexts are probed')
    .option(
      '-o, --output <file>',
      'also save the comparison; .json, .md, .html or .txt; may be given again',
      collect,
    )
    .option('--json', 'print the comparison as JSON, and nothing else, on standard output')
    .option('--quiet', 'no progress and no notices on standard error')
    .action(async (flags: EncodingsFlags) => {
      const { runEncodings } = await import('../encodings.js');
      exitWith(await runEncodings(environment, flags));
    });
};
