import { createClient } from '@mapae/client'
import { Authenticated, MapaeProvider } from '@mapae/client/react'
import { StrictMode, Suspense } from 'react'
import { createRoot } from 'react-dom/client'
import { Door } from './door.jsx'
import { Home } from './home.jsx'

const client = createClient({
  url: new URLSearchParams(location.search).get('auth') ?? 'http://localhost:4000',
})

createRoot(document.querySelector('#root')).render(
  <StrictMode>
    <MapaeProvider client={client}>
      <Suspense fallback={<p>…</p>}>
        <Authenticated fallback={<Door />}>
          <Home />
        </Authenticated>
      </Suspense>
    </MapaeProvider>
  </StrictMode>,
)
