import { serve } from '../worker.js';
import type { Batch, EngineRequest } from './engine.js';
import { openSession } from './session.js';

// The engine's own process: ONNX Runtime blocks the event loop while it runs, and where memory ends
// it takes its process along. Requests: the EngineRequest, then a Batch at a time.
serve(async (request: EngineRequest) => {
  const engine = await openSession(request);
  return { value: engine.info, answer: (batch: Batch) => engine.run(batch) };
});
