#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { rotaryValues } from '../../dist/subjects/onnx/rotary.js';
import { DecoderSession } from '../../dist/subjects/onnx/session.js';

// node bench/cuda/forms.js [--device cuda]
//
// Compares every form of decoder in fixtures/onnx-decoders with the decoder in numpy.

const { values } = parseArgs({ options: { device: { type: 'string', default: 'cuda' } } });
const folder = 'fixtures/onnx-decoders';
const read = (name) => JSON.parse(readFileSync(`${folder}/${name}`, 'utf8'));
const expected = read('expected.json');
// Each form, with the answers to compare with and the largest difference allowed.
const { open, forms } = read('forms.json');
const { tokens } = expected;
const rows = tokens.slice(0, -1).map((_, i) => i);
const targets = tokens.slice(1);

for (const { name, group, limit } of forms) {
  let decoder;
  try {
    decoder = await DecoderSession.open({
      ...open,
      file: `${folder}/${name}.onnx`,
      device: values.device,
      memory: 512,
    });
    const { sites, editDifference } = decoder.info;
    let worst = 0;
    for (const { invFreq, attentionScaling, logProbability } of Object.values(expected[group])) {
      const tables = invFreq.map((f, i) => rotaryValues(f, attentionScaling[i], tokens.length));
      const got = await decoder.run({
        tokens,
        tables: sites.length === 2 ? tables : tables.slice(0, 1),
        rows,
        targets,
      });
      logProbability.forEach((x, i) => {
        const difference = Math.abs(got.logProbability[i] - x);
        if (!(difference <= worst)) worst = difference;
      });
    }
    console.log(
      `${worst < limit ? 'ok  ' : 'FAIL'} ${name}: differs by ${worst.toExponential(1)}, limit ${limit}; edit ${editDifference.toExponential(1)}`,
    );
  } catch (error) {
    console.log(`FAIL ${name}: ${error.problem ?? error.message}`);
  } finally {
    await decoder?.close();
  }
}
