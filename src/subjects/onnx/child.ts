import { serve } from '../worker.js';
import { type DecoderRequest, type DecoderRun, DecoderSession } from './session.js';

// A decoder in a process of its own. Requests: the DecoderRequest, then a DecoderRun at a time.
serve(async (request: DecoderRequest) => {
  const decoder = await DecoderSession.open(request);
  return { value: decoder.info, answer: (run: DecoderRun) => decoder.run(run) };
});
