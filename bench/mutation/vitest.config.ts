import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const root = new URL('../../', import.meta.url)
const source = (path: string) => fileURLToPath(new URL(`packages/jwt/src/${path}`, root))

/** The tests of what is mutated alone, without a database, and without those that try thousands of random inputs. */
export default defineConfig({
  root: fileURLToPath(root),
  resolve: {
    alias: [
      { find: /^@mapae\/jwt$/, replacement: source('index.ts') },
      { find: /^@mapae\/jwt\/(.+)$/, replacement: source('$1.ts') },
    ],
  },
  test: {
    include: ['packages/jwt/test/**/*.test.ts'],
    exclude: ['**/properties.test.ts', '**/differential.test.ts', '**/explain.test.ts'],
    setupFiles: [fileURLToPath(new URL('./keys-at-hand.ts', import.meta.url))],
    testTimeout: 5_000,
  },
})
