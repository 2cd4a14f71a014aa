// Runs in the engine before everything else, as plain as the engine: what React Native's native code gives to its JavaScript, as far as the
// client comes near it. Orders go out by `print`; start-hermes.ts carries them out and answers by calling `native`.
;(() => {
  const order = (type, facts) => print(`@${JSON.stringify({ type, ...facts })}`)
  const clock = Date.now
  const began = clock()
  let ids = 0

  /** Timers are functions of the runtime. */
  const timers = new Map()
  const timer =
    (repeats) =>
    (work, milliseconds = 0, ...given) => {
      timers.set(++ids, { work: () => work(...given), repeats })
      order('timer', { id: ids, milliseconds, repeats })
      return ids
    }
  const forget = (id) => {
    if (timers.delete(id)) order('forget', { id })
  }

  /** How native code calls JavaScript: by modules that are registered with a name. */
  const callable = {}
  const emit = (name, facts) => callable.RCTDeviceEventEmitter().emit(name, facts)

  /** The texts of blobs, by their ids. */
  const texts = new Map()
  const textOf = ({ blobId, offset, size }) => texts.get(blobId).slice(offset, offset + size)
  const keychain = new Map()
  const modules = {
    NativeMicrotasksCxx: { queueMicrotask: (work) => Promise.resolve().then(work) },
    PlatformConstants: { getConstants: () => ({ osVersion: '26', systemName: 'iOS' }) },
    Networking: {
      addListener: () => {},
      removeListeners: () => {},
      sendRequest: ({ method, url, headers, data }, callback) => {
        const id = ++ids
        order('request', { id, method, url, headers, body: data.blob ? textOf(data.blob) : data.string })
        callback(id)
      },
      abortRequest: (id) => order('abort', { id }),
    },
    BlobModule: {
      getConstants: () => ({ BLOB_URI_SCHEME: 'blob', BLOB_URI_HOST: null }),
      addNetworkingHandler: () => {},
      createFromParts: (parts, id) => {
        texts.set(id, parts.map(({ type, data }) => (type === 'string' ? data : textOf(data))).join(''))
      },
      release: (id) => texts.delete(id),
    },
    FileReaderModule: { readAsText: async_(textOf) },
    // Not of React Native but of Expo.
    ExpoCrypto: {
      getRandomValues: (values) => values.map((_, index) => (values[index] = Math.random() * 2 ** 32)),
    },
    ExpoSecureStore: {
      getItemAsync: async_((key) => keychain.get(key) || null),
      setItemAsync: async_((key, value) => void keychain.set(key, value)),
      deleteItemAsync: async_((key) => void keychain.delete(key)),
    },
  }
  /** The engine knows no `async`. */
  function async_(work) {
    return (...given) => new Promise((resolve) => resolve(work(...given)))
  }

  delete globalThis.setImmediate // the engine's own, which React Native does not have
  Object.assign(globalThis, {
    RN$Bridgeless: true,
    RN$registerCallableModule: (name, make) => {
      callable[name] = make
    },
    __turboModuleProxy: (name) => modules[name],
    nativeModuleProxy: {},
    nativePerformanceNow: () => clock() - began,
    setTimeout: timer(false),
    setInterval: timer(true),
    clearTimeout: forget,
    clearInterval: forget,
    // The location that `@expo/metro-runtime` gives to an app: the bundler's.
    location: { origin: 'http://192.168.0.2:8081', href: 'http://192.168.0.2:8081/' },
    native: {
      say: (line) => order('say', { line }),
      end: (problem) => order('end', { problem }),
      fire: (id) => {
        const timer = timers.get(id)
        if (!timer) return
        if (!timer.repeats) timers.delete(id)
        timer.work()
      },
      answered: (id, { status, headers, url, text }) => {
        const blobId = `answer ${id}`
        texts.set(blobId, text)
        emit('didReceiveNetworkResponse', [id, status, headers, url])
        emit('didReceiveNetworkData', [id, { blobId, offset: 0, size: text.length, type: '' }])
        emit('didCompleteNetworkResponse', [id, null, false])
      },
      failed: (id, problem) => emit('didCompleteNetworkResponse', [id, problem, false]),
    },
  })
})()
