/** How much of something there may be. */
export interface BrakeLimit {
  /** Tries that may be made at once; after them each wait is longer than the one before: 1 s, 2 s, 4 s … */
  readonly atOnce: number
  /** Seconds in which one try is forgiven, and the longest wait. At most 900: nobody is locked out for longer. */
  readonly every: number
}

/** Everything that is braked. What is counted by address has ten times as much for the network around it. */
export interface BrakeLimits {
  /** Logins to one account from a device that logged in to it before: these count nowhere else. */
  readonly knownDevice: BrakeLimit
  /** Logins by one identifier from one network (IPv4 /24, IPv6 /48). */
  readonly accountFromNetwork: BrakeLimit
  /** Logins by one identifier from everywhere. */
  readonly account: BrakeLimit
  /** Logins from one address (IPv6 /64). */
  readonly loginsFromAddress: BrakeLimit
  /** Sessions of one account that its password opened, at a login or a change of it. Only who knows the password uses them up. */
  readonly sessionsOfAccount: BrakeLimit
  /** The same from one address (IPv6 /64), of any account, on devices that are not known. */
  readonly sessionsFromAddress: BrakeLimit
  /** The password given again, in one session. */
  readonly reauthentication: BrakeLimit
  /** Mailed codes from one address. */
  readonly codesFromAddress: BrakeLimit
  /** Registrations from one address; those that were refused count too. */
  readonly registrationsFromAddress: BrakeLimit
  /** Mails to one mailbox that somebody asked for; those that reset a password have as many of their own. */
  readonly mailsToMailbox: BrakeLimit
  /** Mails that were asked for from one address. */
  readonly mailsFromAddress: BrakeLimit
}

export type BrakeName = keyof BrakeLimits

export const LONGEST_WAIT: number = 900

/** What holds where the option `brakes` says nothing else. */
export const defaultLimits: BrakeLimits = {
  knownDevice: { atOnce: 10, every: 900 },
  accountFromNetwork: { atOnce: 10, every: 900 },
  account: { atOnce: 20, every: 900 },
  loginsFromAddress: { atOnce: 100, every: 30 },
  sessionsOfAccount: { atOnce: 100, every: 60 },
  sessionsFromAddress: { atOnce: 1000, every: 1 },
  reauthentication: { atOnce: 5, every: 900 },
  codesFromAddress: { atOnce: 20, every: 60 },
  registrationsFromAddress: { atOnce: 100, every: 60 },
  mailsToMailbox: { atOnce: 5, every: 900 },
  mailsFromAddress: { atOnce: 30, every: 60 },
}
