import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const source = (path: string) => fileURLToPath(new URL(`./packages/${path}`, import.meta.url))

const hasMlDsa = Number(process.versions.node.split('.')[0]) >= 24

export default defineConfig({
  resolve: {
    alias: [
      { find: /^@mapae\/(jwt|guard|server|client)$/, replacement: source('$1/src/index.ts') },
      { find: /^@mapae\/(jwt|guard|server|client)\/(.+)$/, replacement: source('$1/src/$2.ts') },
      { find: /^mapae$/, replacement: source('cli/src/index.ts') },
    ],
  },
  test: {
    include: ['packages/*/test/**/*.test.ts', 'test/**/*.test.ts', 'examples/**/*.test.ts'],
    globalSetup: ['./test-support/postgres.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    coverage: {
      include: ['packages/jwt/src/**'],
      // What only newer Nodes can run is covered there.
      exclude: hasMlDsa ? [] : ['packages/jwt/src/algorithms/mldsa.ts'],
      reporter: ['text'],
      thresholds: { 100: true },
    },
  },
})
