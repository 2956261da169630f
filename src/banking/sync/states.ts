import type { Integration } from '../../../entities/index.ts'
import { type ErrorCode, errorCodeOf } from '../error-codes.ts'
import type { BankProblem } from '../kontomatik/bank-problem.ts'
import { elapsedMs, hasUsableSession, isConsentOver, mayHaveUnknownConsent, untilSignInEndsMs } from './conditions.ts'
import { maxSessions, pollCommand, requestSession, startCommand } from './import-steps.ts'
import { checkSignIn, deleteConsent } from './revoke-steps.ts'
import {
  type Next,
  type Situation,
  type State,
  type StepResult,
  state,
  type Transition,
  type WorkingStatus,
} from './state.ts'

/** The longest pause between two attempts to end a consent. */
const maxRevokePauseMs = 6 * 60 * 60_000

/** After these errors nothing can be imported until the bank is linked again; after the others a pull tries again. */
const statusAfter: Partial<Record<ErrorCode, Integration['status']>> = {
  consent_expired: 'expired',
  bank_not_supported: 'error',
}

const closedSession = { sealedSession: null, sessionAt: null }

/**
 * The state machine of an integration. Its state is the row alone, so any process can continue after a crash.
 * Three requests start work, each with an audit event `integration.<name>`:
 * - The request `setup` creates a `pending` row, and makes it `active` after the sign-in.
 * - The request `pull` makes an `active` row `importing`.
 * - The request `revoke` makes a row `revoking`, whatever its status; so does the replacement by another integration.
 * A job continues the work. The first state whose condition holds is the state of the row. The job runs its step, and the
 * transition of the step's outcome writes the row. A transition without a status keeps the status.
 */
export const states: Record<WorkingStatus, State[]> = {
  importing: [
    state({
      name: 'organization suspended or closed',
      when: ({ isReadOnly }) => isReadOnly,
      to: fail('organization_frozen', { asked: null, commandId: null }),
    }),
    state({
      name: 'command started',
      when: ({ row }) => row.commandId !== null,
      step: pollCommand,
      on: {
        running: pollAgain,
        unreachable: pollAgain,
        // The audit event `integration.import` holds the counts.
        imported: ({ row }, { command }) => ({
          set: { status: row.sealedAccess ? 'active' : 'expired', commandId: null, lastErrorCode: null },
          store: command,
        }),
        sessionLost: replaceSession,
        commandFailed: fail(codeOfImport, { commandId: null }),
        // The operator's mistake: the next pull continues the command.
        misconfigured: fail(codeOf),
        pollFailed: fail(codeOf, { commandId: null }),
      },
    }),
    state({
      name: 'import deadline passed',
      when: ({ row, timing }) => elapsedMs(row) > timing.importMs,
      to: fail('provider_timeout'),
    }),
    state({
      name: 'waiting for a slot',
      when: ({ hasSlot }) => !hasSlot,
      to: (situation, result) => {
        const { row, timing } = situation
        if (elapsedMs(row) > timing.slotMs) return fail('provider_busy')(situation, result)
        return { waitMs: Math.min(timing.pollMs, timing.busyMs) }
      },
    }),
    state({
      name: 'session open',
      when: ({ row }) => hasUsableSession(row),
      step: startCommand,
      on: {
        started: ({ timing }) => ({ set: { asked: null, ...closedSession }, waitMs: timing.pollMs }),
        sessionLost: replaceSession,
        busy: retryLater,
        // Kontomatik may have started the import: a consent opens another session, without one this session is asked again.
        uncertain: ({ row, ...rest }, result) =>
          fail(codeOfImport, { asked: null, ...(row.sealedAccess ? closedSession : {}) })({ row, ...rest }, result),
        startFailed: fail(codeOfImport, { asked: null }),
      },
    }),
    state({
      name: 'no session, no consent',
      when: ({ row }) => !row.sealedAccess,
      to: fail('session_invalid', { status: 'error' }),
    }),
    state({
      name: 'no session, all sessions used',
      when: ({ row }) => row.sessions === maxSessions,
      to: fail('session_invalid', { asked: null }),
    }),
    state({
      name: 'no session',
      when: () => true,
      step: requestSession,
      on: {
        quotaReached: fail('limit_reached'),
        opened: () => ({ set: { asked: null }, waitMs: 0 }),
        busy: retryLater,
        requestFailed: fail(codeOf, { asked: null }),
      },
    }),
  ],
  revoking: [
    state({ name: 'consent ended by itself', when: ({ row }) => isConsentOver(row), to: revoked }),
    state({
      name: 'consent open',
      when: ({ row }) => row.sealedAccess !== null,
      step: deleteConsent,
      on: { deleted: revoked, deleteFailed: retryRevocation },
    }),
    state({
      name: 'sign-in without a result',
      when: ({ row }) => mayHaveUnknownConsent(row),
      step: checkSignIn,
      on: {
        pending: ({ row }) => ({ set: { failures: row.failures + 1 }, waitMs: untilSignInEndsMs(row) + 1000 }),
        consentFound: () => ({ waitMs: 0 }),
        noConsent: revoked,
        checkFailed: retryRevocation,
      },
    }),
    state({ name: 'no consent', when: () => true, to: revoked }),
  ],
}

/** Ends an import without a result. The audit log records it where the integration is not active afterwards. */
function fail(code: ErrorCode | ((row: Integration, problem: BankProblem) => ErrorCode), set = {}): Next {
  return ({ row }, { problem }) => {
    const lastErrorCode = typeof code === 'string' ? code : code(row, problem as BankProblem)
    const status = statusAfter[lastErrorCode] ?? 'active'
    const failed: Partial<Integration> = { status, ...set, lastErrorCode }
    return {
      set: failed,
      releasesSlot: true,
      failure: { message: 'an import from a bank failed', code: lastErrorCode, problem },
      ...(failed.status !== 'active' && { audit: 'pull' }),
    }
  }
}

function codeOf(_row: Integration, problem: BankProblem): ErrorCode {
  return errorCodeOf(problem)
}

/** The bank may refuse the day that the client asked for. */
function codeOfImport({ since }: Integration, problem: BankProblem): ErrorCode {
  return problem.name === 'InvalidSince' && since ? 'since_refused' : errorCodeOf(problem)
}

/** A poll that fails does no harm, so polling goes on until the deadline. */
function pollAgain(situation: Situation, result: StepResult): Transition {
  const { row, timing } = situation
  return elapsedMs(row) > timing.importMs ? fail('provider_timeout')(situation, result) : { waitMs: timing.pollMs }
}

/** The command is lost with its session. A consent opens another session, up to `maxSessions` in one pull. */
function replaceSession(situation: Situation, result: StepResult): Transition {
  const { row } = situation
  const lost = { asked: null, commandId: null, ...closedSession }
  if (!row.sealedAccess) return fail('session_invalid', { ...lost, status: 'error' })(situation, result)
  if (row.sessions < maxSessions) return { set: lost, waitMs: 0 }
  return fail(codeOf, lost)(situation, result)
}

/** Kontomatik runs too many imports: other imports get the slot, and the pause grows, with jitter. */
function retryLater(situation: Situation, result: StepResult): Transition {
  const { row, timing } = situation
  const elapsed = elapsedMs(row)
  if (elapsed > timing.slotMs) return fail('provider_busy', { asked: null })(situation, result)
  const waitMs = Math.max(timing.busyMs, elapsed / 2) * (1 + Math.random() / 2)
  return { set: { asked: null }, releasesSlot: true, waitMs }
}

/** The row keeps the consent until Kontomatik confirms its end, or the consent has ended by itself. */
function revoked(): Transition {
  const secrets = { sealedAccess: null, asked: null, ...closedSession }
  const set = { status: 'revoked' as const, failures: 0, nextPullAt: null, lastErrorCode: null, ...secrets }
  return { set, releasesSlot: true, audit: 'revoke' }
}

function retryRevocation({ row: { failures }, timing }: Situation, { problem }: StepResult): Transition {
  const code = errorCodeOf(problem as BankProblem)
  const pauseMs = Math.min(timing.revokeMs * 2 ** Math.min(failures, 20), maxRevokePauseMs)
  return {
    set: { failures: failures + 1, lastErrorCode: code },
    waitMs: pauseMs * (0.75 + Math.random() / 2),
    failure: { message: 'could not end a consent; retrying', code, problem },
  }
}
