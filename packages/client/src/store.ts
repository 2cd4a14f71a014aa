/**
 * Keeps one text for a client: its session. Everything else is built on `update`, so a store is right when that is.
 *
 * An app's own store (a file, an encrypted database) implements this and needs no more.
 */
export interface Store {
  /** What names it to other tabs that see the same text; undefined when nobody else sees it. */
  readonly name?: string | undefined
  read(): Promise<string | undefined>
  /**
   * Replaces the text by what `change` makes of it, undefined for none, in one step that nothing comes between. Resolves to
   * the text that is then there, and only when it would survive a crash. `change` has no effects and may be called again.
   */
  update(change: (text: string | undefined) => string | undefined): Promise<string | undefined>
  /**
   * Where keys can be kept that cannot be read out; `memory`: with the store itself. Without it sessions are not bound to a key.
   */
  readonly keys?: KeyStore | 'memory' | undefined
}

/** Keeps key pairs whose private key cannot be exported, each under its thumbprint. */
export interface KeyStore {
  read(thumbprint: string): Promise<CryptoKeyPair | undefined>
  write(thumbprint: string, pair: CryptoKeyPair): Promise<void>
  remove(thumbprint: string): Promise<void>
}
