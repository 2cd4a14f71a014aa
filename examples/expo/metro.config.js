const path = require('node:path')
const { getDefaultConfig } = require('expo/metro-config')

// Here the client is not installed but taken from the root of the repository, whose React is another one than the app's.
const root = path.resolve(__dirname, '../..')
const config = getDefaultConfig(__dirname)
config.watchFolders = [path.join(root, 'packages/client'), path.join(root, 'node_modules')]
config.resolver.extraNodeModules = { '@mapae/client': path.join(root, 'packages/client') }
config.resolver.resolveRequest = (context, name, platform) => {
  // Whoever asks for React gets the app's: the hooks of a second one would find no renderer.
  const from = /^react(\/|$)/.test(name) ? { ...context, originModulePath: __filename } : context
  return context.resolveRequest(from, name, platform)
}

module.exports = config
