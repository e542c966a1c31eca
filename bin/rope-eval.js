#!/usr/bin/env node
import { main, nodeEnvironment } from '../dist/cli/main.js';

// Set, not process.exit(): output that is still on its way to a pipe must arrive.
process.exitCode = await main(nodeEnvironment());
