/** A database's address to show: without its user, its password and its parameters, which may hold one as well. */
export function databaseName(address: string): string {
  if (address.startsWith('sqlite:')) return address
  if (!URL.canParse(address)) return 'postgres://…'
  const { protocol, host, pathname } = new URL(address)
  return `${protocol}//${host}${pathname}`
}
