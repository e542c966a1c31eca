import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** Makes a folder that is removed after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'rope-eval-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Makes a folder with a config in a folder of its own for each name, under `configs`. */
export async function folderOf(models: Readonly<Record<string, string>>): Promise<string> {
  const cwd = await temporaryFolder();
  for (const [name, text] of Object.entries(models)) {
    await mkdir(join(cwd, 'configs', name), { recursive: true });
    await writeFile(join(cwd, 'configs', name, 'config.json'), text);
  }
  return cwd;
}
