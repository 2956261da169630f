import { IsIn, IsOptional, IsString, Length, MaxLength } from 'class-validator'
import type { AccessMode } from '../kontomatik/kontomatik-client.ts'

/** How a bank is linked: `redirectUri` starts a sign-in, `redirectionId` finishes one, `sessionId` hands over a widget's session. */
export class KontomatikSetup {
  @IsOptional() @IsString() @MaxLength(2000) redirectUri?: string
  @IsOptional() @IsString() @Length(2, 3) country?: string
  @IsOptional() @IsString() @Length(2, 2) locale?: string
  @IsOptional() @IsIn(['SINGLE', 'MULTIPLE', 'MIXED']) accessMode?: AccessMode
  @IsOptional() @IsString() @MaxLength(255) redirectionId?: string
  @IsOptional() @IsString() @MaxLength(255) sessionId?: string
  @IsOptional() @IsString() @MaxLength(255) sessionIdSignature?: string
  @IsOptional() @IsString() @MaxLength(255) target?: string
  @IsOptional() @IsString() @MaxLength(255) officialName?: string
  @IsOptional() @IsString() @MaxLength(255) multipleAccessId?: string
}
