import { createGuard } from '@mapae/guard'

export const guard = createGuard({ issuer: process.env.MAPAE_URL ?? 'http://localhost:3007' })
