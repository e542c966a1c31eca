import { readdirSync } from 'node:fs';
import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/**
 * What each folder of src/ may import: data flows one way, from a config's text to a report and a
 * verdict (see docs/architecture.md). A folder that is missing here may import none. Circles within
 * a folder are found by tools/circles.js.
 */
const ALLOWED = {
  json: [],
  probes: [],
  // A finding about an encoding names it.
  findings: ['encodings'],
  rope: ['json', 'findings'],
  model: ['json', 'findings', 'rope'],
  geometry: ['json', 'rope', 'model'],
  candidates: ['json', 'findings', 'rope', 'model'],
  emit: ['json', 'findings', 'rope', 'model'],
  subjects: ['json', 'findings', 'rope', 'geometry', 'probes', 'encodings'],
  report: ['json', 'findings', 'rope', 'model', 'geometry', 'probes', 'subjects', 'encodings'],
  evaluation: [
    'json',
    'findings',
    'rope',
    'model',
    'geometry',
    'candidates',
    'emit',
    'probes',
    'subjects',
    'report',
  ],
  encodings: [
    'json',
    'findings',
    'rope',
    'model',
    'candidates',
    'probes',
    'subjects',
    'evaluation',
    'report',
  ],
  gate: [
    'json',
    'findings',
    'rope',
    'model',
    'geometry',
    'candidates',
    'probes',
    'evaluation',
    'report',
  ],
};

/** Where only a part of a folder may be imported: tables, arithmetic and documents. */
const PARTS = {
  findings: { encodings: 'registry\\.js$' },
  subjects: { encodings: '(twins|registry)\\.js$' },
  report: {
    probes: '(presets|measure)\\.js$',
    subjects: 'schema\\.js$',
    encodings: '(schema|registry)\\.js$',
  },
  gate: { probes: '(presets|measure)\\.js$', evaluation: 'setup\\.js$' },
};

const FOLDERS = readdirSync(new URL('src', import.meta.url), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);

const refusal = (files, patterns) => ({
  files,
  rules: { 'no-restricted-imports': ['error', { patterns }] },
});

/** Three words in a row, in a text or a pattern that a test looks for. */
const PROSE = '/[a-z’]{2,}[,:;.]? [a-z’]+[,:;.]? [a-z’]{2,}/i';
const MATCHER = `CallExpression[callee.property.name=/^(toContain|toMatch|toThrow|string(Containing|Matching))$/]`;

/** Vitest compares patterns within toMatchObject by the keys of their objects: none. */
const VACUOUS = {
  selector: 'CallExpression[callee.property.name="toMatchObject"] Property > Literal[regex]',
  message: 'A pattern here equals everything: use expect.stringMatching.',
};

/** cli/ stands above everything and may import all. */
const direction = [
  ...FOLDERS.filter((folder) => folder !== 'cli').map((folder) =>
    refusal(
      [`src/${folder}/**/*.ts`],
      FOLDERS.filter((other) => other !== folder).flatMap((other) => {
        const part = PARTS[folder]?.[other];
        const allowed = ALLOWED[folder]?.includes(other);
        if (allowed && part === undefined) return [];
        return [
          {
            regex: `^(\\.\\./)+${other}/${allowed ? `(?!${part})` : ''}`,
            message: `${folder}/ must not import ${other}/: data flows one way.`,
          },
        ];
      }),
    ),
  ),
  // The library knows no command line, and what everybody imports imports nothing.
  refusal(['src/*.ts'], [{ regex: '^\\./cli/', message: 'The library must not import cli/.' }]),
  refusal(
    ['src/errors.ts', 'src/text.ts', 'src/version.ts'],
    [{ regex: '^\\./', message: 'Everybody imports this file, so it imports nobody.' }],
  ),
];

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
    ignores: ['src/cli/environment.ts', 'src/cli/streams.ts', 'src/cli/run.ts'],
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
    // A sentence is tested in one place, so that changing its words touches one test.
    files: ['test/**/*.ts'],
    ignores: ['test/**/wording.test.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: [
            `${MATCHER} > Literal[value=${PROSE}]`,
            `${MATCHER} > Literal[regex.pattern=${PROSE}]`,
            `${MATCHER} > BinaryExpression Literal[value=${PROSE}]`,
            `${MATCHER} > TemplateLiteral > TemplateElement[value.raw=${PROSE}]`,
          ].join(', '),
          message:
            'Assert data: a kind and a place (helpers/errors.ts), a field of the JSON, a cell, argv. Words are tested in wording.test.ts.',
        },
        VACUOUS,
      ],
    },
  },
  { files: ['test/**/wording.test.ts'], rules: { 'no-restricted-syntax': ['error', VACUOUS] } },
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
