/** The start fails for a reason that the operator can remedy: the message is printed as it is, without a stack. */
export class StartError extends Error {}
