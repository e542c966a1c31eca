import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/** What a module may import: data flows one way, from config to report (see docs/architecture.md). */
const forbidden = {
  rope: ['model', 'geometry', 'candidates', 'probes', 'subjects', 'report', 'gate', 'cli'],
  model: ['geometry', 'candidates', 'probes', 'subjects', 'report', 'gate', 'cli'],
  geometry: ['candidates', 'probes', 'subjects', 'report', 'gate', 'cli'],
  candidates: ['geometry', 'probes', 'subjects', 'report', 'gate', 'cli'],
  probes: ['model', 'candidates', 'subjects', 'report', 'gate', 'cli'],
  subjects: ['model', 'candidates', 'evaluation', 'report', 'gate', 'cli'],
  report: ['subjects', 'candidates', 'gate', 'cli'],
  gate: ['subjects', 'probes', 'candidates', 'emit', 'cli'],
  emit: ['geometry', 'candidates', 'probes', 'subjects', 'report', 'gate', 'cli'],
};

/** Plain tables and arithmetic that everyone may use. */
const shared = { probes: '(presets|reach|statistics)\\.js$', subjects: 'schema\\.js$' };

const direction = Object.entries(forbidden).map(([target, sources]) => ({
  files: [`src/${target}/**/*.ts`],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: sources.map((from) => ({
          regex: `^(\\.\\./)+${from}/${shared[from] ? `(?!${shared[from]})` : ''}`,
          message: `${target}/ must not import ${from}/: data flows one way.`,
        })),
      },
    ],
  },
}));

export default tseslint.config(
  { ignores: ['dist/', 'coverage/', 'fixtures/'] },
  js.configs.recommended,
  ...tseslint.configs.recommended,
  ...direction,
  {
    // `const { resume, ...rest } = options` leaves a key out.
    rules: { '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true }] },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/cli/**', 'src/subjects/bundled/child.ts'],
    rules: {
      'no-restricted-globals': [
        'error',
        { name: 'process', message: 'Only cli/ touches process: pass what is needed.' },
      ],
      'no-console': 'error',
    },
  },
  {
    // What reaches a stream has passed the cleaner of cli/streams.ts, or it does not get there.
    files: ['src/**/*.ts'],
    ignores: ['src/cli/environment.ts', 'src/cli/streams.ts', 'src/cli/progress.ts'],
    rules: {
      'no-console': 'error',
      'no-restricted-syntax': [
        'error',
        {
          selector: 'MemberExpression[object.name="process"][property.name=/^std(out|err)$/]',
          message: 'Write through Environment.stdout or stderr, which clean what they are given.',
        },
        {
          selector: 'MemberExpression[property.name="spinnerStream"]',
          message: 'The raw stream is for the spinner alone.',
        },
      ],
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
