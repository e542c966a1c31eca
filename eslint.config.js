import js from '@eslint/js';
import importX from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';

/** What a module may import: data flows one way, from config to report (see docs/architecture.md). */
const forbidden = {
  rope: ['config', 'geometry', 'candidates', 'probes', 'engine', 'report', 'gate', 'cli'],
  config: ['geometry', 'candidates', 'probes', 'engine', 'report', 'gate', 'cli'],
  geometry: ['candidates', 'probes', 'engine', 'report', 'gate', 'cli'],
  candidates: ['geometry', 'probes', 'engine', 'report', 'gate', 'cli'],
  probes: ['config', 'candidates', 'engine', 'report', 'gate', 'cli'],
  engine: ['rope', 'config', 'geometry', 'candidates', 'report', 'gate', 'cli'],
  report: ['engine', 'candidates', 'gate', 'cli'],
  gate: ['engine', 'probes', 'candidates', 'emit', 'cli'],
  emit: ['geometry', 'candidates', 'probes', 'engine', 'report', 'gate', 'cli'],
};

/** Plain tables that everyone may read. */
const shared = { probes: ['./presets.ts'] };

const zones = Object.entries(forbidden).flatMap(([target, sources]) =>
  sources.map((from) => ({
    target: `./src/${target}`,
    from: `./src/${from}`,
    except: shared[from] ?? [],
    message: `${target}/ must not import ${from}/: data flows one way.`,
  })),
);

export default tseslint.config(
  { ignores: ['dist/', 'coverage/', 'fixtures/'] },
  js.configs.recommended,
  ...tseslint.configs.recommended,
  {
    plugins: { 'import-x': importX },
    rules: {
      'import-x/no-restricted-paths': ['error', { zones }],
      'import-x/no-cycle': 'error',
    },
    settings: {
      'import-x/resolver-next': [
        importX.createNodeResolver({ extensionAlias: { '.js': ['.ts', '.js'] } }),
      ],
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/cli/**', 'src/engine/child.ts'],
    rules: {
      'no-restricted-globals': [
        'error',
        { name: 'process', message: 'Only cli/ touches process: pass what is needed.' },
      ],
      'no-console': 'error',
    },
  },
  {
    files: ['**/*.js'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        performance: 'readonly',
        Buffer: 'readonly',
        URL: 'readonly',
      },
    },
  },
);
