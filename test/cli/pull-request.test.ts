import { mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Repository } from '../../src/cli/pull-request.js';
import { bad } from '../helpers/check.js';
import { type Ran, runCli } from '../helpers/environment.js';
import { errorAt } from '../helpers/errors.js';
import { EQUAL } from '../helpers/judge.js';
import { type Demo, judge, linear, MODEL, pullRequest, write } from '../helpers/pull-request.js';
import { temporaryFolder } from '../helpers/temporary.js';

describe('a pull request', () => {
  it('has nothing to judge where no config changed', async () => {
    const demo = await pullRequest(async (root) => write(join(root, 'README.md'), 'x'));
    expect(await judge(demo)).toMatchObject({ code: 0, judged: [] });
  });

  it('leaves the history of a whole clone alone', async () => {
    const demo = await pullRequest((root) => write(join(root, 'model/config.json'), linear));
    demo.git('fetch', '--quiet', '--unshallow');
    expect((await judge(demo)).judged).toEqual(['model/config.json']);
    expect(demo.git('rev-parse', '--is-shallow-repository').trim()).toBe('false');
    expect(demo.git('rev-list', '--count', 'HEAD').trim()).toBe('2');
  });

  it('is judged by what it changes, against the target branch', async () => {
    const demo = await pullRequest((root) => write(join(root, 'model/config.json'), linear));
    const { code, calls, judged, stdout } = await judge(demo, [], { evaluate: async () => bad });
    expect({ code, judged }).toEqual({ code: 1, judged: ['model/config.json'] });
    expect(stdout).toContain('RE062');
    expect(stdout).toContain('main:model/config.json');
    expect(calls[0]?.options.base).toMatchObject({ raw: MODEL });
  });

  it.each<[string, (root: string, git: Demo['git']) => Promise<void>]>([
    [
      'a moved folder',
      async (root) => {
        await rename(join(root, 'model'), join(root, 'elsewhere'));
        await write(join(root, 'elsewhere/config.json'), linear);
      },
    ],
    [
      'a move with an edit that leaves nothing alike',
      async (root) => {
        await rm(join(root, 'model'), { recursive: true });
        await mkdir(join(root, 'other'));
        await write(
          join(root, 'other/config.json'),
          JSON.stringify({
            model_type: 'llama',
            hidden_size: 64,
            num_attention_heads: 2,
            num_hidden_layers: 2,
            max_position_embeddings: 128,
            rope_theta: 1e4,
          }),
        );
      },
    ],
    [
      'another spelling of the name',
      async (root, git) => {
        git('mv', 'model/config.json', 'model/Config.json');
        await write(join(root, 'model/Config.json'), linear);
      },
    ],
    [
      'a symlink in the place of the config',
      async (root) => {
        await write(join(root, 'evil.json'), linear);
        await rm(join(root, 'model/config.json'));
        await symlink('../evil.json', join(root, 'model/config.json'));
      },
    ],
    [
      'a folder that becomes a symlink',
      async (root) => {
        await mkdir(join(root, 'evil'));
        await write(join(root, 'evil/config.json'), linear);
        await rm(join(root, 'model'), { recursive: true });
        await symlink('evil', join(root, 'model'));
      },
    ],
  ])('is followed: %s', async (_, edit) => {
    const { code, stdout, judged } = await judge(await pullRequest(edit), [], {
      evaluate: async () => bad,
    });
    expect(code).toBe(1);
    expect(judged.length).toBeGreaterThan(0);
    expect(stdout).toContain('FAILED');
    expect(stdout).toContain('main:model/config.json');
  });

  it('passes a folder that moved and is otherwise the same', async () => {
    const demo = await pullRequest((root) => rename(join(root, 'model'), join(root, 'elsewhere')));
    const { code, stdout, judged } = await judge(demo);
    expect({ code, judged }).toEqual({ code: 0, judged: [] });
    expect(stdout).toMatch(/elsewhere\/config\.json .*\bmodel\/config\.json/);
  });

  it('follows an edit of what a symlink leads to', async () => {
    const demo = await pullRequest(async (root, git) => {
      git('checkout', '--quiet', 'main');
      await rename(join(root, 'model/config.json'), join(root, 'shared.json'));
      await symlink('../shared.json', join(root, 'model/config.json'));
      git('add', '-A');
      git('commit', '--quiet', '-m', 'link');
      git('checkout', '--quiet', '-B', 'change');
      await write(join(root, 'shared.json'), linear);
    });
    const { judged, code } = await judge(demo, [], { evaluate: async () => bad });
    expect({ code, judged }).toEqual({ code: 1, judged: ['model/config.json'] });
  });

  it.each<[string, (root: string) => Promise<void>]>([
    ['out of the repository', (root) => symlink('/etc/passwd', join(root, 'model/config.json'))],
    ['above the root', (root) => symlink('../../../x.json', join(root, 'model/config.json'))],
    ['in a circle', (root) => symlink('config.json', join(root, 'model/config.json'))],
  ])('exits with 2 where a link leads %s', async (_, edit) => {
    const demo = await pullRequest(async (root) => {
      await rm(join(root, 'model/config.json'));
      await edit(root);
    });
    expect(await judge(demo)).toMatchObject({ code: 2, judged: [] });
  });

  it('has a new config give its own reference', async () => {
    const demo = await pullRequest(async (root) => {
      await mkdir(join(root, 'new'));
      await write(join(root, 'new/config.json'), MODEL);
    });
    const { code, calls, judged } = await judge(demo);
    expect({ code, judged }).toEqual({ code: 0, judged: ['new/config.json'] });
    expect(calls[0]?.options.base).toBeUndefined();
  });
});

describe('names and refs', () => {
  it.each([
    'model/config.json',
    'model//config.json',
    './model/./config.json',
    'model/../model/config.json',
    'model/',
    'model',
  ])('mean the same config: %s', async (path) => {
    const demo = await pullRequest((root) => write(join(root, 'model/config.json'), linear));
    const { calls, judged } = await judge(demo, ['--', path]);
    expect(judged).toEqual(['model/config.json']);
    expect(calls[0]?.options.base).toMatchObject({ raw: MODEL });
  });

  it('may be absolute, inside of the repository', async () => {
    const demo = await pullRequest((root) => write(join(root, 'model/config.json'), linear));
    const root = demo.git('rev-parse', '--show-toplevel').trim();
    const { judged } = await judge(demo, ['--', join(root, 'model/config.json')]);
    expect(judged).toEqual(['model/config.json']);
  });

  it.each(['../config.json', '/etc/config.json', 'nowhere/config.json', 'Model/config.json'])(
    'that lead elsewhere exit with 2: %s',
    async (path) => {
      const demo = await pullRequest((root) => write(join(root, 'model/config.json'), linear));
      expect(await judge(demo, ['--', path])).toMatchObject({ code: 2, judged: [] });
    },
  );

  it('are data: hostile folders are judged and print nothing that acts', async () => {
    const folders = ['--policy=evil', 'new\n::add-mask::FAIL', 'x ##[error]y', '\u001b[31mred'];
    const demo = await pullRequest(async (root) => {
      for (const folder of folders) {
        await mkdir(join(root, folder));
        await write(join(root, folder, 'config.json'), MODEL);
      }
    });
    const { code, judged, stdout } = await judge(demo, [], { env: { GITHUB_ACTIONS: 'true' } });
    expect(code).toBe(0);
    expect([...judged].sort()).toEqual(folders.map((each) => `${each}/config.json`).sort());
    expect(stdout).not.toMatch(/^\s*::add-mask|##\[/m);
    expect(stdout).not.toContain('\u001b');
  });

  it.each([
    '--upload-pack=touch F;git-upload-pack',
    '-x',
    'a..b',
    'main:refs/heads/x',
    'a b',
    'main^{commit}',
    '../x',
    '',
  ])('no branch has the name %j', async (ref) => {
    const demo = await pullRequest(async () => undefined);
    const { code, error } = await runCli(['pull-request', `--base-ref=${ref}`], {
      cwd: demo.checkout,
    });
    expect(code).toBe(2);
    expect(error).toEqual(errorAt('bad_ref', { option: 'baseRef', value: ref }));
  });

  it('exits with 2 where the target branch is not there', async () => {
    const demo = await pullRequest(async () => undefined);
    const { code } = await runCli(['pull-request', '--base-ref=nowhere'], { cwd: demo.checkout });
    expect(code).toBe(2);
  });
});

describe('what the commit does not hold', () => {
  const gitlink = (id: string, path: string): string[] => [
    'update-index',
    '--add',
    '--cacheinfo',
    `160000,${id.repeat(40)},${path}`,
  ];
  const cases: readonly [string, (root: string, git: Demo['git']) => Promise<void>, string][] = [
    [
      'a config that links to a file that a build makes',
      async (root) => {
        await rm(join(root, 'model/config.json'));
        await symlink('../build/config.json', join(root, 'model/config.json'));
      },
      'model/config.json',
    ],
    [
      'a folder that links to nothing',
      async (root) => {
        await rm(join(root, 'model'), { recursive: true });
        await symlink('nowhere', join(root, 'model'));
      },
      'model',
    ],
    ['a new link out of the repository', (root) => symlink('/opt/model', join(root, 'new')), 'new'],
    [
      'a model that moved into a submodule',
      async (root, git) => {
        await rm(join(root, 'model'), { recursive: true });
        await mkdir(join(root, 'moved'));
        git(...gitlink('a', 'moved'));
      },
      'moved',
    ],
  ];

  it.each(cases)('is an error, not nothing: %s', async (_, edit, path) => {
    const demo = await pullRequest(edit);
    const { code, judged, stderr } = await judge(demo);
    expect({ code, judged }).toEqual({ code: 2, judged: [] });
    expect(stderr).toContain(`error: ${path} `);
    const allowed = await judge(demo, [`--allow=${path}`]);
    expect(allowed.code).toBe(0);
  });

  it('is an error where a submodule is moved to another commit', async () => {
    const demo = await pullRequest(async (root, git) => {
      git('checkout', '--quiet', 'main');
      await mkdir(join(root, 'sub'));
      git(...gitlink('a', 'sub'));
      git('commit', '--quiet', '-m', 'submodule');
      git('checkout', '--quiet', '-B', 'change');
      git(...gitlink('b', 'sub'));
    });
    expect(await judge(demo)).toMatchObject({ code: 2, judged: [] });
  });
});

describe('files that decide beside a config', () => {
  it.each<[string, object, string, string]>([
    ['code', { auto_map: { AutoModel: 'modeling_x.X' } }, 'modeling_x.py', 'auto_map'],
    [
      'a config for other versions',
      { configuration_files: ['config.4.0.0.json'] },
      'config.4.0.0.json',
      'configuration_files',
    ],
  ])('fail where they change: %s', async (_, names, file, key) => {
    const demo = await pullRequest(async (root, git) => {
      git('checkout', '--quiet', 'main');
      await write(join(root, 'model/config.json'), { ...MODEL, ...names });
      await write(join(root, 'model', file), 'before');
      git('add', '-A');
      git('commit', '--quiet', '-m', 'before');
      git('checkout', '--quiet', '-B', 'change');
      await write(join(root, 'model', file), 'after');
    });
    const { code, stdout } = await judge(demo);
    expect(code).toBe(1);
    expect(stdout).toContain(`RE085 ${key}: model/${file} `);
    expect((await judge(demo, [`--allow=${key}`])).code).toBe(0);
  });

  it('are no concern of a config that names none', async () => {
    const demo = await pullRequest((root) => write(join(root, 'model/tool.py'), 'print()'));
    expect(await judge(demo)).toMatchObject({ code: 0, judged: [] });
  });
});

it('does not choose whose successor a config is, where two are gone', async () => {
  const legacy = async (root: string, git: Demo['git']): Promise<void> => {
    git('checkout', '--quiet', 'main');
    await mkdir(join(root, 'legacy'));
    await write(join(root, 'legacy/config.json'), linear);
    git('add', '-A');
    git('commit', '--quiet', '-m', 'legacy');
    git('checkout', '--quiet', '-B', 'change');
    git('rm', '--quiet', '-r', 'legacy', 'model');
    await mkdir(join(root, 'new'));
  };
  const edited = await pullRequest(async (root, git) => {
    await legacy(root, git);
    await write(join(root, 'new/config.json'), { ...linear, bos_token_id: 7 });
  });
  expect(await judge(edited)).toMatchObject({ code: 2, judged: [] });
  const moved = await pullRequest(async (root, git) => {
    await legacy(root, git);
    await write(join(root, 'new/config.json'), linear);
  });
  expect(await judge(moved)).toMatchObject({ code: 0, judged: [] });
});

describe('a config under another name', () => {
  it.each([
    'con\ufb01g.json',
    'con\u200dfig.json',
    'config.j\u017fon',
    'config.json.',
    'CONFIG.JSON ',
  ])('is judged where a file system takes it for config.json: %j', async (name) => {
    const demo = await pullRequest((root) => write(join(root, 'model', name), linear));
    const { code, judged } = await judge(demo, [], { evaluate: async () => bad });
    expect({ code, judged }).toEqual({ code: 1, judged: [`model/${name}`] });
  });

  it('is judged in a folder of another spelling', async () => {
    const demo = await pullRequest(async (root) => {
      await mkdir(join(root, 'Model'));
      await write(join(root, 'Model/config.json'), { ...MODEL, max_position_embeddings: 64 });
    });
    expect((await judge(demo)).code).toBe(1);
  });

  it('is judged as params.json, which replaces a config.json in vLLM', async () => {
    const params = { dim: 3584, n_layers: 28, n_heads: 28, n_kv_heads: 4, head_dim: 128 };
    const demo = await pullRequest(async (root) => {
      await rm(join(root, 'model/config.json'));
      const more = { rope_theta: 10, vocab_size: 9, max_seq_len: 4096, norm_eps: 1e-5 };
      await write(join(root, 'model/params.json'), { ...params, ...more });
    });
    const { code, stdout, stderr } = await judge(demo);
    expect(stderr).toBe('');
    expect(code).toBe(1);
    expect(stdout).toMatch(/^model\/params\.json .*\bmodel\/config\.json/m);
  });

  it('is no params.json of anything else', async () => {
    const demo = await pullRequest((root) => write(join(root, 'params.json'), { lr: 1 }));
    expect(await judge(demo)).toMatchObject({ code: 0, judged: [] });
  });

  it('is told from another whose bytes are no text', async () => {
    const demo = await pullRequest(async (root, git) => {
      git('checkout', '--quiet', 'main');
      await mkdir(join(root, 'm\ufffd'));
      await write(join(root, 'm\ufffd/config.json'), MODEL);
      git('add', '-A');
      git('commit', '--quiet', '-m', 'odd');
      git('checkout', '--quiet', '-B', 'change');
      await write(join(root, 'm\ufffd/config.json'), { ...MODEL, max_position_embeddings: 64 });
      const twin = Buffer.concat([Buffer.from(`${root}/m`), Buffer.from([0xff])]);
      await mkdir(twin);
      await writeFile(Buffer.concat([twin, Buffer.from('/config.json')]), JSON.stringify(MODEL));
    });
    const { code, judged } = await judge(demo);
    expect(code).toBe(1);
    expect(judged).toHaveLength(2);
  });
});

it('is not read by the settings of a repository that the checkout brings', async () => {
  const demo = await pullRequest(async (root) => {
    const bare = join(root, 'model');
    await mkdir(join(bare, 'objects'));
    await mkdir(join(bare, 'refs'));
    await write(join(bare, 'objects/keep'), '');
    await write(join(bare, 'refs/keep'), '');
    await write(join(bare, 'HEAD'), 'ref: refs/heads/main\n');
    const settings = ['[core]', 'bare = false', 'worktree = .', 'sshCommand = touch ran;'];
    settings.push('[remote "origin"]', 'url = ssh://example.invalid/x');
    await write(join(bare, 'config'), settings.join('\n'));
  });
  const folder = join(demo.checkout, 'model');
  await expect(new Repository(folder).fetch('main')).rejects.toMatchObject({ kind: 'unreadable' });
  expect(await readdir(folder)).not.toContain('ran');
});

describe('what a pull request is judged by', () => {
  const loosened = { rules: [['error', 'short.lossChange <= 90']], allow: ['x'] };

  it('is the policy of the target branch, which the log says', async () => {
    const demo = await pullRequest(async (root) => {
      await write(join(root, 'rope-eval.config.json'), loosened);
      await write(join(root, 'model/config.json'), linear);
    });
    const { code, stdout } = await judge(demo, [], { evaluate: async () => bad });
    expect(code).toBe(1);
    expect(stdout.split('\n')[0]).toMatch(/\brope-eval\.config\.json\b.*\bmain\b/);
    expect(stdout).toContain('main:rope-eval.config.json');
  });

  it('is the default policy where the target branch has none, whatever package.json brings', async () => {
    const demo = await pullRequest(async (root, git) => {
      git('checkout', '--quiet', 'main');
      git('rm', '--quiet', 'rope-eval.config.json');
      git('commit', '--quiet', '-m', 'no policy');
      git('checkout', '--quiet', '-B', 'change');
      await write(join(root, 'package.json'), { 'rope-eval': loosened });
      await write(join(root, 'rope-eval.config.json'), loosened);
      await write(join(root, 'model/config.json'), linear);
    });
    const { code, stdout } = await judge(demo, [], { evaluate: async () => bad });
    expect(code).toBe(1);
    // A rule of the default policy.
    expect(stdout).toMatch(/FAIL {2}short\.lossChange <= 0\.05/);
    expect(stdout.split('\n')[0]).toMatch(/^rope-eval\.config\.json .*\bmain\b/);
  });

  it('is never a file of the checkout, unless told to', async () => {
    const demo = await pullRequest(async (root) => {
      await write(join(root, 'own.json'), loosened);
      await write(join(root, 'model/config.json'), linear);
    });
    const root = demo.git('rev-parse', '--show-toplevel').trim();
    const absolute = join(root, 'own.json');
    expect(await judge(demo, [`--policy=${absolute}`])).toMatchObject({ code: 2, judged: [] });
    expect(await judge(demo, ['--policy=own.json'])).toMatchObject({ code: 2, judged: [] });
    const trusting = await judge(demo, ['--policy=own.json', '--trust-checkout'], {
      evaluate: async () => bad,
    });
    expect(trusting).toMatchObject({ code: 0, judged: ['model/config.json'] });
  });

  it('may lie outside of the checkout', async () => {
    const demo = await pullRequest((root) => write(join(root, 'model/config.json'), linear));
    const policy = join(await temporaryFolder(), 'policy.json');
    await write(policy, loosened);
    const { code } = await judge(demo, [`--policy=${policy}`], { evaluate: async () => bad });
    expect(code).toBe(0);
  });

  it('is refused by check too, in a job about a pull request', async () => {
    const cwd = await temporaryFolder();
    await write(join(cwd, 'config.json'), MODEL);
    await write(join(cwd, 'rope-eval.config.json'), loosened);
    const run = (env: Record<string, string>, ...argv: string[]): Promise<Ran> =>
      runCli(['check', 'config.json', ...argv], { cwd, env, evaluate: async () => EQUAL });
    const github = { GITHUB_EVENT_NAME: 'pull_request', GITHUB_WORKSPACE: cwd };
    const gitlab = { CI_PIPELINE_SOURCE: 'merge_request_event', CI_PROJECT_DIR: cwd };
    const azure = { BUILD_REASON: 'PullRequest', BUILD_SOURCESDIRECTORY: cwd };
    const jenkins = { CHANGE_ID: '7', WORKSPACE: cwd };
    expect((await run({})).code).toBe(0);
    for (const env of [github, gitlab, azure, jenkins]) {
      expect((await run(env)).code).toBe(2);
      expect((await run(env, '--policy', 'rope-eval.config.json')).code).toBe(2);
      expect((await run(env, '--trust-checkout')).code).toBe(0);
    }
  });

  it('is refused in a folder whose name begins with dots, and so is a base of the checkout', async () => {
    const cwd = await temporaryFolder();
    await mkdir(join(cwd, '..p'));
    await write(join(cwd, 'config.json'), linear);
    await write(join(cwd, 'old.json'), linear);
    await write(join(cwd, '..p/policy.json'), {});
    const env = { GITHUB_EVENT_NAME: 'pull_request', GITHUB_WORKSPACE: cwd };
    for (const [flag, file] of [
      ['--policy', '..p/policy.json'],
      ['--base', 'old.json'],
    ] as const) {
      const { code, error } = await runCli(['check', 'config.json', flag, file], { cwd, env });
      expect(code).toBe(2);
      expect(error).toEqual(errorAt('untrusted_policy', { file }));
    }
  });
});
