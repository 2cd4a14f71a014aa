// One API in a process of its own: `node app.mjs FRAMEWORK VARIANT`, with the public key as JWK in KEY. It tells its port, and when asked
// what its processor time was.
import { createServer } from 'node:http'
import { frameworks } from './apps.mjs'

const [framework = '', variant = ''] = process.argv.slice(2)
const app = await frameworks[framework][variant](JSON.parse(process.env['SETUP'] ?? '{}'))
const server = typeof app === 'function' ? createServer(app) : app
if (!server.listening) await new Promise((done) => server.listen(0, '127.0.0.1', done))
server.keepAliveTimeout = 0 // a connection waits for its turn as long as the others take
process.on('message', () => process.send?.(process.cpuUsage()))
process.send?.({ port: server.address().port })
