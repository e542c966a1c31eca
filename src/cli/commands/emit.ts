import { Option } from 'commander';
import type { EmitFlags } from '../emit.js';
import { addReferenceOptions, type CommandModule, tokensFor } from '../options.js';

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
    .action(async (argument: string, candidate: string, flags: EmitFlags) => {
      const { runEmit } = await import('../emit.js');
      await runEmit(argument, candidate, flags, environment);
    });
};
