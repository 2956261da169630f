/** A reason for a failed start that the operator can remove. The message is printed without a stack. */
export class StartError extends Error {}
