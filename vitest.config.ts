// Two projects: `worker` runs inside real workerd with a real D1, `gateway` runs in Node against a whole gateway that is serving.
import { cloudflareTest, readD1Migrations } from '@cloudflare/vitest-plugin'
import { defineConfig } from 'vitest/config'
import { vendorCapturesModule } from './e2e/vendors/captures-plugin.ts'
import { simulatedModule } from './scripts/simulate/outcomes-plugin.ts'

const migrations = await readD1Migrations('d1-migrations')

export default defineConfig({
  test: {
    // What the Worker logs is of interest where something fails.
    silent: 'passed-only',
    // What a test wants to be seen even where it passes: how much it did, and with which seeds.
    reporters: ['default', { onTestCaseAnnotate: (_test, { message }) => console.info(message) }],
    // Most tests wait for something rather than work.
    maxWorkers: 3,
    projects: [
      {
        plugins: [
          vendorCapturesModule(),
          // So many as take ten seconds or so on D1.
          simulatedModule(14),
          cloudflareTest({
            wrangler: { configPath: './wrangler.toml' },
            miniflare: { bindings: { TEST_MIGRATIONS: migrations } },
          }),
        ],
        test: { name: 'worker', include: ['worker/**/*.test.ts'], testTimeout: 60_000 },
      },
      {
        test: {
          name: 'gateway',
          globalSetup: ['e2e/temporary-files.ts'],
          include: ['host/**/*.test.ts', 'scripts/**/*.test.ts', 'e2e/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          expect: { poll: { timeout: 60_000, interval: 20 } },
        },
      },
    ],
  },
})
