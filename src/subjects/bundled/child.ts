import { serve } from '../worker.js';
import type { Batch, EngineRequest } from './engine.js';
import { openSession } from './session.js';

// The engine has its own process because ONNX Runtime blocks the event loop while it runs and ends
// its process if memory runs out. The first request is the EngineRequest; each further one is a
// Batch.
serve(async (request: EngineRequest) => {
  const engine = await openSession(request);
  return { value: engine.info, answer: (batch: Batch) => engine.run(batch) };
});
