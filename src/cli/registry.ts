import type { CommandModule } from './command.js';
import { explainCommand } from './commands/explain.js';
import { doctorCommand } from './commands/doctor.js';
import { fingerprintCommand } from './commands/fingerprint.js';
import { inspectCommand } from './commands/inspect.js';
import { schemaCommand } from './commands/schema.js';

/** Commands beside the default one, in the order of `--help`. A new one is a file and a line. */
export const COMMANDS: readonly CommandModule[] = Object.freeze([
  inspectCommand,
  fingerprintCommand,
  explainCommand,
  schemaCommand,
  doctorCommand,
]);
