import { serve } from '../worker.js';
import { type DecoderRequest, type DecoderRun, DecoderSession } from './session.js';

// Runs a decoder in its own process. The first request is the DecoderRequest; each further one is a
// DecoderRun.
serve(async (request: DecoderRequest) => {
  const decoder = await DecoderSession.open(request);
  return { value: decoder.info, answer: (run: DecoderRun) => decoder.run(run) };
});
