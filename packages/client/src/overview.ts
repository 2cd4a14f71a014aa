import type { SessionOverview } from './client.ts'
import { isMembers, numberOf, textOf } from './wire.ts'

/** The sessions in an answer of `GET /auth/sessions`. */
export function readOverviews(value: unknown): readonly SessionOverview[] {
  return Array.isArray(value) ? value.flatMap(readOverview) : []
}

function readOverview(value: unknown): readonly SessionOverview[] {
  if (!isMembers(value)) return []
  const id = textOf(value['id'])
  if (id === undefined) return []
  return [
    {
      id,
      user_agent: textOf(value['user_agent']) ?? null,
      network: textOf(value['network']) ?? null,
      created_at: numberOf(value['created_at']) ?? 0,
      renewed_at: numberOf(value['renewed_at']) ?? 0,
      expires_at: numberOf(value['expires_at']) ?? 0,
      current: value['current'] === true,
    },
  ]
}
