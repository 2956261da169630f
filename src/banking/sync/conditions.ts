import type { Integration } from '../../../entities/index.ts'
import { maxConsentMs } from '../banking.ts'

/** A session that a sign-in opened is used within 10 minutes; later the consent opens another one. */
const maxSignInSessionMs = 10 * 60_000

/** A session that the consent opened is used at once; one that a sign-in opened only while it is new. */
export function hasUsableSession({ sealedSession, sealedAccess, sessionAt, sessions }: Integration): boolean {
  const isOld = sessions === 0 && Date.now() - (sessionAt?.getTime() ?? 0) > maxSignInSessionMs
  return Boolean(sealedSession) && !(isOld && sealedAccess)
}

export function isConsentOver({ consentExpiresAt, createdAt }: Integration): boolean {
  return (consentExpiresAt?.getTime() ?? createdAt.getTime() + maxConsentMs) < Date.now()
}

/** A person may have signed in and never returned: then Kontomatik holds a consent that the row lacks. */
export function mayHaveUnknownConsent(row: Integration): boolean {
  return Boolean(row.redirectionId) && !row.consentExpiresAt && !row.sealedSession && !row.lastPulledAt
}

/** How long the import has run. */
export function elapsedMs({ importingSince }: Integration): number {
  return Date.now() - (importingSince as Date).getTime()
}

/** How long a person may still sign in; negative once the time is over. */
export function untilSignInEndsMs({ expiresAt }: Integration): number {
  return (expiresAt?.getTime() ?? 0) - Date.now()
}
