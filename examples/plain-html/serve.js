// Serves the page, and the client as it lies in node_modules. Any server of files would do.
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'

const page = new URL('./index.html', import.meta.url)
const client = new URL('.', import.meta.resolve('@mapae/client'))
const types = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript' }

const server = createServer(async (request, response) => {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost')
  const file = pathname.startsWith('/mapae/') ? new URL(pathname.slice('/mapae/'.length), client) : page
  try {
    const body = await readFile(fileURLToPath(file))
    response.setHeader('content-type', types[extname(file.pathname)] ?? 'application/octet-stream').end(body)
  } catch {
    response.writeHead(404).end()
  }
})

const port = Number(process.env.PORT ?? 3004)
server.listen(port, 'localhost', () => console.log(`The page is on http://localhost:${port}`))
