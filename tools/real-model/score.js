#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { stdin } from 'node:process';
import { setUp } from '../../dist/evaluation/setup.js';
import { stored } from '../../dist/geometry/fingerprint.js';
import { computeRope } from '../../dist/rope/registry.js';
import { groupsOfSites } from '../../dist/subjects/onnx/compare.js';
import { rotaryValues } from '../../dist/subjects/onnx/rotary.js';
import { DecoderSession } from '../../dist/subjects/onnx/session.js';
import { cachedKeys } from '../../dist/subjects/onnx/subject.js';

// The part of agreement.py and families.py that runs `--model`. It reads { export, configs, tokens,
// scored, threads } on standard input and prints one JSON line, with the log-probabilities of the
// last `scored` tokens for each config. The first config describes the export.

const asked = JSON.parse(readFileSync(stdin.fd, 'utf8'));
const { configs, tokens, scored, threads } = asked;
const trained = setUp(Object.values(configs)[0], {}).model;
const { attention } = trained;
const session = await DecoderSession.open({
  file: asked.export,
  device: 'cpu',
  threads,
  positions: tokens.length,
  memory: 1024,
  scoredRows: 256,
  layers: attention.layers,
  heads: attention.heads,
  ...cachedKeys(attention),
});
const siteGroups = groupsOfSites(trained, session.info.sites);
const rows = Array.from({ length: scored }, (_, i) => tokens.length - 1 - scored + i);
const answers = {};
for (const [name, config] of Object.entries(configs)) {
  const { model } = setUp(config, {});
  const tables = model.groups.map(({ rope }) => {
    const { invFreq, attentionScaling } = stored(computeRope(rope, tokens.length), model);
    return rotaryValues(invFreq, attentionScaling, tokens.length);
  });
  const { logProbability } = await session.run({
    tokens,
    tables: siteGroups.map((group) => tables[group]),
    rows,
    targets: rows.map((row) => tokens[row + 1]),
  });
  answers[name] = [...logProbability];
}
const { editDifference, precision, quantised, chunk } = session.info;
await session.close();
console.log(JSON.stringify({ answers, editDifference, precision, quantised, chunk }));
