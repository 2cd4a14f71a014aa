import { fileURLToPath } from 'node:url'

const server = process.env.MAPAE_SERVER ?? 'http://localhost:4000'

/** @type {import('next').NextConfig} */
export default {
  // Here the packages of Mapae are not installed but linked, from the root of the repository.
  turbopack: { root: fileURLToPath(new URL('../..', import.meta.url)) },
  serverExternalPackages: ['@mapae/guard', '@mapae/jwt'],
  devIndicators: false,
  // Mapae under the address of the app: its cookies are the app's own, for pages on the server and in the browser.
  rewrites: async () =>
    ['/auth/:path*', '/.well-known/:path*'].map((source) => ({ source, destination: `${server}${source}` })),
}
