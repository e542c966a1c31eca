import type { CommandModule } from './command.js';
import { checkCommand } from './commands/check.js';
import { compareCommand } from './commands/compare.js';
import { encodingsCommand } from './commands/encodings.js';
import { emitCommand } from './commands/emit.js';
import { mergeCommand } from './commands/merge.js';
import { sweepCommand } from './commands/sweep.js';
import { explainCommand } from './commands/explain.js';
import { doctorCommand } from './commands/doctor.js';
import { fingerprintCommand } from './commands/fingerprint.js';
import { inspectCommand } from './commands/inspect.js';
import { schemaCommand } from './commands/schema.js';

/** Commands beside the default one, in the order of `--help`. A new one is a file and a line. */
export const COMMANDS: readonly CommandModule[] = Object.freeze([
  inspectCommand,
  checkCommand,
  compareCommand,
  emitCommand,
  sweepCommand,
  mergeCommand,
  fingerprintCommand,
  encodingsCommand,
  explainCommand,
  schemaCommand,
  doctorCommand,
]);
