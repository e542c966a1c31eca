import { join } from 'node:path';
import { EXIT } from '../../errors.js';
import { paint as paintFor } from '../../report/format.js';
import type { RuntimeDescription } from '../../subjects/bundled/pool.js';
import { TOOL_VERSION } from '../../version.js';
import type { HostFacts } from '../environment.js';
import type { CommandModule } from '../options.js';

/** One line of the diagnosis. Only `bad` fails the command. */
export interface Check {
  readonly state: 'ok' | 'note' | 'bad';
  readonly text: string;
  readonly hint?: string;
}

/** Lists what works, what does not, and what would help. */
export function diagnose(host: HostFacts, runtime: RuntimeDescription): readonly Check[] {
  return [
    { state: 'ok', text: `rope-eval ${TOOL_VERSION}` },
    nodeCheck(host),
    platformCheck(host),
    runtimeCheck(runtime),
    ...libraryChecks(runtime),
    {
      state: runtime.probeModels.length > 0 ? 'ok' : 'bad',
      text: `${runtime.probeModels.length} bundled probe models: ${runtime.probeModels.join(', ')}`,
    },
    trialCheck('CPU', runtime.trial),
    cudaCheck(host, runtime),
  ];
}

/** The same as `engines` in package.json. */
const OLDEST_NODE = 20;

function nodeCheck({ node }: HostFacts): Check {
  if (Number.parseInt(node, 10) >= OLDEST_NODE) return { state: 'ok', text: `Node ${node}` };
  return { state: 'bad', text: `Node ${node}`, hint: `Install Node ${OLDEST_NODE} or newer.` };
}

function platformCheck({ platform, arch, glibc }: HostFacts): Check {
  const text = `${platform}-${arch}${glibc === null ? '' : `, glibc ${glibc}`}`;
  if (platform === 'linux' && glibc === null) {
    return {
      state: 'note',
      text: `${text}, no glibc found`,
      hint: 'onnxruntime’s libraries need glibc 2.28 or newer; Alpine and other musl systems have none. Use a Debian-based image.',
    };
  }
  if (platform === 'darwin' && arch === 'x64') {
    return {
      state: 'note',
      text,
      hint: 'onnxruntime-node ships no libraries for Intel Macs. `inspect`, `fingerprint` and `explain` work without them.',
    };
  }
  return { state: 'ok', text };
}

function runtimeCheck({ onnxruntime, loadError }: RuntimeDescription): Check {
  if (onnxruntime !== null) return { state: 'ok', text: `onnxruntime-node ${onnxruntime}` };
  return {
    state: 'bad',
    text: `onnxruntime-node cannot be loaded: ${firstLine(loadError ?? 'no reason given')}`,
    hint: 'Install again with ONNXRUNTIME_NODE_INSTALL=skip set: its install script downloads CUDA files on Linux and fails without a network.',
  };
}

function libraryChecks({ libraryFolder, providers }: RuntimeDescription): readonly Check[] {
  if (libraryFolder === null) {
    return [{ state: 'bad', text: 'no runtime libraries for this platform on disk' }];
  }
  return [
    { state: 'ok', text: `libraries in ${libraryFolder}` },
    ...providers.map(({ name, library, present }): Check => {
      const text = `${name.toUpperCase()} provider: ${library} ${present ? 'found' : 'not on disk'}`;
      return { state: present ? 'ok' : 'note', text };
    }),
  ];
}

function trialCheck(name: string, trial: RuntimeDescription['trial']): Check {
  return trial.ok
    ? {
        state: 'ok',
        text: `${name}: ${trial.model} loaded in ${Math.round(trial.milliseconds)} ms`,
      }
    : { state: 'bad', text: `${name}: ${firstLine(trial.error)}` };
}

const CUDA_HINT =
  'For --device cuda on Linux x64: npm rebuild onnxruntime-node --onnxruntime-node-install=cuda12 ' +
  'downloads the provider. Newer npm blocks install scripts, then it silently never arrives: allow ' +
  'it first with npm approve-scripts onnxruntime-node. An NVIDIA driver, CUDA and cuDNN come with ' +
  'the system, not with npm.';

const missingHint = (library: string): string =>
  `The provider is there, but it does not start: ldd ${library} names the libraries of CUDA that ` +
  'are “not found”. It also needs cuDNN 9, an NVIDIA GPU and its driver.';

function cudaCheck(
  { platform }: HostFacts,
  { cudaTrial, providers, libraryFolder }: RuntimeDescription,
): Check {
  if (cudaTrial?.ok) return trialCheck('CUDA', cudaTrial);
  if (cudaTrial) {
    // The runtime does not say which library is missing.
    const library = join(libraryFolder ?? '', 'libonnxruntime_providers_cuda.so');
    const hint = platform === 'linux' ? missingHint(library) : CUDA_HINT;
    return { state: 'note', text: `CUDA: ${firstLine(cudaTrial.error)}`, hint };
  }
  const present = providers.some((provider) => provider.name === 'cuda' && provider.present);
  const text = `CUDA: ${present ? 'not tried' : 'not available; --device auto uses the CPU'}`;
  return platform === 'darwin' ? { state: 'note', text } : { state: 'note', text, hint: CUDA_HINT };
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? '';
}

export const doctorCommand: CommandModule = (program, { environment, exitWith }) => {
  program
    .command('doctor')
    .description(
      'check Node, the runtime, the devices and the bundled models, one of which it loads',
    )
    .option('--json', 'print JSON, for a bug report')
    .addHelpText('after', '\nExit code 3 where a line is marked bad.')
    .action(async ({ json = false }: { json?: boolean }) => {
      const { stdout } = environment;
      const runtime = await environment.describeRuntime();
      const host = environment.describeHost();
      const checks = diagnose(host, runtime);
      if (json) {
        const facts = { tool: TOOL_VERSION, host, runtime, checks };
        stdout.json(facts);
      } else {
        const { fill } = await import('../../report/terminal.js');
        const paint = paintFor(stdout.isLively);
        const marks = {
          ok: paint.green('ok  '),
          note: paint.yellow('note'),
          bad: paint.red('bad '),
        };
        const width = stdout.columns - 6;
        for (const { state, text, hint } of checks) {
          stdout.write(`${marks[state]}  ${indent(fill(text, width, ''))}\n`);
          if (hint !== undefined) stdout.write(`      ${indent(fill(hint, width, ''))}\n`);
        }
      }
      if (!works(runtime, checks)) exitWith(EXIT.runtime);
    });
};

function works(runtime: RuntimeDescription, checks: readonly Check[]): boolean {
  return runtime.trial.ok && checks.every(({ state }) => state !== 'bad');
}

function indent(text: string): string {
  return text.replaceAll('\n', '\n      ');
}
