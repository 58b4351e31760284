// PM2 with a daemon of its own, whose home is a temporary folder.

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

import { atEnd } from './cleanup.js';
import { BINARY } from './server.js';
import { eventually } from './waiting.js';

const PM2 = createRequire(import.meta.url).resolve('pm2/bin/pm2');

/** A PM2 that ends with the test or suite `t`, and with it what it has started. */
export async function startPm2(t) {
  const pm2 = new Pm2(await mkdtemp(join(tmpdir(), 'dunlin-pm2-')));
  atEnd(t, () => pm2.end());
  return pm2;
}

const read = (file) => readFile(file, 'utf8').catch(() => '');

class Pm2 {
  #home;

  constructor(home) {
    this.#home = home;
  }

  /** Runs a command of PM2's, and resolves to what it says. */
  async run(args, env = {}) {
    const path = [this.#home, process.env.PATH].join(delimiter);
    const { stdout } = await promisify(execFile)(process.execPath, [PM2, ...args], {
      cwd: this.#home,
      env: {
        PATH: path,
        HOME: this.#home,
        PM2_HOME: this.#home,
        // It is not to ask anybody whether there is a newer one.
        PM2_DISABLE_VERSION_CHECK: 'true',
        ...env,
      },
    });
    return stdout;
  }

  /** Puts the server under a name where PM2 looks for programs. */
  link(name) {
    return symlink(BINARY, join(this.#home, name));
  }

  /** Starts what an ecosystem file describes. */
  async startEcosystem(app) {
    const file = join(this.#home, 'ecosystem.config.cjs');
    await writeFile(file, `module.exports = ${JSON.stringify({ apps: [app] })};\n`);
    await this.run(['start', file]);
  }

  /** What PM2 says about its processes. */
  async list() {
    return JSON.parse(await this.run(['jlist']));
  }

  /** Where the processes' metrics are, when all of them are ready. */
  async metrics() {
    const ready = async ({ pm2_env }) => {
      const said = await read(pm2_env.pm_out_log_path);
      return said.includes('health ') && said.match(/metrics\s+(http:\/\/[^\s/]+)/)[1];
    };
    const metrics = async (one) => {
      try {
        return await eventually('a process to be ready', () => ready(one));
      } catch (error) {
        const { pm_out_log_path: out, pm_err_log_path: err } = one.pm2_env;
        error.message += `, which said in ${out}: ${await read(out)}${await read(err)}`;
        throw error;
      }
    };
    return Promise.all((await this.list()).map(metrics));
  }

  /** Ends the daemon and its processes. */
  async end() {
    await this.run(['kill']);
    await rm(this.#home, { recursive: true, force: true });
  }
}
