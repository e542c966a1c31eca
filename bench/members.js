#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { parseCandidates } from '../dist/candidates/definition.js';
import { evaluateOn } from '../dist/evaluation/on-subject.js';
import { setUp } from '../dist/evaluation/setup.js';
import { loadFamily } from '../dist/subjects/bundled/family.js';
import { bundledSubject } from '../dist/subjects/bundled/subject.js';
import { plainDecoder, WINDOW } from './plain-decoder.js';

// node bench/members.js [--threads 2]: prints the results of each probe model, for the tables of
// its card.

const { values } = parseArgs({ options: { threads: { type: 'string', default: '2' } } });
const METHODS = ['linear', 'by-parts', 'ntk', 'yarn'];
const FACTORS = [2, 4, 8, 16];

const percent = (x) => `${(100 * x).toFixed(0)} %`;

for (const member of (await loadFamily()).members) {
  const names = FACTORS.flatMap((f) => METHODS.map((m) => `${m}:${f}`));
  const options = {
    target: 2 * WINDOW,
    candidates: parseCandidates(names.join(',')),
    threads: Number(values.threads),
    device: 'cpu',
  };
  const config = plainDecoder(member.criticalFraction, member.rotaryShare);
  const setup = setUp(config, options);
  const subject = await bundledSubject(setup, { ...options, member: member.name });
  const { report } = await evaluateOn(setup, options, subject);
  const [reference, ...candidates] = report.candidates;
  const at = (multiple) => reference.needle.find((n) => n.multiple === multiple);
  const share = (n) => n.byDistance.map((b) => percent(b.correct / b.total)).join(', ');
  console.log(`### ${report.subject.name}\n`);
  console.log(`- facts found at 1x: ${percent(at(1).accuracy.value)}`);
  console.log(`- unscaled at 2x, near to far: ${share(at(2))}\n`);
  console.log(`Loss change at 0.5x and 1x, nats (95 % interval)\n`);
  console.log(`| factor | ${METHODS.join(' | ')} |\n|---|${METHODS.map(() => '---').join('|')}|`);
  for (const f of FACTORS) {
    const cells = METHODS.map((m) => {
      const { value, low, high } = candidates.find((c) => c.label === `${m}:${f}`).short.lossChange;
      return `${value.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)})`;
    });
    console.log(`| ${f} | ${cells.join(' | ')} |`);
  }
  console.log('');
}
