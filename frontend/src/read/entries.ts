/** Finished work as it is kept and sent: a reading, a skip, a revision. Pure. */

import type { LeasedCase, PastReading, Seen, SkipReason } from "../api/types";
import type { Answers } from "../protocol/types";
import type { PendingReading, PendingRevision, PendingSkip } from "./journal";

/** What names an entry, and when it was made. */
type Stamp = Pick<PendingReading, "idempotency_key" | "case_id" | "number" | "at">;

/** What was answered, and how long that took. */
interface Work {
  readonly answers: Answers;
  readonly seconds: number;
}

export const readingOf = (
  stamp: Stamp,
  leased: LeasedCase,
  work: Work,
  suggestion: Seen | null,
): PendingReading => ({
  ...stamp,
  ...work,
  kind: "reading",
  lease_id: leased.lease_id,
  protocol_version: leased.protocol.version,
  suggestion,
});

export const revisionOf = (stamp: Stamp, past: PastReading, work: Work): PendingRevision => ({
  ...stamp,
  ...work,
  kind: "revision",
  reading_id: past.reading_id,
  base_revision: past.revision,
  protocol_version: past.protocol.version,
});

export const skipOf = (
  stamp: Stamp,
  leased: LeasedCase,
  reason: SkipReason,
  comment: string,
  cannotBeRead: boolean,
): PendingSkip => ({
  ...stamp,
  kind: "skip",
  lease_id: leased.lease_id,
  reason,
  comment,
  cannot_be_read: cannotBeRead,
});
