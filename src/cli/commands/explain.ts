import { RopeEvalError } from '../../errors.js';
import type { CommandModule } from '../options.js';

export const explainCommand: CommandModule = (program, { environment }) => {
  program
    .command('explain')
    .description('explain a finding, such as RE012; without a code, list them all')
    .argument('[code]', 'code of a finding, as a report prints it')
    .action(async (code: string | undefined) => {
      const { stdout } = environment;
      const [{ CATALOGUE }, { fill }, { suggest }] = await Promise.all([
        import('../../findings/index.js'),
        import('../../report/terminal.js'),
        import('../../suggest.js'),
      ]);
      if (code === undefined) {
        const byCode = [...CATALOGUE.values()].sort((a, b) => a.code.localeCompare(b.code));
        for (const entry of byCode) {
          stdout.write(`${entry.code}  ${entry.severity.padEnd(7)}  ${entry.title}\n`);
        }
        return;
      }
      const entry = CATALOGUE.get(fullCode(code));
      if (entry === undefined) throw unknownCode(code, suggest(code, CATALOGUE.keys()));
      const columns = stdout.columns;
      const paragraphs = [
        `${entry.code} ${entry.title} (${entry.severity})`,
        ...entry.explanation.split('\n').map((line) => fill(line, columns, '')),
        fill(`Affects: ${entry.affects}`, columns, ''),
      ];
      stdout.write(`${paragraphs.join('\n\n')}\n`);
    });
};

/** Expands `12`, `re12`, `RE12` and `RE-12` to RE012. */
function fullCode(code: string): string {
  const digits = /^(?:re[-_ ]?)?(\d{1,3})$/i.exec(code.trim())?.[1];
  return digits === undefined ? code.toUpperCase() : `RE${digits.padStart(3, '0')}`;
}

function unknownCode(code: string, nearest: string | undefined): RopeEvalError {
  return new RopeEvalError('unknown_code', {
    problem: `no finding has the code ${code}`,
    hint:
      nearest === undefined
        ? '`rope-eval explain` lists them all.'
        : `Did you mean ${nearest}? \`rope-eval explain\` lists them all.`,
  });
}
