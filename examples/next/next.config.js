import { fileURLToPath } from 'node:url'

/** @type {import('next').NextConfig} */
export default {
  // Here the packages of Mapae are not installed but linked, from the root of the repository.
  turbopack: { root: fileURLToPath(new URL('../..', import.meta.url)) },
  serverExternalPackages: ['@mapae/guard', '@mapae/jwt'],
  devIndicators: false,
}
