/** The guard that gave claims out: no two are one object. */
export type Admitter = {
  /** Where the metadata of its API are (RFC 9728 §5.1), if that has any. */
  readonly resourceMetadata: string | undefined
}

/** Where claims come from: the guard, and the key that signed their token. */
export type Provenance = { readonly by: Admitter; readonly kid: string | undefined }

/** Marks claims for good. No copy of them has the mark, nobody sees it, and nothing but this file can set it. */
export function stamp(claims: object, provenance: Provenance): void {
  Stamp.put(claims, provenance)
}

/** The mark of these very claims; nothing for whatever else it is given. */
export function provenanceOf(claims: unknown): Provenance | undefined {
  return typeof claims === 'object' && claims !== null ? Stamp.on(claims) : undefined
}

/** Gives what it is given in place of an object of its own: the private fields of a class below it come to lie on that. */
class Given {
  constructor(object: object) {
    // biome-ignore lint/correctness/noConstructorReturn: that is what it is for
    return object
  }
}

/** A private field of a class is the mark: a property would be seen, and a WeakMap costs several times as much for claims that live briefly. */
class Stamp extends Given {
  readonly #provenance: Provenance

  private constructor(object: object, provenance: Provenance) {
    super(object)
    this.#provenance = provenance
  }

  static put(object: object, provenance: Provenance): void {
    new Stamp(object, provenance)
  }

  static on(object: object): Provenance | undefined {
    return #provenance in object ? object.#provenance : undefined
  }
}
