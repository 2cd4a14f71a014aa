const path = require('node:path')
const { getDefaultConfig, mergeConfig } = require('@react-native/metro-config')

const root = path.resolve(__dirname, '../../../..')
const here = /^(react|react-native)(\/|$)/
/** What is native code on a phone, or makes it. */
const standIns = /^(react-native|expo-crypto|expo-secure-store)$/

// As in examples/expo: the client and React come from two places, and there must be one React.
module.exports = mergeConfig(getDefaultConfig(__dirname), {
  watchFolders: ['packages/client', 'examples/expo', 'node_modules'].map((folder) => path.join(root, folder)),
  cacheStores: [],
  resolver: {
    nodeModulesPaths: [path.join(__dirname, 'node_modules')],
    sourceExts: ['js', 'json', 'ts', 'tsx', 'mjs'], // the story is `.mjs`, for Node.js
    resolveRequest: (context, name, platform) => {
      if (standIns.test(name)) return { type: 'sourceFile', filePath: path.join(__dirname, `app/${name}.js`) }
      const from = here.test(name) ? { ...context, originModulePath: __filename } : context
      return context.resolveRequest(from, name, platform)
    },
  },
})
