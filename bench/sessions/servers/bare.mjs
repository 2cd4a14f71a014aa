// The ceiling of everything: node:http that reads the body and answers with as many bytes as Mapae, and does nothing else.
import { createServer } from 'node:http'
import { serving, settings } from './serve.mjs'

const body = 'x'.repeat(settings.bytes ?? 1000)
const server = createServer((request, response) => {
  request.on('data', () => {})
  request.on('end', () => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length })
    response.end(body)
  })
}).listen(0, '127.0.0.1', () => serving({ port: server.address().port }))
